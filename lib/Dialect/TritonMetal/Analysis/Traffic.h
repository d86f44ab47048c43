//===- Traffic.h - memory transactions of one access -------------------------------===//
//
// A transaction is a line of 128 bytes that one access of a SIMD-group touches, as the software Metal counts them.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "triton_metal/Analysis/AccessTrace.h"
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

namespace triton_metal::ttm {

inline constexpr int64_t kLineBytes = 128;

/// What is known of an access before where it goes.
struct AccessShape {
  mlir::Operation *op;
  std::optional<LinearLayout> layout; ///< none of a scalar
  unsigned vector = 1;                ///< elements of one access of a lane
  unsigned maskVector = 1;            ///< elements over which the mask is one and the same
  int64_t elementBytes = 1;
  llvm::ArrayRef<int64_t> shape;
  bool isLoad = false;                ///< every copy reads; one writes
  mlir::Operation *dot = nullptr;     ///< that loads it element by element into fragments, see renamedInto

  /// `vectors`: the longest vector of all accesses by layout, see longestVectors.
  AccessShape(mlir::Operation *op, llvm::ArrayRef<std::pair<LinearLayout, unsigned>> vectors);
};

/// The product that takes what `load` gives through an operation that renames elements (tl.trans, a broadcast): there it is loaded
/// element by element, into one fragment after the other. Null if there is none.
mlir::Operation *renamedInto(tt::LoadOp load);

struct Traffic {
  uint64_t accesses = 0;     ///< of SIMD-groups, with some lane that takes part
  uint64_t transactions = 0;
  uint64_t ideal = 0;        ///< if the bytes of each access were packed and aligned
  uint64_t elements = 0;     ///< of the tensor, that are not masked

  void add(const Traffic &other, uint64_t times);
};

/// What the visits of `access` move at all their positions. The addresses must be known. Nothing where that takes more than `effort`, in
/// elements that are looked at (some 60 ns each).
std::optional<Traffic> countTraffic(const AccessShape &access, llvm::ArrayRef<const AccessVisit *> visits, int64_t effort);

} // namespace triton_metal::ttm
