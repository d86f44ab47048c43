//===- CarryOffsets.h - loops carry offsets, not tensors of pointers ----------------------===//
#pragma once
#include "mlir/IR/Operation.h"

namespace triton_metal::cpu {

/// Rewrites the scf.for loops below `root` that move all lanes of a carried tensor by one amount.
void carryOffsets(mlir::Operation *root);

} // namespace triton_metal::cpu
