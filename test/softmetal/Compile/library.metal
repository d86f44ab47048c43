// RUN: softmetal-compile %s | FileCheck %s
// The library: each group of functions reaches AIR under the names of Apple's compiler.

// CHECK-DAG: declare {{.*}}float @air.exp.f32(float
// CHECK-DAG: declare {{.*}}half @air.exp.f16(half
// CHECK-DAG: declare {{.*}}float @air.fast_exp2.f32(float
// CHECK-DAG: declare {{.*}}float @air.fma.f32(float
// CHECK-DAG: declare {{.*}}i32 @air.max.s.i32(i32
// CHECK-DAG: declare {{.*}}i64 @air.min.u.i64(i64
// CHECK-DAG: declare {{.*}}i16 @air.abs.s.i16(i16
// CHECK-DAG: declare {{.*}}float @air.dot.v4f32(<4 x float>
// CHECK-DAG: declare {{.*}}float @air.simd_shuffle_xor.f32(float{{.*}}, i16
// CHECK-DAG: declare {{.*}}<2 x i32> @air.simd_shuffle_down.u.v2i32(<2 x i32>
// CHECK-DAG: declare {{.*}}i64 @air.simd_ballot.i64(i1
// CHECK-DAG: declare {{.*}}<64 x float> @air.simdgroup_matrix_8x8_multiply_accumulate.v64f32.v64f16.v64f32.v64f32(<64 x half>
// CHECK-DAG: declare {{.*}}<64 x float> @air.simdgroup_matrix_8x8_load.v64f32.p1f32(ptr addrspace(1){{.*}}, i64{{.*}}, <2 x i64>{{.*}}, i1
// CHECK-DAG: declare {{.*}}void @air.simdgroup_matrix_8x8_store.v64f32.p3f32(<64 x float>{{.*}}, ptr addrspace(3)
// CHECK-DAG: declare {{.*}}i32 @air.atomic.global.add.s.i32(ptr addrspace(1){{.*}}, i32{{.*}}, i32{{.*}}, i32{{.*}}, i1
// CHECK-DAG: declare {{.*}}i32 @air.atomic.local.add.u.i32(ptr addrspace(3)
// CHECK-DAG: declare {{.*}}i1 @air.atomic.global.cmpxchg.weak.i32(ptr addrspace(1){{.*}}, ptr
// CHECK-DAG: declare {{.*}}void @air.atomic.fence(i32
// CHECK-DAG: addrspace(2) externally_initialized constant i32 undef, section "air.fc_initializer"
// CHECK-DAG: define {{.*}}@templated_float(
// CHECK-DAG: define {{.*}}@templated_half(
// CHECK: !air.function_constants = 
// CHECK-DAG: !"int", !"tile", i32 0, i1 true
// CHECK-DAG: !"air.function_constant", !{{[0-9]+}}, !"air.buffer", !"air.location_index", i32 2
// CHECK-DAG: !{!"air.max_work_group_size", i32 128}

#include <metal_stdlib>
using namespace metal;

struct Params { device float* x; device half* h; device bfloat* b; device int* i; device uint* u; int n; float s; };

