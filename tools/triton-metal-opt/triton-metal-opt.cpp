//===- triton-metal-opt.cpp - runs passes on text, for tests and for looking -----===//
#include "triton_metal/Conversion/TritonMetalToMSL/Passes.h"
#include "triton_metal/Conversion/TritonToCPU/Passes.h"
#include "triton_metal/Conversion/TritonToCPU/VectorMath.h"
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h"
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"
#include "triton_metal/Dialect/TritonMetal/Transforms/Passes.h"

#include "triton_metal/Pipelines/CPUPipeline.h"
#include "triton_metal/Pipelines/MetalPipeline.h"
#include "triton_metal/Pipelines/TritonPipeline.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

#include <cstdlib>

/// Takes the pass that TRITON_METAL_OPT_WITHOUT names out of the command line: tools/empty_passes.py sees by this whether the pass's
/// test needs the pass.
static void leaveOutPass(llvm::SmallVectorImpl<char *> &args) {
  const char *flag = std::getenv("TRITON_METAL_OPT_WITHOUT");
  if (!flag)
    return;
  llvm::erase_if(args, [flag](char *arg) {
    llvm::StringRef text(arg);
    return (text.consume_front("--") || text.consume_front("-")) && text.split('=').first == flag;
  });
}

int main(int argc, char **argv) {
  llvm::SmallVector<char *> args(argv, argv + argc);
  leaveOutPass(args);
  mlir::DialectRegistry registry;
  registry.insert<triton_metal::tt::TritonDialect, mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect,
                  mlir::cf::ControlFlowDialect, mlir::ub::UBDialect, mlir::memref::MemRefDialect, mlir::vector::VectorDialect,
                  mlir::LLVM::LLVMDialect, mlir::func::FuncDialect>();
  registry.insert<triton_metal::msl::MSLDialect, triton_metal::ttm::TritonMetalDialect>();
  triton_metal::registerTritonMetalToMSLPasses();
  triton_metal::msl::registerMSLPasses();
  triton_metal::registerMetalPipelines();
  triton_metal::tt::registerTritonPasses();
  triton_metal::registerTritonPipeline();
  triton_metal::registerCPUPipeline();
  triton_metal::ttm::registerTritonMetalPasses();
  triton_metal::cpu::registerCPUVectorMathPasses();
  triton_metal::cpu::registerTritonToCPUPasses();
  triton_metal::ttm::registerTritonToTritonMetalPasses();
  mlir::registerTransformsPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(args.size(), args.data(), "triton-metal-opt: passes of triton-metal\n", registry));
}
