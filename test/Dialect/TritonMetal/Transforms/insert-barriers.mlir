// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics --ttm-insert-barriers | FileCheck %s
#lanes = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = []>

// CHECK-LABEL: @write_then_read
// CHECK: ttm.write
// CHECK-NEXT: ttm.barrier threadgroup
// CHECK-NEXT: ttm.read
// CHECK-NEXT: ttm.read
// CHECK-NEXT: tt.return
tt.func public @write_then_read(%x: tensor<32xf32, #lanes>) {
  %a = ttm.alloc {offset = 0 : i32} : !ttm.memory<32xf32>
  ttm.write %x, %a : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
  %y = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #lanes>
  %z = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #lanes>
  tt.return
}

// CHECK-LABEL: @own_elements
// CHECK: ttm.write
// CHECK-NEXT: ttm.barrier simdgroup
// CHECK-NEXT: ttm.read
tt.func public @own_elements(%x: tensor<32xf32, #lanes>) {
  %a = ttm.alloc {offset = 0 : i32, simdgroup} : !ttm.memory<32xf32>
  ttm.write %x, %a : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
  %y = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #lanes>
  tt.return
}

// Two arrays in turn: the barrier of each also lies between the read of the other and its next write. One would need two.
// CHECK-LABEL: @loop_of_two
// CHECK: scf.for
// CHECK-NEXT: ttm.write
// CHECK-NEXT: ttm.barrier threadgroup
// CHECK-NEXT: ttm.read
// CHECK-NEXT: ttm.write
// CHECK-NEXT: ttm.barrier threadgroup
// CHECK-NEXT: ttm.read
// CHECK-NEXT: }
tt.func public @loop_of_two(%x: tensor<32xf32, #lanes>, %n: i32) {
  %a = ttm.alloc {offset = 0 : i32} : !ttm.memory<32xf32>
  %b = ttm.alloc {offset = 128 : i32} : !ttm.memory<32xf32>
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  scf.for %i = %c0 to %n step %c1 : i32 {
    ttm.write %x, %a : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
    %y = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #lanes>
    ttm.write %y, %b : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
    %z = ttm.read %b : !ttm.memory<32xf32> -> tensor<32xf32, #lanes>
  }
  tt.return
}

// CHECK-LABEL: @loop_of_one
// CHECK: scf.for
// CHECK-NEXT: ttm.barrier threadgroup
// CHECK-NEXT: ttm.write
// CHECK-NEXT: ttm.barrier threadgroup
// CHECK-NEXT: ttm.read
tt.func public @loop_of_one(%x: tensor<32xf32, #lanes>, %n: i32) {
  %a = ttm.alloc {offset = 0 : i32} : !ttm.memory<32xf32>
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  scf.for %i = %c0 to %n step %c1 : i32 {
    ttm.write %x, %a : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
    %y = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #lanes>
  }
  tt.return
}

// Arrays that share bytes wait for each other, and what one branch did is pending after it.
// CHECK-LABEL: @branch
// CHECK: scf.if
// CHECK-NEXT: ttm.write
// CHECK-NEXT: }
// CHECK-NEXT: ttm.barrier threadgroup
// CHECK-NEXT: ttm.write
// CHECK-NEXT: tt.return
tt.func public @branch(%x: tensor<32xf32, #lanes>, %c: i1) {
  %a = ttm.alloc {offset = 0 : i32} : !ttm.memory<32xf32>
  %b = ttm.alloc {offset = 64 : i32} : !ttm.memory<32xf32>
  scf.if %c {
    ttm.write %x, %a : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
  }
  ttm.write %x, %b : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
  tt.return
}

// -----

#lanes = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = []>
#copies = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [0]], simdgroup = []>

