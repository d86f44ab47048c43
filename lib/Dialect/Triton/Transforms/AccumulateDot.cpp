//===- AccumulateDot.cpp - a sum with a product of matrices starts from the addend ----------===//
//
// `dot(a, b, 0) + c` becomes `dot(a, b, c)`, as upstream does it: `acc += tl.dot(a, b)` is then what `acc = tl.dot(a, b, acc)` is.
//
//===----------------------------------------------------------------------------------------===//
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"

namespace triton_metal::tt {
#define GEN_PASS_DEF_ACCUMULATEDOT
#include "triton_metal/Dialect/Triton/Transforms/TritonPasses.h.inc"
} // namespace triton_metal::tt

using namespace mlir;
using namespace triton_metal::tt;

namespace {

struct AccumulateDot : public triton_metal::tt::impl::AccumulateDotBase<AccumulateDot> {
  void runOnOperation() override {
    SmallVector<DotOp> dots;
    getOperation()->walk([&](DotOp dot) { dots.push_back(dot); });
    for (DotOp dot : dots) {
      bool startsAtZero = matchPattern(dot.getC(), m_AnyZeroFloat()) || matchPattern(dot.getC(), m_Zero());
      // The sum must come before the next one is looked at: dot(a, b, 0) + dot(c, d, 0) keeps one of them.
      Operation *sum = dot->hasOneUse() ? *dot->user_begin() : nullptr;
      if (!startsAtZero || dot.getMaxNumImpreciseAcc() || !isa_and_nonnull<arith::AddFOp, arith::AddIOp>(sum) ||
          sum->getBlock() != dot->getBlock())
        continue;
      Value addend = sum->getOperand(sum->getOperand(0) == dot.getD() ? 1 : 0);
      dot->moveBefore(sum);
      dot.getCMutable().assign(addend);
      dot->setLoc(sum->getLoc());
      sum->getResult(0).replaceAllUsesWith(dot.getD());
      sum->erase();
    }
  }
};

} // namespace
