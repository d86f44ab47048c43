//===- Numbers.h - half and bfloat on any host ---------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Abi.h"
#include <cstring>

namespace softmetal {

inline float halfToFloat(uint16_t bits) {
  _Float16 half;
  memcpy(&half, &bits, 2);
  return static_cast<float>(half);
}
inline uint16_t floatToHalf(float value) {
  auto half = static_cast<_Float16>(value);
  uint16_t bits;
  memcpy(&bits, &half, 2);
  return bits;
}
inline float bfloatToFloat(uint16_t bits) {
  uint32_t word = uint32_t(bits) << 16;
  float value;
  memcpy(&value, &word, 4);
  return value;
}
inline uint16_t floatToBFloat(float value) { // to nearest, ties to even; a NaN stays one
  uint32_t word;
  memcpy(&word, &value, 4);
  if ((word & 0x7fffffff) > 0x7f800000)
    return static_cast<uint16_t>(word >> 16 | 64);
  return static_cast<uint16_t>((word + 0x7fff + (word >> 16 & 1)) >> 16);
}
inline float readFloat(const void *from, Scalar type, uint32_t index) {
  switch (type) {
  case Scalar::F16: return halfToFloat(static_cast<const uint16_t *>(from)[index]);
  case Scalar::BF16: return bfloatToFloat(static_cast<const uint16_t *>(from)[index]);
  default: return static_cast<const float *>(from)[index];
  }
}
inline void writeFloat(void *to, Scalar type, uint32_t index, float value) {
  switch (type) {
  case Scalar::F16: static_cast<uint16_t *>(to)[index] = floatToHalf(value); break;
  case Scalar::BF16: static_cast<uint16_t *>(to)[index] = floatToBFloat(value); break;
  default: static_cast<float *>(to)[index] = value; break;
  }
}

} // namespace softmetal
