//===- Pipeline.cpp - the passes from tt to distributed tensors, in order -----------------===//
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h"
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"
#include "triton_metal/Dialect/TritonMetal/Transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace triton_metal;

void ttm::buildTritonMetalPasses(mlir::OpPassManager &manager, const AssignLayoutsOptions &options) {
  manager.addPass(tt::createCarryOffsets()); // tensors of pointers cost 64-bit registers, and are cheap to make again
  manager.addPass(createPrepareForMetal());
  manager.addPass(createAssignLayouts(options));
  manager.addPass(mlir::createCSEPass()); // copies made for several uses, conversions of one value
  mlir::OpPassManager &function = manager.nest<tt::FuncOp>();
  function.addPass(createSplitReductions());
  function.addPass(createLowerConversions());
  function.addPass(createAllocateMemory());
  function.addPass(createInsertBarriers());
}
