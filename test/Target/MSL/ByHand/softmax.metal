// Softmax of a row of at most 1024 columns by 128 threads; a lane keeps two float4 of the row in registers.
#include <metal_stdlib>

struct Params {
  device const float* x;
  device float* out;
  int x_stride;
  int out_stride;
  int n_cols;
};

float max_of_four(float x) {
  x = metal::max(x, metal::simd_shuffle_xor(x, ushort(1)));
  return metal::max(x, metal::simd_shuffle_xor(x, ushort(2)));
}

float sum_of_four(float x) {
  x += metal::simd_shuffle_xor(x, ushort(1));
  return x + metal::simd_shuffle_xor(x, ushort(2));
}

kernel void softmax_kernel(constant Params& params [[buffer(0)]], threadgroup char* pool [[threadgroup(0)]],
                           uint3 program [[threadgroup_position_in_grid]], uint lane [[thread_index_in_simdgroup]],
                           uint simdgroup [[simdgroup_index_in_threadgroup]]) {
  threadgroup float* partial = (threadgroup float*)pool;
  device const float* x = params.x + int(program.x) * params.x_stride;
  device float* out = params.out + int(program.x) * params.out_stride;
  int first = int(simdgroup * 32 + lane) * 4;

  metal::float4 row[2];
  float row_max = -INFINITY;
  for (int i = 0; i < 2; i++) {
    int col = first + i * 512;
    row[i] = metal::float4(-INFINITY);
    if (col < params.n_cols)
      row[i] = *(device const metal::float4*)(x + col);
    row_max = metal::max(row_max, metal::max(metal::max(row[i].x, row[i].y), metal::max(row[i].z, row[i].w)));
  }
  row_max = metal::simd_max(row_max);
  if (lane == 0)
    partial[simdgroup] = row_max;
  metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
  row_max = max_of_four(partial[lane & 3]);

  float row_sum = 0.0f;
  for (int i = 0; i < 2; i++) {
    row[i] = metal::exp(row[i] - row_max);
    row_sum += row[i].x + row[i].y + row[i].z + row[i].w;
  }
  row_sum = metal::simd_sum(row_sum);
  if (lane == 0)
    partial[4 + simdgroup] = row_sum;
  metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
  row_sum = sum_of_four(partial[4 + (lane & 3)]);

  for (int i = 0; i < 2; i++) {
    int col = first + i * 512;
    if (col < params.n_cols)
      *(device metal::float4*)(out + col) = row[i] / row_sum;
  }
}
