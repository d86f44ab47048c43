//===- Passes.h - passes on distributed tensors --------------------------------------===//
#pragma once
#include "mlir/Pass/Pass.h"
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

namespace triton_metal::ttm {
#define GEN_PASS_DECL
#include "triton_metal/Dialect/TritonMetal/Transforms/TritonMetalPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "triton_metal/Dialect/TritonMetal/Transforms/TritonMetalPasses.h.inc"
} // namespace triton_metal::ttm
