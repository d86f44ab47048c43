//===- RuntimeSymbols.cpp - what compiled code may call -------------------------===//
//
// The backend turns some operations into calls: block copies, conversions from and to half precision where the machine has no
// instruction, and the remainder of floats. The conversions are ours, so that no compiler runtime library is needed.
//
//===----------------------------------------------------------------------------===//
#include "triton_metal/Target/CPU/Loader.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace triton_metal::cpu {
namespace {

// The ABI passes and returns half and bfloat as the low 16 bits of a vector register; on both architectures that is what the
// compiler's own _Float16 and __bf16 do.
using Half = _Float16;
using BFloat = __bf16;

uint16_t roundToBFloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if (value != value)
    return (bits >> 16) | 0x40; // keep a NaN, quiet
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

/// Rounds to float so that a second rounding to a narrower format gives what one rounding would (round to odd).
float roundToOdd(double value) {
  float nearest = static_cast<float>(value);
  if (value != value || static_cast<double>(nearest) == value || std::isinf(nearest))
    return nearest;
  uint32_t bits = std::bit_cast<uint32_t>(nearest);
  if (bits & 1)
    return nearest;
  bool tooFar = std::fabs(static_cast<double>(nearest)) > std::fabs(value);
  return std::bit_cast<float>(tooFar ? bits - 1 : bits | 1);
}

uint16_t roundToHalf(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return sign | 0x7e00 | ((magnitude >> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) // rounds to 65536 or more
    return sign | 0x7c00;
  if (magnitude < 0x38800000) { // below 2^-14: a denormal half; adding 0.5 lets the float unit round at 2^-24
    float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000);
  }
  uint32_t rebased = magnitude - 0x38000000;
  return sign | ((rebased + 0xfff + ((rebased >> 13) & 1)) >> 13);
}

float extendHalf(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000) << 16, magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00)
    return std::bit_cast<float>(sign | 0x7f800000 | ((magnitude & 0x3ff) << 13));
  if (magnitude < 0x400) {
    float value = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000));
}

Half truncsfhf2(float value) { return std::bit_cast<Half>(roundToHalf(value)); }
Half truncdfhf2(double value) { return std::bit_cast<Half>(roundToHalf(roundToOdd(value))); }
float extendhfsf2(Half value) { return extendHalf(std::bit_cast<uint16_t>(value)); }
BFloat truncsfbf2(float value) { return std::bit_cast<BFloat>(roundToBFloat(value)); }
BFloat truncdfbf2(double value) { return std::bit_cast<BFloat>(roundToBFloat(roundToOdd(value))); }

template <typename F> constexpr const void *at(F *function) { return reinterpret_cast<const void *>(function); }

} // namespace

std::span<const RuntimeSymbol> runtimeSymbols() {
  static const RuntimeSymbol table[] = {
      {"memcpy", at(::memcpy)},
      {"memmove", at(::memmove)},
      {"memset", at(::memset)},
      {"__truncsfhf2", at(&truncsfhf2)},
      {"__truncdfhf2", at(&truncdfhf2)},
      {"__extendhfsf2", at(&extendhfsf2)},
      {"__truncsfbf2", at(&truncsfbf2)},
      {"__truncdfbf2", at(&truncdfbf2)},
      {"fmodf", at(static_cast<float (*)(float, float)>(&std::fmod))},
      {"fmod", at(static_cast<double (*)(double, double)>(&std::fmod))},
  };
  return table;
}

} // namespace triton_metal::cpu
