//===- Combine.cpp - the combine functions of reductions and scans ------------===//
#include "GroupEmitter.h"

#include "Elementwise.h"

using namespace mlir;

namespace triton_metal::cpu {

TypedAttr neutralElement(Block &region) {
  if (region.getNumArguments() != 2 || std::distance(region.begin(), region.end()) != 2)
    return {};
  Operation *op = &region.front();
  if (op->getNumOperands() != 2 || op->getNumResults() != 1 || region.getTerminator()->getOperand(0) != op->getResult(0))
    return {};
  Value a = op->getOperand(0), c = op->getOperand(1);
  if (!((a == region.getArgument(0) && c == region.getArgument(1)) || (a == region.getArgument(1) && c == region.getArgument(0))))
    return {};
  Type type = op->getResult(0).getType();
  Builder b(op->getContext());
  auto number = [&](APInt value) -> TypedAttr { return IntegerAttr::get(type, value); };
  auto real = [&](APFloat value) -> TypedAttr { return FloatAttr::get(type, value); };
  if (auto floatType = dyn_cast<FloatType>(type)) {
    const llvm::fltSemantics &semantics = floatType.getFloatSemantics();
    return TypeSwitch<Operation *, TypedAttr>(op)
        .Case([&](arith::AddFOp) { return real(APFloat::getZero(semantics, /*Negative=*/true)); })
        .Case([&](arith::MulFOp) { return real(APFloat::getOne(semantics)); })
        .Case<arith::MaxNumFOp, arith::MinNumFOp>([&](auto) { return real(APFloat::getQNaN(semantics)); })
        .Case([&](arith::MaximumFOp) { return real(APFloat::getInf(semantics, true)); })
        .Case([&](arith::MinimumFOp) { return real(APFloat::getInf(semantics, false)); })
        .Default([](Operation *) { return TypedAttr(); });
  }
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return {};
  unsigned bits = integer.getWidth();
  return TypeSwitch<Operation *, TypedAttr>(op)
      .Case<arith::AddIOp, arith::OrIOp, arith::XOrIOp, arith::MaxUIOp>([&](auto) { return number(APInt::getZero(bits)); })
      .Case<arith::AndIOp, arith::MinUIOp>([&](auto) { return number(APInt::getAllOnes(bits)); })
      .Case([&](arith::MulIOp) { return number(APInt(bits, 1)); })
      .Case([&](arith::MaxSIOp) { return number(APInt::getSignedMinValue(bits)); })
      .Case([&](arith::MinSIOp) { return number(APInt::getSignedMaxValue(bits)); })
      .Default([](Operation *) { return TypedAttr(); });
}

SmallVector<Value> combine(Program &program, OpBuilder &b, Location loc, Block &region, ValueRange left, ValueRange right) {
  Type like = left[0].getType();
  auto wide = [&](Value scalar) -> Value {
    auto vector = dyn_cast<VectorType>(like);
    return vector ? Value(vector::BroadcastOp::create(b, loc, VectorType::get(vector.getShape(), scalar.getType()), scalar)) : scalar;
  };
  IRMapping mapping;
  unsigned count = left.size();
  for (unsigned i = 0; i < count; ++i) {
    mapping.map(region.getArgument(i), left[i]);
    mapping.map(region.getArgument(count + i), right[i]);
  }
  auto valueOf = [&](Value value) {
    if (Value known = mapping.lookupOrNull(value))
      return known;
    OpBuilder::InsertionGuard guard(b);
    Value scalar = program.scalar(value);
    return scalar;
  };
  auto laneValueOf = [&](Value value) {
    Value result = valueOf(value);
    return isa<VectorType>(like) && !isa<VectorType>(result.getType()) ? wide(result) : result;
  };
  // Gives the values of the block's terminator; nothing where an operation has no emission. Nothing in a combine function has
  // effects and nothing traps, so both sides of a branch are computed and each lane chooses.
  auto emitBlock = [&](auto &self, Block &block) -> std::optional<SmallVector<Value>> {
    for (Operation &op : block.without_terminator()) {
      if (auto branch = dyn_cast<scf::IfOp>(op)) {
        Value condition = laneValueOf(branch.getCondition());
        auto yes = self(self, *branch.thenBlock());
        std::optional<SmallVector<Value>> no = SmallVector<Value>();
        if (branch.elseBlock())
          no = self(self, *branch.elseBlock());
        if (!yes || !no)
          return std::nullopt;
        for (auto [result, first, second] : llvm::zip_equal(branch.getResults(), *yes, *no))
          mapping.map(result, arith::SelectOp::create(b, loc, condition, first, second));
        continue;
      }
      Value result;
      if (isa<arith::ConstantOp>(op))
        result = wide(b.clone(op)->getResult(0));
      else if (isElementwise(&op))
        result = emitElementwise(b, loc, &op, llvm::map_to_vector(op.getOperands(), laneValueOf),
                                 registerType(op.getResult(0).getType()));
      if (!result) {
        program.refuse(&op, loc, "a combine function with this operation");
        return std::nullopt;
      }
      mapping.map(op.getResult(0), result);
    }
    return llvm::map_to_vector(block.getTerminator()->getOperands(), laneValueOf);
  };
  std::optional<SmallVector<Value>> results = emitBlock(emitBlock, region);
  return results ? *results : SmallVector<Value>(left);
}

} // namespace triton_metal::cpu
