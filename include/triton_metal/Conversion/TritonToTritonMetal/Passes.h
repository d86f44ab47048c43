//===- Passes.h - from tt to distributed tensors --------------------------------------===//
#pragma once
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

namespace triton_metal::ttm {
#define GEN_PASS_DECL
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h.inc"

/// From clean `tt` to the module of docs/design/ttm.md. The manager is that of a module.
void buildTritonMetalPasses(mlir::OpPassManager &manager, const AssignLayoutsOptions &options);

} // namespace triton_metal::ttm
