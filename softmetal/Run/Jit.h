//===- Jit.h - AIR to machine code ---------------------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Run/Launch.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <string>

namespace llvm::orc {
class LLJIT;
}

namespace softmetal {

struct CompileRequest {
  Translation translation;   ///< what to check and the values of function constants
  bool fromText = false;     ///< compiled by us: not optimised yet, and barriers have an identity
  bool divergence = false;
  int level = 0;             ///< 0: O0 after the clean-up; 2: O2
  bool keepIR = false;       ///< keep the final IR as text
  bool translateOnly = false;///< no machine code: for tests of the passes over whole libraries
};

/// A kernel's machine code and the facts about it. Freeing it frees the code.
class KernelCode {
public:
  KernelCode();
  ~KernelCode();
  CompiledKernel kernel;
  std::string ir;
  double loadMs = 0, translateMs = 0, codeMs = 0;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

/// Compiles one kernel from its module's bitcode or text. Null and a message on failure. Thread-safe.
std::unique_ptr<KernelCode> compileKernel(llvm::StringRef air, const CompileRequest &request, std::string &error);

} // namespace softmetal
