//===- Lanes.h - what one step of a loop nest holds of a tensor ------------------===//
//
// The innermost step of a nest works on `width` lanes. A value comes as `Lanes` in the cheapest form that is known:
//
//   affine   lane i holds base + constant + slope * j + offsets[i]       integers, and pointers in units of elements
//   uniform  the affine form without offsets: one scalar serves all lanes (the only form of floats beside `vector`)
//   vector   an SSA vector, nothing known
//
// j is the induction variable of the innermost vector loop. Because the lane offsets are compile-time constants, contiguous, strided,
// repeated and permuted access are told apart without analysis of strings of operations. The sum is taken not to wrap: so
// does every Triton compiler when it forms addresses and bounds from ranges.
//
// Each part remembers the depth of the loop at which it is available. LaneEmitter puts code into the outermost loop that it may stand in.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace triton_metal::cpu {

struct Lanes {
  mlir::Type type;     ///< of one element: integer, float or !llvm.ptr
  mlir::Value vector;  ///< the lanes, or for pointers their element offsets (i64) from `pointer`, or addresses if that is null
  mlir::Value pointer; ///< pointers: the common base
  mlir::Type pointee;  ///< pointers: what an element offset counts
  mlir::Value base;    ///< scalar of `type` (i64 for pointers); null is 0
  int64_t constant = 0;
  int64_t slope = 0;
  llvm::SmallVector<int64_t, 8> offsets; ///< empty: all 0
  int64_t divisor = 1;                   ///< a power of two that divides `base`
  bool nonNegative = false;              ///< no lane is negative
  unsigned depth = 0;                    ///< where base, vector and pointer are available

  bool isVector() const { return bool(vector); }
  bool isUniform() const { return !vector && offsets.empty(); }
  /// A number known now, the same in all lanes.
  bool isConstant() const { return isUniform() && !base && !pointer && slope == 0; }
  bool isPointer() const { return bool(pointee); }
  int64_t offset(unsigned lane) const { return offsets.empty() ? 0 : offsets[lane]; }
  bool operator==(const Lanes &) const = default;
};

/// Whether consecutive lanes hold consecutive numbers, or point to consecutive elements.
bool isContiguous(const Lanes &pointer, int64_t width);

/// Emits code at chosen depths of the nest that is being built, and computes on Lanes.
class LaneEmitter {
public:
  LaneEmitter(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  /// The block of a loop body; code of this depth goes before `anchor`, the next inner loop, or to the end while there is none.
  struct Level {
    mlir::Block *block;
    mlir::Operation *anchor = nullptr;
  };
  llvm::SmallVector<Level> levels;

  int64_t width = 1;            ///< lanes
  mlir::Value innerIndex;       ///< j, i64; null while there is no such loop (j = 0)
  unsigned innerDepth = 0;      ///< depth of j
  int64_t innerDivisor = 1;     ///< j is a multiple of it

  mlir::OpBuilder &at(unsigned depth);
  unsigned deepest() const { return levels.size() - 1; }
  mlir::Location location() const { return loc; }
  void setLocation(mlir::Location newLoc) { loc = newLoc; }

  mlir::Type laneType(mlir::Type element) const;
  /// Depth at which the whole value is available.
  unsigned depthOf(const Lanes &) const;

  Lanes uniform(mlir::Value scalar, unsigned depth) const;
  Lanes integer(mlir::Type type, int64_t value) const;
  Lanes fromVector(mlir::Type element, mlir::Value vector, unsigned depth) const;

  /// The one value of a uniform, or what is common to all lanes of an affine form (base + constant + slope * j).
  mlir::Value scalarPart(const Lanes &);
  /// All lanes as a vector (a scalar if width is 1). Pointers come as addresses, i64.
  mlir::Value toVector(const Lanes &);

  // Integers. Each gives the affine form where it exists, else nothing: the caller falls back to vectors.
  std::optional<Lanes> add(const Lanes &, const Lanes &);
  std::optional<Lanes> subtract(const Lanes &, const Lanes &);
  std::optional<Lanes> multiply(const Lanes &, const Lanes &);
  std::optional<Lanes> shiftRight(const Lanes &, unsigned bits);
  std::optional<Lanes> lowBits(const Lanes &, unsigned bits);
  /// To another integer width; `isSigned` false extends with zeros.
  std::optional<Lanes> cast(const Lanes &, mlir::Type type, bool isSigned);

  /// pointer + offset (in elements).
  Lanes addOffset(const Lanes &pointer, const Lanes &offset);

  mlir::Value constant(mlir::Type type, int64_t value);
  mlir::Value broadcast(mlir::Value scalar, unsigned depth);

private:
  mlir::Value offsetVector(mlir::Type element, llvm::ArrayRef<int64_t> offsets);
  Lanes scalarOnly(const Lanes &);

protected:
  mlir::OpBuilder &builder;
  mlir::Location loc;

public:
  llvm::DenseMap<std::pair<mlir::Type, int64_t>, mlir::Value> constants;
  /// Broadcasts and scalar parts made so far. Entries of loops that have been left are dropped by leave().
  struct Cached {
    mlir::Value value;
    unsigned depth;
  };
  llvm::DenseMap<mlir::Value, Cached> broadcasts;
  void leave(unsigned depth);
};

} // namespace triton_metal::cpu
