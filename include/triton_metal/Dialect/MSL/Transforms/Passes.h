//===- Passes.h - passes that make an msl module printable ------------------------===//
#pragma once

#include "triton_metal/Dialect/MSL/IR/Dialect.h"

#include "mlir/Pass/Pass.h"

namespace triton_metal::msl {

#define GEN_PASS_DECL
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"

} // namespace triton_metal::msl
