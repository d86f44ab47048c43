// RUN: softmetal-compile %s | FileCheck %s
// A kernel in the style of the printer becomes AIR: a struct of device pointers in constant memory, threadgroup memory, barriers,
// SIMD sums.

// CHECK: target triple = "air64
// CHECK: internal addrspace(3) global [32 x float] undef
// CHECK: define {{.*}}void @k_softmax(ptr addrspace(2) {{.*}}%p, i32 %row
// CHECK: declare {{.*}}@air.simd_max.f32(float
// CHECK: declare {{.*}}@air.wg.barrier(i32
// CHECK: declare {{.*}}@air.fast_exp.f32(float
// CHECK: !air.kernel = 
// CHECK-DAG: !"air.buffer", !"air.buffer_size", i32 24, !"air.location_index", i32 0, i32 1, !"air.read", !"air.address_space", i32 2
// CHECK-DAG: !"air.threadgroup_position_in_grid", !"air.arg_type_name", !"uint", !"air.arg_name", !"row"
#include <metal_stdlib>
using namespace metal;
struct P { const device float* x; device float* y; int n; };
kernel void k_softmax(constant P &p [[buffer(0)]], uint row [[threadgroup_position_in_grid]],
                      uint lid [[thread_position_in_threadgroup]], uint nt [[threads_per_threadgroup]],
                      uint lane [[thread_index_in_simdgroup]], uint sg [[simdgroup_index_in_threadgroup]]) {
  threadgroup float s[32];
  const device float* x = p.x + row * p.n; device float* y = p.y + row * p.n;
  float m = -INFINITY;
  for (int i = lid; i < p.n; i += nt) m = max(m, x[i]);
  m = simd_max(m);
  if (lane == 0) s[sg] = m;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  m = s[0]; for (uint i = 1; i < nt / 32; i++) m = max(m, s[i]);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  float t = 0;
  for (int i = lid; i < p.n; i += nt) t += fast::exp(x[i] - m);
  t = simd_sum(t);
  if (lane == 0) s[sg] = t;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  t = s[0]; for (uint i = 1; i < nt / 32; i++) t += s[i];
  for (int i = lid; i < p.n; i += nt) y[i] = fast::exp(x[i] - m) / t;
}
