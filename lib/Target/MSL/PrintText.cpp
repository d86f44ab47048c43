//===- PrintText.cpp - the kernel's text on standard output, for tests and for looking ===//
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"
#include "triton_metal/Target/MSL/Print.h"

namespace triton_metal::msl {
#define GEN_PASS_DEF_PRINTTEXT
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"
} // namespace triton_metal::msl

using namespace mlir;
using namespace triton_metal::msl;

namespace {
struct PrintText : public triton_metal::msl::impl::PrintTextBase<PrintText> {
  using PrintTextBase::PrintTextBase;

  void runOnOperation() override {
    FailureOr<KernelText> kernel = printKernel(getOperation());
    if (failed(kernel))
      return signalPassFailure();
    llvm::outs() << kernel->text;
    if (facts)
      printFacts(*kernel);
    markAllAnalysesPreserved();
  }

  void printFacts(const KernelText &kernel) {
    const KernelFacts &known = kernel.facts;
    llvm::outs() << "entry " << kernel.entry << "\nlanguage " << kernel.languageVersion / 10 << "." << kernel.languageVersion % 10
                 << "\nthreads " << known.threads << "\nthreadgroup bytes " << known.threadgroupBytes << "\nbarriers " << known.barriers
                 << "\nsimd operations " << known.simdOperations << "\nmatrix operations " << known.matrixOperations
                 << "\ndevice loads " << known.deviceLoads << "\ndevice stores " << known.deviceStores << "\natomics " << known.atomics
                 << "\nestimated registers " << known.estimatedRegisters << "\n";
    if (known.bytesPerProgram)
      llvm::outs() << "bytes of a program " << *known.bytesPerProgram << "\n";
    if (known.operationsPerProgram)
      llvm::outs() << "operations of a program " << *known.operationsPerProgram << "\n";
    for (const LineOrigin &origin : kernel.lines)
      llvm::outs() << "line " << origin.line << (origin.column ? ":" + std::to_string(origin.column) : "") << ": " << origin.file << ":"
                   << origin.sourceLine << ":" << origin.sourceColumn << "\n";
  }
};
} // namespace
