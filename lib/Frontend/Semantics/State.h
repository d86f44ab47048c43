//===- State.h - the MLIR behind Semantics, for its own units ---------------------===//
#pragma once
#include "triton_metal/Dialect/Triton/IR/Dialect.h"
#include "triton_metal/Frontend/Semantics.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace triton_metal::frontend {

struct Semantics::State {
  State(mlir::MLIRContext *context, SemanticOptions options);

  SemanticOptions options;
  mlir::OpBuilder builder;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  /// The place of the next operation; made into a location only when an operation needs it.
  struct Frame {
    mlir::StringAttr file;
    unsigned line = 0, column = 0;
    std::string name;
    mlir::Location caller; ///< unknown for the outermost function
  };
  llvm::SmallVector<Frame, 4> frames;
  mlir::LocationAttr cached;
  mlir::Location loc();

  struct OpenFunction {
    tt::FuncOp function;
    mlir::OpBuilder::InsertPoint outer;
    llvm::SmallVector<Frame, 4> outerFrames;
  };
  llvm::SmallVector<OpenFunction, 2> functions;
  llvm::SmallVector<mlir::Operation *, 4> loops;     ///< open scf.for and scf.while
  llvm::SmallVector<mlir::Operation *, 2> combines;  ///< open tt.reduce and tt.scan
  llvm::SmallVector<mlir::Location, 2> combineLocs;

  mlir::Type typeOf(Elem elem);
  mlir::Type typeOf(Type type);

  /// Creates an operation with one result, or gives what it folds to.
  template <typename OpTy, typename... Args>
  mlir::Value make(Args &&...args) {
    return builder.createOrFold<OpTy>(loc(), std::forward<Args>(args)...);
  }
};

inline mlir::Value unwrap(const Tensor &tensor) { return mlir::Value::getFromOpaquePointer(tensor.handle); }
inline Tensor wrap(mlir::Value value, Type type) { return {value.getAsOpaquePointer(), type}; }

} // namespace triton_metal::frontend
