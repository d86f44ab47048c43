//===- CostTests.cpp - bytes and operations of launches ---------------------------------------===//
//
// Kernels as text, whose counts are computed by hand or by going through all programs.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Analysis/Cost.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace triton_metal;

namespace {

class CostTest : public testing::Test {
protected:
  CostTest() {
    DialectRegistry registry;
    registry.insert<tt::TritonDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The cost of a kernel with arguments %p, %n and %m.
  LaunchCost count(StringRef body, uint64_t n, uint64_t m, std::array<int32_t, 3> grid, CostLimits limits = {}) {
    module = parseSourceString<ModuleOp>(
        ("tt.func public @k(%p: !tt.ptr<f32>, %n: i32, %m: i32) {" + body + " tt.return }").str(), &context);
    if (!module) {
      ADD_FAILURE() << "no parse";
      return {};
    }
    return analyzeCost(*module->getOps<tt::FuncOp>().begin(), {0x1000, n, m}, grid, limits);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

const char *const kStream = R"(
  %c64 = arith.constant 64 : i32
  %pid = tt.get_program_id x : i32
  %start = arith.muli %pid, %c64 : i32
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %starts = tt.splat %start : i32 -> tensor<64xi32>
  %offsets = arith.addi %starts, %range : tensor<64xi32>
  %ns = tt.splat %n : i32 -> tensor<64xi32>
  %mask = arith.cmpi slt, %offsets, %ns : tensor<64xi32>
  %ps = tt.splat %p : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %pointers = tt.addptr %ps, %offsets : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %x = tt.load %pointers, %mask : tensor<64x!tt.ptr<f32>>
  %y = arith.addf %x, %x : tensor<64xf32>
  %z = math.exp %y : tensor<64xf32>
  tt.store %pointers, %z, %mask : tensor<64x!tt.ptr<f32>>
)";

TEST_F(CostTest, MasksAtTheEndOfAStream) {
  for (uint64_t n : {0, 1, 63, 64, 65, 1000, 6400, 100000}) {
    LaunchCost cost = count(kStream, n, 0, {100, 1, 1});
    uint64_t inside = std::min<uint64_t>(n, 6400);
    EXPECT_TRUE(cost.isExact());
    EXPECT_EQ(cost.bytesLoaded, 4 * inside);
    EXPECT_EQ(cost.bytesStored, 4 * inside);
    EXPECT_EQ(cost.floatOperations, 6400u); // masked elements are computed as well
    EXPECT_EQ(cost.specialOperations, 6400u);
    EXPECT_EQ(cost.integerOperations, 6400u + 100u);
    EXPECT_EQ(cost.arguments, SmallVector<unsigned>{1});
  }
}

TEST_F(CostTest, EmptyGridsCostNothing) {
  LaunchCost cost = count(kStream, 64, 0, {0, 1, 1});
  EXPECT_TRUE(cost.isExact());
  EXPECT_EQ(cost.bytesLoaded + cost.floatOperations, 0u);
}

/// for k in range(pid_y, n): load of min(m - k, 32) elements.
const char *const kLoop = R"(
  %c1 = arith.constant 1 : i32
  %pid = tt.get_program_id y : i32
  %range = tt.make_range {end = 32 : i32, start = 0 : i32} : tensor<32xi32>
  %ps = tt.splat %p : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>>
  scf.for %k = %pid to %n step %c1 : i32 {
    %left = arith.subi %m, %k : i32
    %lefts = tt.splat %left : i32 -> tensor<32xi32>
    %mask = arith.cmpi slt, %range, %lefts : tensor<32xi32>
    %x = tt.load %ps, %mask : tensor<32x!tt.ptr<f32>>
  }
)";

TEST_F(CostTest, LoopsWhoseBoundsAndMasksDiffer) {
  for (int64_t n : {0, 1, 7, 40})
    for (int64_t m : {0, 5, 32, 60}) {
      uint64_t elements = 0;
      for (int64_t pid = 0; pid < 9; ++pid)
        for (int64_t k = pid; k < n; ++k)
          elements += uint64_t(std::clamp<int64_t>(m - k, 0, 32));
      LaunchCost cost = count(kLoop, uint64_t(n), uint64_t(m), {3, 9, 1});
      EXPECT_TRUE(cost.isExact());
      EXPECT_EQ(cost.bytesLoaded, 3 * 4 * elements) << n << " " << m;
    }
}

TEST_F(CostTest, QuotientsRemaindersAndConditions) {
  const char *const body = R"(
    %pid = tt.get_program_id x : i32
    %row = arith.divsi %pid, %n : i32
    %column = arith.remsi %pid, %n : i32
    %inside = arith.cmpi sge, %row, %column : i32
    scf.if %inside {
      %x = tt.load %p : !tt.ptr<f32>
    } else {
      tt.store %p, %f : !tt.ptr<f32>
    }
  )";
  for (int32_t n : {1, 3, 10, 1000}) {
    uint64_t loads = 0;
    for (int32_t pid = 0; pid < 100; ++pid)
      loads += pid / n >= pid % n;
    LaunchCost cost = count(std::string("%f = arith.constant 1.0 : f32\n") + body, uint64_t(n), 0, {100, 1, 1});
    EXPECT_EQ(cost.bytesLoaded, 4 * loads);
    EXPECT_EQ(cost.bytesStored, 4 * (100 - loads));
  }
}

/// The diagonal of a tile: no box of indices.
const char *const kTriangle = R"(
  %c16 = arith.constant 16 : i32
  %pid = tt.get_program_id x : i32
  %start = arith.muli %pid, %c16 : i32
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %starts = tt.splat %start : i32 -> tensor<16xi32>
  %rows = arith.addi %starts, %range : tensor<16xi32>
  %r = tt.expand_dims %rows {axis = 1 : i32} : tensor<16xi32> -> tensor<16x1xi32>
  %c = tt.expand_dims %range {axis = 0 : i32} : tensor<16xi32> -> tensor<1x16xi32>
  %rs = tt.broadcast %r : tensor<16x1xi32> -> tensor<16x16xi32>
  %cs = tt.broadcast %c : tensor<1x16xi32> -> tensor<16x16xi32>
  %mask = arith.cmpi sge, %rs, %cs : tensor<16x16xi32>
  %ps = tt.splat %p : !tt.ptr<f32> -> tensor<16x16x!tt.ptr<f32>>
  %x = tt.load %ps, %mask : tensor<16x16x!tt.ptr<f32>>
)";

