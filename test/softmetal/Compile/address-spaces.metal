// RUN: not softmetal-compile %s 2>&1 | FileCheck %s
// Conversions between address spaces, which the target allows, are errors; each at its line and column, with the source line and a caret.
#include <metal_stdlib>
struct S {
  float v;
  float get() { return v; }
  float read() const device { return v; }
};
static float sum(thread float *p) { return p[0]; }
static void put(float &r) { r = 1; }
static float by_copy(const thread float &r) { return r; }

kernel void k(device float *x [[buffer(0)]], constant float &c [[buffer(1)]], device S *s [[buffer(2)]],
              threadgroup float *t [[threadgroup(0)]], uint i [[thread_position_in_grid]]) {
  // CHECK: address-spaces.metal:[[#@LINE+3]]:14: error: pointer of type {{.*}} in the 'device' address space cannot be converted to {{.*}} in the 'thread' address space
  // CHECK-NEXT: float *a = x;
  // CHECK-NEXT: {{^ +\^}}
  float *a = x;
  // CHECK: [[#@LINE+1]]:16: error: {{.*}} in the 'threadgroup' address space cannot be converted
  a[0] += sum( t);
  // CHECK: [[#@LINE+1]]:7: error: {{.*}} in the 'device' address space cannot be converted
  put(x[i]);
  // CHECK: [[#@LINE+1]]:11: error: member function of the 'thread' address space is called on an object in the 'device' address space
  a[0] += s[0].get();
  // CHECK: [[#@LINE+1]]:{{[0-9]+}}: error: cast from {{.*}} changes the address space from 'device' to 'thread'
  float *b = (thread float *)x;
  // CHECK: [[#@LINE+1]]:5: error: cannot assign to an object in the 'constant' address space
  c = b[0];
  // CHECK-NOT: error
  a[0] += by_copy(x[i]) + by_copy(c) + s[0].read();
  S copy = s[0];
  s[1] = copy;
}
