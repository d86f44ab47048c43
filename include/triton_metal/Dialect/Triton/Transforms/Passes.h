//===- Passes.h - target-independent passes on tt ------------------------------===//
#pragma once
#include "mlir/Pass/Pass.h"
#include "triton_metal/Dialect/Triton/IR/Dialect.h"

namespace triton_metal::tt {
#define GEN_PASS_DECL
#include "triton_metal/Dialect/Triton/Transforms/TritonPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "triton_metal/Dialect/Triton/Transforms/TritonPasses.h.inc"

/// What tt-carry-offsets does to the scf.for loops below `root`.
void carryOffsets(mlir::Operation *root);
} // namespace triton_metal::tt
