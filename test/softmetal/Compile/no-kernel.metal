// RUN: not softmetal-compile %s 2>&1 | FileCheck %s
// CHECK: no-kernel.metal:1:1: error: there is no kernel function in this program
#include <metal_stdlib>
static float f(float x) { return x; }
