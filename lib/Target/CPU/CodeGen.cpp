//===- CodeGen.cpp - LLVM dialect or LLVM IR to machine code --------------------===//
#include "triton_metal/Target/CPU/CodeGen.h"
#include "Pipeline.h"
#include "Pool.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/Support/SourceMgr.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

namespace triton_metal::cpu {
namespace {

/// Keeps errors of the backend, which would otherwise end the process.
struct ErrorCollector : llvm::DiagnosticHandler {
  explicit ErrorCollector(std::string &text) : text(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() == llvm::DS_Error) {
      llvm::raw_string_ostream stream(text);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    return true;
  }
  std::string &text;
};

/// Installs the collector for one compilation; the context returns to the pool with LLVM's own handler.
struct CollectErrors {
  CollectErrors(llvm::LLVMContext &context, std::string &text) : context(context) {
    context.setDiagnosticHandler(std::make_unique<ErrorCollector>(text), /*RespectFilters=*/true);
  }
  ~CollectErrors() { context.setDiagnosticHandler(std::make_unique<llvm::DiagnosticHandler>()); }
  llvm::LLVMContext &context;
};

void write(llvm::Module &module, Workshop &workshop, const TargetSpec &spec, CodeKind kind, llvm::SmallVectorImpl<char> &out,
           std::string &error) {
  llvm::raw_svector_ostream stream(out);
  if (kind == CodeKind::LLVMIR) {
    module.print(stream, nullptr);
    return;
  }
  auto file = kind == CodeKind::Object ? llvm::CodeGenFileType::ObjectFile : llvm::CodeGenFileType::AssemblyFile;
  if (!emit(module, workshop.machine(), file, stream))
    error = "the backend for " + spec.triple + " cannot write this kind of file";
}

/// A kind of code and where it goes.
struct Output {
  CodeKind kind;
  llvm::SmallVectorImpl<char> &out;
};

mlir::LogicalResult compileInto(mlir::ModuleOp op, const TargetSpec &spec, llvm::ArrayRef<Output> outputs) {
  std::string error;
  std::unique_ptr<Workshop> workshop = Workshop::take(spec, error);
  if (!workshop)
    return op.emitError("no code generator for this target: ") << error;
  CollectErrors collect(workshop->context(), error);
  std::unique_ptr<llvm::Module> module =
      mlir::translateModuleToLLVMIR(op, workshop->context(), "kernel", /*disableVerification=*/true);
  if (!module)
    return mlir::failure(); // the translation has said why
  setTarget(*module, workshop->machine(), spec.vectorBytes);
  optimise(*module, workshop->machine());
  for (const Output &output : outputs)
    write(*module, *workshop, spec, output.kind, output.out, error);
  if (!error.empty())
    return op.emitError("code generation failed: ") << error;
  return mlir::success();
}

} // namespace

void registerCodeGenDialects(mlir::DialectRegistry &registry) {
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
}

mlir::LogicalResult compileModule(mlir::ModuleOp op, const TargetSpec &spec, CodeKind kind, llvm::SmallVectorImpl<char> &out) {
  return compileInto(op, spec, {{kind, out}});
}

mlir::LogicalResult compileModule(mlir::ModuleOp op, const TargetSpec &spec, llvm::SmallVectorImpl<char> &text,
                                  llvm::SmallVectorImpl<char> &object) {
  return compileInto(op, spec, {{CodeKind::LLVMIR, text}, {CodeKind::Object, object}}); // the backend changes the module: last
}

bool compileLLVMIR(llvm::StringRef text, const TargetSpec &spec, CodeKind kind, bool optimise, llvm::SmallVectorImpl<char> &out,
                   std::string &error) {
  std::unique_ptr<Workshop> workshop = Workshop::take(spec, error);
  if (!workshop)
    return false;
  CollectErrors collect(workshop->context(), error);
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(text, diagnostic, workshop->context());
  if (!module) {
    llvm::raw_string_ostream stream(error);
    diagnostic.print("llvm-ir", stream, /*ShowColors=*/false);
    return false;
  }
  setTarget(*module, workshop->machine(), spec.vectorBytes);
  if (optimise)
    cpu::optimise(*module, workshop->machine());
  write(*module, *workshop, spec, kind, out, error);
  return error.empty();
}

} // namespace triton_metal::cpu
