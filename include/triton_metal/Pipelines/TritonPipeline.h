//===- TritonPipeline.h - target-independent clean-up of tt ---------------------------===//
#pragma once
#include "mlir/Pass/PassManager.h"

#include <string>

namespace triton_metal {

/// Calls inlined, values folded, elementwise work on the smallest tensors, loops unrolled where asked for, dead functions gone.
/// What the front end builds and what is read as .ttir both go through it before a device's own pipeline.
/// `plantedFault` names a deliberate miscompilation (tt-plant-fault), for tests of the tests; none where it is empty.
void buildTritonPipeline(mlir::OpPassManager &manager, const std::string &plantedFault = "");
/// `--triton-pipeline` for triton-metal-opt.
void registerTritonPipeline();

} // namespace triton_metal
