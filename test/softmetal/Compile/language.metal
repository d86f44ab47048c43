// RUN: not softmetal-compile %s 2>&1 | FileCheck %s
// Parts of C++ that Metal leaves out.
#include <metal_stdlib>
// CHECK: language.metal:[[#@LINE+1]]:5: error: a variable at program scope must be in the 'constant' address space
int global = 3;
float undefined(float x);
kernel void k(device float *x [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  // CHECK: [[#@LINE+1]]:3: error: 'double' is not supported in Metal
  double d = x[i];
  // CHECK: [[#@LINE+1]]:10: error: function 'undefined' is declared but has no definition
  x[i] = undefined(float(d));
  // CHECK: [[#@LINE+1]]:15: error: a static variable must be in the 'constant' address space
  static int  counter = 0;
  // CHECK: [[#@LINE+1]]:3: error: 'goto' is not supported in Metal
  goto end;
end:
  x[i] = counter;
}
