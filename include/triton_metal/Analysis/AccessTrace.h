//===- AccessTrace.h - where one program's loads, stores and atomics go --------------------===//
//
// The addresses and masks of every access to device memory, for one program and the actual arguments, without running it: the evaluation of
// Cost.h with pointers followed as well. What depends on loaded data is not known, and said to be so.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "triton_metal/Dialect/Triton/IR/Dialect.h"

#include <array>
#include <memory>

namespace triton_metal {

/// Executions of one access that differ by a constant number of bytes in each loop around it.
struct AccessVisit {
  mlir::Operation *op = nullptr;

  bool isKnown = false; ///< of the addresses; what follows says nothing otherwise
  int64_t base = 0;     ///< of element (0, .., 0), in bytes
  llvm::SmallVector<int64_t, 4> strides; ///< bytes along each dimension
  std::shared_ptr<const std::vector<int64_t>> addresses; ///< of every element in row-major order, where strides do not say it

  bool maskIsKnown = true;                   ///< else every element counts
  std::vector<bool> mask;                    ///< row-major; empty: all
  mlir::Operation *origin = nullptr;         ///< what addresses or mask depend on that is not followed; may be null

  struct Loop {
    int64_t begin, end, step; ///< positions from begin up to end; bytes from one to the next
  };
  llvm::SmallVector<Loop, 2> loops;
  uint64_t repeats = 1; ///< executions at each position

  /// In bytes, at the position where every loop has its first one.
  int64_t addressOf(llvm::ArrayRef<int64_t> shape, uint32_t element) const;
};

struct AccessTrace {
  std::vector<AccessVisit> visits; ///< in order of execution
  bool isWhole = true;             ///< false where a loop or condition depends on what is not known, or it ended early
  bool endedEarly = false;         ///< the program runs too long to be followed to its end
};

/// The accesses of the program at `program` of a launch of `kernel`, a function without calls. `arguments` holds each argument's bits.
AccessTrace traceAccesses(tt::FuncOp kernel, llvm::ArrayRef<uint64_t> arguments, std::array<int32_t, 3> grid,
                          std::array<int32_t, 3> program);

} // namespace triton_metal
