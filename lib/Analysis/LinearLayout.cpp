//===- LinearLayout.cpp - who holds which element of a tensor ----------------------===//
#include "triton_metal/Analysis/LinearLayout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cassert>

using namespace llvm;
using namespace triton_metal;

LinearLayout::LinearLayout(ArrayRef<int64_t> shape, ArrayRef<uint32_t> registers, ArrayRef<uint32_t> lanes,
                           ArrayRef<uint32_t> simdgroups)
    : shape(shape.begin(), shape.end()), registers(registers.begin(), registers.end()), lanes(lanes.begin(), lanes.end()),
      simdgroups(simdgroups.begin(), simdgroups.end()) {
  dropZeroRegisters();
}

void LinearLayout::dropZeroRegisters() {
  llvm::erase(registers, 0u);
}

//===----------------------------------------------------------------------===//
// The map
//===----------------------------------------------------------------------===//

unsigned LinearLayout::getNumElementBits() const {
  unsigned bits = 0;
  for (int64_t size : shape)
    bits += Log2_64(size);
  return bits;
}

static uint32_t freeMask(ArrayRef<uint32_t> bases) {
  uint32_t mask = 0;
  for (auto [i, basis] : enumerate(bases))
    if (!basis)
      mask |= 1u << i;
  return mask;
}
uint32_t LinearLayout::getFreeLaneMask() const { return freeMask(lanes); }
uint32_t LinearLayout::getFreeSimdgroupMask() const { return freeMask(simdgroups); }

static uint32_t applyBases(ArrayRef<uint32_t> bases, uint32_t input) {
  uint32_t element = 0;
  for (; input; input &= input - 1)
    element ^= bases[countr_zero(input)];
  return element;
}
uint32_t LinearLayout::apply(uint32_t reg, uint32_t lane, uint32_t simdgroup) const {
  return applyBases(registers, reg) ^ applyBases(lanes, lane) ^ applyBases(simdgroups, simdgroup);
}

unsigned LinearLayout::getDimBits(unsigned dim) const { return Log2_64(shape[dim]); }
unsigned LinearLayout::getDimShift(unsigned dim) const {
  unsigned shift = 0;
  for (unsigned d = dim + 1; d < shape.size(); ++d)
    shift += getDimBits(d);
  return shift;
}
uint32_t LinearLayout::getCoordinate(uint32_t element, unsigned dim) const {
  return (element >> getDimShift(dim)) & uint32_t(shape[dim] - 1);
}
SmallVector<int64_t> LinearLayout::getCoordinates(uint32_t element) const {
  SmallVector<int64_t> coordinates;
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    coordinates.push_back(getCoordinate(element, dim));
  return coordinates;
}
uint32_t LinearLayout::getElement(ArrayRef<int64_t> coordinates) const {
  uint32_t element = 0;
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    element |= uint32_t(coordinates[dim]) << getDimShift(dim);
  return element;
}

BitMap LinearLayout::getMap() const {
  BitMap map{registers};
  map.columns.append(lanes.begin(), lanes.end());
  map.columns.append(simdgroups.begin(), simdgroups.end());
  return map;
}
BitMap LinearLayout::getInverse() const {
  std::optional<BitMap> inverse = getMap().invert(getNumElementBits());
  assert(inverse && "a layout reaches every element");
  return *inverse;
}

bool LinearLayout::isValid(std::string *why) const {
  auto no = [&](const char *reason) {
    if (why)
      *why = reason;
    return false;
  };
  for (int64_t size : shape)
    if (size <= 0 || !isPowerOf2_64(size))
      return no("sizes must be powers of two");
  if (getNumElementBits() > 20)
    return no("a tensor has at most 2^20 elements");
  if (lanes.size() != kLaneBits || simdgroups.size() > 5)
    return no("there are 5 lane bits and at most 5 SIMD-group bits");
  BitMap map = getMap();
  unsigned nonZero = count_if(map.columns, [](uint32_t basis) { return basis != 0; });
  for (uint32_t basis : map.columns)
    if (basis >> getNumElementBits())
      return no("a basis lies outside the tensor");
  if (map.rank() != nonZero)
    return no("bases that are not zero must be linearly independent");
  if (nonZero != getNumElementBits())
    return no("every element must have a holder");
  return true;
}

bool LinearLayout::isPermutation() const {
  return all_of(getMap().columns, [](uint32_t basis) { return basis == 0 || isPowerOf2_32(basis); });
}