TEST_F(CostTest, MasksWithoutAForm) {
  LaunchCost cost = count(kTriangle, 0, 0, {5, 1, 1});
  EXPECT_TRUE(cost.isExact());
  EXPECT_EQ(cost.bytesLoaded, 4u * (16 * 17 / 2 + 4 * 256));
}

TEST_F(CostTest, ASampleStandsForTooManyPrograms) {
  // No program is like another, and effort is short.
  const char *const body = R"(
    %c7 = arith.constant 7 : i32
    %pid = tt.get_program_id x : i32
    %mixed = arith.xori %pid, %c7 : i32
    %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
    %limits = tt.splat %mixed : i32 -> tensor<64xi32>
    %mask = arith.cmpi slt, %range, %limits : tensor<64xi32>
    %ps = tt.splat %p : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
    %x = tt.load %ps, %mask : tensor<64x!tt.ptr<f32>>
  )";
  CostLimits limits;
  limits.effort = 10000;
  uint64_t elements = 0;
  for (int32_t pid = 0; pid < 4096; ++pid)
    elements += uint64_t(std::min(pid ^ 7, 64));
  LaunchCost exact = count(body, 0, 0, {4096, 1, 1}), sampled = count(body, 0, 0, {4096, 1, 1}, limits);
  EXPECT_TRUE(exact.isExact());
  EXPECT_EQ(exact.bytesLoaded, 4 * elements);
  ASSERT_EQ(sampled.reasons.size(), 1u);
  EXPECT_NE(sampled.reasons[0].what.find("too many different programs"), std::string::npos);
  EXPECT_NEAR(double(sampled.bytesLoaded), double(exact.bytesLoaded), 0.02 * double(exact.bytesLoaded));
}

