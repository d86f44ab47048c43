// c = a b in fp32, 64x64 a threadgroup, 4 SIMD-groups of 16x64, fragments straight from device memory.
//
// Lane l of a SIMD-group holds two adjacent columns of each 8x8 fragment: row ((l >> 4) & 1) * 4 + ((l >> 1) & 3),
// column ((l >> 3) & 1) * 4 + (l & 1) * 2.
#include <metal_stdlib>

struct Params {
  device const float* a;
  device const float* b;
  device const float* bias;
  device float* c;
  int M, N, K;
  int stride_am, stride_bk, stride_cm;
};

metal::float2 load2(device const float* p, bool visible) {
  return visible ? *(device const metal::float2*)p : metal::float2(0.0f);
}

kernel void matmul_kernel(constant Params& params [[buffer(0)]], threadgroup char* pool [[threadgroup(0)]],
                          uint3 program [[threadgroup_position_in_grid]], uint lane [[thread_index_in_simdgroup]],
                          uint simdgroup [[simdgroup_index_in_threadgroup]]) {
  int fragment_row = int((lane >> 4) & 1) * 4 + int((lane >> 1) & 3);
  int fragment_col = int((lane >> 3) & 1) * 4 + int(lane & 1) * 2;
  int row = int(program.x) * 64 + int(simdgroup) * 16 + fragment_row;
  int col = int(program.y) * 64 + fragment_col;
  device const float* a = params.a + row * params.stride_am + fragment_col;
  device const float* b = params.b + fragment_row * params.stride_bk + col;

  metal::simdgroup_matrix<float, 8, 8> acc[2][8];
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 8; j++)
      acc[i][j].thread_elements() = metal::float2(0.0f);

  for (int k = 0; k < params.K; k += 8) {
    metal::simdgroup_matrix<float, 8, 8> left[2];
    for (int i = 0; i < 2; i++)
      left[i].thread_elements() = load2(a + i * 8 * params.stride_am, row + i * 8 < params.M && k + fragment_col < params.K);
    for (int j = 0; j < 8; j++) {
      metal::simdgroup_matrix<float, 8, 8> right;
      right.thread_elements() = load2(b + j * 8, k + fragment_row < params.K && col + j * 8 < params.N);
      for (int i = 0; i < 2; i++)
        metal::simdgroup_multiply_accumulate(acc[i][j], left[i], right, acc[i][j]);
    }
    a += 8;
    b += 8 * params.stride_bk;
  }

  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 8; j++)
      if (row + i * 8 < params.M && col + j * 8 < params.N)
        *(device metal::float2*)(params.c + (row + i * 8) * params.stride_cm + col + j * 8) = acc[i][j].thread_elements();
}
