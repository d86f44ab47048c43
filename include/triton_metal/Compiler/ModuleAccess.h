//===- ModuleAccess.h - the MLIR inside a Module ----------------------------------===//
//
// For the front end and the tools: code that builds or reads a module's IR. Bindings include Compiler.h only.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Compiler/Compiler.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace triton_metal {

/// Every dialect and extension that the compiler uses.
void registerCompilerDialects(mlir::DialectRegistry &registry);

/// A context with all dialects loaded and threading off, on loan from the pool. Interned types and attributes never die, so
/// a context is retired after a number of loans; one in which something crashed is abandoned.
class PooledContext {
public:
  PooledContext();
  ~PooledContext();
  PooledContext(const PooledContext &) = delete;
  PooledContext &operator=(const PooledContext &) = delete;

  mlir::MLIRContext &operator*() const { return *context; }
  mlir::MLIRContext *get() const { return context; }
  /// Never give this context back: its state is unknown after a crash.
  void abandon() { abandoned = true; }

private:
  mlir::MLIRContext *context;
  unsigned loans;
  bool abandoned = false;
};

struct Module::State {
  PooledContext context; // before the module: it must outlive it
  mlir::OwningOpRef<mlir::ModuleOp> op;
};

/// The ModuleOp, to build in or to read.
inline mlir::ModuleOp getModuleOp(const Module &module) { return *module.state().op; }
inline mlir::MLIRContext *getContext(const Module &module) { return module.state().context.get(); }

} // namespace triton_metal
