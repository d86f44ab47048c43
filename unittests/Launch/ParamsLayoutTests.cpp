//===- ParamsLayoutTests.cpp - offsets of packed parameters -------------------------===//
#include "triton_metal/Launch/ParamsLayout.h"

#include <gtest/gtest.h>

using namespace triton_metal;

TEST(ParamsLayout, EachArgumentIsAlignedToItsSize) {
  ParamsLayout layout(
      std::vector<ParamType>{ParamType::I1, ParamType::Pointer, ParamType::F16, ParamType::I32, ParamType::I8, ParamType::F64});
  EXPECT_EQ(layout.offsets, (std::vector<uint32_t>{0, 8, 16, 20, 24, 32}));
  EXPECT_EQ(layout.size, 48u);
}

TEST(ParamsLayout, SizeIsAMultipleOf16AndNeverZero) {
  EXPECT_EQ(ParamsLayout(std::vector<ParamType>{}).size, 16u);
  EXPECT_EQ(ParamsLayout(std::vector<ParamType>{ParamType::I8}).size, 16u);
  EXPECT_EQ(ParamsLayout(std::vector<ParamType>{ParamType::Pointer, ParamType::Pointer}).size, 16u);
  EXPECT_EQ(ParamsLayout(std::vector<ParamType>{ParamType::Pointer, ParamType::Pointer, ParamType::I1}).size, 32u);
}

TEST(ParamsLayout, AllTypesHaveASizeThatIsAPowerOfTwo) {
  for (int i = int(ParamType::Pointer); i <= int(ParamType::F64); ++i) {
    uint32_t size = sizeOf(ParamType(i));
    EXPECT_TRUE(size == 1 || size == 2 || size == 4 || size == 8) << i;
  }
}
