// Layer norm of a row of at most 1024 columns by 128 threads; a lane keeps two float4 of the row in registers.
#include <metal_stdlib>

struct Params {
  device const float* x;
  device const float* weight;
  device const float* bias;
  device float* out;
  int stride;
  int n_cols;
  float eps;
};

float row_sum(float value, threadgroup float* partial, uint lane, uint simdgroup) {
  value = metal::simd_sum(value);
  if (lane == 0)
    partial[simdgroup] = value;
  metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
  value = partial[lane & 3];
  value += metal::simd_shuffle_xor(value, ushort(1));
  return value + metal::simd_shuffle_xor(value, ushort(2));
}

kernel void layer_norm_kernel(constant Params& params [[buffer(0)]], threadgroup char* pool [[threadgroup(0)]],
                              uint3 program [[threadgroup_position_in_grid]], uint lane [[thread_index_in_simdgroup]],
                              uint simdgroup [[simdgroup_index_in_threadgroup]]) {
  threadgroup float* partial = (threadgroup float*)pool;
  device const float* x = params.x + int(program.x) * params.stride;
  device float* out = params.out + int(program.x) * params.stride;
  int first = int(simdgroup * 32 + lane) * 4;

  metal::float4 row[2];
  float sum = 0.0f;
  for (int i = 0; i < 2; i++) {
    int col = first + i * 512;
    row[i] = metal::float4(0.0f);
    if (col < params.n_cols)
      row[i] = *(device const metal::float4*)(x + col);
    sum += row[i].x + row[i].y + row[i].z + row[i].w;
  }
  float mean = row_sum(sum, partial, lane, simdgroup) / float(params.n_cols);

  float squares = 0.0f;
  for (int i = 0; i < 2; i++) {
    row[i] = first + i * 512 < params.n_cols ? row[i] - mean : metal::float4(0.0f);
    squares += row[i].x * row[i].x + row[i].y * row[i].y + row[i].z * row[i].z + row[i].w * row[i].w;
  }
  float variance = row_sum(squares, partial + 4, lane, simdgroup) / float(params.n_cols);
  float rstd = 1.0f / metal::sqrt(variance + params.eps);

  for (int i = 0; i < 2; i++) {
    int col = first + i * 512;
    if (col < params.n_cols) {
      metal::float4 weight = *(device const metal::float4*)(params.weight + col);
      metal::float4 bias = *(device const metal::float4*)(params.bias + col);
      *(device metal::float4*)(out + col) = row[i] * rstd * weight + bias;
    }
  }
}
