//===- Module.cpp - parse, print, verify ------------------------------------------===//
#include "triton_metal/Compiler/Guard.h"

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

/// Upstream spells tl.debug_barrier by operations of dialects that we do not have: `gpu.barrier` up to 3.6, `ttg.barrier all`
/// since. Both stand alone on a line, with a location at most; columns of messages about them move, lines do not.
static std::string withOwnBarriers(StringRef text) {
  std::string result;
  while (!text.empty()) {
    StringRef line = text.take_until([](char c) { return c == '\n'; });
    StringRef statement = line.ltrim(), operation = statement.take_until([](char c) { return c == ' ' || c == '\r'; });
    if (operation == "gpu.barrier" || operation == "ttg.barrier") {
      size_t location = statement.find(" loc(");
      result += "tt.debug_barrier";
      if (location != StringRef::npos)
        result += statement.substr(location);
    } else {
      result += line;
    }
    if (line.size() != text.size())
      result += '\n';
    text = text.drop_front(std::min(line.size() + 1, text.size()));
  }
  return result;
}

Result<Module> parse(std::string_view text, std::string_view name) {
  Module module;
  Module::State &state = module.state();
  DiagnosticCapture capture(state.context.get());
  OwningOpRef<ModuleOp> parsed;
  std::optional<Crash> crash = runGuarded([&] {
    // The parser reads up to a terminating zero, which a string_view need not have.
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(withOwnBarriers(StringRef(text)), StringRef(name)),
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
