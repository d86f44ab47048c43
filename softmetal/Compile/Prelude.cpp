// Making the prelude: clang's PCH of one #include, kept in memory. It fits only the clang that made it, which is linked into this library.
#include "softmetal/Compile/Prelude.h"

#include "softmetal/Compile/Guard.h"
#include "softmetal/Compile/Invocation.h"

#include "clang/Frontend/FrontendActions.h"
#include "clang/Serialization/ASTWriter.h"
#include "clang/Serialization/PCHContainerOperations.h"

#include <mutex>

using namespace clang;

namespace softmetal {

namespace {

class PreludeAction : public ASTFrontendAction {
public:
  std::shared_ptr<PCHBuffer> buffer = std::make_shared<PCHBuffer>();

private:
  TranslationUnitKind getTranslationUnitKind() override { return TU_Prefix; }
  bool hasASTFileSupport() const override { return false; }
  bool BeginSourceFileAction(CompilerInstance &instance) override {
    dropForeignKeywords(instance);
    return true;
  }
  std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &instance, StringRef) override {
    return std::make_unique<PCHGenerator>(instance.getPreprocessor(), instance.getModuleCache(), "prelude", "", buffer,
                                          instance.getCodeGenOpts(), instance.getFrontendOpts().ModuleFileExtensions,
                                          /*AllowASTWithErrors=*/false, /*IncludeTimestamps=*/false);
  }
};

} // namespace

std::string makePrelude(std::string &log) {
  CompileResult result;
  std::string bytes, reason;
  bool finished = runGuarded(
      [&] {
        CompileOptions options;
        options.name = "prelude.metal";
        Invocation invocation("#include <metal_stdlib>\n", options, "", result);
        PreludeAction action;
        CompilerInstance &instance = invocation.compiler();
        if (!action.BeginSourceFile(instance, invocation.input()))
          return;
        llvm::consumeError(action.Execute());
        action.EndSourceFile();
        if (!instance.getDiagnostics().hasErrorOccurred() && action.buffer->IsComplete)
          bytes.assign(action.buffer->Data.begin(), action.buffer->Data.end());
      },
      reason);
  log += result.log;
  if (!finished)
    log += "softmetal: error: the Metal library could not be compiled: " + reason + "\n";
  return bytes;
}

llvm::StringRef prelude(std::string &log) {
  if (llvm::StringRef bytes = embeddedPrelude(); !bytes.empty())
    return bytes;
  static std::once_flag once;
  static std::string bytes, errors;
  std::call_once(once, [] { bytes = makePrelude(errors); });
  log += errors;
  return bytes;
}

} // namespace softmetal
