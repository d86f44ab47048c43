//===- CPUPipeline.cpp - from clean tt to the LLVM dialect ----------------------------===//
#include "triton_metal/Pipelines/CPUPipeline.h"

#include "triton_metal/Conversion/TritonToCPU/Passes.h"
#include "triton_metal/Conversion/TritonToCPU/VectorMath.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Transforms/Passes.h"

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

int64_t arenaBytesOf(ModuleOp module, StringRef name) {
  auto func = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  auto bytes = func ? func->getAttrOfType<IntegerAttr>(cpu::kArenaBytes) : IntegerAttr();
  return bytes ? bytes.getInt() : 0;
}

} // namespace triton_metal
