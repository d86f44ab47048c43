//===- DistributeForMetal.h - the layouts of a kernel's tensors on Metal ------------------===//
#pragma once
#include "triton_metal/Compiler/CompileMetal.h"
#include "triton_metal/Compiler/Guard.h"

#include "mlir/IR/OwningOpRef.h"

namespace triton_metal {

/// Distributes the tensors of `module`, a tt module as buildTritonPipeline leaves it. Where the layouts that hints ask for need more
/// threadgroup memory than there is, the kernel is compiled as without hints, with a remark for each. If there is not enough then
/// either, the error is that of the kernel as it was written.
std::optional<Error> distributeForMetal(mlir::OwningOpRef<mlir::ModuleOp> &module, const MetalOptions &options, DiagnosticCapture &capture);

} // namespace triton_metal
