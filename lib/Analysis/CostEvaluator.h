//===- CostEvaluator.h - the slice of a kernel that decides what runs, on one box of programs --===//
#pragma once

#include "CostValue.h"
#include "triton_metal/Analysis/Cost.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <set>

namespace triton_metal::cost {

/// Where a box must be cut for its programs to do the same.
struct Split {
  unsigned axis;
  int64_t at;     ///< begins the second part
  bool intoPoints; ///< every position for itself
};

/// The values that masks, bounds and conditions are computed from, conditions and bounds of loops included; on demand pointers too.
llvm::DenseSet<mlir::Value> findRelevant(tt::FuncOp kernel, bool withPointers);

/// An access at every position of a box, `repeats` times at each.
struct Visit {
  mlir::Operation *op;
  Known pointer;
  std::optional<Known> mask; ///< of an access that has one
  Axes axes;
  uint64_t repeats;
};

inline mlir::Type resultType(mlir::Operation *op) { return op->getResult(0).getType(); }
/// Bits of an integer; pointers and indices have 64.
inline unsigned widthOf(mlir::Type type) {
  mlir::Type element = tt::getElementOf(type);
  return mlir::isa<mlir::IntegerType>(element) ? element.getIntOrFloatBitWidth() : 64;
}

/// Elements of `shape`, each taken from where `strides` say that it lies in `source`.
std::vector<int64_t> permuted(const std::vector<int64_t> &source, Shape shape, llvm::ArrayRef<int64_t> strides);

class Evaluator {
public:
  /// Where `visits` is given, pointers are followed, and it gets every access that is reached, in order.
  Evaluator(tt::FuncOp kernel, llvm::ArrayRef<uint64_t> arguments, std::array<int32_t, 3> grid, std::vector<Visit> *visits = nullptr);

  /// The cost of each program of the box of program ids; nothing where it must be split first.
  std::optional<Cost> evaluate(const std::array<Interval, 3> &box, Split &split);

  /// The numbers of the arguments that the evaluated values depend on.
  llvm::SmallVector<unsigned> usedArguments();

  /// Whether every loop and condition was followed.
  bool followsControl = true;
  /// Units that may still be spent. Below zero, loops end early with a reason.
  int64_t effort = 0;
  /// Why counts are not exact, each once.
  llvm::SmallVector<CostReason, 2> reasons;
  void explain(mlir::Location where, std::string what);
  /// Keeps the first `kept`.
  void forgetReasons(size_t kept);

private:
  /// What is evaluated of a block, and what the rest of it costs each time.
  struct Plan {
    Cost fixed;
    struct Step {
      mlir::Operation *op;
      bool isSame; ///< its result is the same in every program and iteration
      bool isDone; ///< and is known
    };
    llvm::SmallVector<Step> steps;
  };
  Plan &planOf(mlir::Block &block);
  bool isSame(mlir::Operation *op);

  // CostEvaluator.cpp: blocks, loops, memory. After each, `split` may be set, and then the result says nothing.
  Cost evaluateBlock(mlir::Block &block);
  Cost evaluateFor(mlir::scf::ForOp loop);
  Cost evaluateIterations(mlir::scf::ForOp loop, const Known &first, int64_t step, int64_t trips);
  Cost evaluateCarried(mlir::scf::ForOp loop, const Known &first, int64_t step, int64_t trips);
  Cost evaluateUnknownLoop(mlir::scf::ForOp loop, mlir::Operation *origin);
  Cost evaluateIf(mlir::scf::IfOp branch);
  Cost evaluateWhile(mlir::scf::WhileOp loop);
  Cost evaluateMemory(mlir::Operation *op);
  void setResults(mlir::Operation *op, mlir::Operation *terminator, unsigned skip = 0);
  void explainUnknown(mlir::Operation *op, const char *what, mlir::Operation *origin, const char *consequence);

  // CostTransfer.cpp: values.
  Known transfer(mlir::Operation *op);
  Known transferShape(mlir::Operation *op, const Known &source);
  Known transferFloat(mlir::Operation *op);
  Known transferBits(mlir::Operation *op);
  Known transferIntegers(mlir::Operation *op);
  Known divide(mlir::Operation *op, const Known &value, int64_t divisor, bool remainder);
  Known choose(mlir::Operation *op, const Known &condition, const Known &yes, const Known &no);
  Known compare(mlir::arith::CmpIOp op);
  Known isNegative(mlir::Operation *op, const Affine &value, Shape shape);
  Known fitted(mlir::Operation *op, std::optional<Affine> affine);

  /// Whether `function` of the positions' part of `value` is the same on the whole box; asks for a split where it changes first, if not.
  /// `function` is monotone.
  bool isSettled(const Affine &value, llvm::function_ref<int64_t(int64_t)> function);
  bool atOnePoint(const Affine &value);
  void splitIntoPoints(unsigned axis);

  // CostElements.cpp
  /// Element by element, at one point of the box.
  Known pointwise(mlir::Operation *op);
  /// All elements, where every axis that they depend on has one position; else a split is asked for, and there are none.
  std::shared_ptr<const std::vector<int64_t>> elementsOf(const Known &known, Shape shape);

  const Known &get(mlir::Value value);
  /// Nothing is known of a result of `op`: because of an operand of which nothing is known, or of the operation.
  Known unknownResult(mlir::Operation *op);
  void set(mlir::Value value, Known known) { values[value] = std::move(known); }

  tt::FuncOp kernel;
  std::array<int32_t, 3> grid;
  llvm::DenseSet<mlir::Value> relevant;
  llvm::DenseMap<mlir::Block *, std::unique_ptr<Plan>> plans;
  llvm::DenseMap<mlir::Operation *, bool> same;
  llvm::DenseMap<mlir::Value, Known> values;
  Axes axes;
  std::optional<Split> split;
  std::vector<Visit> *visits;
  uint64_t repeats = 1; ///< of the block that is evaluated, beyond the positions of the box
  std::set<std::pair<const void *, std::string>> explained;
};

} // namespace triton_metal::cost
