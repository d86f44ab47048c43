// RUN: not softmetal-compile %s 2>&1 | FileCheck %s
// Unknown functions and types that have no such operation.
#include <metal_stdlib>
kernel void k(device float *x [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  // CHECK: names.metal:[[#@LINE+3]]:17: error: no member named 'expp' in namespace 'metal'{{.*}}
  // CHECK-NEXT: x[i] = metal::expp(x[i]);
  // CHECK-NEXT: {{^ +\^}}
  x[i] = metal::expp(x[i]);
  // CHECK: [[#@LINE+1]]:11: error: use of undeclared identifier 'erf'
  x[i] += erf(x[i]);
  // CHECK: [[#@LINE+1]]:11: error: {{.*}}simd_sum{{.*}}
  x[i] += metal::simd_sum(ulong(i));
}
