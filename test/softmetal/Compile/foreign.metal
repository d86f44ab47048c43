// RUN: softmetal-compile %s | FileCheck %s
// Metal that clang's grammar does not have, and that the reader rewrites; found in programs of others.
#include <metal_stdlib>
using namespace metal;

struct Log {
  constexpr Log(constant int *, constant int *) constant {}
};
METAL_FUNC long offset(uint2 e, constant const long strides[2]) { return e.x * strides[1] + e.y * strides[0]; }
template <typename T, typename V> METAL_FUNC V pair(T a, T b) { return V(a, b); }
float2 declared(float a, float b);
float2 declared(float a, float b) { return float2(a, b); }

// CHECK-DAG: define {{.*}}@sort_64(
// CHECK-DAG: !{!"air.max_work_group_size", i32 64}
template <typename T, short THREADS>
[[kernel, max_total_threads_per_threadgroup(THREADS)]] void sort(device T *x [[buffer(0)]], constant const long *s [[buffer(1)]],
                                                                 uint3 g [[threadgroup_position_in_grid]]) {
  short2 place((g.x % 3) * 2, g.x / 3);
  x[offset(g.xy, s)] = T(place.x) + pair<float, float2>(1.0f, 2.0f).y + declared(0.5, 0.25).x;
}
template [[host_name("sort_64")]] [[kernel]] decltype(sort<float, 64>) sort<float, 64>;
