//===- triton-metal-opt.cpp - runs passes on text, for tests and for looking -----===//
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"
#include "triton_metal/Dialect/TritonMetal/Transforms/Passes.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<triton_metal::tt::TritonDialect, mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect,
                  mlir::cf::ControlFlowDialect, mlir::ub::UBDialect, mlir::memref::MemRefDialect, mlir::vector::VectorDialect,
                  mlir::LLVM::LLVMDialect, mlir::func::FuncDialect>();
  registry.insert<triton_metal::msl::MSLDialect, triton_metal::ttm::TritonMetalDialect>();
  triton_metal::msl::registerMSLPasses();
  triton_metal::tt::registerTritonPasses();
  triton_metal::ttm::registerTritonMetalPasses();
  mlir::registerTransformsPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "triton-metal-opt: passes of triton-metal\n", registry));
}
