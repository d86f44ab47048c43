//===- Passes.h - distributed tensors to one lane's program --------------------------===//
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace triton_metal {
#define GEN_PASS_DECL
#include "triton_metal/Conversion/TritonMetalToMSL/TritonMetalToMSLPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "triton_metal/Conversion/TritonMetalToMSL/TritonMetalToMSLPasses.h.inc"
} // namespace triton_metal
