//===- Speculate.cpp - what the fast version of a nest's body assumes -----------------===//
//
// A mask that compares affine lanes is true in all lanes iff the lane nearest to the bound passes: one scalar comparison. min and max
// between affine lanes and a bound (indices clamped at the border of an image) are their affine operand under a test of the same kind.
//
//===----------------------------------------------------------------------------===//
#include "Elementwise.h"
#include "Nest.h"
#include "Program.h"

using namespace mlir;

namespace triton_metal::cpu {

/// Records that `difference` (affine) is < 0, or <= 0, in all lanes.
bool Nest::testNegative(const Lanes &difference, bool orZero, SmallVectorImpl<Test> &tests) {
  if (difference.vector || difference.depth > innerDepth)
    return false;
  int64_t worst = difference.constant - (orZero ? 1 : 0);
  if (!difference.offsets.empty())
    worst += *llvm::max_element(difference.offsets);
  Lanes form;
  form.type = difference.type;
  form.base = difference.base;
  form.depth = difference.depth;
  form.slope = innerIndex ? difference.slope : 0;
  if (!form.base && form.slope == 0) {
    if (worst < 0)
      return true;
    return false;
  }
  for (Test &test : tests)
    if (test.form == form) {
      test.worst = std::max(test.worst, worst);
      return true;
    }
  tests.push_back({form, worst});
  return true;
}

bool Nest::testCompare(arith::CmpIPredicate predicate, const Lanes &left, const Lanes &right, SmallVectorImpl<Test> &tests) {
  if (left.vector || right.vector || left.isPointer() || left.type.isInteger(1))
    return false;
  if (left.depth > innerDepth || right.depth > innerDepth)
    return false;
  Type i64 = builder.getI64Type();
  // Extensions and differences are made once a base, so that the chunks of an unrolled body share one test.
  auto widen = [&](const Lanes &lanes) -> std::optional<Lanes> {
    if (!lanes.base)
      return cast(lanes, i64, true);
    Lanes plain = lanes;
    Cached &known = widened[lanes.base];
    if (known.value)
      plain.base = {};
    std::optional<Lanes> wide = cast(plain, i64, true);
    if (wide && known.value) {
      wide->base = known.value;
      wide->depth = std::max(wide->depth, known.depth);
    } else if (wide) {
      known = {wide->base, wide->depth};
    }
    return wide;
  };
  std::optional<Lanes> a = widen(left), b = widen(right);
  if (!a || !b)
    return false;
  auto minus = [&](const Lanes &x, const Lanes &y) {
    Lanes difference = *subtract(x, y);
    if (y.base) {
      Cached &known = differences[{x.base, y.base}];
      if (known.value) {
        difference.base = known.value;
        difference.depth = std::max(difference.depth, known.depth);
      } else {
        known = {difference.base, difference.depth};
      }
    }
    return difference;
  };
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::slt: return testNegative(minus(*a, *b), false, tests);
  case P::sle: return testNegative(minus(*a, *b), true, tests);
  case P::sgt: return testNegative(minus(*b, *a), false, tests);
  case P::sge: return testNegative(minus(*b, *a), true, tests);
  case P::ult:
  case P::ule: {
    // With no lane negative, unsigned is signed.
    Lanes none = integer(i64, 0);
    return testNegative(minus(none, *a), true, tests) && testNegative(minus(*a, *b), predicate == P::ule, tests);
  }
  default: return false;
  }
}

void Nest::visitMask(Value value, unsigned index, SmallVectorImpl<Test> &tests) {
  if (!visited.insert({value, index}).second)
    return;
  Operation *op = value.getDefiningOp();
  if (!isa<RankedTensorType>(value.getType())) {
    if (auto condition = evaluate(value, index); condition.isUniform() && !condition.isConstant()) {
      tests.push_back({condition, 0});
      assumptions[{value, index}] = -1;
    }
    return;
  }
  if (!op || program.bufferOf(value))
    return;
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    Lanes left = evaluate(compare.getLhs(), index), right = evaluate(compare.getRhs(), index);
    if (left.isUniform() && right.isUniform() && left.slope == 0 && right.slope == 0) {
      Lanes condition = evaluate(value, index);
      if (condition.isUniform() && !condition.isConstant() && depthOf(condition) <= innerDepth) {
        if (llvm::none_of(tests, [&](const Test &test) { return test.form == condition; }))
          tests.push_back({condition, 0});
        assumptions[{value, index}] = -1;
      }
      return;
    }
    if (testCompare(compare.getPredicate(), left, right, tests))
      assumptions[{value, index}] = -1;
    return;
  }
  if (auto splat = dyn_cast<tt::SplatOp>(op))
    return visitMask(splat.getSrc(), intern({}), tests);
  if (isa<arith::AndIOp>(op)) {
    visitMask(op->getOperand(0), index, tests);
    visitMask(op->getOperand(1), index, tests);
    return;
  }
  for (auto [part, at] : reshaped(value, index))
    visitMask(part, at, tests);
}

