// RUN: triton-metal-opt %s --msl-form-statements --msl-verify-printable --msl-print-text="facts" -o /dev/null | FileCheck %s
//
// A kernel as the conversion makes it: vector access, a loop over registers, names from the source.

// CHECK:      #include <metal_stdlib>
// CHECK:      struct Params {
// CHECK-NEXT:   device float* x_ptr;
// CHECK-NEXT:   device float* out_ptr;
// CHECK-NEXT:   int n;
// CHECK-NEXT: };
// CHECK:      {{\[\[}}kernel, max_total_threads_per_threadgroup(128)]] void add(
// CHECK-NEXT:     constant Params& params {{\[\[}}buffer(0)]],
// CHECK-NEXT:     uint3 program_id {{\[\[}}threadgroup_position_in_grid]],
// CHECK-NEXT:     uint thread_index {{\[\[}}thread_index_in_threadgroup]]) {
// CHECK-NEXT:   int offsets = program_id.x * 512u + thread_index * 4u;
// CHECK-NEXT:   bool mask = offsets < params.n;
// CHECK-NEXT:   float4 x = mask ? *(device float4*)(params.x_ptr + offsets) : float4(0.0f);
// CHECK-NEXT:   float4 output;
// CHECK-NEXT:   #pragma unroll
// CHECK-NEXT:   for (uint i = 0u; i < 4u; ++i) {
// CHECK-NEXT:     output[i] = x[i] + 1.5f;
// CHECK-NEXT:   }
// CHECK-NEXT:   if (mask)
// CHECK-NEXT:     *(device float4*)(params.out_ptr + offsets) = output;
// CHECK-NEXT: }
// CHECK:      entry add
// CHECK:      threads 128
// CHECK:      device loads 1
// CHECK-NEXT: device stores 1
// CHECK:      bytes of a program 4096
// CHECK-NEXT: operations of a program 512
// CHECK:      line 13: add.py:3:1
module {
  msl.kernel @add(%x: !msl.ptr<f32, device> {msl.name = "x_ptr"}, %out: !msl.ptr<f32, device> {msl.name = "out_ptr"}, %n: i32 {msl.name = "n"}) attributes {threads = 128 : i32, pool = 0 : i32} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c4 = arith.constant 4 : i32
    %c512 = arith.constant 512 : i32
    %half = arith.constant 1.5 : f32
    %zero = arith.constant 0.0 : f32
    %pid = msl.builtin program_x
    %tid = msl.builtin thread
    %0 = arith.muli %pid, %c512 : i32
    %1 = arith.muli %tid, %c4 : i32
    %offsets = arith.addi %0, %1 : i32 loc("offsets"("add.py":3:1))
    %mask = arith.cmpi slt, %offsets, %n : i32 loc("mask")
    %p = msl.ptr_add %x, %offsets : !msl.ptr<f32, device>, i32
    %pv = msl.ptr_cast %p : !msl.ptr<f32, device> -> !msl.ptr<vector<4xf32>, device>
    %other = msl.splat %zero : f32 -> vector<4xf32>
    %v = msl.load %pv if %mask else %other : !msl.ptr<vector<4xf32>, device>
    %xs = msl.var %v : vector<4xf32> {msl.name = "x"} -> !msl.ptr<vector<4xf32>, thread>
    %ys = msl.var {msl.name = "output"} -> !msl.ptr<vector<4xf32>, thread>
    msl.for unroll %i = %c0 to %c4 step %c1 : i32 {
      %e = msl.element %xs[%i] : !msl.ptr<vector<4xf32>, thread>
      %a = msl.load %e : !msl.ptr<f32, thread>
      %b = arith.addf %a, %half : f32
      %f = msl.element %ys[%i] : !msl.ptr<vector<4xf32>, thread>
      msl.store %b, %f : !msl.ptr<f32, thread>
    }
    %q = msl.ptr_add %out, %offsets : !msl.ptr<f32, device>, i32
    %qv = msl.ptr_cast %q : !msl.ptr<f32, device> -> !msl.ptr<vector<4xf32>, device>
    %w = msl.load %ys : !msl.ptr<vector<4xf32>, thread>
    msl.store %w, %qv if %mask : !msl.ptr<vector<4xf32>, device>
  }
}
