// RUN: not softmetal-compile %s 2>&1 | FileCheck %s
// Threadgroup memory is counted by kernel, through the functions that it calls.
#include <metal_stdlib>
static float helper(uint i) {
  threadgroup float t[4096];
  t[i] = 1;
  return t[0];
}
// CHECK: threadgroup-memory.metal:[[#@LINE+1]]:13: error: kernel 'big' uses 36864 bytes of threadgroup memory; at most 32768 are allowed
kernel void big(device float *x [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float t[5120];
  t[i] = x[i];
  x[i] = t[0] + helper(i);
}
// CHECK-NOT: error
kernel void fits(device float *x [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) { x[i] = helper(i); }
