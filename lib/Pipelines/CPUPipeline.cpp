//===- CPUPipeline.cpp - from clean tt to the LLVM dialect ----------------------------===//
#include "triton_metal/Pipelines/CPUPipeline.h"

#include "triton_metal/Conversion/TritonToCPU/Passes.h"
#include "triton_metal/Conversion/TritonToCPU/VectorMath.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace triton_metal {

void buildCPUPipeline(OpPassManager &manager, const CPUPipelineOptions &options) {
  cpu::TritonToCPUOptions toCPU;
  toCPU.vectorBits = options.vectorBytes * 8;
  toCPU.vectorRegisters = options.vectorRegisters;
  toCPU.fpFusion = options.fpFusion;
  toCPU.checked = options.checked;
  manager.addPass(cpu::createTritonToCPU(toCPU));
  manager.addPass(cpu::createExpandVectorMath());
  manager.addPass(cpu::createBFloatBits()); // after all arithmetic is written out
  manager.addPass(cpu::createCPUToLLVM());
}

std::string commandLineOf(const CPUPipelineOptions &options) {
  return llvm::formatv("--cpu-pipeline=\"vector-bytes={0} vector-registers={1} fp-fusion={2} checked={3}\"", options.vectorBytes,
                       options.vectorRegisters, options.fpFusion, options.checked);
}

namespace {
struct TextOptions : public PassPipelineOptions<TextOptions> {
  CPUPipelineOptions defaults;
  Option<unsigned> vectorBytes{*this, "vector-bytes", llvm::cl::desc("native vector"), llvm::cl::init(defaults.vectorBytes)};
  Option<unsigned> vectorRegisters{*this, "vector-registers", llvm::cl::desc("vectors that the machine holds"),
                                   llvm::cl::init(defaults.vectorRegisters)};
  Option<bool> fpFusion{*this, "fp-fusion", llvm::cl::desc("a * b + c may be rounded once"), llvm::cl::init(defaults.fpFusion)};
  Option<bool> checked{*this, "checked", llvm::cl::desc("accesses stay in the arrays passed"), llvm::cl::init(defaults.checked)};
};
} // namespace

void registerCPUPipeline() {
  PassPipelineRegistration<TextOptions> registration("cpu-pipeline", "From clean tt to the LLVM dialect",
                                                     [](OpPassManager &manager, const TextOptions &text) {
                                                       CPUPipelineOptions options;
                                                       options.vectorBytes = text.vectorBytes;
                                                       options.vectorRegisters = text.vectorRegisters;
                                                       options.fpFusion = text.fpFusion;
                                                       options.checked = text.checked;
                                                       buildCPUPipeline(manager, options);
                                                     });
}

int64_t arenaBytesOf(ModuleOp module, StringRef name) {
  auto func = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  auto bytes = func ? func->getAttrOfType<IntegerAttr>(cpu::kArenaBytes) : IntegerAttr();
  return bytes ? bytes.getInt() : 0;
}

} // namespace triton_metal
