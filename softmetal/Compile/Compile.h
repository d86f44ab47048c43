// MSL text -> AIR module, in process.
//
// Contract: never ends the process, never prints, needs no file beside the include directories that it is given. The module has AIR's
// triple and data layout, its kernels stand in !air.kernel and its function constants in !air.function_constants, in the form of
// Apple's compiler (AIR 2.6). It is clang's output without optimisation passes.
#ifndef SOFTMETAL_COMPILE_COMPILE_H
#define SOFTMETAL_COMPILE_COMPILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace softmetal {

struct CompileOptions {
  std::string name = "program.metal"; // names the text in diagnostics and line tables
  bool lineTables = false;            // file, line and column on every instruction, for checked runs
  bool contractFloat = true;          // a * b + c in one statement may become llvm.fmuladd, as Metal does by default
  unsigned languageVersion = 310;     // __METAL_VERSION__: 300, 310, 320, 400
  std::vector<std::string> includeDirs;
  std::vector<std::pair<std::string, std::string>> macros; // name, value
};

enum class Severity { Note, Warning, Error };

struct CompileDiagnostic {
  Severity severity = Severity::Error;
  std::string file;
  unsigned line = 0, column = 0; // of the text as the user wrote it; 0 if there is no place
  std::string message;
  std::string sourceLine;
};

struct CompileTimings { // seconds
  double setup = 0, parse = 0, finish = 0;
  double total() const { return setup + parse + finish; }
};

struct CompileResult {
  std::unique_ptr<llvm::Module> module; // null if and only if there is an error among the diagnostics
  std::vector<CompileDiagnostic> diagnostics;
  std::string log; // the diagnostics as clang prints them: file:line:column: error: ..., source line, caret
  CompileTimings timings;
};

CompileResult compile(llvm::StringRef text, const CompileOptions &options, llvm::LLVMContext &context);

// The library's own declarations, parsed once, as bytes that compile() reads: a step of the build, which embeds them.
std::string makePrelude(std::string &log);

} // namespace softmetal

#endif
