// RUN: not softmetal-compile %s 2>&1 | FileCheck %s
// What a kernel's signature may be.
#include <metal_stdlib>
// CHECK: kernels.metal:[[#@LINE+1]]:12: error: kernel must have void return type
kernel int returns(device float *x [[buffer(0)]]) { return 1; }
// CHECK: [[#@LINE+1]]:31: error: pointer parameter of a kernel must be in the 'device', 'constant' or 'threadgroup' address space
kernel void thread_ptr(float *x [[buffer(0)]]) { x[0] = 1; }
// CHECK: [[#@LINE+1]]:53: error: parameter 'n' of a kernel has no attribute that says what it is{{.*}}'constant int &'
kernel void scalar(device int *x [[buffer(0)]], int n) { x[0] = n; }
// CHECK: [[#@LINE+1]]:57: error: invalid type 'float' of a parameter with attribute 'thread_position_in_grid'
kernel void id_type(device int *x [[buffer(0)]],  float i [[thread_position_in_grid]]) { x[0] = 1; }
// CHECK: [[#@LINE+1]]:65: error: 'buffer' index 0 is used by an earlier parameter
kernel void same_index(device int *x [[buffer(0)]], device int *y [[buffer(0)]]) { x[0] = y[0]; }
// CHECK: [[#@LINE+1]]:45: error: 'buffer' attribute parameter is out of bounds: must be between 0 and 30
kernel void index(device int *x [[buffer(   31)]]) { x[0] = 1; }
// CHECK: [[#@LINE+1]]:40: error: unknown attribute 'bufer'
kernel void unknown(device int *x    [[bufer(0)]]) { x[0] = 1; }
// CHECK: [[#@LINE+1]]:38: error: 'buffer' attribute takes one argument
kernel void no_index(device int *x [[buffer]]) { x[0] = 1; }
