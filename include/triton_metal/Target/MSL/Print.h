//===- Print.h - msl to text -------------------------------------------------------===//
//
// The printer is dumb: it has one spelling for each operation, never decides between two, and never changes IR. What it prints has
// passed `msl-form-statements` and `msl-verify-printable`. The same module gives the same text, byte for byte.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Dialect/MSL/IR/Dialect.h"
#include "triton_metal/Target/MSL/KernelFacts.h"

#include "mlir/IR/BuiltinOps.h"

namespace triton_metal::msl {

/// Prints the one kernel of `module`; fails with a diagnostic where there is none, or more than one. Without `fpFusion` the text
/// forbids to round a * b + c once.
llvm::FailureOr<KernelText> printKernel(mlir::ModuleOp module, bool fpFusion = true);

/// What is known of a kernel without running it.
KernelFacts computeFacts(KernelOp kernel);

/// Text of a prelude function; empty if there is none of this name. `msl.call` names these.
llvm::StringRef preludeFunction(llvm::StringRef name);
/// Names of all prelude functions, in the order in which they are printed.
llvm::ArrayRef<llvm::StringLiteral> preludeNames();

} // namespace triton_metal::msl
