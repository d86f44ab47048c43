// Flash attention, forward, head 64: 64 queries a threadgroup, 4 SIMD-groups of 16 queries, 64 keys a step, all in registers.
//
// A row of scores lies in one SIMD-group, so its maximum and sum need no threadgroup memory: the columns of a row are spread
// over the lanes that differ in bits 0 and 3.
#include <metal_stdlib>

struct Params {
  device const float* q;
  device const float* k;
  device const float* v;
  device float* out;
  int head_stride;
  int n;
  float scale;
};

float row_max_of(float x) {
  x = metal::max(x, metal::simd_shuffle_xor(x, ushort(1)));
  return metal::max(x, metal::simd_shuffle_xor(x, ushort(8)));
}

float row_sum_of(float x) {
  x += metal::simd_shuffle_xor(x, ushort(1));
  return x + metal::simd_shuffle_xor(x, ushort(8));
}

kernel void attention_kernel(constant Params& params [[buffer(0)]], threadgroup char* pool [[threadgroup(0)]],
                             uint3 program [[threadgroup_position_in_grid]], uint lane [[thread_index_in_simdgroup]],
                             uint simdgroup [[simdgroup_index_in_threadgroup]]) {
  using Fragment = metal::simdgroup_matrix<float, 8, 8>;
  int fragment_row = int((lane >> 4) & 1) * 4 + int((lane >> 1) & 3);
  int fragment_col = int((lane >> 3) & 1) * 4 + int(lane & 1) * 2;
  int base = int(program.y) * params.head_stride;
  int row = int(program.x) * 64 + int(simdgroup) * 16 + fragment_row;

  Fragment q[2][8], acc[2][8];
  float row_max[2], row_sum[2];
  for (int i = 0; i < 2; i++) {
    row_max[i] = -INFINITY;
    row_sum[i] = 0.0f;
    for (int d = 0; d < 8; d++) {
      acc[i][d].thread_elements() = metal::float2(0.0f);
      q[i][d].thread_elements() = metal::float2(0.0f);
      if (row + i * 8 < params.n)
        q[i][d].thread_elements() = *(device const metal::float2*)(params.q + base + (row + i * 8) * 64 + d * 8 + fragment_col);
    }
  }

  float scale = params.scale * 1.4426950408889634f;
  for (int start = 0; start < params.n; start += 64) {
    Fragment scores[2][8];
    for (int j = 0; j < 8; j++) {
      scores[0][j].thread_elements() = metal::float2(0.0f);
      scores[1][j].thread_elements() = metal::float2(0.0f);
      int key = start + j * 8 + fragment_col;
      for (int d = 0; d < 8; d++) {
        Fragment k;
        device const float* p = params.k + base + key * 64 + d * 8 + fragment_row;
        k.thread_elements().x = key < params.n ? p[0] : 0.0f;
        k.thread_elements().y = key + 1 < params.n ? p[64] : 0.0f;
        for (int i = 0; i < 2; i++)
          metal::simdgroup_multiply_accumulate(scores[i][j], q[i][d], k, scores[i][j]);
      }
    }
    for (int i = 0; i < 2; i++) {
      float new_max = row_max[i];
      for (int j = 0; j < 8; j++) {
        int key = start + j * 8 + fragment_col;
        metal::float2 s = scores[i][j].thread_elements() * scale;
        s.x = key < params.n ? s.x : -INFINITY;
        s.y = key + 1 < params.n ? s.y : -INFINITY;
        scores[i][j].thread_elements() = s;
        new_max = metal::max(new_max, metal::max(s.x, s.y));
      }
      new_max = row_max_of(new_max);
      float rescale = metal::exp2(row_max[i] - new_max), sum = 0.0f;
      for (int j = 0; j < 8; j++) {
        metal::float2 p = metal::exp2(scores[i][j].thread_elements() - new_max);
        scores[i][j].thread_elements() = p;
        sum += p.x + p.y;
        acc[i][j].thread_elements() = acc[i][j].thread_elements() * rescale;
      }
      row_sum[i] = row_sum[i] * rescale + row_sum_of(sum);
      row_max[i] = new_max;
    }
    for (int j = 0; j < 8; j++) {
      int key = start + j * 8 + fragment_row;
      for (int d = 0; d < 8; d++) {
        Fragment v;
        v.thread_elements() = metal::float2(0.0f);
        if (key < params.n)
          v.thread_elements() = *(device const metal::float2*)(params.v + base + key * 64 + d * 8 + fragment_col);
        for (int i = 0; i < 2; i++)
          metal::simdgroup_multiply_accumulate(acc[i][d], scores[i][j], v, acc[i][d]);
      }
    }
  }

  for (int i = 0; i < 2; i++)
    for (int d = 0; d < 8; d++)
      if (row + i * 8 < params.n)
        *(device metal::float2*)(params.out + base + (row + i * 8) * 64 + d * 8 + fragment_col) =
            acc[i][d].thread_elements() / row_sum[i];
}
