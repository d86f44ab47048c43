//===- SpecializationTests.cpp - words of arguments, and keys of the environment -----===//
#include "triton_metal/Launch/Environment.h"
#include "triton_metal/Launch/Specialization.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace triton_metal;

TEST(Specialization, IntegersByValue) {
  EXPECT_EQ(ArgKey::integer(1, true, true), ArgKey::inlineConstant(1));
  EXPECT_EQ(ArgKey::integer(1, false, false).spelling(), "i32");
  EXPECT_TRUE(ArgKey::integer(16, true, true).isDivisible());
  EXPECT_TRUE(ArgKey::integer(0, true, true).isDivisible());
  EXPECT_FALSE(ArgKey::integer(16, true, false).isDivisible());
  EXPECT_FALSE(ArgKey::integer(17, true, true).isDivisible());
  EXPECT_EQ(ArgKey::integer(int64_t(1) << 31, true, true).spelling(), "i64");
  EXPECT_EQ(ArgKey::integer(-(int64_t(1) << 31), true, true).spelling(), "i32");
}

TEST(Specialization, InlineConstantsKeepTheirValue) {
  for (int64_t value : {int64_t(0), int64_t(-1), int64_t(7), ArgKey::kInlineMin, ArgKey::kInlineMax}) {
    ArgKey key = ArgKey::fromWord(ArgKey::inlineConstant(value).word());
    EXPECT_TRUE(key.isConstant());
    EXPECT_EQ(key.inlineValue(), value);
  }
  EXPECT_NE(ArgKey::inlineConstant(3), ArgKey::interned(3));
}

TEST(Specialization, PointersDifferByTypeAlignmentAndConstness) {
  EXPECT_EQ(ArgKey::pointer(DType::F32, true, false).spelling(), "*fp32");
  EXPECT_EQ(ArgKey::pointer(DType::BF16, true, true).spelling(), "*kbf16");
  EXPECT_EQ(ArgKey::pointer(DType::I1, true, false).spelling(), "*i1");
  EXPECT_EQ(ArgKey::scalar(DType::I1, false).spelling(), "u1");
  EXPECT_NE(ArgKey::pointer(DType::F32, true, false), ArgKey::pointer(DType::F32, false, false));
  EXPECT_NE(ArgKey::pointer(DType::I32, true, false), ArgKey::scalar(DType::I32, true));
}

TEST(Specialization, NamesOfTypesAreReadBack) {
  for (int i = 0; i <= int(DType::F8E4B15); ++i)
    EXPECT_EQ(dtypeNamed(scalarName(DType(i))), DType(i));
  EXPECT_FALSE(dtypeNamed("complex64"));
  EXPECT_FALSE(dtypeFromDLPack(5, 64));
  EXPECT_EQ(dtypeFromDLPack(4, 16), DType::BF16);
  EXPECT_EQ(dtypeFromNumPy(23), DType::F16);
}

TEST(Environment, StampFollowsOurVariablesOnly) {
  unsetenv("TRITON_METAL_TEST");
  uint64_t before = environmentStamp();
  setenv("SOMETHING_ELSE_OF_THE_TEST", "1", 1);
  EXPECT_EQ(environmentStamp(), before);
  setenv("TRITON_METAL_TEST", "1", 1);
  uint64_t one = environmentStamp();
  EXPECT_NE(one, before);
  setenv("TRITON_METAL_TEST", "0", 1);
  EXPECT_NE(environmentStamp(), one);
  unsetenv("TRITON_METAL_TEST");
  EXPECT_EQ(environmentStamp(), before);
}
