// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics --msl-form-statements --msl-print-text -o /dev/null | FileCheck %s
//
// An array of the kernel's own is a variable of the threadgroup's, aligned for accesses by vectors, and no part of the pool. Its atomics are
// on words in its address space.

// CHECK-NOT: pool
// CHECK: alignas(16) threadgroup float tile[33];
// CHECK-NEXT: alignas(16) threadgroup uint tile_1[4];
// CHECK: tile[lane] = *params.x;
// CHECK: metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
// CHECK: metal::atomic_fetch_add_explicit((threadgroup metal::atomic_uint*)tile_1, 1u, metal::memory_order_relaxed);
// CHECK: *params.x = tile[lane + 1u];
msl.kernel @arrays(%x: !msl.ptr<f32, device> {msl.name = "x"}) attributes {threads = 32 : i32, pool = 0 : i32} {
  %tile = msl.threadgroup_array 33 {msl.name = "tile", msl.source_type = "(33,) x fp32"} : <f32, threadgroup>
  %counts = msl.threadgroup_array 4 {msl.name = "tile", msl.source_type = "(4,) x i32"} : <i32, threadgroup>
  %lane = msl.builtin lane
  %one = arith.constant 1 : i32
  %value = msl.load %x : <f32, device>
  %at = msl.ptr_add %tile, %lane : <f32, threadgroup>, i32
  msl.store %value, %at : <f32, threadgroup>
  msl.barrier threadgroup
  %old = msl.atomic add %counts, %one : <i32, threadgroup>
  %beside = arith.addi %lane, %one : i32
  %there = msl.ptr_add %tile, %beside : <f32, threadgroup>, i32
  %read = msl.load %there : <f32, threadgroup>
  msl.store %read, %x : <f32, device>
}

// -----

msl.kernel @device() attributes {threads = 32 : i32, pool = 0 : i32} {
  // expected-error @below {{is threadgroup memory}}
  %x = msl.threadgroup_array 4 {msl.name = "x"} : <f32, device>
}

// -----

msl.kernel @empty() attributes {threads = 32 : i32, pool = 0 : i32} {
  // expected-error @below {{has a positive size}}
  %x = msl.threadgroup_array 0 {msl.name = "x"} : <f32, threadgroup>
}
