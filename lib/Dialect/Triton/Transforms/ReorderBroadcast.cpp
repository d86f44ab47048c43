//===- ReorderBroadcast.cpp - elementwise before splat and broadcast ---------------===//
//
// A kernel computes on scalars and on small tensors and widens late: `elementwise(splat a, splat b)` becomes
// `splat(elementwise(a, b))`, and an elementwise operation whose operands are broadcasts of one shape (or splats) is done on that
// shape. Operations with side effects or regions stay where they are. Nothing is duplicated: an operand that has other users keeps
// them.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"

namespace triton_metal::tt {
#define GEN_PASS_DEF_REORDERBROADCAST
#include "triton_metal/Dialect/Triton/Transforms/TritonPasses.h.inc"
} // namespace triton_metal::tt

using namespace mlir;
using namespace triton_metal::tt;

namespace {

/// The scalar that `value` repeats, as a value or a constant attribute; null if it is no splat.
static OpFoldResult splatSource(Value value) {
  if (auto splat = value.getDefiningOp<SplatOp>())
    return splat.getSrc();
  SplatElementsAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant.getSplatValue<Attribute>();
  return {};
}

static bool isMovable(Operation *op) {
  return op->hasTrait<OpTrait::Elementwise>() && isMemoryEffectFree(op) && op->getNumRegions() == 0 &&
         op->getNumOperands() > 0 && op->getNumResults() == 1 && isa<RankedTensorType>(op->getResult(0).getType()) &&
         llvm::all_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>);
}

static Value asScalar(OpBuilder &builder, Location loc, OpFoldResult source) {
  if (auto value = dyn_cast<Value>(source))
    return value;
  return arith::ConstantOp::create(builder, loc, cast<TypedAttr>(cast<Attribute>(source)));
}

struct ScalariseSplats : public RewritePattern {
  ScalariseSplats(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isMovable(op))
      return failure();
    SmallVector<OpFoldResult> sources;
    for (Value operand : op->getOperands()) {
      sources.push_back(splatSource(operand));
      if (!sources.back())
        return failure();
    }
    SmallVector<Value> operands;
    for (OpFoldResult source : sources)
      operands.push_back(asScalar(rewriter, op->getLoc(), source));
    Operation *scalar = rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands,
                                        getElementOf(op->getResult(0).getType()), op->getAttrs());
    rewriter.replaceOpWithNewOp<SplatOp>(op, op->getResult(0).getType(), scalar->getResult(0));
    return success();
  }
};

struct ShrinkBroadcasts : public RewritePattern {
  ShrinkBroadcasts(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isMovable(op))
      return failure();
    RankedTensorType small;
    for (Value operand : op->getOperands()) {
      if (splatSource(operand))
        continue;
      auto broadcast = operand.getDefiningOp<BroadcastOp>();
      if (!broadcast)
        return failure();
      auto type = cast<RankedTensorType>(broadcast.getSrc().getType());
      if (small && small.getShape() != type.getShape())
        return failure();
      small = type;
    }
    if (!small)
      return failure();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (auto broadcast = operand.getDefiningOp<BroadcastOp>()) {
        operands.push_back(broadcast.getSrc());
        continue;
      }
      Value scalar = asScalar(rewriter, op->getLoc(), splatSource(operand));
      operands.push_back(SplatOp::create(rewriter, op->getLoc(), withElementOf(small, scalar.getType()), scalar));
    }
    Type type = op->getResult(0).getType();
    Operation *shrunk = rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands,
                                        withElementOf(small, getElementOf(type)), op->getAttrs());
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, type, shrunk->getResult(0));
    return success();
  }
};

struct ReorderBroadcast : public triton_metal::tt::impl::ReorderBroadcastBase<ReorderBroadcast> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ScalariseSplats, ShrinkBroadcasts>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
