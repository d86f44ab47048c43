//===- LinearLayoutTests.cpp - properties of the layout algebra -----------------------------===//
//
// Random layouts, from a seed that is printed and can be set by TRITON_METAL_TEST_SEED.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Analysis/LinearLayout.h"

#include "gtest/gtest.h"
#include <cstdlib>
#include <random>
#include <set>

using namespace llvm;
using namespace triton_metal;

namespace {

class LinearLayoutTest : public testing::Test {
protected:
  LinearLayoutTest() {
    const char *given = std::getenv("TRITON_METAL_TEST_SEED");
    unsigned seed = given ? std::atoi(given) : std::random_device{}();
    RecordProperty("seed", int(seed));
    random.seed(seed);
    trace = std::make_unique<testing::ScopedTrace>(__FILE__, __LINE__, "TRITON_METAL_TEST_SEED=" + std::to_string(seed));
  }

  unsigned below(unsigned n) { return random() % n; }

  SmallVector<int64_t> randomShape() {
    SmallVector<int64_t> shape;
    for (unsigned dims = 1 + below(3), bits = 0; dims-- && bits < 9;) {
      unsigned own = below(6);
      shape.push_back(int64_t(1) << own);
      bits += own;
    }
    return shape;
  }

  /// Element bits dealt at random to registers, lanes and SIMD-groups; free places hold duplicates.
  LinearLayout randomLayout(ArrayRef<int64_t> shape, unsigned groups) {
    unsigned bits = LinearLayout(shape, {}, {}, {}).getNumElementBits();
    std::vector<uint32_t> elements;
    for (unsigned bit = 0; bit < bits; ++bit)
      elements.push_back(1u << bit);
    std::shuffle(elements.begin(), elements.end(), random);
    LinearLayout::Bases registers, lanes(5, 0), simdgroups(groups, 0);
    for (uint32_t element : elements) {
      unsigned place = below(3);
      auto &list = place == 0 ? lanes : simdgroups;
      auto free = std::find(list.begin(), list.end(), 0u);
      if (place == 2 || free == list.end())
        registers.push_back(element);
      else
        *free = element;
    }
    return LinearLayout(shape, registers, lanes, simdgroups);
  }

  template <typename Fn> void forEachPlace(const LinearLayout &layout, Fn fn) {
    for (unsigned reg = 0; reg < layout.getNumRegisters(); ++reg)
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned group = 0; group < 1u << layout.getSimdgroupBases().size(); ++group)
          fn(reg, lane, group);
  }

  void expectValid(const LinearLayout &layout) {
    std::string why;
    EXPECT_TRUE(layout.isValid(&why)) << why << ": " << layout.str();
    EXPECT_TRUE(layout.isPermutation()) << layout.str();
    std::set<uint32_t> elements;
    forEachPlace(layout, [&](unsigned reg, unsigned lane, unsigned group) { elements.insert(layout.apply(reg, lane, group)); });
    EXPECT_EQ(elements.size(), size_t(1) << layout.getNumElementBits());
  }

  std::mt19937 random;
  std::unique_ptr<testing::ScopedTrace> trace;
};

TEST_F(LinearLayoutTest, MapsComposeAndInvert) {
  for (int round = 0; round < 200; ++round) {
    LinearLayout layout = randomLayout(randomShape(), below(4));
    BitMap map = layout.getMap(), inverse = layout.getInverse();
    EXPECT_EQ(map.compose(inverse), BitMap::identity(layout.getNumElementBits()));
    BitMap low = BitMap::identity(2);
    BitMap product = low.product(map, 2);
    std::optional<BitMap> quotient = product.divide(low, 2);
    ASSERT_TRUE(quotient);
    EXPECT_EQ(*quotient, map);
  }
  EXPECT_FALSE(BitMap({1, 2}).invert(3));
  EXPECT_FALSE(BitMap({1, 3}).divide(BitMap({1}), 1));
  EXPECT_EQ(BitMap({3, 5, 6}).rank(), 2u);
  EXPECT_EQ(BitMap({3, 1}).invert(2)->apply(2), 3u);
}

