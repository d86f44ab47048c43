//===- LinearLayout.h - who holds which element of a tensor ------------------------===//
//
// A layout is one linear map over bits, from (register, lane, simdgroup) to an element of a tensor whose dimensions are powers
// of two. Each input bit has a basis: the element it adds, by exclusive or, when it is set. Elements are written as their
// row-major index, so that the bits of the last dimension are the low bits; reshape then changes no basis, and trans permutes bits.
//
//   element(r, l, s) = xor of registerBasis[i] for bits i of r, laneBasis[i] for bits of l, simdgroupBasis[i] for bits of s
//
// Invariants of a LinearLayout (checked by isValid): every element has a holder; the bases that are not zero are linearly
// independent; register bases are never zero. A zero basis of a lane or SIMD-group bit means that the two halves hold the same
// elements (duplicates): only the copy whose free bits are 0 stores, the canonical copy.
//
// Everything about conversions, reductions and memory accesses is derived from these maps; nothing here knows of MLIR.
//===----------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>
#include <string>

namespace triton_metal {

/// A linear map over GF(2): input bit i adds columns[i]. At most 32 bits in and out.
struct BitMap {
  llvm::SmallVector<uint32_t, 16> columns;

  BitMap() = default;
  explicit BitMap(llvm::ArrayRef<uint32_t> columns) : columns(columns.begin(), columns.end()) {}
  static BitMap identity(unsigned bits);

  unsigned numInputs() const { return columns.size(); }
  uint32_t apply(uint32_t input) const;
  /// this after `inner`: input of `inner` -> output of this.
  BitMap compose(const BitMap &inner) const;
  /// Direct sum: the inputs of `high` follow those of this, its outputs are shifted left by `shift`.
  BitMap product(const BitMap &high, unsigned shift) const;
  /// The map `q` with low.product(q, shift) == *this, if there is one.
  std::optional<BitMap> divide(const BitMap &low, unsigned shift) const;
  unsigned rank() const;
  /// A right inverse: for `bits` output bits, inputs that give them; inputs with lower numbers are preferred. None if an output bit
  /// is not reached.
  std::optional<BitMap> invert(unsigned bits) const;
  bool operator==(const BitMap &other) const { return columns == other.columns; }
};

class LinearLayout {
public:
  using Bases = llvm::SmallVector<uint32_t, 8>;
  static constexpr unsigned kLaneBits = 5;

  LinearLayout() = default;
  LinearLayout(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<uint32_t> registers, llvm::ArrayRef<uint32_t> lanes,
               llvm::ArrayRef<uint32_t> simdgroups);

  //===--- named constructors --------------------------------------------------===//

  /// Elementwise work and memory access: `vector` neighbouring elements along order[0] in registers, then lanes, then more
  /// registers, SIMD-groups on the slowest bits. order lists dimensions from the fastest. Lanes are filled along order[0] first.
  static LinearLayout blocked(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<unsigned> order, unsigned vector,
                              unsigned simdgroupBits);
  /// Memory access in two dimensions: `vector` neighbouring elements along order[0] in registers, then a tile of lanes over order[0]
  /// and order[1], 4x8 of vectors or 8x4 of single elements, then registers, so that each SIMD-group has one tile, near to a square.
  /// Where a dimension is too short for its share of the lanes, the other one has more.
  static LinearLayout tiled(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<unsigned> order, unsigned vector, unsigned simdgroupBits);
  /// Results of dot: 8x8 fragments in the lane map of simdgroup_matrix over the last two dimensions, tiles of tileM x tileN a
  /// SIMD-group, `groupsM` x `groupsN` of them side by side. Leading dimensions are registers.
  static LinearLayout simdgroupMatrix(llvm::ArrayRef<int64_t> shape, unsigned tileM, unsigned tileN, unsigned groupsMBits,
                                      unsigned groupsNBits);
  /// The operand [M, K] (left) or [K, N] (right) of a dot whose result has `simdgroupMatrix(.., tileM, tileN, groupsM, groupsN)`.
  static LinearLayout dotOperand(llvm::ArrayRef<int64_t> shape, bool left, unsigned tile, unsigned groupsMBits,
                                 unsigned groupsNBits);
  /// The operand of a dot that is computed element by element on any layout of the result: a lane holds, for each of its elements
  /// (m, n) of the result, all of K in its highest registers.
  static LinearLayout scalarDotOperand(const LinearLayout &result, int64_t k, bool left);

  //===--- the map --------------------------------------------------------------===//

  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  unsigned getRank() const { return shape.size(); }
  unsigned getNumElementBits() const;
  llvm::ArrayRef<uint32_t> getRegisterBases() const { return registers; }
  llvm::ArrayRef<uint32_t> getLaneBases() const { return lanes; }
  llvm::ArrayRef<uint32_t> getSimdgroupBases() const { return simdgroups; }
  /// Registers that a lane holds, duplicates not counted.
  unsigned getNumRegisters() const { return 1u << registers.size(); }
  /// Lane bits and SIMD-group bits that hold duplicates, as masks.
  uint32_t getFreeLaneMask() const;
  uint32_t getFreeSimdgroupMask() const;

