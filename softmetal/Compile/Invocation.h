// clang set up for Metal: language, target, headers, files.
#ifndef SOFTMETAL_COMPILE_INVOCATION_H
#define SOFTMETAL_COMPILE_INVOCATION_H

#include "softmetal/Compile/Compile.h"
#include "softmetal/Compile/Diagnostics.h"
#include "softmetal/Compile/FileSystem.h"

#include "clang/Frontend/CompilerInstance.h"

namespace softmetal {

// One compilation: everything that it needs, in the order of construction.
class Invocation {
public:
  // `prelude` is empty while the prelude itself is made.
  Invocation(llvm::StringRef text, const CompileOptions &options, llvm::StringRef prelude, CompileResult &result);

  clang::CompilerInstance &compiler() { return instance; }
  const clang::FrontendInputFile &input() const { return inputs; }

private:
  llvm::IntrusiveRefCntPtr<MetalFileSystem> files;
  std::unique_ptr<llvm::MemoryBuffer> mainBuffer;
  clang::FrontendInputFile inputs;
  std::shared_ptr<clang::CompilerInvocation> invocation;
  DiagnosticCollector diagnostics;
  clang::CompilerInstance instance;

  std::shared_ptr<clang::CompilerInvocation> configure(const CompileOptions &options, bool hasPrelude);
};

// Makes the keywords of OpenCL that are ordinary names in Metal names again. To be called when the preprocessor exists and has
// read nothing.
void dropForeignKeywords(clang::CompilerInstance &);

} // namespace softmetal

#endif
