//===- Module.cpp - parse, print, verify ------------------------------------------===//
#include "triton_metal/Compiler/Guard.h"
#include "triton_metal/Compiler/Import.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace triton_metal {

Module::Module() : impl(std::make_unique<State>()) {
  MLIRContext *context = impl->context.get();
  impl->op = ModuleOp::create(UnknownLoc::get(context));
}
Module::~Module() = default;
Module::Module(Module &&) noexcept = default;
Module &Module::operator=(Module &&) noexcept = default;

Result<Module> parse(std::string_view given, std::string_view name) {
  Result<std::string> imported = importText(given, name);
  if (!imported)
    return imported.error();
  std::string_view text = *imported;
  Module module;
  Module::State &state = module.state();
  DiagnosticCapture capture(state.context.get());
  OwningOpRef<ModuleOp> parsed;
  std::optional<Crash> crash = runGuarded([&] {
    // The parser reads up to a terminating zero, which a string_view need not have.
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(StringRef(text), StringRef(name)),
                               llvm::SMLoc());
    parsed = parseSourceFile<ModuleOp>(sources, ParserConfig(state.context.get()));
  });
  if (crash) {
    state.context.abandon();
    Error error;
    error.message = "reading " + std::string(name) + ": " + crash->what;
    error.reproducer = writeReproducer("parse", "", StringRef(text));
    return error;
  }
  if (!parsed) {
    Error error = capture.take(Error::Kind::Parse, "the text is not a module");
    if (error.where.file.empty())
      error.where.file = name;
    return error;
  }
  state.op = std::move(parsed);
  return module;
}

std::string print(const Module &module, bool locations) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  flags.enableDebugInfo(locations);
  flags.printNameLocAsPrefix(locations); // as upstream; the names are in the locations, so that text without them keeps none
  getModuleOp(module)->print(os, flags);
  os << "\n";
  return text;
}

std::optional<Error> verify(const Module &module) {
  DiagnosticCapture capture(getContext(module));
  LogicalResult result = failure();
  if (std::optional<Crash> crash = runGuarded([&] { result = mlir::verify(getModuleOp(module)); })) {
    module.state().context.abandon();
    return Error{Error::Kind::Internal, "verifying a module: " + crash->what};
  }
  if (succeeded(result))
    return std::nullopt;
  return capture.take(Error::Kind::Invalid, "the module is not valid");
}

} // namespace triton_metal
