//===- PrepareForMetal.cpp - tt operations that have no distributed form ------------------===//
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h"

#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"
#include "triton_metal/Support/Unsupported.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace triton_metal::ttm {
#define GEN_PASS_DEF_PREPAREFORMETAL
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h.inc"
} // namespace triton_metal::ttm

using namespace mlir;
using namespace triton_metal;

static constexpr llvm::StringLiteral kOtherDevice = "launch it with device=\"cpu\"";

//===----------------------------------------------------------------------===//
// What the device cannot do
//===----------------------------------------------------------------------===//

static bool isFp64(Type type) { return tt::getElementOf(type).isF64(); }

static LogicalResult checkDot(tt::DotOp dot) {
  Type a = tt::getElementOf(dot.getA().getType()), b = tt::getElementOf(dot.getB().getType());
  auto known = [](Type type) { return type.isF16() || type.isBF16() || type.isF32() || type.isInteger(8); };
  if (a == b && known(a))
    return success();
  std::string types;
  llvm::raw_string_ostream(types) << a << " and " << b;
  return emitUnsupported(dot, "metal", "operands of " + Twine(types) + " have no matrix instruction",
                         "convert both to float16, bfloat16 or float32, or " + Twine(kOtherDevice), "tl.dot");
}

static LogicalResult checkAtomic(Operation *op, Value value) {
  Type type = tt::getElementOf(value.getType());
  if (type.getIntOrFloatBitWidth() < 64)
    return success();
  return emitUnsupported(op, "metal", "the device has no 64-bit read-modify-write",
                         "use 32-bit elements, or " + Twine(kOtherDevice));
}

static LogicalResult check(Operation *op) {
  if (llvm::any_of(op->getResultTypes(), isFp64))
    return emitUnsupported(op, "metal", "Apple GPUs have no 64-bit floating point",
                           "compute in float32, or " + Twine(kOtherDevice));
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([](tt::DotOp dot) { return checkDot(dot); })
      .Case<tt::AtomicRMWOp, tt::AtomicCASOp>([](auto atomic) { return checkAtomic(atomic, atomic.getVal()); })
      .Case([](tt::HistogramOp histogram) {
        int64_t work = tt::getShapeOf(histogram.getSrc().getType()).front() * tt::getShapeOf(histogram.getType()).front();
        if (work <= tt::kMaxTensorElements)
          return success();
        return emitUnsupported(histogram, "metal", "elements times bins are " + Twine(work) + ", more than 1048576",
                               "use smaller blocks, or atomic additions to memory, or " + Twine(kOtherDevice), "tl.histogram");
      })
      .Case([](tt::CallOp call) {
        return emitUnsupported(call, "metal", "the callee was not inlined", "remove noinline from " + call.getCallee());
      })
      .Default([](Operation *) { return success(); });
}

//===----------------------------------------------------------------------===//
// Rewrites
//===----------------------------------------------------------------------===//

/// Concatenation along dimension 0 is a join whose new dimension is moved to the front and merged.
static void expandCat(tt::CatOp cat) {
  OpBuilder builder(cat);
  Value joined = tt::JoinOp::create(builder, cat.getLoc(), cat.getLhs(), cat.getRhs());
  auto type = cast<RankedTensorType>(joined.getType());
  SmallVector<int32_t> order{int32_t(type.getRank() - 1)};
  for (int32_t dim = 0; dim + 1 < type.getRank(); ++dim)
    order.push_back(dim);
  Value moved = tt::TransOp::create(builder, cat.getLoc(), joined, order);
  cat.replaceAllUsesWith(tt::ReshapeOp::create(builder, cat.getLoc(), cat.getType(), moved, UnitAttr(), UnitAttr()).getResult());
  cat.erase();
}

static Value zeros(OpBuilder &builder, Location loc, RankedTensorType type) {
  return arith::ConstantOp::create(builder, loc, SplatElementsAttr::get(type, builder.getZeroAttr(type.getElementType())));
}

/// The two halves of a tensor along `axis`.
static std::pair<Value, Value> halve(OpBuilder &builder, Location loc, Value value, int64_t axis) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] /= 2;
  shape.insert(shape.begin() + axis, 2);
  Value apart = tt::ReshapeOp::create(builder, loc, RankedTensorType::get(shape, type.getElementType()), value, UnitAttr(), UnitAttr());
  SmallVector<int32_t> order; // the new dimension goes last
  for (int32_t dim = 0; dim <= type.getRank(); ++dim)
    if (dim != axis)
      order.push_back(dim);
  order.push_back(int32_t(axis));
  auto halves = tt::SplitOp::create(builder, loc, tt::TransOp::create(builder, loc, apart, order));
  return {halves.getOutLHS(), halves.getOutRHS()};
}

