// RUN: triton-metal-opt %s --ttm-split-reductions --ttm-verify-layouts | FileCheck %s

// A SIMD-group's own part first, registers and lanes in one reduction; then what all have, in the lanes of each.
// CHECK-LABEL: @one_dimension
// CHECK: %[[R:.*]] = tt.reshape {{.*}} -> tensor<4x256xf32
// CHECK: %[[P:.*]] = "tt.reduce"(%[[R]]) <{axis = 1 : i32}>
// CHECK: -> tensor<4xf32, #[[PARTIAL:.*]]>
// CHECK: %[[L:.*]] = ttm.convert_layout %[[P]] : tensor<4xf32, #[[PARTIAL]]> -> tensor<4xf32
// CHECK: "tt.reduce"(%[[L]]) <{axis = 0 : i32}>
// CHECK: -> f32
#rows = #ttm.layout<register = [[32], [64], [128]], lane = [[1], [2], [4], [8], [16]], simdgroup = [[256], [512]]>
tt.func public @one_dimension(%x: tensor<1024xf32, #rows>, %out: !tt.ptr<f32>) {
  %s = "tt.reduce"(%x) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tt.reduce.return %c : f32
  }) : (tensor<1024xf32, #rows>) -> f32
  tt.store %out, %s : !tt.ptr<f32>
  tt.return
}

// Registers above the SIMD-group bits are reduced before lanes.
// CHECK-LABEL: @bits_in_the_middle
// CHECK: tt.reshape {{.*}} -> tensor<2x2x32xi32
// CHECK: <{axis = 0 : i32}>
// CHECK: <{axis = 1 : i32}>
// CHECK: ttm.convert_layout
// CHECK: <{axis = 0 : i32}>
#middle = #ttm.layout<register = [[64]], lane = [[1], [2], [4], [8], [16]], simdgroup = [[32]]>
tt.func public @bits_in_the_middle(%x: tensor<128xi32, #middle>, %out: !tt.ptr<i32>) {
  %s = "tt.reduce"(%x) <{axis = 0 : i32}> ({
  ^bb0(%a: i32, %b: i32):
    %c = arith.maxsi %a, %b : i32
    tt.reduce.return %c : i32
  }) : (tensor<128xi32, #middle>) -> i32
  tt.store %out, %s : !tt.ptr<i32>
  tt.return
}

// Rows that stay in a SIMD-group are left alone.
// CHECK-LABEL: @within
// CHECK-NOT: ttm.convert_layout
// CHECK: tt.return
#within = #ttm.layout<register = [], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], simdgroup = [[1, 0], [2, 0]]>
tt.func public @within(%x: tensor<4x32xf32, #within>) {
  %s = "tt.reduce"(%x) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tt.reduce.return %c : f32
  }) : (tensor<4x32xf32, #within>) -> tensor<4xf32, #ttm.layout<register = [], lane = [[0], [0], [0], [0], [0]], simdgroup = [[1], [2]]>>
  tt.print " s: " {hex = false, isSigned = array<i32: 1>} : %s : tensor<4xf32, #ttm.layout<register = [], lane = [[0], [0], [0], [0], [0]], simdgroup = [[1], [2]]>>
  tt.return
}
