// The mode of clang in which Metal's text is C++: C++20 with OpenCL's address-space keywords (OpenCLCPlusPlus without OpenCL), which has
// methods qualified by address space, implicit copies of structs between spaces, and no other rule of OpenCL. No command line reaches
// this mode, hence options set here by hand.
#include "softmetal/Compile/Invocation.h"

#include "softmetal/Compile/Attributes.h"
#include "softmetal/Compile/Target.h"

#include "clang/Basic/DiagnosticOptions.h"
#include "clang/Basic/LangStandard.h"
#include "clang/Lex/Preprocessor.h"
#include "clang/Lex/PreprocessorOptions.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace clang;
using llvm::StringRef;

namespace softmetal {

namespace {

void setLanguage(LangOptions &language, const CompileOptions &options) {
  std::vector<std::string> includes;
  LangOptions::setLangDefaults(language, Language::CXX, llvm::Triple(AirTriple), includes, LangStandard::lang_cxx20);
  language.OpenCLCPlusPlus = 1;
  language.OpenCLCPlusPlusVersion = 202100;
  language.OpenCLGenericAddressSpace = 0;
  language.NativeHalfType = 1;
  language.Half = 0;
  language.SinglePrecisionConstants = 1;
  language.CXXExceptions = language.Exceptions = 0;
  language.RTTI = 0;
  language.NoBuiltin = 1;
  language.Freestanding = 1;
  language.Bool = 1;
  language.WChar = 1;
  language.ThreadsafeStatics = 0;
  language.DeclSpecKeyword = 0;
  language.ConvergentFunctions = 1; // any function may call a barrier; the pure ones of the library say noconvergent
  language.setDefaultFPContractMode(options.contractFloat ? LangOptions::FPM_On : LangOptions::FPM_Off);
}

void setCodeGeneration(CodeGenOptions &code, const CompileOptions &options) {
  code.OptimizationLevel = 2; // keeps TBAA and lifetimes for the executor's passes; none run here
  code.setInlining(CodeGenOptions::NormalInlining);
  code.DisableLLVMPasses = 1;
  code.UnrollLoops = 1;
  if (options.lineTables) {
    code.setDebugInfo(llvm::codegenoptions::DebugLineTablesOnly);
    code.DwarfVersion = 5;
    code.DebugColumnInfo = 1;
  }
}

} // namespace

Invocation::Invocation(StringRef text, const CompileOptions &options, StringRef prelude, CompileResult &result)
    : files(llvm::makeIntrusiveRefCnt<MetalFileSystem>()), invocation(configure(options, !prelude.empty())), diagnostics(result, *files),
      instance(invocation) {
  StringRef read = files->addMain(options.name, text);
  std::string closed = read.str();
  if (!prelude.empty()) {
    files->addPrelude(prelude);
    closed += LocalsPragmaPop;
  }
  mainBuffer = llvm::MemoryBuffer::getMemBufferCopy(closed, options.name);
  inputs = FrontendInputFile(mainBuffer->getMemBufferRef(),
                             InputKind(Language::CXX, InputKind::Source, false, InputKind::HeaderUnit_None, prelude.empty()));
  invocation->getFrontendOpts().Inputs.push_back(inputs);

  instance.setVirtualFileSystem(files);
  instance.createDiagnostics(&diagnostics, /*ShouldOwnClient=*/false);
  ProcessWarningOptions(instance.getDiagnostics(), invocation->getDiagnosticOpts(), *files);
  instance.createFileManager();
  instance.createSourceManager();
  instance.setTarget(createAirTarget());
}

std::shared_ptr<CompilerInvocation> Invocation::configure(const CompileOptions &options, bool hasPrelude) {
  auto result = std::make_shared<CompilerInvocation>();
  setLanguage(result->getLangOpts(), options);
  setCodeGeneration(result->getCodeGenOpts(), options);
  result->getTargetOpts().Triple = AirTriple;

  PreprocessorOptions &preprocessor = result->getPreprocessorOpts();
  if (hasPrelude) {
    preprocessor.ImplicitPCHInclude = PreludePath.str();
    preprocessor.DisablePCHOrModuleValidation = DisableValidationForModuleKind::All;
  }
  for (auto &[name, value] : options.macros)
    preprocessor.addMacroDef(name + "=" + value);

  HeaderSearchOptions &search = result->getHeaderSearchOpts();
  search.UseBuiltinIncludes = search.UseStandardSystemIncludes = search.UseStandardCXXIncludes = 0;
  search.ResourceDir = "/softmetal";
  search.AddPath(HeaderDir, frontend::System, false, true);
  for (const std::string &directory : options.includeDirs)
    search.AddPath(directory, frontend::Angled, false, true);

  DiagnosticOptions &diagnostic = result->getDiagnosticOpts();
  diagnostic.Warnings = {"no-duplicate-decl-specifier", "no-unknown-pragmas", "no-c++11-narrowing", "no-gnu", "no-constexpr-not-const",
                         "no-user-defined-literals", "no-pragma-clang-attribute", "error=unknown-attributes", "error=ignored-attributes"};
  diagnostic.ErrorLimit = 20;
  return result;
}

void dropForeignKeywords(CompilerInstance &instance) {
  IdentifierTable &words = instance.getPreprocessor().getIdentifierTable();
  for (StringRef word : {"global", "local", "generic", "kernel", "read_only", "write_only", "read_write", "pipe", "addrspace_cast"})
    words.get(word, tok::identifier);
#define GENERIC_IMAGE_TYPE(TYPE, ID) words.get(#TYPE "_t", tok::identifier);
#include "clang/Basic/OpenCLImageTypes.def"
}

} // namespace softmetal
