// RUN: triton-metal-opt %s -split-input-file -verify-diagnostics --ttm-allocate-memory | FileCheck %s
#lanes = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = []>

// Small arrays have places of their own: sharing would cost a barrier.
// CHECK-LABEL: @small
// CHECK-SAME: ttm.pool_bytes = 256 : i32
// CHECK: ttm.alloc {offset = 0 : i32}
// CHECK: ttm.alloc {offset = 128 : i32}
tt.func public @small(%x: tensor<32xf32, #lanes>) {
  %a = ttm.alloc : !ttm.memory<32xf32>
  ttm.write %x, %a : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
  %y = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #lanes>
  %b = ttm.alloc : !ttm.memory<32xf32>
  ttm.write %y, %b : tensor<32xf32, #lanes>, !ttm.memory<32xf32>
  %z = ttm.read %b : !ttm.memory<32xf32> -> tensor<32xf32, #lanes>
  tt.return
}

// -----

// Large ones that are not alive together share.
// CHECK-LABEL: @large
// CHECK-SAME: ttm.pool_bytes = 24576 : i32
// CHECK: ttm.alloc {offset = 0 : i32} : <4096xf32>
// CHECK: ttm.alloc {offset = 16384 : i32} : <2048xf32>
// CHECK: ttm.alloc {offset = 0 : i32} : <4096xf32>
#big = #ttm.layout<register = [[32], [64], [128], [256], [512], [1024], [2048]], lane = [[1], [2], [4], [8], [16]], simdgroup = []>
#half = #ttm.layout<register = [[32], [64], [128], [256], [512], [1024]], lane = [[1], [2], [4], [8], [16]], simdgroup = []>
tt.func public @large(%x: tensor<4096xf32, #big>, %h: tensor<2048xf32, #half>) {
  %a = ttm.alloc : !ttm.memory<4096xf32>
  ttm.write %x, %a : tensor<4096xf32, #big>, !ttm.memory<4096xf32>
  %b = ttm.alloc : !ttm.memory<2048xf32>
  ttm.write %h, %b : tensor<2048xf32, #half>, !ttm.memory<2048xf32>
  %y = ttm.read %a : !ttm.memory<4096xf32> -> tensor<4096xf32, #big>
  %c = ttm.alloc : !ttm.memory<4096xf32>
  ttm.write %y, %c : tensor<4096xf32, #big>, !ttm.memory<4096xf32>
  %z = ttm.read %c : !ttm.memory<4096xf32> -> tensor<4096xf32, #big>
  %g = ttm.read %b : !ttm.memory<2048xf32> -> tensor<2048xf32, #half>
  tt.return
}

// -----

// expected-error@+2 {{out of resource: threadgroup memory, required: 65536, limit: 32768}}
// expected-note@+1 {{the largest array holds a tensor of 16384 f32 (65536 bytes)}}
tt.func public @too_much() {
  %a = ttm.alloc : !ttm.memory<16384xf32>
  tt.return
}

// -----

// The arrays of tl.shared_memory have no place in the pool, and take from the same limit.
// CHECK-LABEL: @beside
// CHECK-SAME: ttm.pool_bytes = 128 : i32
#shared = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = []>
tt.func public @beside(%x: tensor<32xf32, #shared>) {
  %s = tt.shared_memory "s" [8160] : <f32, "shared">
  %a = ttm.alloc : !ttm.memory<32xf32>
  ttm.write %x, %a : tensor<32xf32, #shared>, !ttm.memory<32xf32>
  %y = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #shared>
  tt.return
}

// -----

#shared = #ttm.layout<register = [], lane = [[1], [2], [4], [8], [16]], simdgroup = []>
tt.func public @beside_too_much(%x: tensor<32xf32, #shared>) {
  // expected-error@+2 {{out of resource: threadgroup memory, required: 32784, limit: 32768}}
  // expected-note-re@+1 {{s: (8161,) x fp32, 32644 bytes at {{.*}}:{{[0-9]+}}; the compiler's own: 128 bytes; use smaller blocks}}
  %s = tt.shared_memory "s" [8161] : <f32, "shared">
  %a = ttm.alloc : !ttm.memory<32xf32>
  ttm.write %x, %a : tensor<32xf32, #shared>, !ttm.memory<32xf32>
  %y = ttm.read %a : !ttm.memory<32xf32> -> tensor<32xf32, #shared>
  tt.return
}
