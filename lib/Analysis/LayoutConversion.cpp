//===- LayoutConversion.cpp - how a value goes from one layout to another ----------===//
#include "triton_metal/Analysis/LinearLayout.h"

#include "llvm/ADT/STLExtras.h"
#include <cassert>

using namespace llvm;
using namespace triton_metal;

LayoutConversion LayoutConversion::get(const LinearLayout &source, const LinearLayout &result) {
  assert(source.getShape() == result.getShape() && "a conversion keeps the shape");
  LayoutConversion conversion;
  unsigned sourceRegisters = source.getRegisterBases().size(), resultRegisters = result.getRegisterBases().size();
  unsigned groups = source.getSimdgroupBases().size();
  assert(groups == result.getSimdgroupBases().size() && "both layouts are of one threadgroup");
  conversion.sourceRegisterBits = sourceRegisters;
  conversion.resultRegisterBits = resultRegisters;
  conversion.simdgroupBits = groups;
  conversion.map = source.getInverse().compose(result.getMap());

  // Where the source holds copies, read the one in one's own lane and SIMD-group.
  unsigned others = LinearLayout::kLaneBits + groups;
  uint32_t free = source.getFreeLaneMask() | source.getFreeSimdgroupMask() << LinearLayout::kLaneBits;
  for (unsigned bit = 0; bit < others; ++bit)
    if (free & (1u << bit))
      conversion.map.columns[resultRegisters + bit] ^= 1u << (sourceRegisters + bit);

  uint32_t registerMask = (1u << sourceRegisters) - 1;
  uint32_t groupMask = ~((1u << (sourceRegisters + LinearLayout::kLaneBits)) - 1);
  bool keepsLanes = true, keepsGroups = true;
  for (auto [i, column] : enumerate(conversion.map.columns)) {
    uint32_t own = i < resultRegisters ? 0 : 1u << (i - resultRegisters + sourceRegisters);
    keepsLanes &= i < resultRegisters ? (column & ~registerMask) == 0 : column == own;
    keepsGroups &= i < resultRegisters + LinearLayout::kLaneBits ? (column & groupMask) == 0 : column == own;
  }
  conversion.staysInSimdgroup = keepsGroups;
  if (source == result)
    conversion.kind = Kind::Identity;
  else if (keepsLanes)
    conversion.kind = Kind::Register;
  else if (keepsGroups)
    conversion.kind = Kind::Shuffle;
  else
    conversion.kind = Kind::Threadgroup;
  return conversion;
}

unsigned LayoutConversion::getSourceRegister(unsigned reg, unsigned lane) const {
  return map.apply(reg | lane << resultRegisterBits) & ((1u << sourceRegisterBits) - 1);
}
unsigned LayoutConversion::getSourceLane(unsigned reg, unsigned lane) const {
  return map.apply(reg | lane << resultRegisterBits) >> sourceRegisterBits & 31;
}
SmallVector<uint32_t> LayoutConversion::getSourceLaneBases() const {
  SmallVector<uint32_t> bases;
  for (unsigned bit = 0; bit < LinearLayout::kLaneBits; ++bit)
    bases.push_back(getSourceLane(0, 1u << bit));
  return bases;
}
SmallVector<uint32_t> LayoutConversion::getSourceRegisterBasesByLane() const {
  SmallVector<uint32_t> bases;
  for (unsigned bit = 0; bit < LinearLayout::kLaneBits; ++bit)
    bases.push_back(getSourceRegister(0, 1u << bit));
  return bases;
}

unsigned LayoutConversion::getShuffleCost() const {
  BitMap byLane{getSourceRegisterBasesByLane()};
  bool isXor = true;
  for (auto [bit, basis] : enumerate(getSourceLaneBases()))
    isXor &= basis == 1u << bit;
  return (1u << (resultRegisterBits + byLane.rank())) * (isXor ? 2 : 30);
}
