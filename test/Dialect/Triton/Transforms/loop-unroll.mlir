// RUN: triton-metal-opt %s --tt-loop-unroll | FileCheck %s

// CHECK-LABEL: tt.func public @unrolled
// CHECK: scf.for
// CHECK-COUNT-2: tt.addptr
// CHECK-NOT: tt.loop_unroll_factor
tt.func public @unrolled(%p: !tt.ptr<f32>, %v: f32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c8 = arith.constant 8 : i32
  scf.for %i = %c0 to %c8 step %c1 : i32 {
    %q = tt.addptr %p, %i : !tt.ptr<f32>, i32
    tt.store %q, %v : !tt.ptr<f32>
  } {tt.loop_unroll_factor = 2 : i32}
  tt.return
}

// A loop that does not ask stays as it is.
// CHECK-LABEL: tt.func public @plain
// CHECK-COUNT-1: tt.addptr
// CHECK-NOT: tt.addptr
tt.func public @plain(%p: !tt.ptr<f32>, %v: f32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c8 = arith.constant 8 : i32
  scf.for %i = %c0 to %c8 step %c1 : i32 {
    %q = tt.addptr %p, %i : !tt.ptr<f32>, i32
    tt.store %q, %v : !tt.ptr<f32>
  }
  tt.return
}