  /// Row-major index of the element at a place.
  uint32_t apply(uint32_t reg, uint32_t lane, uint32_t simdgroup) const;
  /// Coordinates of a row-major index.
  llvm::SmallVector<int64_t> getCoordinates(uint32_t element) const;
  uint32_t getElement(llvm::ArrayRef<int64_t> coordinates) const;
  /// First bit of dimension `dim` in the row-major index, and how many bits it has.
  unsigned getDimShift(unsigned dim) const;
  unsigned getDimBits(unsigned dim) const;
  /// Coordinate along `dim` of a row-major index (or of a basis).
  uint32_t getCoordinate(uint32_t element, unsigned dim) const;

  /// The map with inputs packed as register bits, then lane bits, then SIMD-group bits.
  BitMap getMap() const;
  /// element -> packed place of its canonical copy.
  BitMap getInverse() const;
  bool isValid(std::string *why = nullptr) const;
  /// Whether every basis is zero or a single bit. Everything that the named constructors and the shape operations make is.
  bool isPermutation() const;

  //===--- shape operations: layouts of results as functions of layouts of operands ---===//

  LinearLayout reshape(llvm::ArrayRef<int64_t> newShape) const;
  LinearLayout expandDims(unsigned axis) const;
  /// Result dimension i is source dimension order[i].
  LinearLayout trans(llvm::ArrayRef<int32_t> order) const;
  /// Result of a reduction along `axis`: the dimension goes, its bits in lanes and SIMD-groups become duplicates.
  LinearLayout slice(unsigned axis) const;
  /// As slice, but the dimension stays with size 1: the operand of a broadcast whose result has this layout.
  LinearLayout project(llvm::ArrayRef<int64_t> smallShape) const;
  /// A new minor dimension of size 2, held in a new lowest register bit.
  LinearLayout join() const;
  /// The inverse of join; none if the minor bit is not a register bit.
  std::optional<LinearLayout> split() const;

  //===--- accesses ---------------------------------------------------------------===//

  /// Longest power of two of registers 0 .. n-1 that are neighbours along `dim` (register bits 0, 1, .. are its bits 0, 1, ..).
  unsigned getContiguousRegisters(unsigned dim) const;
  /// Low bits of dimension `dim` that one SIMD-group covers with one (vector) access per lane.
  unsigned getCoalescedBits(unsigned dim, unsigned vectorBits) const;

  bool operator==(const LinearLayout &other) const {
    return shape == other.shape && registers == other.registers && lanes == other.lanes && simdgroups == other.simdgroups;
  }
  bool operator!=(const LinearLayout &other) const { return !(*this == other); }
  friend llvm::hash_code hash_value(const LinearLayout &layout);
  /// `register = [[0, 1]], lane = [[0, 2], ..], simdgroup = [..]`, bases as coordinates.
  std::string str() const;

private:
  void dropZeroRegisters();

  llvm::SmallVector<int64_t, 4> shape;
  Bases registers, lanes, simdgroups;
};

/// How a value goes from one layout to another: for each place of the result, a place of the source that holds the element, the
/// same lane and SIMD-group where they do.
struct LayoutConversion {
  enum class Kind { Identity, Register, Shuffle, Threadgroup };

  /// packed place of the result -> packed place of the source
  BitMap map;
  unsigned resultRegisterBits = 0, sourceRegisterBits = 0, simdgroupBits = 0;
  Kind kind = Kind::Threadgroup;
  /// For Threadgroup: no element changes its SIMD-group, so that each one has a section of its own and waits for itself only.
  bool staysInSimdgroup = false;

  static LayoutConversion get(const LinearLayout &source, const LinearLayout &result);

  /// Register or Shuffle: source register for result register `reg` in lane `lane`, and the lane that holds it.
  unsigned getSourceRegister(unsigned reg, unsigned lane) const;
  unsigned getSourceLane(unsigned reg, unsigned lane) const;
  /// Shuffle: bases of the source lane by result lane bit; the exclusive-or constant of a register is getSourceLane(reg, 0).
  /// Identity bases mean simd_shuffle_xor.
  llvm::SmallVector<uint32_t> getSourceLaneBases() const;
  /// Shuffle: bases of the source register by result lane bit; not all zero means that the register is chosen by lane.
  llvm::SmallVector<uint32_t> getSourceRegisterBasesByLane() const;
  /// Number of SIMD shuffles, weighted by what they cost (2 slots for xor, 30 by index).
  unsigned getShuffleCost() const;
};

/// Register of `source` that holds, in the same lane and SIMD-group, the element `element(e)` for each register of `result` with
/// element e. For shape operations, whose results are renamings of registers; none if a register is missing.
template <typename ElementFn>
std::optional<llvm::SmallVector<unsigned>> getRegisterRenaming(const LinearLayout &source, const LinearLayout &result,
                                                               ElementFn element) {
  BitMap inverse = source.getInverse();
  uint32_t mask = source.getNumRegisters() - 1;
  llvm::SmallVector<unsigned> renaming;
  for (unsigned reg = 0; reg < result.getNumRegisters(); ++reg) {
    uint32_t place = inverse.apply(element(result.apply(reg, 0, 0)));
    if (place & ~mask)
      return std::nullopt;
    renaming.push_back(place & mask);
  }
  return renaming;
}

} // namespace triton_metal
