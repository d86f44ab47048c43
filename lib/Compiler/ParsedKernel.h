//===- ParsedKernel.h - a kernel out of its text, to be looked at rather than compiled ----===//
#pragma once
#include "triton_metal/Compiler/Guard.h"

namespace triton_metal {

struct ParsedKernel {
  Module module;
  KernelSignature signature;
  std::string text;

  static Result<ParsedKernel> from(std::string_view ttir);

  /// Simplifies a copy of the kernel as for a launch (calls inlined, common parts computed once) and runs `work` on it; gives what went
  /// wrong. After a crash, `doing` ("counting a launch of") says in what, and there is a reproducer.
  std::optional<Error> run(llvm::StringRef doing, bool verifyEach,
                           llvm::function_ref<std::optional<Error>(mlir::OwningOpRef<mlir::ModuleOp> &, DiagnosticCapture &)> work);
};

} // namespace triton_metal