SmallVector<std::pair<Value, unsigned>, 2> Nest::reshaped(Value value, unsigned index) {
  Operation *op = value.getDefiningOp();
  if (isa<tt::ExpandDimsOp, tt::BroadcastOp, tt::TransOp, tt::ReshapeOp>(op))
    return {{op->getOperand(0), *mapIndex(op, index)}};
  Index at = indices[index];
  if (auto join = dyn_cast<tt::JoinOp>(op)) {
    Lanes which = at.pop_back_val();
    unsigned inner = intern(std::move(at));
    if (which.isConstant())
      return {{which.constant ? join.getRhs() : join.getLhs(), inner}};
    return {{join.getLhs(), inner}, {join.getRhs(), inner}};
  }
  if (auto split = dyn_cast<tt::SplitOp>(op)) {
    at.push_back(integer(builder.getI64Type(), value == split.getOutLHS() ? 0 : 1));
    return {{split.getSrc(), intern(std::move(at))}};
  }
  return {};
}

void Nest::visitAddress(Value value, unsigned index, SmallVectorImpl<Test> &tests) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<RankedTensorType>(value.getType()) || program.bufferOf(value) || !visited.insert({value, index}).second)
    return;
  if (isa<arith::MinSIOp, arith::MaxSIOp>(op)) {
    visitAddress(op->getOperand(0), index, tests);
    visitAddress(op->getOperand(1), index, tests);
    bool before = assuming;
    assuming = true; // a clamp of a clamp: the inner one is assumed already
    auto inner = values;
    Lanes operands[2] = {evaluate(op->getOperand(0), index), evaluate(op->getOperand(1), index)};
    values = std::move(inner);
    assuming = before;
    for (int which : {0, 1}) {
      Lanes varying = operands[which], bound = operands[1 - which];
      if (varying.isVector() || varying.isUniform() || !bound.isUniform())
        continue;
      // An assumed operand is marked as deep; its parts are not.
      varying.depth = bound.depth = innerDepth;
      if (testCompare(isa<arith::MinSIOp>(op) ? arith::CmpIPredicate::sle : arith::CmpIPredicate::sge, varying, bound, tests))
        assumptions[{value, index}] = which;
    }
    return;
  }
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return visitData(value, index, tests);
  if (isa<tt::SplatOp>(op))
    return;
  auto parts = reshaped(value, index);
  for (auto [part, at] : parts)
    visitAddress(part, at, tests);
  if (parts.empty() && (isa<tt::AddPtrOp>(op) || isElementwise(op)))
    for (Value operand : op->getOperands())
      visitAddress(operand, index, tests);
}

void Nest::visitData(Value value, unsigned index, SmallVectorImpl<Test> &tests) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<RankedTensorType>(value.getType()) || program.bufferOf(value))
    return;
  if (auto load = dyn_cast<tt::LoadOp>(op)) {
    if (!loadsSeen.insert({value, index}).second)
      return;
    // A load outside the inner loop keeps its mask, and its place.
    if (depthOfIndex(index) < innerDepth)
      return;
    visitAddress(load.getPtr(), index, tests);
    if (load.getMask())
      visitMask(load.getMask(), index, tests);
    return;
  }
  if (!dataSeen.insert({value, index}).second)
    return;
  auto parts = reshaped(value, index);
  for (auto [part, at] : parts)
    visitData(part, at, tests);
  if (parts.empty() && isElementwise(op))
    for (Value operand : op->getOperands())
      visitData(operand, index, tests);
}

int Nest::contiguousLoads(Value value, unsigned index) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<RankedTensorType>(value.getType()) || !dataSeen.insert({value, index}).second)
    return 0;
  auto scoreOf = [&](const Lanes &pointer) {
    if (pointer.vector)
      return -1;
    for (int64_t lane = 1; lane < width; ++lane)
      if (pointer.offset(lane) - pointer.offset(0) != lane)
        return 0;
    return 1;
  };
  if (Buffer *buffer = program.bufferOf(value))
    return scoreOf(bufferPointer(buffer, index));
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return scoreOf(evaluate(load.getPtr(), index));
  int score = 0;
  auto parts = reshaped(value, index);
  for (auto [part, at] : parts)
    score += contiguousLoads(part, at);
  if (parts.empty() && isElementwise(op))
    for (Value operand : op->getOperands())
      score += contiguousLoads(operand, index);
  return score;
}

Value Nest::speculate(ArrayRef<Wanted> wanted) {
  SmallVector<Test> tests;
  assumptions.clear();
  visited.clear();
  loadsSeen.clear();
  dataSeen.clear();
  differences.clear();
  widened.clear();
  for (const Wanted &want : wanted) {
    if (want.kind == Wanted::Data)
      visitData(want.value, want.index, tests);
    else if (want.kind == Wanted::Mask)
      visitMask(want.value, want.index, tests);
    else
      visitAddress(want.value, want.index, tests);
  }
  Value all;
  for (const Test &test : tests) {
    Value passes;
    if (test.form.type.isInteger(1)) {
      passes = scalarPart(test.form);
    } else {
      Lanes form = test.form;
      Value value = scalarPart(form);
      Value limit = constant(form.type, -test.worst);
      passes = arith::CmpIOp::create(at(depthOf(form)), loc, arith::CmpIPredicate::slt, value, limit);
    }
    all = all ? Value(arith::AndIOp::create(at(innerDepth), loc, all, passes)) : passes;
  }
  return all;
}

} // namespace triton_metal::cpu
