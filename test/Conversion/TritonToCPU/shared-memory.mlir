// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics --triton-to-cpu | FileCheck %s

// An array is a part of the arena that nothing else takes; a barrier is nothing in one thread. A store of consecutive elements is one of
// vectors, and what was loaded before it from other memory is not copied.
// CHECK-LABEL: llvm.func internal @reverse.program
// CHECK: %[[ARRAY:.*]] = llvm.getelementptr %{{.*}}[0]
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.store {{.*}} : vector<8xf32>, !llvm.ptr
// CHECK-NOT: barrier
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: vector.shuffle {{.*}} [7, 6, 5, 4, 3, 2, 1, 0]
tt.func public @reverse(%x: !tt.ptr<f32>) {
  %last = arith.constant dense<63> : tensor<64xi32>
  %a = tt.shared_memory "a" [64] : <f32, "shared">
  %i = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %xp = tt.addptr %xs, %i : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %v = tt.load %xp : tensor<64x!tt.ptr<f32>>
  %as = tt.splat %a : !tt.ptr<f32, "shared"> -> tensor<64x!tt.ptr<f32, "shared">>
  %ap = tt.addptr %as, %i : tensor<64x!tt.ptr<f32, "shared">>, tensor<64xi32>
  tt.store %ap, %v : tensor<64x!tt.ptr<f32, "shared">>
  tt.shared_barrier
  %j = arith.subi %last, %i : tensor<64xi32>
  %bp = tt.addptr %as, %j : tensor<64x!tt.ptr<f32, "shared">>, tensor<64xi32>
  %w = tt.load %bp : tensor<64x!tt.ptr<f32, "shared">>
  tt.store %xp, %w : tensor<64x!tt.ptr<f32>>
  tt.return
}

// -----

// No other thread sees a shared array: its atomics are plain.
// CHECK-LABEL: llvm.func internal @count.program
// CHECK-NOT: llvm.atomicrmw
// CHECK: arith.addi
tt.func public @count() {
  %a = tt.shared_memory "a" [64] : <i32, "shared">
  %one = arith.constant dense<1> : tensor<16xi32>
  %yes = arith.constant dense<true> : tensor<16xi1>
  %as = tt.splat %a : !tt.ptr<i32, "shared"> -> tensor<16x!tt.ptr<i32, "shared">>
  %ap = tt.addptr %as, %one : tensor<16x!tt.ptr<i32, "shared">>, tensor<16xi32>
  %old = tt.atomic_rmw add, relaxed, cta, %ap, %one, %yes : (tensor<16x!tt.ptr<i32, "shared">>, tensor<16xi32>, tensor<16xi1>) -> tensor<16xi32>
  tt.return
}

// -----

// Sums of halves and minima of floats stay atomics of LLVM, which loads the old value: nothing else does.
// CHECK-LABEL: llvm.func internal @composed.program
// CHECK-NOT: llvm.load {{.*}} -> f16
// CHECK: llvm.atomicrmw fadd {{.*}} f16
// CHECK-NOT: llvm.load {{.*}} -> f32
// CHECK: llvm.atomicrmw fmax {{.*}} f32
tt.func public @composed(%h: f16, %f: f32) {
  %yes = arith.constant true
  %a = tt.shared_memory "a" [8] : <f16, "shared">
  %b = tt.shared_memory "b" [8] : <f32, "shared">
  %0 = tt.atomic_rmw fadd, relaxed, cta, %a, %h, %yes : (!tt.ptr<f16, "shared">, f16, i1) -> f16
  %1 = tt.atomic_rmw max, relaxed, cta, %b, %f, %yes : (!tt.ptr<f32, "shared">, f32, i1) -> f32
  tt.return
}

// -----

tt.func public @too_much(%x: f32) {
  %a = tt.shared_memory "a" [4096] : <f32, "shared">
  // expected-error @below {{out of resource: threadgroup memory, required: 40960, limit: 32768}}
  // expected-note-re @below {{a: (4096,) x fp32, 16384 bytes at {{.*}}:{{[0-9]+}}; b: (64, 96) x fp32, 24576 bytes at {{.*}}:{{[0-9]+}}; use smaller arrays}}
  %b = tt.shared_memory "b" [64, 96] : <f32, "shared">
  tt.store %a, %x : !tt.ptr<f32, "shared">
  tt.store %b, %x : !tt.ptr<f32, "shared">
  tt.return
}

// -----

// expected-error @below {{'tt.func' is not supported on cpu: an argument of this type}}
// expected-note @below {{remedy: pass pointers and numbers}}
tt.func public @argument(%x: !tt.ptr<f32, "shared">) {
  tt.return
}