kernel void math(constant Params& p [[buffer(0)]], uint3 gid [[thread_position_in_grid]]) {
  uint k = gid.x;
  float v = p.x[k];
  float r = 0;
  r += exp(v) + exp2(v) + exp10(v) + log(v) + log2(v) + log10(v) + sin(v) + cos(v) + tan(v) + sinh(v) + cosh(v) + tanh(v);
  r += asin(v) + acos(v) + atan(v) + asinh(v) + acosh(v) + atanh(v) + sqrt(v) + rsqrt(v) + fabs(v) + floor(v) + ceil(v) +
       rint(v) + round(v) + trunc(v) + fract(v);
  r += pow(v, 2.0f) + powr(v, 2.0f) + fmod(v, 3.0f) + atan2(v, 1.0f) + copysign(v, -1.0f) + fdim(v, 1.0f) + fmin(v, 1.0f) +
       fmax(v, 2.0f) + nextafter(v, 2.0f);
  r += fma(v, v, v) + ldexp(v, 3) + sinpi(v) + cospi(v) + tanpi(v) + min(v, 1.0f) + max(v, 1.0f) + clamp(v, 0.0f, 1.0f) + abs(v) +
       sign(v) + saturate(v) + mix(v, 1.0f, 0.5f) + step(0.5f, v) + smoothstep(0.0f, 1.0f, v);
  r += fast::exp(v) + fast::exp2(v) + fast::log(v) + fast::log2(v) + fast::sin(v) + fast::cos(v) + fast::tanh(v) +
       fast::rsqrt(v) + fast::sqrt(v) + fast::pow(v, 2.0f) + fast::divide(v, 2.0f);
  r += precise::exp(v) + precise::sqrt(v) + precise::divide(v, 3.0f) + precise::log(v) + precise::tanh(v);
  float c; r += sincos(v, c); r += c;
  int e; r += frexp(v, e); r += e; r += modf(v, c) + c; r += ilogb(v);
  r += isnan(v) + isinf(v) + isfinite(v) + isnormal(v) + signbit(v) + isunordered(v, r);
  r += select(v, r, v > 1) + as_type<float>(as_type<uint>(v) ^ 1u);
  r += fmin3(v, r, 1.0f) + fmax3(v, r, 1.0f) + fmedian3(v, r, 1.0f) + min3(v, r, 1.0f) + max3(v, r, 1.0f);
  p.x[k] = r;
  half q = p.h[k];
  q = exp(q) + log(q) + sqrt(q) + fma(q, q, q) + max(q, 1.0h) + min(q, half(2)) + abs(q) + clamp(q, 0.0h, 1.0h) + fabs(q) +
      select(q, q, isnan(q));
  p.h[k] = q;
  bfloat z = p.b[k];
  z = z * z + z - z / bfloat(3.0f);
  z = bfloat(exp(float(z)));
  p.b[k] = isnan(z) ? bfloat(0.0f) : z;
}

kernel void integer(constant Params& p [[buffer(0)]], uint k [[thread_position_in_grid]]) {
  int a = p.i[k]; uint b = p.u[k]; long c = a; ulong d = b; short e = short(a); ushort f = ushort(b); char g = char(a); uchar h = uchar(b);
  a = min(a, 1) + max(a, 2) + abs(a) + clamp(a, 0, 9) + popcount(a) + clz(a) + ctz(a) + mulhi(a, 7) + reverse_bits(a) +
      rotate(a, 3) + addsat(a, 4) + subsat(a, 4) + hadd(a, 4) + rhadd(a, 3) + madhi(a, 2, 3) + madsat(a, 2, 3) +
      int(absdiff(a, 3)) + extract_bits(a, 3u, 5u) + insert_bits(a, 7, 2u, 3u) + mad24(a, 3, 4);
  b = min(b, 1u) + max(b, 2u) + clamp(b, 0u, 9u) + popcount(b) + clz(b) + ctz(b) + mulhi(b, 7u);
  c = min(c, 1l) + max(c, 2l) + abs(c) + popcount(c) + clz(c) + mulhi(c, 3l);
  d = min(d, 1ul) + max(d, 2ul) + popcount(d) + mulhi(d, 3ul);
  e = min(e, short(1)) + max(e, short(2)) + abs(e);
  f = min(f, ushort(1)) + clz(f);
  g = min(g, char(1)) + abs(g);
  h = max(h, uchar(1)) + popcount(h);
  p.i[k] = a + int(b) + int(c) + int(d) + e + f + g + h + numeric_limits<int>::max() + int(numeric_limits<char>::lowest()) +
           INT_MAX + M_PI_F;
}

