// RUN: triton-metal-opt %s --triton-pipeline --cpu-pipeline="vector-bytes=64 vector-registers=32 fp-fusion=0 checked=0" | FileCheck %s --check-prefix=WIDE
// RUN: triton-metal-opt %s --triton-pipeline --cpu-pipeline | FileCheck %s --check-prefix=CPU
// RUN: triton-metal-opt %s --triton-pipeline --metal-pipeline="num-warps=2 chip=apple-m1" | FileCheck %s --check-prefix=METAL
//
// What a reproducer's first line runs.

// WIDE: vector<16xf32>
// CPU: vector<8xf32>
// METAL: msl.kernel @double
// METAL-SAME: threads = 64
tt.func public @double(%x: !tt.ptr<f32> {tt.divisibility = 16 : i32}) {
  %range = tt.make_range {end = 128 : i32, start = 0 : i32} : tensor<128xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<128x!tt.ptr<f32>>
  %at = tt.addptr %xs, %range : tensor<128x!tt.ptr<f32>>, tensor<128xi32>
  %v = tt.load %at : tensor<128x!tt.ptr<f32>>
  %w = arith.addf %v, %v : tensor<128xf32>
  tt.store %at, %w : tensor<128x!tt.ptr<f32>>
  tt.return
}