/// Products of int8 are exact in halves, and sums of 1024 of them, at most 2^24, in floats. Longer ones are taken apart, and partial sums
/// are added as integers.
static void expandIntegerDot(tt::DotOp dot) {
  constexpr int64_t mostExact = 1024;
  OpBuilder builder(dot);
  Location loc = dot.getLoc();
  int64_t rank = cast<RankedTensorType>(dot.getA().getType()).getRank();
  if (cast<RankedTensorType>(dot.getA().getType()).getShape().back() > mostExact) {
    auto [aFirst, aSecond] = halve(builder, loc, dot.getA(), rank - 1);
    auto [bFirst, bSecond] = halve(builder, loc, dot.getB(), rank - 2);
    auto first = tt::DotOp::create(builder, loc, dot.getType(), aFirst, bFirst, dot.getC());
    auto second = tt::DotOp::create(builder, loc, dot.getType(), aSecond, bSecond, first);
    dot.replaceAllUsesWith(second.getResult());
    dot.erase();
    expandIntegerDot(first);
    expandIntegerDot(second);
    return;
  }
  auto half = [&](Value value) -> Value {
    return arith::SIToFPOp::create(builder, loc, tt::withElementOf(value.getType(), builder.getF16Type()), value);
  };
  auto sums = cast<RankedTensorType>(tt::withElementOf(dot.getType(), builder.getF32Type()));
  Value product = tt::DotOp::create(builder, loc, sums, half(dot.getA()), half(dot.getB()), zeros(builder, loc, sums));
  auto integers = arith::FPToSIOp::create(builder, loc, dot.getType(), product);
  integers->setAttr(ttm::kExact, builder.getUnitAttr());
  dot.replaceAllUsesWith(arith::AddIOp::create(builder, loc, dot.getC(), integers).getResult());
  dot.erase();
}

/// Accumulators are floats: halves gain nothing on these GPUs and lose most digits.
static void widenAccumulator(tt::DotOp dot) {
  OpBuilder builder(dot);
  Location loc = dot.getLoc();
  Type wide = tt::withElementOf(dot.getType(), builder.getF32Type());
  Value c = arith::ExtFOp::create(builder, loc, wide, dot.getC());
  Value d = tt::DotOp::create(builder, loc, wide, dot.getA(), dot.getB(), c, dot.getInputPrecision(), dot.getMaxNumImpreciseAcc());
  dot.replaceAllUsesWith(arith::TruncFOp::create(builder, loc, dot.getType(), d).getResult());
  dot.erase();
}

/// A histogram counts, for each bin, the elements that are equal to it.
static void expandHistogram(tt::HistogramOp histogram) {
  OpBuilder builder(histogram);
  Location loc = histogram.getLoc();
  Value source = histogram.getSrc();
  auto counts = cast<RankedTensorType>(histogram.getType());
  int64_t size = tt::getShapeOf(source.getType()).front(), bins = counts.getDimSize(0);
  auto spread = [&](Value value, int64_t axis) -> Value {
    Type element = tt::getElementOf(value.getType());
    auto flat = axis ? RankedTensorType::get({size, 1}, element) : RankedTensorType::get({1, bins}, element);
    Value expanded = tt::ExpandDimsOp::create(builder, loc, flat, value, uint32_t(axis));
    return tt::BroadcastOp::create(builder, loc, RankedTensorType::get({size, bins}, element), expanded);
  };
  Value range = tt::MakeRangeOp::create(builder, loc, RankedTensorType::get({bins}, builder.getI32Type()), 0, uint32_t(bins));
  Value hit = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, spread(source, 1), spread(range, 0));
  if (Value mask = histogram.getMask())
    hit = arith::AndIOp::create(builder, loc, hit, spread(mask, 1));
  Type element = counts.getElementType();
  Value ones = arith::ExtUIOp::create(builder, loc, RankedTensorType::get({size, bins}, element), hit);
  auto sum = tt::ReduceOp::create(builder, loc, TypeRange(counts), ValueRange(ones), uint32_t(0));
  Block *body = builder.createBlock(&sum.getCombineOp(), {}, {element, element}, {loc, loc});
  Value both = arith::AddIOp::create(builder, loc, body->getArgument(0), body->getArgument(1));
  tt::ReduceReturnOp::create(builder, loc, both);
  histogram.replaceAllUsesWith(sum.getResult().front());
  histogram.erase();
}

