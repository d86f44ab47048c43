//===- MetalPipeline.cpp - from tt to a printable msl kernel ---------------------------===//
#include "triton_metal/Pipelines/MetalPipeline.h"
#include "triton_metal/Conversion/TritonMetalToMSL/Passes.h"
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h"
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"

#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace triton_metal;

void triton_metal::buildMSLPipeline(OpPassManager &manager) {
  manager.addPass(createConvertTritonMetalToMSL());
  OpPassManager &kernel = manager.nest<msl::KernelOp>();
  kernel.addPass(msl::createLegalizeSimd());     // before floats: a bfloat that is summed over lanes is widened
  kernel.addPass(msl::createLegalizeFloats());   // before integers: a comparison with a NaN becomes logic on i1
  kernel.addPass(msl::createLegalizeIntegers());
  kernel.addPass(msl::createHoistInvariants());
  kernel.addPass(mlir::createCSEPass());         // addresses of a vector's elements, and what nobody uses
  kernel.addPass(msl::createFormStatements());   // last: names are given to what is printed
  kernel.addPass(msl::createVerifyPrintable());
}

void triton_metal::buildMetalPipeline(OpPassManager &manager, const MetalPipelineOptions &options) {
  ttm::AssignLayoutsOptions layouts;
  layouts.numWarps = options.numWarps;
  layouts.chip = options.chip;
  ttm::buildTritonMetalPasses(manager, layouts);
  buildMSLPipeline(manager);
}

namespace {
struct TextOptions : public PassPipelineOptions<TextOptions> {
  Option<unsigned> numWarps{*this, "num-warps", llvm::cl::desc("SIMD-groups of a threadgroup"), llvm::cl::init(4)};
  Option<std::string> chip{*this, "chip", llvm::cl::desc("chip profile"), llvm::cl::init("apple-m1")};
};
} // namespace

void triton_metal::registerMetalPipelines() {
  PassPipelineRegistration<TextOptions> whole("metal-pipeline", "From tt to a printable msl kernel",
                                              [](OpPassManager &manager, const TextOptions &text) {
                                                MetalPipelineOptions options;
                                                options.numWarps = text.numWarps;
                                                options.chip = text.chip;
                                                buildMetalPipeline(manager, options);
                                              });
  PassPipelineRegistration<> last("msl-pipeline", "From distributed tensors to a printable msl kernel",
                                  [](OpPassManager &manager) { buildMSLPipeline(manager); });
}
