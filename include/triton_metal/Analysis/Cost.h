//===- Cost.h - bytes and operations of one launch ------------------------------------------===//
//
// What a launch asks of memory and of arithmetic, from the tt module and the actual arguments, without running it.
//
// What is counted, once for each element of a tensor, however many lanes hold it:
//   bytes       of the elements that loads, stores and atomics do not mask, in device memory
//   float       + - * / % min max: 1, fma: 2, of every element of the tile, masked or not. Comparisons, selections, conversions,
//               negation and absolute values are none
//   special     exp, log, sin, sqrt, rounding, functions of device libraries: 1 an element
//   dot         2 for each product of a dot, of floats and of integers
//   integer     arithmetic of integers as it is written, offsets included; addresses and single bits are none
// A reduction or scan of n elements applies its region n - 1 times.
//
// How. Only a slice of the kernel decides how often what runs: masks, bounds of loops, conditions, and what they are computed from. It is
// evaluated on a box of programs at once. Integers are affine forms over the program ids, over the iterations of the loops around and
// over the element's index, masks are boxes of indices; the other operations are constant factors of their block. Where an outcome
// (the extent of a mask, a trip count, a condition, a quotient) is not the same for the whole box, the box is split where it changes,
// and so is the range of a loop's iterations. An addition of 2^24 elements takes two evaluations, a masked product a few. What has no
// affine form is evaluated element by element, one program after the other.
//
// Exact, unless `reasons` says otherwise. A mask, bound or condition that depends on data counts as true: all elements, one iteration, the
// first branch. Effort is limited: past the limit, programs spread evenly over the rest of the grid stand for the rest.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "triton_metal/Dialect/Triton/IR/Dialect.h"

#include <array>

namespace triton_metal {

/// Counts, see above.
struct Cost {
  uint64_t bytesLoaded = 0, bytesStored = 0;
  uint64_t bytesAtomic = 0; ///< of atomics; each element once, although it is read and written
  uint64_t floatOperations = 0, specialOperations = 0, dotOperations = 0, integerOperations = 0;

  Cost &operator+=(const Cost &other);
  Cost operator*(uint64_t times) const;
  Cost scaled(double factor) const; ///< rounded
};

/// What one execution of `op` costs besides memory: that of all its elements, regions of reductions and scans included.
Cost costOfOperation(mlir::Operation *op);

/// Why a count is not exact.
struct CostReason {
  std::string what;
  mlir::Location where;
};

struct LaunchCost : Cost {
  llvm::SmallVector<CostReason, 2> reasons;
  llvm::SmallVector<unsigned> arguments; ///< the numbers of those that counts depend on
  bool isExact() const { return reasons.empty(); }
};

struct CostLimits {
  uint64_t effort = 8'000'000; ///< in units of about 4 ns; the sample may take as much again
  unsigned sample = 64;        ///< programs that stand for those that were not reached
};

/// The cost of a launch of `kernel`, a function without calls. `arguments` holds each argument's bits, in its low bytes.
LaunchCost analyzeCost(tt::FuncOp kernel, llvm::ArrayRef<uint64_t> arguments, std::array<int32_t, 3> grid, CostLimits limits = {});

} // namespace triton_metal
