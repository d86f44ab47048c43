//===- TritonPipeline.cpp - target-independent clean-up of tt -------------------------===//
#include "triton_metal/Pipelines/TritonPipeline.h"
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void triton_metal::buildTritonPipeline(OpPassManager &manager, const std::string &plantedFault) {
  manager.addPass(createInlinerPass({}, [](OpPassManager &) {})); // nothing is simplified twice
  manager.addPass(createCanonicalizerPass());
  manager.addPass(tt::createReorderBroadcast());
  manager.addPass(tt::createAccumulateDot());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(tt::createLoopUnroll());
  manager.addPass(createSymbolDCEPass());
  if (!plantedFault.empty()) // last, so that nothing here folds it away
    manager.addPass(tt::createPlantFault({plantedFault}));
}

void triton_metal::registerTritonPipeline() {
  PassPipelineRegistration<> registration("triton-pipeline", "target-independent clean-up of tt",
                                          [](OpPassManager &manager) { buildTritonPipeline(manager); });
}
