//===- Expressions.h - the text of values ------------------------------------------===//
#pragma once
#include "triton_metal/Dialect/MSL/IR/Dialect.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

#include <string>

namespace triton_metal::msl {

/// How tightly the outermost operator of an expression binds, after the table of C++.
enum class Precedence { Conditional, Or, And, BitOr, BitXor, BitAnd, Equality, Relation, Shift, Sum, Product, Unary, Primary };

struct Expression {
  std::string text;
  Precedence precedence = Precedence::Primary;

  /// The text, in parentheses if it binds less tightly than `outer` demands.
  std::string in(Precedence outer) const { return precedence < outer ? "(" + text + ")" : text; }
};

/// Prints values. A value with `msl.name` is its variable; every other is written out where it is used.
class ExpressionPrinter {
public:
  /// The text of `value` at a use of it, as an unsigned number if it is an integer.
  Expression print(mlir::Value value);
  /// The text of what `op` computes, whatever it is called.
  Expression printDefinition(mlir::Operation *op);
  /// The place that a pointer names: a variable, `x[i]`, `p[offset]`, `*q`.
  std::string printPlace(mlir::Value pointer);

  /// `place = value`, or `place += value` where the value is made from what lies there.
  std::string printAssignment(StoreOp store);
  /// `value` read as a signed number.
  std::string asSigned(mlir::Value value);

  /// What the text uses of Metal beyond numbers; filled while printing.
  llvm::StringSet<> preludeUsed;

  /// The locations of what is read and changed within a statement: text between kOriginBegin, the number of the location, kOriginIs and
  /// kOriginEnd comes from there. Whoever puts the text to paper takes these marks out.
  llvm::SetVector<mlir::Location> origins;
  static constexpr char kOriginBegin = 1, kOriginIs = 2, kOriginEnd = 3;

private:
  /// `text` between marks that name its origin.
  std::string marked(mlir::Operation *op, const std::string &text);
  Expression binary(mlir::Operation *op, llvm::StringRef symbol, Precedence precedence, bool commutes);
  Expression comparison(mlir::arith::CmpIOp op);
  Expression comparison(mlir::arith::CmpFOp op);
  Expression call(llvm::StringRef function, mlir::ValueRange arguments);
  Expression function(mlir::Operation *op, llvm::StringRef name) { return call(name, op->getOperands()); }
  Expression signedCall(mlir::Operation *op, llvm::StringRef name);
  Expression simd(SimdOp op);
  Expression atomic(AtomicOp op);
  /// `value` as what is added to a pointer.
  Expression asOffset(mlir::Value value);
  /// The name of `value`; empty for one that is written out.
  std::string nameOf(mlir::Value value);
  /// `type(text)`.
  Expression cast(llvm::StringRef type, const std::string &text) { return {(type + "(" + text + ")").str(), Precedence::Primary}; }
};

} // namespace triton_metal::msl
