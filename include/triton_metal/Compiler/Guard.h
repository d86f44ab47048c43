//===- Guard.h - runs MLIR and LLVM so that nothing of theirs ends the process ---===//
//
// Diagnostics become Errors; a fatal error, a failed assertion or a fault inside becomes an Internal error. Internal to the
// compiler: code that includes MLIR.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Compiler/ModuleAccess.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "mlir/IR/Diagnostics.h"

namespace triton_metal {

/// Captures the diagnostics of one context on this thread for its lifetime, and turns them into one Error.
class DiagnosticCapture {
public:
  explicit DiagnosticCapture(mlir::MLIRContext *context);
  bool hasError() const { return first.has_value(); }
  /// The first error, with the notes attached; `fallback` where nobody said anything. Diagnostics that carry the metadata of
  /// Support/Unsupported.h give Unsupported and Resources, all others `kind`.
  Error take(Error::Kind kind, std::string fallback);
  /// What was said of layout hints that could not be followed, in the order in which it was said.
  std::vector<Remark> takeHintRemarks() { return std::move(hints); }

private:
  void handle(mlir::Diagnostic &diagnostic);
  std::optional<Error> first;
  std::vector<Remark> hints;
  mlir::ScopedDiagnosticHandler handler;
};

/// What stopped guarded work.
struct Crash {
  std::string what;
};

/// Runs `work` under crash recovery. Memory and locks that the crashed work held are lost, so the caller abandons the context
/// that it worked on.
std::optional<Crash> runGuarded(llvm::function_ref<void()> work);

/// Writes `text` to a fresh file in $TRITON_REPRODUCER_PATH or the temporary directory; its path, or "" where that fails.
std::string writeReproducer(llvm::StringRef kernel, llvm::StringRef pipeline, llvm::StringRef text);

/// A location of MLIR as file, line and column: the innermost file position.
SourceLocation toSourceLocation(mlir::Location location);

} // namespace triton_metal
