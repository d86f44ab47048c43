// RUN: not softmetal-compile %s 2>&1 | FileCheck %s
// Declarations that Metal does not have.
#include <metal_stdlib>
struct V {
  // CHECK: declarations.metal:[[#@LINE+1]]:3: error: virtual functions are not supported in Metal
  virtual void f() {}
};
kernel void k(device float *x [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  // CHECK: [[#@LINE+1]]:21: error: 'threadgroup' variable cannot have an initializer
  threadgroup float t[2] = {1.0f, 2.0f};
  x[i] = t[0];
}
