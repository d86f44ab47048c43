//===- triton-metal-codegen.cpp - the CPU code generator on text ----------------===//
//
// Reads a module of the LLVM dialect and writes assembly, an object or LLVM IR for any machine that TargetSpec knows by name. With
// --lower it first lowers scf, vector, memref, arith, math and func, so that pieces of the CPU pipeline can be looked at alone.
//
//===----------------------------------------------------------------------------===//
#include "triton_metal/Conversion/TritonToCPU/VectorMath.h"
#include "triton_metal/Target/CPU/CodeGen.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

namespace cl = llvm::cl;
using namespace triton_metal;

static cl::opt<std::string> input(cl::Positional, cl::init("-"), cl::desc("<module of the LLVM dialect>"));
static cl::opt<std::string> output("o", cl::init("-"), cl::desc("where to write"));
static cl::opt<std::string> target("target", cl::init("host"),
                                   cl::desc("host, x86-64-v3, x86-64-v4, sapphirerapids or aarch64"));
static cl::opt<cpu::CodeKind> kind("emit", cl::init(cpu::CodeKind::Assembly), cl::desc("what to write"),
                                   cl::values(clEnumValN(cpu::CodeKind::Assembly, "asm", "assembly"),
                                              clEnumValN(cpu::CodeKind::Object, "obj", "relocatable object"),
                                              clEnumValN(cpu::CodeKind::LLVMIR, "llvm", "LLVM IR after our passes")));
static cl::opt<bool> lower("lower", cl::desc("lower upstream's dialects to the LLVM dialect first"));

static void addLowering(mlir::PassManager &passes) {
  passes.addPass(cpu::createExpandVectorMath());
  passes.addPass(mlir::createConvertVectorToSCFPass());
  passes.addPass(mlir::memref::createExpandStridedMetadataPass());
  passes.addPass(mlir::createLowerAffinePass());
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addPass(mlir::createConvertVectorToLLVMPass());
  passes.addPass(mlir::createConvertMathToLLVMPass());
  passes.addPass(mlir::createFinalizeMemRefToLLVMConversionPass());
  passes.addPass(mlir::createArithToLLVMConversionPass());
  passes.addPass(mlir::createConvertControlFlowToLLVMPass());
  passes.addPass(mlir::createConvertFuncToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "triton-metal-codegen: the CPU code generator\n");
  std::optional<cpu::TargetSpec> spec = cpu::TargetSpec::named(target.getValue());
  if (!spec) {
    llvm::errs() << "unknown target '" << target << "': host, x86-64-v3, x86-64-v4, sapphirerapids or aarch64\n";
    return 1;
  }
  mlir::DialectRegistry registry;
  registry.insert<mlir::LLVM::LLVMDialect, mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect,
                  mlir::cf::ControlFlowDialect, mlir::memref::MemRefDialect, mlir::vector::VectorDialect, mlir::func::FuncDialect>();
  cpu::registerCodeGenDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::parseSourceFile<mlir::ModuleOp>(input, &context);
  if (!module)
    return 1;
  if (lower) {
    mlir::PassManager passes(&context);
    addLowering(passes);
    if (mlir::failed(passes.run(*module)))
      return 1;
  }
  llvm::SmallVector<char, 0> bytes;
  if (mlir::failed(cpu::compileModule(*module, *spec, kind, bytes)))
    return 1;
  std::string error;
  std::unique_ptr<llvm::ToolOutputFile> file = mlir::openOutputFile(output, &error);
  if (!file) {
    llvm::errs() << error << "\n";
    return 1;
  }
  file->os().write(bytes.data(), bytes.size());
  file->keep();
  return 0;
}
