//===- LayoutConstructors.cpp - the named forms of layouts -------------------------===//
#include "triton_metal/Analysis/LinearLayout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cassert>

using namespace llvm;
using namespace triton_metal;

namespace {

/// Takes the bits of each dimension from the lowest up.
struct BitTaker {
  ArrayRef<int64_t> shape;
  SmallVector<unsigned, 4> taken;

  explicit BitTaker(ArrayRef<int64_t> shape) : shape(shape), taken(shape.size(), 0) {}

  unsigned left(unsigned dim) const { return Log2_64(shape[dim]) - taken[dim]; }
  /// The next bit of `dim` as a basis, or 0 when the dimension is used up: a duplicate.
  uint32_t take(unsigned dim) {
    if (!left(dim))
      return 0;
    unsigned shift = taken[dim]++;
    for (unsigned d = dim + 1; d < shape.size(); ++d)
      shift += Log2_64(shape[d]);
    return 1u << shift;
  }
};

} // namespace

LinearLayout LinearLayout::blocked(ArrayRef<int64_t> shape, ArrayRef<unsigned> order, unsigned vector, unsigned simdgroupBits) {
  BitTaker bits(shape);
  Bases registers, lanes, simdgroups(simdgroupBits, 0);
  for (unsigned i = 0; order.size() && i < Log2_32(vector) && bits.left(order[0]); ++i)
    registers.push_back(bits.take(order[0]));
  for (unsigned dim : order)
    while (lanes.size() < kLaneBits && bits.left(dim))
      lanes.push_back(bits.take(dim));
  lanes.resize(kLaneBits, 0);
  // SIMD-groups get the highest bits of the slowest dimensions; what lies between are registers, in memory order.
  SmallVector<uint32_t> rest;
  for (unsigned dim : order)
    while (bits.left(dim))
      rest.push_back(bits.take(dim));
  unsigned groups = std::min<size_t>(simdgroupBits, rest.size());
  std::copy(rest.end() - groups, rest.end(), simdgroups.begin());
  registers.append(rest.begin(), rest.end() - groups);
  return LinearLayout(shape, registers, lanes, simdgroups);
}

LinearLayout LinearLayout::tiled(ArrayRef<int64_t> shape, ArrayRef<unsigned> order, unsigned vector, unsigned simdgroupBits) {
  assert(order.size() >= 2 && "a tile has two dimensions");
  BitTaker bits(shape);
  Bases registers, lanes, simdgroups;
  auto take = [&](unsigned dim, unsigned count, Bases &into) {
    for (unsigned i = 0; i < count && bits.left(dim); ++i)
      into.push_back(bits.take(dim));
  };
  take(order[0], Log2_32(vector), registers);
  unsigned rows = std::min(vector > 1 ? 3u : 2u, bits.left(order[1]));
  take(order[0], kLaneBits - rows, lanes);
  take(order[1], kLaneBits - lanes.size(), lanes);
  lanes.resize(kLaneBits, 0);
  // SIMD-groups halve what is longest, the slower of equals.
  SmallVector<unsigned, 4> groups(shape.size(), 0);
  auto leftOf = [&](unsigned dim) { return bits.left(dim) - groups[dim]; };
  for (unsigned i = 0; i < simdgroupBits; ++i) {
    unsigned longest = order.back();
    for (unsigned dim : reverse(order))
      if (leftOf(dim) > leftOf(longest))
        longest = dim;
    groups[longest] += leftOf(longest) ? 1 : 0;
  }
  for (unsigned dim : order)
    take(dim, leftOf(dim), registers);
  for (unsigned dim : order)
    take(dim, bits.left(dim), simdgroups);
  simdgroups.resize(simdgroupBits, 0);
  return LinearLayout(shape, registers, lanes, simdgroups);
}