//===----------------------------------------------------------------------===//
// Shape operations
//===----------------------------------------------------------------------===//

/// The layout of `shape` whose bases are those of `layout` through `element`, linear.
template <typename Fn> static LinearLayout mapBases(const LinearLayout &layout, ArrayRef<int64_t> shape, Fn element) {
  auto through = [&](ArrayRef<uint32_t> bases) {
    return LinearLayout::Bases(map_range(bases, [&](uint32_t basis) { return element(basis); }));
  };
  return LinearLayout(shape, through(layout.getRegisterBases()), through(layout.getLaneBases()),
                      through(layout.getSimdgroupBases()));
}

LinearLayout LinearLayout::reshape(ArrayRef<int64_t> newShape) const {
  LinearLayout result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  assert(result.getNumElementBits() == getNumElementBits() && "reshape keeps the number of elements");
  return result;
}

LinearLayout LinearLayout::expandDims(unsigned axis) const {
  LinearLayout result = *this;
  result.shape.insert(result.shape.begin() + axis, 1);
  return result;
}

LinearLayout LinearLayout::trans(ArrayRef<int32_t> order) const {
  SmallVector<int64_t> newShape;
  for (int32_t dim : order)
    newShape.push_back(shape[dim]);
  LinearLayout target = *this;
  target.shape.assign(newShape.begin(), newShape.end());
  return mapBases(*this, newShape, [&](uint32_t basis) {
    uint32_t element = 0;
    for (auto [i, dim] : enumerate(order))
      element |= getCoordinate(basis, dim) << target.getDimShift(i);
    return element;
  });
}

LinearLayout LinearLayout::slice(unsigned axis) const {
  SmallVector<int64_t> newShape(shape.begin(), shape.end());
  newShape.erase(newShape.begin() + axis);
  unsigned shift = getDimShift(axis), bits = getDimBits(axis);
  return mapBases(*this, newShape, [&](uint32_t basis) {
    return (basis & ((1u << shift) - 1)) | ((basis >> (shift + bits)) << shift);
  });
}

LinearLayout LinearLayout::project(ArrayRef<int64_t> smallShape) const {
  LinearLayout result = *this;
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    if (smallShape[dim] != result.shape[dim])
      result = result.slice(dim).expandDims(dim);
  return result;
}

LinearLayout LinearLayout::join() const {
  SmallVector<int64_t> newShape(shape.begin(), shape.end());
  newShape.push_back(2);
  LinearLayout result = mapBases(*this, newShape, [](uint32_t basis) { return basis << 1; });
  result.registers.insert(result.registers.begin(), 1);
  return result;
}

std::optional<LinearLayout> LinearLayout::split() const {
  if (!is_contained(registers, 1u))
    return std::nullopt;
  return mapBases(*this, ArrayRef<int64_t>(shape).drop_back(), [](uint32_t basis) { return basis >> 1; });
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

unsigned LinearLayout::getContiguousRegisters(unsigned dim) const {
  unsigned bits = 0, shift = getDimShift(dim);
  while (bits < registers.size() && bits < getDimBits(dim) && registers[bits] == 1u << (shift + bits))
    ++bits;
  return 1u << bits;
}

unsigned LinearLayout::getCoalescedBits(unsigned dim, unsigned vectorBits) const {
  uint32_t covered = 0;
  for (uint32_t basis : ArrayRef<uint32_t>(registers).take_front(std::min<size_t>(vectorBits, registers.size())))
    covered |= getCoordinate(basis, dim);
  for (uint32_t basis : lanes)
    covered |= getCoordinate(basis, dim);
  return countr_one(covered);
}

hash_code triton_metal::hash_value(const LinearLayout &layout) {
  auto range = [](auto &list) { return hash_combine_range(list.begin(), list.end()); };
  return hash_combine(range(layout.shape), range(layout.registers), layout.registers.size(), range(layout.lanes),
                      range(layout.simdgroups));
}

std::string LinearLayout::str() const {
  std::string text;
  raw_string_ostream os(text);
  auto print = [&](StringRef name, ArrayRef<uint32_t> bases) {
    os << name << " = [";
    interleaveComma(bases, os, [&](uint32_t basis) {
      os << "[";
      interleaveComma(getCoordinates(basis), os);
      os << "]";
    });
    os << "]";
  };
  print("register", registers);
  os << ", ";
  print("lane", lanes);
  os << ", ";
  print("simdgroup", simdgroups);
  return text;
}