// Copies of an element are all loaded before one of the lanes writes it, also when the loop comes back to it.
// CHECK-LABEL: @in_place
// CHECK: scf.for
// CHECK-NEXT: ttm.barrier threadgroup device
// CHECK-NEXT: tt.load
// CHECK-NEXT: ttm.barrier threadgroup device
// CHECK-NEXT: tt.store
tt.func public @in_place(%p: !tt.ptr<f32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %at = tt.splat %p : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>, #copies>
  scf.for %i = %c0 to %n step %c1 : i32 {
    %x = tt.load %at : tensor<16x!tt.ptr<f32>, #copies>
    tt.store %at, %x : tensor<16x!tt.ptr<f32>, #copies>
  }
  tt.return
}

// A scalar is loaded by every lane and written by one.
// CHECK-LABEL: @scalar
// CHECK: tt.load
// CHECK-NEXT: ttm.barrier threadgroup device
// CHECK-NEXT: tt.store
tt.func public @scalar(%p: !tt.ptr<f32>) {
  %x = tt.load %p : !tt.ptr<f32>
  tt.store %p, %x : !tt.ptr<f32>
  tt.return
}

// Nothing is needed where each lane has elements of its own, nor between different arguments.
// CHECK-LABEL: @apart
// CHECK-NOT: ttm.barrier
// CHECK: tt.return
tt.func public @apart(%p: !tt.ptr<f32>, %q: !tt.ptr<f32>, %r: !tt.ptr<f32>) {
  %at = tt.splat %p : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>, #lanes>
  %x = tt.load %at : tensor<32x!tt.ptr<f32>, #lanes>
  tt.store %at, %x : tensor<32x!tt.ptr<f32>, #lanes>
  %y = tt.load %q : !tt.ptr<f32>
  tt.store %r, %y : !tt.ptr<f32>
  tt.return
}

// In another layout other lanes store the elements.
// CHECK-LABEL: @turned
// CHECK: tt.load
// CHECK-NOT: ttm.barrier
// CHECK: tt.load
// CHECK-NEXT: ttm.barrier threadgroup device
// CHECK-NEXT: tt.store
// CHECK-NEXT: tt.store
// CHECK-NEXT: tt.return
#turned = #ttm.layout<register = [], lane = [[16], [8], [4], [2], [1]], simdgroup = []>
tt.func public @turned(%p: !tt.ptr<f32>, %q: !tt.ptr<f32>) {
  %at = tt.splat %p : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>, #lanes>
  %turned = tt.splat %p : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>, #turned>
  %other = tt.splat %q : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>, #lanes>
  %otherTurned = tt.splat %q : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>, #turned>
  %x = tt.load %turned : tensor<32x!tt.ptr<f32>, #turned>
  %y = tt.load %other : tensor<32x!tt.ptr<f32>, #lanes>
  tt.store %at, %y : tensor<32x!tt.ptr<f32>, #lanes>
  tt.store %otherTurned, %x : tensor<32x!tt.ptr<f32>, #turned>
  tt.return
}

// -----

// expected-error@+1 {{needs the places of arrays}}
tt.func public @unplaced() {
  %a = ttm.alloc : !ttm.memory<32xf32>
  tt.return
}

// -----

// Shared arrays get no barrier; one of theirs orders the pool as well.
// CHECK-LABEL: @shared_arrays
// CHECK: ttm.write
// CHECK-NEXT: tt.store
// CHECK-NEXT: tt.load
// CHECK-NEXT: ttm.barrier threadgroup
// CHECK-NEXT: ttm.read
// CHECK-NOT: ttm.barrier
#shared = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = [[0]]>
tt.func public @shared_arrays(%x: tensor<32xf32, #shared>, %v: f32) {
  %s = tt.shared_memory "s" [4] : <f32, "shared">
  %a = ttm.alloc {offset = 0 : i32} : !ttm.memory<32xf32>
  ttm.write %x, %a : tensor<32xf32, #shared>, !ttm.memory<32xf32>
  tt.store %s, %v : !tt.ptr<f32, "shared">
  %w = tt.load %s : !tt.ptr<f32, "shared">
  ttm.barrier threadgroup
  %y = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #shared>
  tt.return
}
