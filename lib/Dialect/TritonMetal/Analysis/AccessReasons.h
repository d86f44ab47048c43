//===- AccessReasons.h - why an access is not better -------------------------------===//
#pragma once

#include "Traffic.h"
#include "triton_metal/Analysis/AxisInfo.h"
#include "triton_metal/Dialect/TritonMetal/Analysis/Reports.h"

namespace triton_metal::ttm {

/// What the pointers of an access are made from.
struct PointerOrigin {
  llvm::SmallVector<mlir::BlockArgument> arguments; ///< of the kernel, pointers and integers, each once
  bool isLoaded = false;                            ///< by loads of tensors
  bool hasRemainder = false;                        ///< by `%`
};
PointerOrigin originOf(mlir::Value pointers);

/// One access with all that is known of it.
struct AccessFindings {
  const AccessShape &access;
  const AxisInfoAnalysis &axis;
  const LaunchFacts &launch;
  PointerOrigin origin;
  const AccessVisit *first = nullptr; ///< null where no address is known
  std::optional<Traffic> traffic;

  mlir::Value pointers() const { return access.op->getOperand(0); }
  /// The contiguous dimension, as far as is proven.
  unsigned fastest() const { return axis.getOrder(pointers())[0]; }
  /// Elements from one to the next along a dimension, where addresses are known and have such a step.
  std::optional<int64_t> stepAlong(unsigned dim) const;
  /// The last dimension whose elements are neighbours in memory.
  std::optional<unsigned> contiguousDim() const;
  /// The steps along all dimensions.
  std::optional<llvm::SmallVector<int64_t>> steps() const;
  /// "stride_xm = 1001", or the name alone of a pointer.
  std::string nameOf(mlir::BlockArgument argument) const;
  uint64_t bitsOf(mlir::BlockArgument argument) const { return launch.arguments[argument.getArgNumber()]; }
};

struct AccessReason {
  std::string what, remedy;
  bool isAlignment = false; ///< of where the array starts: every array that was not aligned for it has it
};
/// Why vectors are not wider and transactions not fewer; empty where both are the best.
llvm::SmallVector<AccessReason> reasonsOf(const AccessFindings &findings);

/// Whether an access is one of device memory, and not of an array of tl.shared_memory.
bool isOfDevice(mlir::Operation *access);
/// "load", "store" or "atomic".
std::string kindOf(mlir::Operation *op);
/// The line of `op` in its source, as "line 12"; "an unknown line" where it has none.
std::string lineOf(mlir::Operation *op);

} // namespace triton_metal::ttm
