//===- BitMap.cpp - linear maps over GF(2) --------------------------------------===//
#include "triton_metal/Analysis/LinearLayout.h"

#include "llvm/ADT/bit.h"
#include <cassert>

using namespace llvm;
using namespace triton_metal;

BitMap BitMap::identity(unsigned bits) {
  BitMap map;
  for (unsigned i = 0; i < bits; ++i)
    map.columns.push_back(1u << i);
  return map;
}

uint32_t BitMap::apply(uint32_t input) const {
  uint32_t output = 0;
  for (; input; input &= input - 1) {
    unsigned bit = countr_zero(input);
    assert(bit < columns.size() && "input outside the map");
    output ^= columns[bit];
  }
  return output;
}

BitMap BitMap::compose(const BitMap &inner) const {
  BitMap map;
  for (uint32_t column : inner.columns)
    map.columns.push_back(apply(column));
  return map;
}

BitMap BitMap::product(const BitMap &high, unsigned shift) const {
  BitMap map = *this;
  for (uint32_t column : high.columns)
    map.columns.push_back(column << shift);
  return map;
}

std::optional<BitMap> BitMap::divide(const BitMap &low, unsigned shift) const {
  if (low.numInputs() > numInputs() || ArrayRef<uint32_t>(columns).take_front(low.numInputs()) != ArrayRef<uint32_t>(low.columns))
    return std::nullopt;
  BitMap quotient;
  for (uint32_t column : ArrayRef<uint32_t>(columns).drop_front(low.numInputs())) {
    if (shift && (column & ((shift >= 32 ? 0 : 1u << shift) - 1)))
      return std::nullopt;
    quotient.columns.push_back(column >> shift);
  }
  return quotient;
}

unsigned BitMap::rank() const {
  SmallVector<uint32_t, 32> pivots; // kept with distinct highest bits
  for (uint32_t column : columns) {
    for (uint32_t pivot : pivots)
      column = std::min(column, column ^ pivot);
    if (column)
      pivots.push_back(column);
  }
  return pivots.size();
}

std::optional<BitMap> BitMap::invert(unsigned bits) const {
  // Gaussian elimination on pairs (output, input): the pivot of an output bit is a combination of inputs that gives it.
  struct Row {
    uint32_t output, input;
  };
  SmallVector<Row, 32> rows;
  for (auto [i, column] : enumerate(columns)) {
    Row row{column, 1u << i};
    for (const Row &pivot : rows)
      if (row.output & bit_floor(pivot.output))
        row = {row.output ^ pivot.output, row.input ^ pivot.input};
    if (!row.output)
      continue;
    for (Row &pivot : rows)
      if (pivot.output & bit_floor(row.output))
        pivot = {pivot.output ^ row.output, pivot.input ^ row.input};
    rows.push_back(row);
  }
  BitMap inverse;
  for (unsigned bit = 0; bit < bits; ++bit) {
    auto *found = find_if(rows, [&](const Row &row) { return row.output == 1u << bit; });
    if (found == rows.end())
      return std::nullopt;
    inverse.columns.push_back(found->input);
  }
  return inverse;
}
