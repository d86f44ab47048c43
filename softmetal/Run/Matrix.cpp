//===- Matrix.cpp - matrix operations of a SIMD-group --------------------------------------------------------------------===//
#include "softmetal/Run/Matrix.h"
#include "softmetal/Run/Numbers.h"
#include <cstring>
#include <vector>

namespace softmetal {
namespace {

constexpr int rowOf(int lane) { return (lane >> 4 & 1) * 4 + (lane >> 1 & 3); }
constexpr int columnOf(int lane) { return (lane >> 3 & 1) * 4 + (lane & 1) * 2; }

/// C[m][n] += A[m][k] B[k][n], row by row with k in order. `inline` into a function with the host's features.
inline __attribute__((always_inline)) void product(float *c, const float *a, const float *b, int m, int n, int k) {
#pragma clang fp contract(fast)
  for (int row = 0; row < m; ++row)
    for (int step = 0; step < k; ++step) {
      float x = a[row * k + step];
      for (int column = 0; column < n; ++column)
        c[row * n + column] += x * b[step * n + column];
    }
}

void productPlain(float *c, const float *a, const float *b, int m, int n, int k) {
  if (m == 8 && n == 8 && k == 8)
    return product(c, a, b, 8, 8, 8);
  product(c, a, b, m, n, k);
}
using Product = void (*)(float *, const float *, const float *, int, int, int);

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void productFused(float *c, const float *a, const float *b, int m, int n, int k) {
  if (m == 8 && n == 8 && k == 8)
    return product(c, a, b, 8, 8, 8);
  product(c, a, b, m, n, k);
}
Product chooseProduct() { return __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2") ? productFused : productPlain; }
#else
Product chooseProduct() { return productPlain; }
#endif
const Product multiply = chooseProduct();

Scalar scalarAt(uint32_t types, int shift) { return static_cast<Scalar>(types >> shift & 15); }

/// Descriptor of matmul2d as AIR lays it out.
struct Descriptor {
  int32_t m, n, k;
  uint8_t transposeLeft, transposeRight, relaxed, unused;
  int32_t mode; ///< 0 multiply, 1 multiply_accumulate
};
static_assert(sizeof(Descriptor) == 20);

/// Where element `index` of `lane` lies in an operand stored with `columns` columns.
void fragmentPlace(int lane, int index, int columns, int &row, int &column) {
  int fragment = index >> 3, within = index & 7, quad = lane >> 2, perRow = columns / 16;
  row = fragment / perRow * 16 + ((quad & 4) | (lane >> 1 & 3)) + (within >> 2) * 8;
  column = fragment % perRow * 16 + ((quad & 2) | (lane & 1)) * 4 + (within & 3);
}

} // namespace

void multiplyMatrices(Lane **lanes, uint32_t mask) {
  const Lane &first = *lanes[__builtin_ctz(mask)];
  Scalar typeC = scalarAt(first.types, 0), typeA = scalarAt(first.types, 4), typeB = scalarAt(first.types, 8);
  float a[64] = {}, b[64] = {}, c[64] = {};
  for (int i = 0; i < 32; ++i)
    if (mask >> i & 1) {
      int at = rowOf(i) * 8 + columnOf(i);
      const char *factors = static_cast<const char *>(lanes[i]->b);
      for (uint32_t e = 0; e < 2; ++e) {
        a[at + static_cast<int>(e)] = readFloat(factors, typeA, e);
        b[at + static_cast<int>(e)] = readFloat(factors + 16, typeB, e);
        c[at + static_cast<int>(e)] = readFloat(lanes[i]->a, typeC, e);
      }
    }
  multiply(c, a, b, 8, 8, 8);
  for (int i = 0; i < 32; ++i)
    if (mask >> i & 1)
      for (uint32_t e = 0; e < 2; ++e)
        writeFloat(lanes[i]->a, typeC, e, c[rowOf(i) * 8 + columnOf(i) + static_cast<int>(e)]);
}

void multiplyTensors(Lane **lanes, uint32_t mask) {
  const Lane &first = *lanes[__builtin_ctz(mask)];
  Descriptor d;
  memcpy(&d, first.b, sizeof d);
  Scalar typeLeft = scalarAt(first.types, 0), typeRight = scalarAt(first.types, 4), typeOut = scalarAt(first.types, 8);
  static thread_local std::vector<float> left, right, out;
  left.assign(static_cast<size_t>(d.m) * d.k, 0);
  right.assign(static_cast<size_t>(d.k) * d.n, 0);
  out.assign(static_cast<size_t>(d.m) * d.n, 0);
  for (int i = 0; i < 32; ++i)
    if (mask >> i & 1) {
      auto operands = static_cast<void **>(lanes[i]->a);
      int row, column;
      for (int e = 0; e < d.m * d.k / 32; ++e) {
        fragmentPlace(i, e, d.transposeLeft ? d.m : d.k, row, column);
        left[d.transposeLeft ? column * d.k + row : row * d.k + column] = readFloat(operands[0], typeLeft, e);
      }
      for (int e = 0; e < d.k * d.n / 32; ++e) {
        fragmentPlace(i, e, d.transposeRight ? d.k : d.n, row, column);
        right[d.transposeRight ? column * d.n + row : row * d.n + column] = readFloat(operands[1], typeRight, e);
      }
      if (d.mode == 1)
        for (int e = 0; e < d.m * d.n / 32; ++e) {
          fragmentPlace(i, e, d.n, row, column);
          out[row * d.n + column] = readFloat(operands[2], typeOut, e);
        }
    }
  multiply(out.data(), left.data(), right.data(), d.m, d.n, d.k);
  for (int i = 0; i < 32; ++i)
    if (mask >> i & 1) {
      auto operands = static_cast<void **>(lanes[i]->a);
      int row, column;
      for (int e = 0; e < d.m * d.n / 32; ++e) {
        fragmentPlace(i, e, d.n, row, column);
        writeFloat(operands[2], typeOut, e, out[row * d.n + column]);
      }
    }
}

// The C functions that a module links to. Operand 0 is left, 1 right, 2 destination; the low byte of a type code is its bits.
namespace {

uint64_t elements(int operand, int m, int n, int k) {
  return static_cast<uint64_t>(operand == 0 ? m * k : operand == 1 ? k * n : m * n) / 32;
}
uint64_t elementBytes(int operand, int left, int right, int destination) {
  return static_cast<uint64_t>((operand == 0 ? left : operand == 1 ? right : destination) & 0xff) / 8;
}

uint64_t dataSize(int operand, int m, int n, int k, char, char, char, int, int left, int right, int destination, int) {
  return elements(operand, m, n, k) * elementBytes(operand, left, right, destination);
}
void initialise(int, int, int, int, char, char, char, int, void *, int, int, int, int) {}
uint16_t elementCount(int operand, int m, int n, int k, char, char, char, int, void *, int, int, int) {
  return static_cast<uint16_t>(elements(operand, m, n, k));
}
void *elementPointer(int operand, int, int, int, char, char, char, int, void *storage, uint16_t index, int left, int right,
                     int destination) {
  if (index == 0xffff)
    return storage;
  return static_cast<char *>(storage) + index * elementBytes(operand, left, right, destination);
}

template <Scalar Left, Scalar Right> void runCooperative(void *descriptor, void *left, void *right, void *destination, int) {
  void *operands[3] = {left, right, destination};
  softmetal_rt_collective(uint32_t(Collective::TensorMultiply),
                          uint32_t(Left) | uint32_t(Right) << 4 | uint32_t(Scalar::F32) << 8, noSite, operands, descriptor, 0, 0, 0);
}

} // namespace

void *tensorFunction(const char *name) {
  struct Entry {
    const char *name;
    void *function;
  };
#define RUN(l, r, L, R) {"run_cooperative_" l "_" r "_f32", reinterpret_cast<void *>(runCooperative<Scalar::L, Scalar::R>)}
  static const Entry table[] = {
      {"cooperative_tensor_data_size", reinterpret_cast<void *>(dataSize)},
      {"cooperative_tensor_init", reinterpret_cast<void *>(initialise)},
      {"cooperative_tensor_num_elements", reinterpret_cast<void *>(elementCount)},
      {"cooperative_tensor_get_element_pointer", reinterpret_cast<void *>(elementPointer)},
      RUN("f32", "f32", F32, F32),   RUN("f32", "f16", F32, F16),   RUN("f32", "b16", F32, BF16),
      RUN("f16", "f32", F16, F32),   RUN("f16", "f16", F16, F16),   RUN("f16", "b16", F16, BF16),
      RUN("b16", "f32", BF16, F32),  RUN("b16", "f16", BF16, F16),  RUN("b16", "b16", BF16, BF16),
  };
#undef RUN
  for (const Entry &entry : table)
    if (strcmp(entry.name, name) == 0)
      return entry.function;
  return nullptr;
}

} // namespace softmetal
