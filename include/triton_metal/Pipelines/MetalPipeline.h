//===- MetalPipeline.h - from tt to a printable msl kernel ---------------------------===//
#pragma once
#include "mlir/Pass/PassManager.h"

#include <string>

namespace triton_metal {

/// What the text of a kernel depends on beside the kernel; part of cache keys.
struct MetalPipelineOptions {
  unsigned numWarps = 4;         ///< SIMD-groups of a threadgroup
  std::string chip = "apple-m1"; ///< profile, see Support/Chips.h

  bool operator==(const MetalPipelineOptions &) const = default;
};

/// A tt module with one kernel, calls inlined, becomes a module with one msl.kernel that msl::printKernel prints.
void buildMetalPipeline(mlir::OpPassManager &manager, const MetalPipelineOptions &options);
/// The last part of it: from distributed tensors (docs/design/ttm.md) on.
void buildMSLPipeline(mlir::OpPassManager &manager);
/// `--metal-pipeline` and `--msl-pipeline` for triton-metal-opt.
void registerMetalPipelines();

} // namespace triton_metal
