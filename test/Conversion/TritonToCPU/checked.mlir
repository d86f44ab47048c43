// RUN: triton-metal-opt %s -split-input-file --triton-to-cpu=checked=true | FileCheck %s
// RUN: triton-metal-opt %s -split-input-file --triton-to-cpu | FileCheck %s --check-prefix=PLAIN

// PLAIN-LABEL: llvm.func internal @gather.program
// PLAIN-NOT: @triton_metal

// Contiguous lanes are checked by one call with their mask, scattered ones through a list of addresses; loops ask whether to end.
// CHECK-LABEL: llvm.func internal @gather.program
// CHECK: llvm.alloca
// CHECK: scf.for
// CHECK: llvm.call @triton_metal_check({{.*}}) : (!llvm.ptr, i32, i32, i32, !llvm.ptr, i64) -> ()
// CHECK: llvm.load
// CHECK: llvm.ptrtoint
// CHECK: llvm.call @triton_metal_check_lanes
// CHECK: llvm.intr.masked.gather
// CHECK: llvm.call @triton_metal_poll
tt.func public @gather(%x: !tt.ptr<f32>, %i: !tt.ptr<i32>, %n: i32) {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %is = tt.splat %i : !tt.ptr<i32> -> tensor<16x!tt.ptr<i32>>
  %ip = tt.addptr %is, %range : tensor<16x!tt.ptr<i32>>, tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  scf.for %k = %zero to %n step %one : i32 {
    %at = tt.load %ip : tensor<16x!tt.ptr<i32>>
    %xp = tt.addptr %xs, %at : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    %v = tt.load %xp : tensor<16x!tt.ptr<f32>>
    %op = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    tt.store %op, %v : tensor<16x!tt.ptr<f32>>
  }
  tt.return
}

// -----

// What a pointer from memory leads to is not known: only the access of the table is checked.
// CHECK-LABEL: llvm.func internal @foreign.program
// CHECK: llvm.call @triton_metal_check(
// CHECK-NOT: llvm.call
// CHECK: llvm.return
tt.func public @foreign(%table: !tt.ptr<i64>) {
  %a = tt.load %table : !tt.ptr<i64>
  %p = tt.int_to_ptr %a : i64 -> !tt.ptr<f32>
  %zero = arith.constant 0.0 : f32
  tt.store %p, %zero : !tt.ptr<f32>
  tt.return
}

// -----

// Accesses to a shared array are told to its shadow, where they stand: the load before the barrier, although its value is used after it.
// CHECK-LABEL: llvm.func internal @shared.program
// CHECK: llvm.call @triton_metal_shared_begin
// CHECK: llvm.call @triton_metal_shared_access(
// CHECK: llvm.store
// CHECK: llvm.call @triton_metal_shared_access(
// CHECK: llvm.load
// CHECK: llvm.call @triton_metal_shared_barrier
// CHECK: llvm.call @triton_metal_check(
// PLAIN-LABEL: llvm.func internal @shared.program
// PLAIN-NOT: @triton_metal
tt.func public @shared(%x: !tt.ptr<f32>, %v: f32) {
  %s = tt.shared_memory "s" [16] : <f32, "shared">
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %values = tt.splat %v : f32 -> tensor<16xf32>
  %ss = tt.splat %s : !tt.ptr<f32, "shared"> -> tensor<16x!tt.ptr<f32, "shared">>
  %sp = tt.addptr %ss, %range : tensor<16x!tt.ptr<f32, "shared">>, tensor<16xi32>
  tt.store %sp, %values : tensor<16x!tt.ptr<f32, "shared">>
  %w = tt.load %sp : tensor<16x!tt.ptr<f32, "shared">>
  tt.shared_barrier
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %xp = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  tt.store %xp, %w : tensor<16x!tt.ptr<f32>>
  tt.return
}
