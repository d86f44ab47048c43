// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics | triton-metal-opt -split-input-file | FileCheck %s
// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics --cse --canonicalize | FileCheck %s --check-prefix=CSE

// CHECK-LABEL: @round_trip
// CHECK: %[[A:.*]] = tt.shared_memory "tile" [3, 5] : <f32, "shared">
// CHECK: tt.addptr %[[A]], %{{.*}} : !tt.ptr<f32, "shared">, i32
// CHECK: tt.store %{{.*}}, %{{.*}} : !tt.ptr<f32, "shared">
// CHECK: tt.shared_barrier
// CHECK: tt.atomic_rmw fadd, relaxed, cta, %{{.*}} : (!tt.ptr<f32, "shared">, f32, i1) -> f32
// CHECK: tt.atomic_cas relaxed, cta, %{{.*}} : (!tt.ptr<i32, "shared">, i32, i32) -> i32
tt.func public @round_trip(%i: i32, %x: f32, %m: i1) {
  %a = tt.shared_memory "tile" [3, 5] : <f32, "shared">
  %p = tt.addptr %a, %i : !tt.ptr<f32, "shared">, i32
  tt.store %p, %x : !tt.ptr<f32, "shared">
  tt.shared_barrier
  %old = tt.atomic_rmw fadd, relaxed, cta, %p, %x, %m : (!tt.ptr<f32, "shared">, f32, i1) -> f32
  %w = tt.bitcast %p : !tt.ptr<f32, "shared"> -> !tt.ptr<i32, "shared">
  %seen = tt.atomic_cas relaxed, cta, %w, %i, %i : (!tt.ptr<i32, "shared">, i32, i32) -> i32
  tt.return
}

// Two arrays stay two, one that nobody uses goes. A load is not repeated unless a store or a barrier stands between.
// CSE-LABEL: @effects
// CSE-COUNT-2: tt.shared_memory
// CSE-NOT: tt.shared_memory
// CSE: %[[ONE:.*]] = tt.load
// CSE-NOT: tt.load
// CSE: tt.shared_barrier
// CSE: %[[TWO:.*]] = tt.load
// CSE: tt.store %{{.*}}, %[[ONE]]
// CSE: tt.store %{{.*}}, %[[ONE]]
// CSE: tt.store %{{.*}}, %[[TWO]]
tt.func public @effects(%out: !tt.ptr<f32>) {
  %a = tt.shared_memory "s" [4] : <f32, "shared">
  %b = tt.shared_memory "s" [4] : <f32, "shared">
  %unused = tt.shared_memory "s" [4] : <f32, "shared">
  %one = tt.load %a : !tt.ptr<f32, "shared">
  %same = tt.load %a : !tt.ptr<f32, "shared">
  tt.shared_barrier
  %two = tt.load %a : !tt.ptr<f32, "shared">
  tt.store %b, %one : !tt.ptr<f32, "shared">
  tt.store %out, %same : !tt.ptr<f32>
  tt.store %out, %two : !tt.ptr<f32>
  tt.return
}

// -----

tt.func public @empty() {
  // expected-error @below {{has a shape of positive sizes}}
  %a = tt.shared_memory "s" [4, 0] : <f32, "shared">
  tt.return
}

// -----

tt.func public @space() {
  // expected-error @below {{gives a pointer into shared memory, not '!tt.ptr<f32>'}}
  %a = tt.shared_memory "s" [4] : <f32>
  tt.return
}

// -----

tt.func public @pointers() {
  // expected-error @below {{holds numbers, not '!tt.ptr<f32>'}}
  %a = tt.shared_memory "s" [4] : <!tt.ptr<f32>, "shared">
  tt.return
}

// -----

tt.func public @huge() {
  // expected-error @below {{has more than 2147483647 elements}}
  %a = tt.shared_memory "s" [1048576, 1048576, 1048576, 1048576] : <f32, "shared">
  tt.return
}

// -----

// expected-error @below {{a pointer into shared memory cannot be stored}}
tt.func public @stored(%p: !tt.ptr<!tt.ptr<f32, "shared">>) {
  tt.return
}
