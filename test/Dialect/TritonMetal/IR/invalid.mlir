// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{not a layout: bases that are not zero must be linearly independent}}
#twice = #ttm.layout<register = [[1]], lane = [[1], [2], [4], [8], [16]], simdgroup = []>

// -----

// expected-error@+1 {{not a layout: there are 5 lane bits and at most 5 SIMD-group bits}}
#few = #ttm.layout<register = [], lane = [[1], [2], [4], [8]], simdgroup = []>

// -----

// expected-error@+1 {{every basis has as many coordinates as the tensor has dimensions}}
#ragged = #ttm.layout<register = [[1]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], simdgroup = []>

// -----

#lanes = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = []>
// expected-error@+1 {{a layout of shape [32] on a tensor of shape [64]}}
tt.func public @shape(%a: tensor<64xf32, #lanes>) {
  tt.return
}

// -----

// expected-error@+1 {{the interval must be a power of two}}
func.func private @padding(!ttm.memory<8x8xf32, pad 4 every 6>)

// -----

#lanes = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = []>
tt.func public @write(%a: tensor<32xf32, #lanes>) {
  %m = ttm.alloc : !ttm.memory<16xf32>
  // expected-error@+1 {{needs a tensor and an array of one shape and element type}}
  ttm.write %a, %m : tensor<32xf32, #lanes>, !ttm.memory<16xf32>
  tt.return
}