LinearLayout LinearLayout::simdgroupMatrix(ArrayRef<int64_t> shape, unsigned tileM, unsigned tileN, unsigned groupsMBits,
                                           unsigned groupsNBits) {
  assert(shape.size() >= 2 && "a matrix has two dimensions");
  unsigned m = shape.size() - 2, n = m + 1;
  BitTaker bits(shape);
  // The fragment: columns 0 in a register, then lane bits col 1, row 0, row 1, col 2, row 2.
  Bases registers, lanes, simdgroups;
  registers.push_back(bits.take(n));
  uint32_t col1 = bits.take(n), col2 = bits.take(n);
  uint32_t row0 = bits.take(m), row1 = bits.take(m), row2 = bits.take(m);
  lanes = {col1, row0, row1, col2, row2};
  for (unsigned size = 8; size < tileN; size *= 2)
    registers.push_back(bits.take(n));
  for (unsigned size = 8; size < tileM; size *= 2)
    registers.push_back(bits.take(m));
  for (unsigned i = 0; i < groupsNBits; ++i)
    simdgroups.push_back(bits.take(n));
  for (unsigned i = 0; i < groupsMBits; ++i)
    simdgroups.push_back(bits.take(m));
  for (unsigned dim = shape.size(); dim-- > 0;)
    while (bits.left(dim))
      registers.push_back(bits.take(dim));
  return LinearLayout(shape, registers, lanes, simdgroups);
}

LinearLayout LinearLayout::dotOperand(ArrayRef<int64_t> shape, bool left, unsigned tile, unsigned groupsMBits,
                                      unsigned groupsNBits) {
  assert(shape.size() >= 2 && "a matrix has two dimensions");
  unsigned m = shape.size() - 2, n = m + 1;
  unsigned outer = left ? m : n;
  BitTaker bits(shape);
  Bases registers, lanes, simdgroups;
  registers.push_back(bits.take(n));
  uint32_t col1 = bits.take(n), col2 = bits.take(n);
  uint32_t row0 = bits.take(m), row1 = bits.take(m), row2 = bits.take(m);
  lanes = {col1, row0, row1, col2, row2};
  // Fragments in row-major order, as in the result: a result that becomes a left operand stays in its registers.
  auto takeTile = [&](unsigned dim) {
    uint32_t size = dim == outer ? tile : uint32_t(shape[dim]);
    for (uint32_t taken = 8; taken < size; taken *= 2)
      registers.push_back(bits.take(dim));
  };
  takeTile(n);
  takeTile(m);
  for (unsigned i = 0; i < groupsNBits; ++i)
    simdgroups.push_back(left ? 0 : bits.take(outer));
  for (unsigned i = 0; i < groupsMBits; ++i)
    simdgroups.push_back(left ? bits.take(outer) : 0);
  for (unsigned dim = shape.size(); dim-- > 0;)
    while (bits.left(dim))
      registers.push_back(bits.take(dim));
  return LinearLayout(shape, registers, lanes, simdgroups);
}

LinearLayout LinearLayout::scalarDotOperand(const LinearLayout &result, int64_t k, bool left) {
  unsigned m = result.getRank() - 2, n = m + 1;
  // Drop the other outer dimension, then put K in its place.
  LinearLayout outer = result.slice(left ? n : m);
  SmallVector<int64_t> shape(result.getShape());
  shape[left ? n : m] = k;
  LinearLayout target(shape, {}, {0, 0, 0, 0, 0}, {});
  auto place = [&](ArrayRef<uint32_t> bases) {
    Bases placed;
    for (uint32_t basis : bases) {
      SmallVector<int64_t> coordinates = outer.getCoordinates(basis);
      coordinates.insert(coordinates.begin() + (left ? n : m), 0);
      placed.push_back(target.getElement(coordinates));
    }
    return placed;
  };
  Bases registers = place(outer.getRegisterBases());
  for (unsigned bit = 0; bit < Log2_64(k); ++bit)
    registers.push_back(1u << (target.getDimShift(left ? n : m) + bit));
  return LinearLayout(shape, registers, place(outer.getLaneBases()), place(outer.getSimdgroupBases()));
}