TEST_F(LinearLayoutTest, ConstructorsReachEveryElementAndFitEachOther) {
  for (int round = 0; round < 100; ++round) {
    unsigned groups = below(4);
    SmallVector<int64_t> shape = randomShape();
    SmallVector<unsigned> order;
    for (unsigned dim = shape.size(); dim-- > 0;)
      order.push_back(dim);
    std::shuffle(order.begin(), order.end(), random);
    expectValid(LinearLayout::blocked(shape, order, 1u << below(3), groups));
    if (shape.size() >= 2)
      expectValid(LinearLayout::tiled(shape, order, 1u << below(3), groups));

    int64_t m = 1 << below(7), n = 1 << below(7), k = 1 << below(6);
    unsigned groupsM = below(groups + 1), groupsN = groups - groupsM;
    unsigned tileM = std::max<int64_t>(8, m >> groupsM), tileN = std::max<int64_t>(8, n >> groupsN);
    LinearLayout c = LinearLayout::simdgroupMatrix({m, n}, tileM, tileN, groupsM, groupsN);
    LinearLayout a = LinearLayout::dotOperand({m, k}, true, tileM, groupsM, groupsN);
    LinearLayout b = LinearLayout::dotOperand({k, n}, false, tileN, groupsM, groupsN);
    for (const LinearLayout &layout : {a, b, c})
      expectValid(layout);
    // A lane's rows of the result are its SIMD-group's rows of the left operand, and so for columns.
    EXPECT_EQ(a.slice(1).getSimdgroupBases(), c.slice(1).getSimdgroupBases());
    EXPECT_EQ(b.slice(0).getSimdgroupBases(), c.slice(0).getSimdgroupBases());
    EXPECT_EQ(a.slice(1).getLaneBases(), c.slice(1).getLaneBases());
    EXPECT_EQ(b.slice(0).getLaneBases(), c.slice(0).getLaneBases());
    if (k == n && groupsN == 0) // what attention lives on: a result is a left operand as it is
      EXPECT_EQ(a, c);
  }
}

TEST_F(LinearLayoutTest, FragmentIsTheLaneMapOfSimdgroupMatrix) {
  LinearLayout layout = LinearLayout::simdgroupMatrix({8, 8}, 8, 8, 0, 0);
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned row = ((lane >> 4) & 1) * 4 + ((lane >> 1) & 3), column = ((lane >> 3) & 1) * 4 + (lane & 1) * 2;
    EXPECT_EQ(layout.apply(0, lane, 0), row * 8 + column);
    EXPECT_EQ(layout.apply(1, lane, 0), row * 8 + column + 1);
  }
}

TEST_F(LinearLayoutTest, ShapeOperationsAreRenamingsOfRegisters) {
  for (int round = 0; round < 200; ++round) {
    LinearLayout layout = randomLayout(randomShape(), below(3));
    unsigned axis = below(layout.getRank());

    SmallVector<int32_t> order, inverse(layout.getRank());
    for (unsigned dim = 0; dim < layout.getRank(); ++dim)
      order.push_back(dim);
    std::shuffle(order.begin(), order.end(), random);
    for (unsigned dim = 0; dim < layout.getRank(); ++dim)
      inverse[order[dim]] = dim;
    LinearLayout moved = layout.trans(order);
    expectValid(moved);
    EXPECT_EQ(moved.trans(inverse), layout);
    forEachPlace(layout, [&](unsigned reg, unsigned lane, unsigned group) {
      SmallVector<int64_t> from = layout.getCoordinates(layout.apply(reg, lane, group));
      SmallVector<int64_t> to = moved.getCoordinates(moved.apply(reg, lane, group));
      for (unsigned dim = 0; dim < layout.getRank(); ++dim)
        ASSERT_EQ(to[dim], from[order[dim]]);
    });

    ASSERT_TRUE(layout.join().split());
    EXPECT_EQ(*layout.join().split(), layout);
    expectValid(layout.join());
    EXPECT_EQ(layout.expandDims(axis).slice(axis), layout);

    SmallVector<int64_t> small(layout.getShape());
    small[axis] = 1;
    LinearLayout projected = layout.project(small);
    expectValid(projected);
    EXPECT_EQ(projected, layout.slice(axis).expandDims(axis));
    auto renaming = getRegisterRenaming(projected, layout, [&](uint32_t element) {
      SmallVector<int64_t> coordinates = layout.getCoordinates(element);
      coordinates[axis] = 0;
      return projected.getElement(coordinates);
    });
    ASSERT_TRUE(renaming);
    forEachPlace(layout, [&](unsigned reg, unsigned lane, unsigned group) {
      SmallVector<int64_t> coordinates = layout.getCoordinates(layout.apply(reg, lane, group));
      coordinates[axis] = 0;
      ASSERT_EQ(projected.getCoordinates(projected.apply((*renaming)[reg], lane, group)), coordinates);
    });
  }
}

