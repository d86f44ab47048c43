// RUN: triton-metal-opt %s -split-input-file --msl-form-statements --msl-print-text -o /dev/null | FileCheck %s
//
// The number of threads is a promise to Apple's compiler. It is never made for one SIMD-group: with 32 threads rows of 8x8 tiles were
// corrupted.

// CHECK: {{^}}kernel void one(
msl.kernel @one() attributes {threads = 32 : i32, pool = 0 : i32} {
  msl.return
}

// -----

// CHECK: {{^\[\[}}kernel, max_total_threads_per_threadgroup(64){{\]\]}} void two(
msl.kernel @two() attributes {threads = 64 : i32, pool = 0 : i32} {
  msl.return
}

// -----

// CHECK: {{^\[\[}}kernel, max_total_threads_per_threadgroup(1024){{\]\]}} void most(
msl.kernel @most() attributes {threads = 1024 : i32, pool = 0 : i32} {
  msl.return
}