/// The lanes that combine values run as one, so a combine function computes both ways of its `if`s and selects. An `if` that does more
/// than compute stays, and is refused where the function is written out.
static void flattenBranches(Region &combine) {
  combine.walk([](scf::IfOp branch) {
    auto computes = [](Region &region) {
      return llvm::all_of(region.getOps(), [](Operation &op) {
        return op.hasTrait<OpTrait::IsTerminator>() || (op.getNumRegions() == 0 && isMemoryEffectFree(&op));
      });
    };
    if (!computes(branch.getThenRegion()) || !computes(branch.getElseRegion()) || branch.getElseRegion().empty())
      return;
    OpBuilder builder(branch);
    auto hoist = [&](Block *block) {
      SmallVector<Value> results(block->getTerminator()->getOperands());
      block->getTerminator()->erase();
      branch->getBlock()->getOperations().splice(branch->getIterator(), block->getOperations());
      return results;
    };
    SmallVector<Value> first = hoist(branch.thenBlock()), second = hoist(branch.elseBlock());
    for (auto [result, yes, no] : llvm::zip_equal(branch.getResults(), first, second))
      result.replaceAllUsesWith(arith::SelectOp::create(builder, branch.getLoc(), branch.getCondition(), yes, no));
    branch.erase();
  });
}

/// A scalar atomic happens once, and every lane needs what it gives: one on a tensor of one element, whose holder does it.
static void expandScalarAtomic(Operation *op) {
  OpBuilder builder(op);
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = RankedTensorType::get({1}, operand.get().getType());
    operand.set(tt::SplatOp::create(builder, op->getLoc(), type, operand.get()));
  }
  Value result = op->getResult(0);
  Type scalar = result.getType();
  result.setType(RankedTensorType::get({1}, scalar));
  builder.setInsertionPointAfter(op);
  auto unsplat = tt::UnsplatOp::create(builder, op->getLoc(), scalar, result);
  result.replaceAllUsesExcept(unsplat, unsplat);
}

/// All lanes of a program end where an assertion does not hold, so all must know: it is asked of one number.
static void reduceAssertion(tt::AssertOp assertion) {
  auto type = dyn_cast<RankedTensorType>(assertion.getCondition().getType());
  if (!type)
    return;
  OpBuilder builder(assertion);
  Location loc = assertion.getLoc();
  Type word = builder.getI32Type();
  auto flat = RankedTensorType::get({type.getNumElements()}, type.getElementType());
  Value condition = assertion.getCondition();
  if (type.getRank() != 1)
    condition = tt::ReshapeOp::create(builder, loc, flat, condition, UnitAttr(), UnitAttr());
  condition = arith::ExtUIOp::create(builder, loc, flat.clone(word), condition);
  auto all = tt::ReduceOp::create(builder, loc, TypeRange(word), ValueRange(condition), uint32_t(0));
  Block *body = builder.createBlock(&all.getCombineOp(), {}, {word, word}, {loc, loc});
  Value both = arith::AndIOp::create(builder, loc, body->getArgument(0), body->getArgument(1));
  tt::ReduceReturnOp::create(builder, loc, both);
  builder.setInsertionPoint(assertion);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  Value holds = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, all.getResult().front(), zero);
  assertion.getConditionMutable().assign(holds);
}

namespace {

struct PrepareForMetal : public triton_metal::ttm::impl::PrepareForMetalBase<PrepareForMetal> {
  void runOnOperation() override {
    WalkResult refused =
        getOperation().walk([](Operation *op) { return failed(check(op)) ? WalkResult::interrupt() : WalkResult::advance(); });
    if (refused.wasInterrupted())
      return signalPassFailure();
    getOperation().walk([](Operation *op) {
      if (auto cat = dyn_cast<tt::CatOp>(op))
        return expandCat(cat);
      if (auto histogram = dyn_cast<tt::HistogramOp>(op))
        return expandHistogram(histogram);
      if (isa<tt::ReduceOp, tt::ScanOp>(op))
        return flattenBranches(op->getRegion(0));
      if (auto assertion = dyn_cast<tt::AssertOp>(op))
        return reduceAssertion(assertion);
      if (isa<LLVM::AssumeOp>(op)) // Metal's text has no such hint
        return op->erase();
      if (isa<tt::DebugBarrierOp>(op)) {
        OpBuilder builder(op);
        ttm::BarrierOp::create(builder, op->getLoc(), ttm::Scope::Threadgroup, /*device=*/true);
        return op->erase();
      }
      if (isa<tt::SharedBarrierOp>(op)) {
        OpBuilder builder(op);
        ttm::BarrierOp::create(builder, op->getLoc(), ttm::Scope::Threadgroup, /*device=*/false);
        return op->erase();
      }
      if (isa<tt::AtomicRMWOp, tt::AtomicCASOp>(op) && !op->use_empty() && !isa<RankedTensorType>(op->getResult(0).getType()))
        return expandScalarAtomic(op);
      auto dot = dyn_cast<tt::DotOp>(op);
      if (dot && tt::getElementOf(dot.getA().getType()).isInteger(8))
        return expandIntegerDot(dot);
      if (dot && !tt::getElementOf(dot.getType()).isF32())
        return widenAccumulator(dot);
    });
  }
};

} // namespace