TEST_F(CostTest, DataThatIsNotKnown) {
  const char *const body = R"(
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %q = tt.bitcast %p : !tt.ptr<f32> -> !tt.ptr<i32>
    %last = tt.load %q : !tt.ptr<i32>
    scf.for %k = %c0 to %last step %c1 : i32 {
      %range = tt.make_range {end = 32 : i32, start = 0 : i32} : tensor<32xi32>
      %lasts = tt.splat %last : i32 -> tensor<32xi32>
      %ns = tt.splat %n : i32 -> tensor<32xi32>
      %unknown = arith.cmpi slt, %range, %lasts : tensor<32xi32>
      %known = arith.cmpi slt, %range, %ns : tensor<32xi32>
      %mask = arith.andi %unknown, %known : tensor<32xi1>
      %ps = tt.splat %p : !tt.ptr<f32> -> tensor<32x!tt.ptr<f32>>
      %x = tt.load %ps, %mask : tensor<32x!tt.ptr<f32>>
    }
  )";
  LaunchCost cost = count(body, 20, 0, {1, 1, 1});
  ASSERT_EQ(cost.reasons.size(), 2u);
  EXPECT_EQ(cost.reasons[0].what, "the number of iterations depends on loaded data: counted as one");
  EXPECT_EQ(cost.reasons[1].what, "the mask of this load depends on loaded data: what is not known of it counts as true");
  EXPECT_EQ(cost.bytesLoaded, 4u + 4 * 20); // what is known of the mask holds
}

TEST_F(CostTest, WhileLoopsAndCarriedValues) {
  // x = n; while x > 0: load; x /= 2. Then m times the sum of what a loop has added up.
  const char *const body = R"(
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %end = scf.while (%x = %n) : (i32) -> i32 {
      %goes = arith.cmpi sgt, %x, %c0 : i32
      scf.condition(%goes) %x : i32
    } do {
    ^bb0(%x: i32):
      %y = tt.load %p : !tt.ptr<f32>
      %half = arith.divsi %x, %c2 : i32
      scf.yield %half : i32
    }
    %sum = scf.for %k = %c0 to %m step %c1 iter_args(%s = %end) -> (i32) : i32 {
      %next = arith.addi %s, %k : i32
      scf.yield %next : i32
    }
    scf.for %k = %c0 to %sum step %c1 : i32 {
      tt.store %p, %f : !tt.ptr<f32>
    }
  )";
  LaunchCost cost = count(std::string("%f = arith.constant 1.0 : f32\n") + body, 1000, 9, {1, 1, 1});
  EXPECT_TRUE(cost.isExact());
  EXPECT_EQ(cost.bytesLoaded, 4u * 10);
  EXPECT_EQ(cost.bytesStored, 4u * 36);
}

TEST_F(CostTest, RegionsAndDots) {
  const char *const body = R"(
    %a = arith.constant dense<1.0> : tensor<16x32xf16>
    %b = arith.constant dense<1.0> : tensor<32x8xf16>
    %c = arith.constant dense<0.0> : tensor<16x8xf32>
    %d = tt.dot %a, %b, %c : tensor<16x32xf16> * tensor<32x8xf16> -> tensor<16x8xf32>
    %s = "tt.reduce"(%d) <{axis = 1 : i32}> ({
    ^bb0(%x: f32, %y: f32):
      %z = arith.addf %x, %y : f32
      tt.reduce.return %z : f32
    }) : (tensor<16x8xf32>) -> tensor<16xf32>
    %t = math.fma %s, %s, %s : tensor<16xf32>
  )";
  LaunchCost cost = count(body, 0, 0, {3, 1, 1});
  EXPECT_EQ(cost.dotOperations, 3u * 2 * 16 * 32 * 8);
  EXPECT_EQ(cost.floatOperations, 3u * (16 * 7 + 2 * 16));
}

} // namespace
