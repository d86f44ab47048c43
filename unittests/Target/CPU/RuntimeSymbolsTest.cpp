//===- RuntimeSymbolsTest.cpp - half and bfloat conversions, against the compiler's own ===//
#include "triton_metal/Target/CPU/Loader.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace triton_metal::cpu;

namespace {

template <typename F> F *get(std::string_view name) {
  for (const RuntimeSymbol &symbol : runtimeSymbols())
    if (symbol.name == name)
      return reinterpret_cast<F *>(const_cast<void *>(symbol.address));
  ADD_FAILURE() << "no symbol " << name;
  return nullptr;
}

uint16_t bits(_Float16 value) { return std::bit_cast<uint16_t>(value); }
uint16_t bits(__bf16 value) { return std::bit_cast<uint16_t>(value); }

TEST(RuntimeSymbols, EveryHalfWidensExactly) {
  auto *extend = get<float(_Float16)>("__extendhfsf2");
  auto *truncate = get<_Float16(float)>("__truncsfhf2");
  for (unsigned i = 0; i < 0x10000; ++i) {
    _Float16 half = std::bit_cast<_Float16>(static_cast<uint16_t>(i));
    float wide = extend(half);
    if ((i & 0x7fff) > 0x7c00) {
      EXPECT_TRUE(std::isnan(wide));
      EXPECT_TRUE((bits(truncate(wide)) & 0x7fff) > 0x7c00);
      continue;
    }
    EXPECT_EQ(bits(truncate(wide)), i);
    double exact = std::ldexp(i & 0x3ff, -24);
    if ((i & 0x7c00) == 0x7c00)
      exact = INFINITY;
    else if (i & 0x7c00)
      exact = std::ldexp((i & 0x3ff) | 0x400, ((i >> 10) & 31) - 25);
    EXPECT_EQ(wide, i & 0x8000 ? -exact : exact);
  }
}

/// A narrowing is right when no neighbour is nearer, and a tie goes to the even one.
template <typename Narrow, typename Wide> void checkNearest(Narrow got, Wide value, double (*widen)(uint16_t)) {
  uint16_t g = bits(got);
  double distance = std::fabs(widen(g) - static_cast<double>(value));
  for (int step : {-1, 1}) {
    if ((g & 0x7fff) == 0 && step < 0)
      continue;
    double other = std::fabs(widen(g + step) - static_cast<double>(value));
    EXPECT_LE(distance, other) << value;
    if (distance == other) {
      EXPECT_EQ(g & 1, 0) << value;
    }
  }
}

double widenHalf(uint16_t h) {
  if ((h & 0x7fff) >= 0x7c00)
    return h & 0x8000 ? -65536.0 : 65536.0; // where infinity's rounding interval begins
  double magnitude = h & 0x7c00 ? std::ldexp((h & 0x3ff) | 0x400, ((h >> 10) & 31) - 25) : std::ldexp(h & 0x3ff, -24);
  return h & 0x8000 ? -magnitude : magnitude;
}
double widenBFloat(uint16_t b) { return std::bit_cast<float>(uint32_t(b) << 16); }

TEST(RuntimeSymbols, NarrowingRoundsToNearestEven) {
  auto *toHalf = get<_Float16(float)>("__truncsfhf2");
  auto *doubleToHalf = get<_Float16(double)>("__truncdfhf2");
  auto *toBFloat = get<__bf16(float)>("__truncsfbf2");
  auto *doubleToBFloat = get<__bf16(double)>("__truncdfbf2");
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(-28, 16), mantissa(1, 2);
  for (int i = 0; i < 100000; ++i) {
    double value = std::ldexp(mantissa(random), static_cast<int>(exponent(random))) * (random() & 1 ? 1 : -1);
    checkNearest(toHalf(static_cast<float>(value)), static_cast<float>(value), widenHalf);
    checkNearest(doubleToHalf(value), value, widenHalf);
    checkNearest(toBFloat(static_cast<float>(value)), static_cast<float>(value), widenBFloat);
    checkNearest(doubleToBFloat(value), value, widenBFloat);
  }
  // A double just above the middle of two halves, which rounding to float first would put on the middle.
  double middle = 1 + 0x1p-11;
  EXPECT_EQ(bits(doubleToHalf(middle)), 0x3c00);
  EXPECT_EQ(bits(doubleToHalf(middle + 0x1p-40)), 0x3c01);
  EXPECT_EQ(bits(doubleToHalf(1 + 3 * 0x1p-11 - 0x1p-40)), 0x3c01);
  EXPECT_EQ(bits(toHalf(65519.0f)), 0x7bff);
  EXPECT_EQ(bits(toHalf(65520.0f)), 0x7c00);
  EXPECT_EQ(bits(toHalf(-INFINITY)), 0xfc00);
  EXPECT_EQ(bits(toHalf(0x1p-25f)), 0);
  EXPECT_EQ(bits(toHalf(-0.0f)), 0x8000);
  EXPECT_TRUE((bits(toBFloat(NAN)) & 0x7fff) > 0x7f80);
  EXPECT_EQ(bits(toBFloat(-0.0f)), 0x8000);
}

} // namespace
