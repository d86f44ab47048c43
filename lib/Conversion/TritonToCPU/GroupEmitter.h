//===- GroupEmitter.h - the loops of one group of roots -------------------------------===//
#pragma once
#include "Program.h"

namespace triton_metal::cpu {

/// Combines two tuples of values by the region of a reduction or scan; scalars or vectors of one width. Empty if it cannot.
llvm::SmallVector<mlir::Value> combine(Program &program, mlir::OpBuilder &b, mlir::Location loc, mlir::Block &region,
                                       mlir::ValueRange left, mlir::ValueRange right);
/// The neutral element of the region's one operation, or null.
mlir::TypedAttr neutralElement(mlir::Block &region);

inline tt::ReduceOp reduceOf(const Root &root) { return llvm::cast<tt::ReduceOp>(root.op); }

class GroupEmitter {
public:
  GroupEmitter(Program &program, Group &group, mlir::OpBuilder &builder, mlir::Location loc);
  void emit();

private:
  using Values = llvm::SmallVector<mlir::Value>;
  /// What a root stores at one chunk of a step.
  struct Pending {
    const Root *root;
    unsigned chunk;
    Lanes value, pointer, mask;
  };

  void chooseLanes();
  void openOuterLoops();
  Values initialAccumulators();
  void innerLoop();
  Values speculated(Values accumulators);
  Values body(Values accumulators, unsigned count);
  Values reductionLoop(Values accumulators, unsigned count);
  Values step(Values accumulators, unsigned count, llvm::ArrayRef<unsigned> indices, mlir::Value first, bool onlyReductions);
  void storeAccumulators(Values accumulators, unsigned count);
  void finishRows(Values accumulators);
  unsigned indexOfChunk(unsigned chunk);
  unsigned withAxis(unsigned index, const Lanes &position);

  Program &program;
  Group &group;
  mlir::OpBuilder &b;
  mlir::Location loc;
  Nest nest;

  llvm::SmallVector<int64_t, 4> shape; ///< iterated by the outer loops and lanes: without the reduced axis if lanes run across it
  unsigned laneDim = 0;
  int64_t perChunk = 1; ///< indices of laneDim that a chunk covers
  int64_t chunks = 1;   ///< chunks of an unrolled step
  int64_t steps = 1;    ///< trips of the inner loop
  Nest::Index outer;    ///< index without the lane dimensions filled in
  unsigned bodyDepth = 0;
  bool needsFirst = false; ///< some reduction has no neutral element
};

} // namespace triton_metal::cpu