kernel void vectors(constant Params &p [[buffer(0)]], uint3 t [[thread_position_in_threadgroup]],
                    ushort3 g [[threadgroup_position_in_grid]]) {
  float4 a = float4(1.0f, 2.0f, 3.0f, 4.0f), b(2.0f), c = float4(a.xy, b.zw), d = float4(a.x, b.yzw);
  float2 e = vec<float, 2>(1, 2); half4 h = half4(a); int4 i = int4(a); uint2 u = uint2(3, 4); float3 f = float3(1.0f);
  a = max(a, b) + min(c, d) + exp(a) + fma(a, b, c) + abs(d) + clamp(a, 0.0f, 1.0f) + select(a, b, a < b) + float4(i) +
      float4(h) + sqrt(a) * 2.0f;
  i = max(i, 3) + abs(i);
  p.x[t.x] = dot(a, b) + length(f) + normalize(e).x + cross(f, f).y + (any(a < b) ? 1 : 0) + (all(i == 1) ? 1 : 0) + u.x + g.x + a[t.y];
  packed_float3 pf = packed_float3(1.0f, 2.0f, 3.0f);
  float3 uf = pf; p.x[1] = uf.y + pf[2];
  p.x[2] = as_type<float2>(as_type<uint2>(e)).x;
  device float4* v = (device float4*)p.x;
  v[3] = a;
  *reinterpret_cast<device packed_float3*>(p.x) = pf;
}

kernel void simd(constant Params& p [[buffer(0)]], uint k [[thread_position_in_grid]], uint lane [[thread_index_in_simdgroup]]) {
  float v = p.x[k]; int a = p.i[k]; uint b = p.u[k]; half h = p.h[k];
  v = simd_sum(v) + simd_product(v) + simd_min(v) + simd_max(v) + simd_shuffle(v, 3) + simd_shuffle_xor(v, 1) +
      simd_shuffle_up(v, 1) + simd_shuffle_down(v, 1) + simd_broadcast(v, 0) + simd_broadcast_first(v) +
      simd_prefix_inclusive_sum(v) + simd_prefix_exclusive_sum(v) + simd_prefix_inclusive_product(v) +
      simd_prefix_exclusive_product(v) + simd_shuffle_rotate_up(v, 1) + simd_shuffle_rotate_down(v, 1) +
      simd_shuffle_and_fill_up(v, 0.0f, 1) + simd_shuffle_and_fill_down(v, 0.0f, 1);
  a = simd_sum(a) + simd_and(a) + simd_or(a) + simd_xor(a) + simd_max(a) + simd_shuffle(a, ushort(lane ^ 3));
  b = simd_sum(b) + simd_prefix_exclusive_sum(b) + uint(ulong(simd_ballot(b > 3)));
  h = simd_sum(h) + simd_max(h) + simd_shuffle_xor(h, 4);
  v += quad_sum(v) + quad_max(v) + quad_shuffle(v, 1) + quad_shuffle_xor(v, 2) + quad_broadcast(v, 0);
  v += simd_any(v > 0) + simd_all(v > 0) + quad_any(v > 0) + quad_all(v > 0) + simd_is_first();
  uint2 w = simd_shuffle_down(uint2(b, b), 2);
  p.x[k] = v + w.x; p.i[k] = a; p.u[k] = b; p.h[k] = h;
  if (simd_active_threads_mask().all()) p.i[0] = 1;
}

