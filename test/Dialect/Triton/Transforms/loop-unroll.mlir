// RUN: triton-metal-opt %s --split-input-file --verify-diagnostics --tt-loop-unroll | FileCheck %s

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

// A loop without an iteration stays.
// CHECK-LABEL: tt.func public @empty
// CHECK-COUNT-1: tt.addptr
// CHECK-NOT: tt.addptr
tt.func public @empty(%p: !tt.ptr<f32>, %v: f32, %step: i32) {
  %c0 = arith.constant 0 : i32
  scf.for %i = %c0 to %c0 step %step : i32 {
    %q = tt.addptr %p, %i : !tt.ptr<f32>, i32
    tt.store %q, %v : !tt.ptr<f32>
  } {tt.loop_unroll_factor = 2 : i32}
  tt.return
}

// An end that may be before the beginning is no negative number of iterations.
// CHECK-LABEL: tt.func public @runtime
// CHECK: %[[END:.*]] = arith.maxsi %[[FIRST:.*]], %{{.*}} : i32
// CHECK: arith.subi %[[END]], %[[FIRST]]
// CHECK: scf.for %{{.*}} = %[[FIRST]] to
tt.func public @runtime(%p: !tt.ptr<f32>, %v: f32, %first: i32, %end: i32, %step: i32) {
  scf.for %i = %first to %end step %step : i32 {
    %q = tt.addptr %p, %i : !tt.ptr<f32>, i32
    tt.store %q, %v : !tt.ptr<f32>
  } {tt.loop_unroll_factor = 2 : i32}
  tt.return
}

// -----

tt.func public @endless(%p: !tt.ptr<f32>, %v: f32, %n: i32) {
  %c0 = arith.constant 0 : i32
  // expected-error @+1 {{cannot be unrolled by 2}}
  scf.for %i = %c0 to %n step %c0 : i32 {
    %q = tt.addptr %p, %i : !tt.ptr<f32>, i32
    tt.store %q, %v : !tt.ptr<f32>
  } {tt.loop_unroll_factor = 2 : i32}
  tt.return
}
