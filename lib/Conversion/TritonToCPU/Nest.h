//===- Nest.h - evaluates tensor expressions inside a loop nest ---------------------===//
//
// A nest computes tensor values at the indices of its current step. An expression is followed from the value that is wanted down to
// loads, buffers and scalars; shape operations only map indices. Every value is computed once for an index, at the outermost loop that
// its index depends on.
//
// Speculation: the body of a nest stands twice, once under a test that all masks of its accesses are true in all lanes (and that index
// clamps change nothing), once for the rest. The first has plain vector accesses; in it the tested values are assumed.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "Buffers.h"
#include "Lanes.h"

#include "triton_metal/Dialect/Triton/IR/Dialect.h"
#include "triton_metal/Runtime/CPU/Callbacks.h"

namespace triton_metal::cpu {

class Program;

/// An access of the kernel's own, as checked code reports it.
struct Access {
  mlir::Operation *op;
  mlir::Value pointer;
  Site::Access kind;
};

class Nest : public LaneEmitter {
public:
  Nest(Program &program, mlir::OpBuilder &builder, mlir::Location loc);

  using Index = llvm::SmallVector<Lanes, 2>;
  /// The number of an index, equal for equal indices.
  unsigned intern(Index index);
  const Index &indexAt(unsigned id) const { return indices[id]; }

  /// The value of a tensor at an index, or of a scalar. Complaints are recorded in the program and give zeros.
  Lanes evaluate(mlir::Value value, unsigned index);

  /// Forgets values that were computed at `depth` or deeper.
  void leaveLevel(unsigned depth);

  // Memory by lanes. `mask` and `other` may be null; `access` is given for memory that is not ours.
  Lanes load(const Lanes &pointer, const Lanes *mask, const Lanes *other, mlir::Type element, unsigned depth,
             const Access *access = nullptr);
  void store(const Lanes &pointer, const Lanes *mask, const Lanes &value, unsigned depth, const Access *access = nullptr);
  Lanes loadBuffer(Buffer *buffer, unsigned index);
  void storeBuffer(Buffer *buffer, unsigned index, const Lanes &value);
  Lanes bufferPointer(Buffer *buffer, unsigned index);

  /// !llvm.ptr of a uniform pointer, or of lane 0 of an affine one.
  mlir::Value address(const Lanes &pointer);

  // Speculation.
  struct Wanted {
    mlir::Value value; ///< a tensor value, or a mask
    unsigned index;
    enum Kind { Data, Mask, Address } kind;
  };
  /// Finds what can be assumed for these values; returns the test (i1, at innerDepth), or null if there is nothing to gain.
  mlir::Value speculate(llvm::ArrayRef<Wanted> wanted);
  /// How many loads behind a value have consecutive addresses in consecutive lanes, less those that are scattered.
  int contiguousLoads(mlir::Value value, unsigned index);
  bool assuming = false; ///< what speculate() found holds

  Program &program;

private:
  Lanes compute(mlir::Operation *op, mlir::Value value, unsigned index);
  Lanes computeHere(mlir::Operation *op, mlir::Value value, unsigned index);
  Lanes elementwise(mlir::Operation *op, unsigned index);
  std::optional<Lanes> integerForm(mlir::Operation *op, llvm::ArrayRef<Lanes> operands);
  Lanes evaluateLoad(tt::LoadOp op, unsigned index);
  Lanes splitPointer(const Lanes &addresses, mlir::Type pointee);
  Lanes zero(mlir::Type element);
  Lanes constantAt(mlir::Value value, unsigned index);

  // Index maps of shape operations; `mapIndex` gives the index of operand 0, or nothing if `op` is no such operation.
  std::optional<unsigned> mapIndex(mlir::Operation *op, unsigned index);
  unsigned reshapeIndex(llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> to, unsigned index);
  Lanes sum(const Lanes &, const Lanes &);
  Lanes scaled(const Lanes &, int64_t factor);
  Lanes quotient(const Lanes &, unsigned bits);
  Lanes remainder(const Lanes &, unsigned bits);
  unsigned depthOfIndex(unsigned index) const;

  // Memory.
  void check(const Access *access, const Lanes &pointer, mlir::Value mask, mlir::Type memory, unsigned depth);
  mlir::Value plainLoad(const Lanes &pointer, mlir::Type memory, unsigned depth);
  mlir::Value pointerVector(const Lanes &pointer, mlir::Type memory, unsigned depth);
  mlir::Value underCondition(mlir::Value condition, mlir::Value otherwise, unsigned depth, llvm::function_ref<mlir::Value(unsigned)> make);

  // Speculation.
  struct Test {
    Lanes form;    ///< base + slope * j: the test is form + worst < 0; i1: the test is the form itself
    int64_t worst;
  };
  /// Where an element of a value that only changes its shape comes from; several where it depends on the lane, none of other values.
  llvm::SmallVector<std::pair<mlir::Value, unsigned>, 2> reshaped(mlir::Value value, unsigned index);
  void visitData(mlir::Value value, unsigned index, llvm::SmallVectorImpl<Test> &tests);
  void visitMask(mlir::Value value, unsigned index, llvm::SmallVectorImpl<Test> &tests);
  void visitAddress(mlir::Value value, unsigned index, llvm::SmallVectorImpl<Test> &tests);
  bool testNegative(const Lanes &difference, bool orZero, llvm::SmallVectorImpl<Test> &tests);
  bool testCompare(mlir::arith::CmpIPredicate predicate, const Lanes &left, const Lanes &right, llvm::SmallVectorImpl<Test> &tests);

  std::vector<Index> indices;
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, Lanes> values;
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, int> assumptions; ///< operand that the value equals; -1: true
  llvm::DenseSet<std::pair<mlir::Value, unsigned>> visited, loadsSeen, dataSeen;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Value>, Cached> differences;
  llvm::DenseMap<mlir::Value, Cached> widened;
};

/// The type of a tt scalar in registers.
mlir::Type registerType(mlir::Type type);

} // namespace triton_metal::cpu