TEST_F(LinearLayoutTest, ConversionsFindTheElement) {
  std::set<LayoutConversion::Kind> seen;
  for (int round = 0; round < 500; ++round) {
    SmallVector<int64_t> shape = randomShape();
    unsigned groups = below(3);
    LinearLayout source = randomLayout(shape, groups), result = below(10) ? randomLayout(shape, groups) : source;
    if (!below(3)) // the same lanes, other registers
      if (LinearLayout other(shape, LinearLayout::Bases(llvm::reverse(source.getRegisterBases())), source.getLaneBases(),
                             source.getSimdgroupBases());
          other.isValid())
        result = other;
    LayoutConversion conversion = LayoutConversion::get(source, result);
    seen.insert(conversion.kind);
    forEachPlace(result, [&](unsigned reg, unsigned lane, unsigned group) {
      unsigned place = conversion.map.apply(reg | lane << conversion.resultRegisterBits | group << (conversion.resultRegisterBits + 5));
      unsigned fromReg = place & (source.getNumRegisters() - 1), rest = place >> conversion.sourceRegisterBits;
      ASSERT_EQ(source.apply(fromReg, rest & 31, rest >> 5), result.apply(reg, lane, group));
      if (conversion.kind != LayoutConversion::Kind::Threadgroup) {
        ASSERT_EQ(rest >> 5, group);
        ASSERT_EQ(conversion.getSourceRegister(reg, lane), fromReg);
        ASSERT_EQ(conversion.getSourceLane(reg, lane), rest & 31);
      }
      if (conversion.kind == LayoutConversion::Kind::Register || conversion.kind == LayoutConversion::Kind::Identity)
        ASSERT_EQ(rest & 31, lane);
      if (conversion.staysInSimdgroup)
        ASSERT_EQ(rest >> 5, group);
    });
  }
  EXPECT_EQ(seen.size(), 4u) << "every kind of conversion occurs";
}

TEST_F(LinearLayoutTest, BlockedKeepsLanesInterleaved) {
  LinearLayout layout = LinearLayout::blocked({4096}, {0}, 4, 2);
  EXPECT_EQ(layout.getContiguousRegisters(0), 4u);
  EXPECT_EQ(layout.getLaneBases(), ArrayRef<uint32_t>({4, 8, 16, 32, 64}));
  EXPECT_EQ(layout.getCoalescedBits(0, 2), 7u);
  EXPECT_EQ(layout.getSimdgroupBases(), ArrayRef<uint32_t>({1024, 2048}));
  LinearLayout small = LinearLayout::blocked({16}, {0}, 1, 2);
  EXPECT_EQ(small.getFreeLaneMask(), 16u);
  EXPECT_EQ(small.getFreeSimdgroupMask(), 3u);
  EXPECT_EQ(small.getNumRegisters(), 1u);
}

TEST_F(LinearLayoutTest, TiledKeepsSquares) {
  LinearLayout layout = LinearLayout::tiled({64, 64}, {1, 0}, 4, 2);
  EXPECT_EQ(layout.getContiguousRegisters(1), 4u);
  EXPECT_EQ(layout.getLaneBases(), ArrayRef<uint32_t>({4, 8, 64, 128, 256}));
  EXPECT_EQ(layout.getSimdgroupBases(), ArrayRef<uint32_t>({16 * 64, 32 * 64}));
  EXPECT_EQ(LinearLayout::tiled({64, 64}, {1, 0}, 1, 2).getLaneBases(), ArrayRef<uint32_t>({1, 2, 4, 64, 128}));
  EXPECT_EQ(LinearLayout::tiled({4, 64}, {1, 0}, 4, 0).getLaneBases(), ArrayRef<uint32_t>({4, 8, 16, 64, 128}));
}

TEST_F(LinearLayoutTest, InvalidLayoutsSayWhy) {
  std::string why;
  EXPECT_FALSE(LinearLayout({4}, {1}, {1, 2, 0, 0, 0}, {}).isValid(&why));
  EXPECT_NE(why.find("independent"), std::string::npos);
  EXPECT_FALSE(LinearLayout({8}, {1}, {2, 0, 0, 0, 0}, {}).isValid(&why));
  EXPECT_NE(why.find("holder"), std::string::npos);
  EXPECT_FALSE(LinearLayout({3}, {1}, {2, 0, 0, 0, 0}, {}).isValid(&why));
  EXPECT_FALSE(LinearLayout({2}, {1}, {2, 0, 0, 0}, {}).isValid(&why));
}

} // namespace
