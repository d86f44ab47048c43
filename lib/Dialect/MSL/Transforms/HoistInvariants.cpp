//===- HoistInvariants.cpp - what a loop does not change stands before it -----------------===//
//
// A nest of loops over registers computes its addresses where it stands, which may be in a loop of the source: a lane's place in a
// matrix, a row's mask. Metal's compiler would move them too; here it is for the reader, and so that the nests before, in and behind the
// loop share them. Loops over registers are unrolled, so nothing is moved out of these alone; nothing leaves a branch, whose
// condition may be there to save the work.
//
//===----------------------------------------------------------------------------------------===//
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"

namespace triton_metal::msl {
#define GEN_PASS_DEF_HOISTINVARIANTS
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"
} // namespace triton_metal::msl

using namespace mlir;
using namespace triton_metal::msl;

/// Moves what `block`, a part of the body of `loop`, computes from values before the loop.
static void hoist(Block &block, Operation *loop) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (auto inner = dyn_cast<ForOp>(op); inner && inner.getUnroll()) {
      hoist(inner.getBody().front(), loop);
      continue;
    }
    bool isInvariant = op.getNumRegions() == 0 && isMemoryEffectFree(&op) && llvm::none_of(op.getOperands(), [&](Value operand) {
                         return loop->getRegion(0).isAncestor(operand.getParentRegion());
                       });
    if (isInvariant)
      op.moveBefore(loop);
  }
}

namespace {
struct HoistInvariants : public triton_metal::msl::impl::HoistInvariantsBase<HoistInvariants> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) { // inner loops first
      if (auto loop = dyn_cast<ForOp>(op); (loop && !loop.getUnroll()) || isa<LoopOp>(op))
        hoist(op->getRegion(0).front(), op);
    });
  }
};
} // namespace
