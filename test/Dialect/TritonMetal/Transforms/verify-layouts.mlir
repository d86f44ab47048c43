// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics --ttm-verify-layouts

tt.func public @none(%p: !tt.ptr<f32>) {
  // expected-error@+1 {{has a result without a layout}}
  %s = tt.splat %p : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>>
  tt.return
}

// -----

#lanes = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = []>
#other = #ttm.layout<register = [], lane = [[2], [1], [4], [8], [16]], simdgroup = []>
tt.func public @store(%p: tensor<32x!tt.ptr<f32>, #lanes>, %v: tensor<32xf32, #lanes>, %w: tensor<32xf32, #other>) {
  tt.store %p, %v : tensor<32x!tt.ptr<f32>, #lanes>
  %c = ttm.convert_layout %w : tensor<32xf32, #other> -> tensor<32xf32, #lanes>
  // expected-error@+1 {{needs a result layout of}}
  %e = tt.expand_dims %c {axis = 0 : i32} : tensor<32xf32, #lanes> -> tensor<1x32xf32, #ttm.layout<register = [], lane = [[0, 2], [0, 1], [0, 4], [0, 8], [0, 16]], simdgroup = []>>
  tt.return
}

// -----

#groups = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = [[32]]>
tt.func public @reduce(%v: tensor<64xf32, #groups>) {
  // expected-error@+1 {{has its axis in SIMD-groups}}
  %s = "tt.reduce"(%v) <{axis = 0 : i32}> ({
  ^bb0(%x: f32, %y: f32):
    %z = arith.addf %x, %y : f32
    tt.reduce.return %z : f32
  }) : (tensor<64xf32, #groups>) -> f32
  tt.return
}

// -----

#matrix = #ttm.layout<register = [[0, 1]], lane = [[0, 2], [1, 0], [2, 0], [0, 4], [4, 0]], simdgroup = []>
#wrong = #ttm.layout<register = [], lane = [[1, 0], [2, 0], [4, 0], [0, 0], [0, 0]], simdgroup = []>
tt.func public @broadcast(%v: tensor<8x1xf32, #wrong>) {
  // expected-error@+1 {{needs an operand whose layout is the result's, projected}}
  %b = tt.broadcast %v : tensor<8x1xf32, #wrong> -> tensor<8x8xf32, #matrix>
  tt.return
}
