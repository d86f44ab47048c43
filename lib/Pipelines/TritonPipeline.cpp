//===- TritonPipeline.cpp - target-independent clean-up of tt -------------------------===//
#include "triton_metal/Pipelines/TritonPipeline.h"
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void triton_metal::buildTritonPipeline(OpPassManager &manager) {
  manager.addPass(createInlinerPass({}, [](OpPassManager &) {})); // nothing is simplified twice
  manager.addPass(createCanonicalizerPass());
  manager.addPass(tt::createReorderBroadcast());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(tt::createLoopUnroll());
  manager.addPass(createSymbolDCEPass());
}

void triton_metal::registerTritonPipeline() {
  PassPipelineRegistration<> registration("triton-pipeline", "target-independent clean-up of tt",
                                          [](OpPassManager &manager) { buildTritonPipeline(manager); });
}