kernel void matrix(constant Params& p [[buffer(0)]], threadgroup char* pool [[threadgroup(0)]], uint lane [[thread_index_in_simdgroup]]) {
  threadgroup float* tile = (threadgroup float*)pool;
  simdgroup_float8x8 acc = make_filled_simdgroup_matrix<float, 8, 8>(0.0f), a, b;
  simdgroup_half8x8 ha; simdgroup_bfloat8x8 ba;
  simdgroup_load(a, p.x, 8); simdgroup_load(b, tile, 8, ulong2(0, 0), true);
  simdgroup_load(ha, p.h); simdgroup_load(ba, p.b);
  simdgroup_multiply_accumulate(acc, a, b, acc);
  simdgroup_multiply_accumulate(acc, ha, ha, acc);
  simdgroup_multiply_accumulate(acc, ba, ba, acc);
  simdgroup_multiply_accumulate(acc, ha, b, acc);
  acc.thread_elements()[0] += p.s;
  acc.thread_elements()[1] = exp(acc.thread_elements()[1]);
  simdgroup_multiply(a, acc, b);
  simdgroup_store(acc, p.x, 8); simdgroup_store(a, tile, 8);
  simdgroup_float8x8 id = simdgroup_float8x8(1.0f);
  p.x[lane] = id.thread_elements()[0];
  simdgroup_barrier(mem_flags::mem_threadgroup);
}

kernel void atomics(device atomic_int *a [[buffer(0)]], device atomic_uint &b [[buffer(1)]], device atomic_float *f [[buffer(2)]],
                    device int *o [[buffer(3)]], threadgroup atomic_uint *t [[threadgroup(0)]],
                    uint k [[thread_position_in_grid]]) {
  threadgroup atomic_int s;
  atomic_store_explicit(&s, 0, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup | mem_flags::mem_device);
  o[k] = atomic_fetch_add_explicit(a, 1, memory_order_relaxed) + atomic_fetch_sub_explicit(a, 1, memory_order_relaxed) +
         atomic_fetch_min_explicit(a, 1, memory_order_relaxed) + atomic_fetch_max_explicit(a, 1, memory_order_relaxed) +
         atomic_fetch_and_explicit(a, 1, memory_order_relaxed) + atomic_fetch_or_explicit(a, 1, memory_order_relaxed) +
         atomic_fetch_xor_explicit(a, 1, memory_order_relaxed) + atomic_load_explicit(a, memory_order_relaxed) +
         atomic_exchange_explicit(a, 3, memory_order_relaxed);
  o[k] += atomic_fetch_add_explicit(&b, 1u, memory_order_relaxed) + atomic_fetch_add_explicit(t, 1, memory_order_relaxed) +
          atomic_fetch_add_explicit(&s, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(f, 1.0f, memory_order_relaxed);
  atomic_store_explicit(f, 2.0f, memory_order_relaxed);
  o[k] += atomic_load_explicit(f, memory_order_relaxed);
  int expected = 3;
  while (!atomic_compare_exchange_weak_explicit(a, &expected, expected + 1, memory_order_relaxed, memory_order_relaxed)) {}
  device atomic_int* cast = (device atomic_int*)o;
  atomic_fetch_max_explicit(cast + 1, 5, memory_order_relaxed);
  atomic_thread_fence(mem_flags::mem_device, memory_order_seq_cst, thread_scope_device);
}

constant int tile [[function_constant(0)]];
constant bool has_bias [[function_constant(1)]];
template <typename T, int N>
[[kernel, max_total_threads_per_threadgroup(N * 32)]] void
templated(const device T *x [[buffer(0)]], device T *y [[buffer(1)]],
          const device T *bias [[buffer(2), function_constant(has_bias)]], const constant int &n [[buffer(3)]],
          uint k [[thread_position_in_grid]]) {
  if (int(k) < n) y[k] = x[k] * T(tile) + (has_bias ? bias[k] : T(N));
}
template [[host_name("templated_float")]] [[kernel]] void
templated<float, 4>(const device float *x [[buffer(0)]], device float *y [[buffer(1)]],
                    const device float *bias [[buffer(2), function_constant(has_bias)]], const constant int &n [[buffer(3)]],
                    uint k [[thread_position_in_grid]]);
template [[host_name("templated_half")]] [[kernel]] decltype(templated<half, 2>) templated<half, 2>;
