// One compilation: the text through clang's parser, Metal's rules, clang's code generator, and the module's tables.
#include "softmetal/Compile/Compile.h"

#include "softmetal/Compile/Attributes.h"
#include "softmetal/Compile/Guard.h"
#include "softmetal/Compile/Invocation.h"
#include "softmetal/Compile/Kernels.h"
#include "softmetal/Compile/Prelude.h"
#include "softmetal/Compile/Rules.h"

#include "clang/AST/ASTConsumer.h"
#include "clang/AST/ASTContext.h"
#include "clang/CodeGen/ModuleBuilder.h"
#include "clang/Frontend/FrontendActions.h"
#include "clang/Frontend/MultiplexConsumer.h"
#include "clang/Lex/Preprocessor.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

#include <chrono>

using namespace clang;
using llvm::StringRef;

namespace softmetal {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Stands before the code generator: sees each declaration first, and the whole text when it is parsed.
class MetalConsumer : public ASTConsumer {
public:
  explicit MetalConsumer(KernelTable &table) : table(table) {}

  void Initialize(ASTContext &context) override { table.start(context); }

  bool HandleTopLevelDecl(DeclGroupRef group) override {
    for (Decl *decl : group) {
      if (decl->isFromASTFile())
        continue;
      table.add(decl);
      declarations.push_back(decl);
    }
    return true;
  }

  void HandleTranslationUnit(ASTContext &context) override {
    DiagnosticsEngine &diagnostics = context.getDiagnostics();
    if (diagnostics.hasErrorOccurred())
      return;
    checkRules(context, declarations);
    if (table.kernels.empty() && !diagnostics.hasErrorOccurred()) {
      const SourceManager &sources = context.getSourceManager();
      unsigned id = diagnostics.getCustomDiagID(DiagnosticsEngine::Error, "there is no kernel function in this program");
      diagnostics.Report(sources.getLocForStartOfFile(sources.getMainFileID()), id);
    }
  }

private:
  KernelTable &table;
  std::vector<Decl *> declarations;
};

class MetalAction : public ASTFrontendAction {
public:
  MetalAction(const CompileOptions &options, llvm::LLVMContext &context) : options(options), context(context) {}

  KernelTable table;
  std::unique_ptr<llvm::Module> module;

private:
  const CompileOptions &options;
  llvm::LLVMContext &context;
  CodeGenerator *generator = nullptr;

  bool BeginSourceFileAction(CompilerInstance &instance) override {
    dropForeignKeywords(instance);
    return true;
  }

  std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &instance, StringRef name) override {
    std::vector<std::unique_ptr<ASTConsumer>> consumers;
    consumers.push_back(std::make_unique<MetalConsumer>(table));
    auto codeGenerator = CreateLLVMCodeGen(instance, name, context);
    generator = codeGenerator.get();
    consumers.push_back(std::move(codeGenerator));
    return std::make_unique<MultiplexConsumer>(std::move(consumers));
  }

  void ExecuteAction() override {
    // The prelude brought its own predefinitions; what differs between compilations comes after it.
    Preprocessor &preprocessor = getCompilerInstance().getPreprocessor();
    preprocessor.setPredefines(preprocessor.getPredefines() + "#define __METAL_VERSION__ " +
                               std::to_string(options.languageVersion) + "\n" + macros() + LocalsPragmaPush.str());
    ASTFrontendAction::ExecuteAction();
  }

  std::string macros() const {
    std::string text;
    for (auto &[name, value] : options.macros)
      text += "#define " + name + " " + value + "\n";
    return text;
  }

  void EndSourceFileAction() override {
    if (getCompilerInstance().getDiagnostics().hasErrorOccurred())
      return;
    module = generator->ReleaseModule();
    if (!module)
      return;
    table.write(*module, options.languageVersion);
    checkThreadgroupMemory(*module, table, getCompilerInstance().getDiagnostics());
  }
};

} // namespace

CompileResult compile(StringRef text, const CompileOptions &options, llvm::LLVMContext &context) {
  CompileResult result;
  double start = now();
  StringRef library = prelude(result.log);
  auto fail = [&](std::string message) {
    result.module.reset();
    addDiagnostic(result, {Severity::Error, options.name, 0, 0, std::move(message), ""});
  };
  if (library.empty()) {
    fail("the Metal library does not compile");
    return result;
  }
  bool hasError = false;
  std::string reason;
  bool finished = runGuarded(
      [&] {
        Invocation invocation(text, options, library, result);
        MetalAction action(options, context);
        CompilerInstance &instance = invocation.compiler();
        result.timings.setup = now() - start;
        if (action.BeginSourceFile(instance, invocation.input())) {
          llvm::consumeError(action.Execute());
          result.timings.parse = now() - start - result.timings.setup;
          action.EndSourceFile();
        }
        hasError = instance.getDiagnostics().hasErrorOccurred();
        if (!hasError)
          result.module = std::move(action.module);
      },
      reason);
  result.timings.finish = now() - start - result.timings.setup - result.timings.parse;
  if (!finished)
    fail("the compiler failed on this program: " + reason);
  else if (!result.module && !hasError)
    fail("the compiler made no module");
  return result;
}

} // namespace softmetal
