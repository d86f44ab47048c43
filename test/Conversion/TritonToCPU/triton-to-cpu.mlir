// RUN: triton-metal-opt %s -split-input-file --triton-to-cpu -verify-diagnostics | FileCheck %s

// Contiguous access under a test that all masks hold; masked access else. No vector wider than the machine's.
// CHECK-LABEL: llvm.func internal @add.program
// CHECK: scf.for
// CHECK: scf.if
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.store {{.*}} : vector<8xf32>
// CHECK: } else {
// CHECK: llvm.intr.masked.load
// CHECK: llvm.intr.masked.store
// CHECK-NOT: vector<1024x
// CHECK-LABEL: llvm.func @add(
// CHECK-SAME: triton_metal.arena_bytes = 0
tt.func public @add(%x: !tt.ptr<f32>, %out: !tt.ptr<f32>, %n: i32) {
  %c = arith.constant 1024 : i32
  %pid = tt.get_program_id x : i32
  %start = arith.muli %pid, %c : i32
  %range = tt.make_range {end = 1024 : i32, start = 0 : i32} : tensor<1024xi32>
  %base = tt.splat %start : i32 -> tensor<1024xi32>
  %offs = arith.addi %base, %range : tensor<1024xi32>
  %limit = tt.splat %n : i32 -> tensor<1024xi32>
  %mask = arith.cmpi slt, %offs, %limit : tensor<1024xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %xp = tt.addptr %xs, %offs : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  %v = tt.load %xp, %mask : tensor<1024x!tt.ptr<f32>>
  %w = arith.addf %v, %v : tensor<1024xf32>
  %os = tt.splat %out : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %op = tt.addptr %os, %offs : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  tt.store %op, %w, %mask : tensor<1024x!tt.ptr<f32>>
  tt.return
}

// -----

// A reduction keeps vector accumulators and combines them by halves; the result is a scalar.
// CHECK-LABEL: llvm.func internal @sum.program
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: vector.shuffle {{.*}} [0, 1, 2, 3]
// CHECK: vector.extract
// CHECK: llvm.store {{.*}} : f32
tt.func public @sum(%x: !tt.ptr<f32>, %out: !tt.ptr<f32>) {
  %range = tt.make_range {end = 256 : i32, start = 0 : i32} : tensor<256xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %xp = tt.addptr %xs, %range : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  %v = tt.load %xp : tensor<256x!tt.ptr<f32>>
  %s = "tt.reduce"(%v) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %r = arith.addf %a, %b : f32
    tt.reduce.return %r : f32
  }) : (tensor<256xf32>) -> f32
  tt.store %out, %s : !tt.ptr<f32>
  tt.return
}

// -----

// A loop carries the offset of its pointers, not the pointers.
// CHECK-LABEL: llvm.func internal @walk.program
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (i64)
// CHECK: llvm.load {{.*}} -> vector<8xf32>
tt.func public @walk(%x: !tt.ptr<f32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %step = arith.constant dense<64> : tensor<64xi32>
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %xp = tt.addptr %xs, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %end = scf.for %i = %c0 to %n step %c1 iter_args(%p = %xp) -> (tensor<64x!tt.ptr<f32>>) : i32 {
    %v = tt.load %p : tensor<64x!tt.ptr<f32>>
    %w = arith.addf %v, %v : tensor<64xf32>
    tt.store %p, %w : tensor<64x!tt.ptr<f32>>
    %next = tt.addptr %p, %step : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
    scf.yield %next : tensor<64x!tt.ptr<f32>>
  }
  tt.return
}

// -----

// A return within a branch: several blocks.
// CHECK-LABEL: llvm.func internal @early.program
// CHECK: llvm.cond_br
// CHECK: llvm.return
// CHECK: llvm.store {{.*}} : vector<8xf32>
// CHECK: llvm.return
tt.func public @early(%x: !tt.ptr<f32>, %c: i1) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %xp = tt.addptr %xs, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %v = tt.load %xp : tensor<64x!tt.ptr<f32>>
  cf.cond_br %c, ^bb1, ^bb2
^bb1:
  tt.return
^bb2:
  %w = arith.addf %v, %v : tensor<64xf32>
  tt.store %xp, %w : tensor<64x!tt.ptr<f32>>
  tt.return
}

// -----

tt.func public @foreign_function(%x: f32, %out: !tt.ptr<f32>) {
  // expected-error @below {{'tt.extern_elementwise' is not supported on cpu: there is no lowering of this operation}}
  // expected-note @below {{remedy: rewrite the kernel without it, or report it}}
  %y = tt.extern_elementwise %x {libname = "", libpath = "", pure = true, symbol = "__nv_foo"} : (f32) -> f32
  tt.store %out, %y : !tt.ptr<f32>
  tt.return
}
