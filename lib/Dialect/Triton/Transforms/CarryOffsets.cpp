//===- CarryOffsets.cpp - loops carry offsets, not tensors of pointers --------------------===//
//
// `p += k * stride` moves every lane of a carried tensor by the same amount. The loop then carries that amount, a scalar, and the tensor
// is `init + amount`, whose lanes are as contiguous as those of `init`. The same for integer tensors.
//
//===----------------------------------------------------------------------------===//
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace triton_metal::tt {
#define GEN_PASS_DEF_CARRYOFFSETS
#include "triton_metal/Dialect/Triton/Transforms/TritonPasses.h.inc"

namespace {

/// The scalar that all lanes of `value` equal: a value, or a constant; null if it is not seen.
OpFoldResult uniformSource(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto splat = dyn_cast<tt::SplatOp>(op))
      return splat.getSrc();
    if (!isa<tt::BroadcastOp, tt::ExpandDimsOp, tt::ReshapeOp>(op))
      break;
    value = op->getOperand(0);
  }
  SplatElementsAttr constant;
  if (matchPattern(value, m_Constant(&constant)) && isa<IntegerType>(constant.getElementType()))
    return constant.getSplatValue<Attribute>();
  return {};
}

/// Steps by which `next` is reached from `arg`; false if not all are uniform.
bool stepsTo(Value next, Value arg, SmallVectorImpl<OpFoldResult> &steps) {
  while (next != arg) {
    Operation *op = next.getDefiningOp();
    if (!op || !isa<tt::AddPtrOp, arith::AddIOp>(op))
      return false;
    OpFoldResult second = uniformSource(op->getOperand(1));
    if (second) {
      steps.push_back(second);
      next = op->getOperand(0);
      continue;
    }
    OpFoldResult first = isa<arith::AddIOp>(op) ? uniformSource(op->getOperand(0)) : OpFoldResult();
    if (!first)
      return false;
    steps.push_back(first);
    next = op->getOperand(1);
  }
  return !steps.empty();
}

struct Carried {
  SmallVector<OpFoldResult> steps;
  Type scalar; ///< of the amount; null: carried as before
};

/// init + amount, in init's type.
Value moved(OpBuilder &b, Location loc, Value init, Value amount) {
  auto type = cast<RankedTensorType>(init.getType());
  Value wide = tt::SplatOp::create(b, loc, type.clone(amount.getType()), amount);
  if (isa<tt::PointerType>(type.getElementType()))
    return tt::AddPtrOp::create(b, loc, type, init, wide);
  return arith::AddIOp::create(b, loc, init, wide);
}

/// Where the offset of what `location` names comes from: `a_offset` of `a_ptrs`.
Location offsetLocation(Location location) {
  auto name = dyn_cast<NameLoc>(location);
  if (!name)
    return location;
  StringRef stem = name.getName();
  if (!stem.consume_back("_ptrs"))
    stem.consume_back("_ptr");
  return NameLoc::get(StringAttr::get(location.getContext(), stem + "_offset"), name.getChildLoc());
}

void rewrite(scf::ForOp loop) {
  IRRewriter b(loop.getContext());
  Location loc = loop.getLoc();
  SmallVector<Carried> carried(loop.getNumRegionIterArgs());
  bool any = false;
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  for (auto [index, arg] : llvm::enumerate(loop.getRegionIterArgs())) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    if (!type || !isa<tt::PointerType, IntegerType>(type.getElementType()))
      continue;
    SmallVector<OpFoldResult> steps;
    if (!stepsTo(yield.getOperand(index), arg, steps))
      continue;
    carried[index].steps = std::move(steps);
    carried[index].scalar = isa<tt::PointerType>(type.getElementType()) ? Type(b.getI64Type()) : type.getElementType();
    any = true;
  }
  if (!any)
    return;
  b.setInsertionPoint(loop);
  SmallVector<Value> inits;
  for (auto [init, entry] : llvm::zip_equal(loop.getInitArgs(), carried))
    inits.push_back(entry.scalar ? Value(arith::ConstantOp::create(b, loc, b.getIntegerAttr(entry.scalar, 0))) : init);
  auto newLoop = scf::ForOp::create(b, loc, loop.getLowerBound(), loop.getUpperBound(), loop.getStep(), inits);
  newLoop->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  Block *body = newLoop.getBody();
  if (body->mightHaveTerminator())
    b.eraseOp(body->getTerminator());
  b.setInsertionPointToStart(body);
  SmallVector<Value> arguments{newLoop.getInductionVar()};
  for (auto [index, entry] : llvm::enumerate(carried)) {
    BlockArgument arg = newLoop.getRegionIterArg(index);
    Location location = loop.getRegionIterArg(index).getLoc();
    arg.setLoc(entry.scalar ? offsetLocation(location) : location);
    arguments.push_back(entry.scalar ? moved(b, location, loop.getInitArgs()[index], arg) : Value(arg));
  }
  b.mergeBlocks(loop.getBody(), body, arguments);
  b.setInsertionPoint(yield);
  for (auto [index, entry] : llvm::enumerate(carried)) {
    if (!entry.scalar)
      continue;
    Value amount = newLoop.getRegionIterArg(index);
    for (OpFoldResult step : entry.steps) {
      Value value;
      if (auto attr = dyn_cast<Attribute>(step))
        value = arith::ConstantOp::create(b, loc, b.getIntegerAttr(entry.scalar, cast<IntegerAttr>(attr).getValue().getSExtValue()));
      else
        value = cast<Value>(step);
      if (value.getType() != entry.scalar)
        value = arith::ExtSIOp::create(b, loc, entry.scalar, value);
      amount = arith::AddIOp::create(b, loc, amount, value);
    }
    yield->setOperand(index, amount);
  }
  b.setInsertionPointAfter(newLoop);
  for (auto [index, entry] : llvm::enumerate(carried)) {
    Value result = newLoop.getResult(index);
    if (entry.scalar && !loop.getResult(index).use_empty())
      result = moved(b, loc, loop.getInitArgs()[index], result);
    if (!loop.getResult(index).use_empty())
      b.replaceAllUsesWith(loop.getResult(index), result);
  }
  b.eraseOp(loop);
}

struct CarryOffsets : public impl::CarryOffsetsBase<CarryOffsets> {
  void runOnOperation() override { carryOffsets(getOperation()); }
};

} // namespace

void carryOffsets(Operation *root) {
  SmallVector<scf::ForOp> loops;
  root->walk([&](scf::ForOp loop) { loops.push_back(loop); }); // inner loops first
  for (scf::ForOp loop : loops)
    rewrite(loop);
}

} // namespace triton_metal::tt
