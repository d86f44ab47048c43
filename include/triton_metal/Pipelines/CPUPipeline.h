//===- CPUPipeline.h - from clean tt to the LLVM dialect ----------------------------===//
//
// The module holds public kernels of tt, after the Triton pipeline. Afterwards it is of the LLVM dialect, ready for Target/CPU; each
// kernel's function says by an attribute how large an arena it needs.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "mlir/Pass/PassManager.h"

#include <string>

namespace triton_metal {

struct CPUPipelineOptions {
  unsigned vectorBytes = 32;     ///< native vector: 16, 32 or 64, from TargetSpec
  unsigned vectorRegisters = 16;
  bool fpFusion = true; ///< a * b + c may be rounded once
  bool checked = false; ///< bounds of the arrays passed; loops ask whether to end
};

void buildCPUPipeline(mlir::OpPassManager &manager, const CPUPipelineOptions &options = {});

/// The command line of triton-metal-opt that does the same from tt on, beginning with the name of the pipeline.
std::string commandLineOf(const CPUPipelineOptions &options);

/// `--cpu-pipeline` for triton-metal-opt.
void registerCPUPipeline();

/// Bytes of the arena of kernel `name`, after the pipeline.
int64_t arenaBytesOf(mlir::ModuleOp module, llvm::StringRef name);

} // namespace triton_metal
