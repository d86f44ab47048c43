// Collects clang's diagnostics as structures and as text in clang's form, in Metal's words and in the columns of the user's text.
#ifndef SOFTMETAL_COMPILE_DIAGNOSTICS_H
#define SOFTMETAL_COMPILE_DIAGNOSTICS_H

#include "softmetal/Compile/Compile.h"
#include "softmetal/Compile/FileSystem.h"

#include "clang/Basic/Diagnostic.h"

namespace softmetal {

class DiagnosticCollector : public clang::DiagnosticConsumer {
public:
  DiagnosticCollector(CompileResult &result, const MetalFileSystem &files) : result(result), files(files) {}

  void HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic &info) override;

private:
  CompileResult &result;
  const MetalFileSystem &files;
};

// Adds a diagnostic and its text to `result`.
void addDiagnostic(CompileResult &result, CompileDiagnostic diagnostic);

} // namespace softmetal

#endif
