//===- PlantFault.cpp - deliberate miscompilations, for tests -----------------------===//
//
// A fuzzer that finds nothing proves little until it has found something. This pass makes one kind of wrong code; the fuzzer's test
// runs it with each kind and demands that the fault is found. No pipeline contains it unless a test asks for it by option.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"

#include "llvm/ADT/StringSwitch.h"

namespace triton_metal::tt {
#define GEN_PASS_DEF_PLANTFAULT
#include "triton_metal/Dialect/Triton/Transforms/TritonPasses.h.inc"
} // namespace triton_metal::tt

using namespace mlir;
using namespace triton_metal::tt;

namespace {

static void swapOperands(Operation *op, unsigned i, unsigned j) {
  Value first = op->getOperand(i);
  op->setOperand(i, op->getOperand(j));
  op->setOperand(j, first);
}

static void swapSub(Operation *op) {
  if (isa<arith::SubIOp, arith::SubFOp>(op))
    swapOperands(op, 0, 1);
}

static void maskOffByOne(Operation *op) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op); compare && compare.getPredicate() == arith::CmpIPredicate::slt)
    compare.setPredicate(arith::CmpIPredicate::sle);
}

static void selectSwap(Operation *op) {
  if (isa<arith::SelectOp>(op))
    swapOperands(op, 1, 2);
}

static void shiftLogical(Operation *op) {
  auto shift = dyn_cast<arith::ShRSIOp>(op);
  if (!shift)
    return;
  OpBuilder builder(op);
  Value logical = arith::ShRUIOp::create(builder, op->getLoc(), shift.getLhs(), shift.getRhs());
  shift.replaceAllUsesWith(logical);
  shift.erase();
}

static void reduceDrop(Operation *op) {
  auto ret = dyn_cast<ReduceReturnOp>(op);
  if (ret && isa_and_nonnull<arith::AddIOp, arith::AddFOp>(ret.getOperand(0).getDefiningOp()))
    ret->setOperand(0, ret->getBlock()->getArgument(0));
}

struct PlantFault : public triton_metal::tt::impl::PlantFaultBase<PlantFault> {
  using PlantFaultBase::PlantFaultBase;

  void runOnOperation() override {
    auto plant = llvm::StringSwitch<void (*)(Operation *)>(kind)
                     .Case("swap-sub", swapSub)
                     .Case("mask-off-by-one", maskOffByOne)
                     .Case("select-swap", selectSwap)
                     .Case("shift-logical", shiftLogical)
                     .Case("reduce-drop", reduceDrop)
                     .Default(nullptr);
    if (!plant) {
      getOperation()->emitError("unknown fault '") << kind
          << "'; there are swap-sub, mask-off-by-one, select-swap, shift-logical and reduce-drop";
      return signalPassFailure();
    }
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops)
      plant(op);
  }
};

} // namespace
