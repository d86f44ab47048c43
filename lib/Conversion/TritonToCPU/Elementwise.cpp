//===- Elementwise.cpp - one elementwise operation on scalars or native vectors ------===//
#include "Elementwise.h"

#include "mlir/IR/Matchers.h"
#include "triton_metal/Dialect/Triton/IR/Dialect.h"

using namespace mlir;

namespace triton_metal::cpu {
namespace {

/// `element` in the shape of `like`.
Type shapedLike(Type element, Type like) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? VectorType::get(vector.getShape(), element) : element;
}

/// Builds operations of one shape.
struct Ops {
  OpBuilder &b;
  Location loc;
  Type like; ///< scalar or vector: the shape of everything

  Type type(Type element) const { return shapedLike(element, like); }
  Type integer(unsigned bits) const { return type(b.getIntegerType(bits)); }

  Value number(Type element, int64_t value) {
    TypedAttr attr = isa<FloatType>(element)
                         ? TypedAttr(b.getFloatAttr(element, double(value)))
                         : TypedAttr(IntegerAttr::get(element, APInt(element.getIntOrFloatBitWidth(), value, true, true)));
    Type shaped = type(element);
    if (auto vector = dyn_cast<VectorType>(shaped))
      attr = SplatElementsAttr::get(vector, attr);
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value bitcast(Value value, Type element) {
    Type to = type(element);
    return value.getType() == to ? value : arith::BitcastOp::create(b, loc, to, value);
  }
  Value select(Value condition, Value yes, Value no) { return arith::SelectOp::create(b, loc, condition, yes, no); }
  Value compare(arith::CmpIPredicate predicate, Value left, Value right) {
    return arith::CmpIOp::create(b, loc, predicate, left, right);
  }
};

bool isSmallFloat(Type type) { return isa<Float16Type, BFloat16Type>(type); }

Value bfloatToFloat(Ops ops, Value value) {
  Value bits = arith::ExtUIOp::create(ops.b, ops.loc, ops.integer(32), ops.bitcast(value, ops.b.getI16Type()));
  Value high = arith::ShLIOp::create(ops.b, ops.loc, bits, ops.number(ops.b.getI32Type(), 16));
  return ops.bitcast(high, ops.b.getF32Type());
}

Value floatToBFloat(Ops ops, Value value, bool towardZero) {
  OpBuilder &b = ops.b;
  Type i32 = b.getI32Type();
  Value bits = ops.bitcast(value, i32);
  Value sixteen = ops.number(i32, 16);
  Value high = arith::ShRUIOp::create(b, ops.loc, bits, sixteen);
  Value rounded = high;
  if (!towardZero) {
    // To nearest, ties to even: add half an ulp less one, plus the last bit that stays.
    Value last = arith::AndIOp::create(b, ops.loc, high, ops.number(i32, 1));
    Value bias = arith::AddIOp::create(b, ops.loc, last, ops.number(i32, 0x7fff));
    Value sum = arith::AddIOp::create(b, ops.loc, bits, bias);
    rounded = arith::ShRUIOp::create(b, ops.loc, sum, sixteen);
  }
  // A NaN keeps its sign and becomes quiet; rounding could turn it into infinity.
  Value quiet = arith::OrIOp::create(b, ops.loc, high, ops.number(i32, 0x40));
  Value isNan = arith::CmpFOp::create(b, ops.loc, arith::CmpFPredicate::UNO, value, value);
  Value result = ops.select(isNan, quiet, rounded);
  Value narrow = arith::TruncIOp::create(b, ops.loc, ops.integer(16), result);
  return ops.bitcast(narrow, b.getBF16Type());
}

/// `narrow` moved one step toward zero where it lies beyond `exact`, and with `odd` the last bit set where it is inexact.
Value towardZeroBits(Ops ops, Value exact, Value narrow, Value widened, bool odd) {
  OpBuilder &b = ops.b;
  Type element = getElementTypeOrSelf(narrow.getType());
  Type bitsType = b.getIntegerType(element.getIntOrFloatBitWidth());
  Value bits = ops.bitcast(narrow, bitsType);
  Value beyond = arith::CmpFOp::create(b, ops.loc, arith::CmpFPredicate::OGT, math::AbsFOp::create(b, ops.loc, widened),
                                       math::AbsFOp::create(b, ops.loc, exact));
  Value step = arith::ExtUIOp::create(b, ops.loc, ops.type(bitsType), beyond);
  bits = arith::SubIOp::create(b, ops.loc, bits, step);
  if (odd) {
    Value inexact = arith::CmpFOp::create(b, ops.loc, arith::CmpFPredicate::ONE, widened, exact);
    bits = arith::OrIOp::create(b, ops.loc, bits, arith::ExtUIOp::create(b, ops.loc, ops.type(bitsType), inexact));
  }
  return ops.bitcast(bits, element);
}

Value shift(Ops ops, Operation *op, Value value, Value amount) {
  OpBuilder &b = ops.b;
  Type element = getElementTypeOrSelf(value.getType());
  unsigned bits = element.getIntOrFloatBitWidth();
  bool arithmetic = isa<arith::ShRSIOp>(op);
  APInt known;
  bool inRange = matchPattern(amount, m_ConstantInt(&known)) && known.ult(bits);
  if (!inRange && arithmetic)
    amount = arith::MinUIOp::create(b, ops.loc, amount, ops.number(element, bits - 1));
  Value result;
  if (isa<arith::ShLIOp>(op))
    result = arith::ShLIOp::create(b, ops.loc, value, amount);
  else if (arithmetic)
    result = arith::ShRSIOp::create(b, ops.loc, value, amount);
  else
    result = arith::ShRUIOp::create(b, ops.loc, value, amount);
  if (inRange || arithmetic)
    return result;
  Value ok = ops.compare(arith::CmpIPredicate::ult, amount, ops.number(element, bits));
  return ops.select(ok, result, ops.number(element, 0));
}

/// Quotient or remainder that never traps. 32-bit vectors divide in double precision, where every quotient is exact after truncation.
Value divide(Ops ops, Operation *op, Value left, Value right) {
  OpBuilder &b = ops.b;
  bool isSigned = isa<arith::DivSIOp, arith::RemSIOp>(op), wantsRemainder = isa<arith::RemSIOp, arith::RemUIOp>(op);
  Type element = getElementTypeOrSelf(left.getType());
  unsigned bits = element.getIntOrFloatBitWidth();
  APInt known;
  bool safe = matchPattern(right, m_ConstantInt(&known)) && !known.isZero() && !(isSigned && known.isAllOnes());
  if (!safe) {
    Value bad = ops.compare(arith::CmpIPredicate::eq, right, ops.number(element, 0));
    if (isSigned && bits > 1) {
      // -1 is dealt with by negation: a divisor of 1 on the negated dividend.
      Value minusOne = ops.compare(arith::CmpIPredicate::eq, right, ops.number(element, -1));
      Value negated = arith::SubIOp::create(b, ops.loc, ops.number(element, 0), left);
      if (!wantsRemainder)
        left = ops.select(minusOne, negated, left);
      bad = arith::OrIOp::create(b, ops.loc, bad, minusOne);
    }
    right = ops.select(bad, ops.number(element, 1), right);
  }
  if (isa<VectorType>(left.getType()) && !safe && bits <= 32) {
    Type wide = ops.type(b.getF64Type());
    auto toFloat = [&](Value value) -> Value {
      return isSigned ? Value(arith::SIToFPOp::create(b, ops.loc, wide, value)) : arith::UIToFPOp::create(b, ops.loc, wide, value);
    };
    Value quotient = arith::DivFOp::create(b, ops.loc, toFloat(left), toFloat(right));
    Value result = isSigned ? Value(arith::FPToSIOp::create(b, ops.loc, left.getType(), quotient))
                            : arith::FPToUIOp::create(b, ops.loc, left.getType(), quotient);
    if (!wantsRemainder)
      return result;
    return arith::SubIOp::create(b, ops.loc, left, arith::MulIOp::create(b, ops.loc, result, right));
  }
  if (isSigned)
    return wantsRemainder ? Value(arith::RemSIOp::create(b, ops.loc, left, right)) : arith::DivSIOp::create(b, ops.loc, left, right);
  return wantsRemainder ? Value(arith::RemUIOp::create(b, ops.loc, left, right)) : arith::DivUIOp::create(b, ops.loc, left, right);
}

Value mulHigh(Ops ops, Value left, Value right) {
  OpBuilder &b = ops.b;
  Type element = getElementTypeOrSelf(left.getType());
  unsigned bits = element.getIntOrFloatBitWidth();
  // Through the double width: LLVM knows the pattern on vectors (pmuludq) and on scalars (mul).
  Type wide = b.getIntegerType(bits * 2);
  Value a = arith::ExtUIOp::create(b, ops.loc, ops.type(wide), left);
  Value c = arith::ExtUIOp::create(b, ops.loc, ops.type(wide), right);
  Value product = arith::MulIOp::create(b, ops.loc, a, c);
  Value high = arith::ShRUIOp::create(b, ops.loc, product, ops.number(wide, bits));
  return arith::TruncIOp::create(b, ops.loc, ops.type(element), high);
}

/// The larger or smaller of two, ignoring one NaN. Written out, because LLVM calls a library for some widths.
Value pickNumber(Ops ops, bool larger, Value left, Value right) {
  OpBuilder &b = ops.b;
  auto predicate = larger ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT;
  Value picked = ops.select(arith::CmpFOp::create(b, ops.loc, predicate, left, right), left, right);
  Value isNan = arith::CmpFOp::create(b, ops.loc, arith::CmpFPredicate::UNO, right, right);
  return ops.select(isNan, left, picked);
}

Value clamp(Ops ops, tt::ClampFOp op, ValueRange operands) {
  OpBuilder &b = ops.b;
  if (op.getPropagateNan() == tt::PropagateNan::ALL)
    return arith::MinimumFOp::create(b, ops.loc, arith::MaximumFOp::create(b, ops.loc, operands[0], operands[1]), operands[2]);
  return pickNumber(ops, false, pickNumber(ops, true, operands[0], operands[1]), operands[2]);
}

/// The same operation on other operands.
Value cloneWith(Ops ops, Operation *op, ValueRange operands, Type resultElement) {
  IRMapping mapping;
  for (auto [from, to] : llvm::zip_equal(op->getOperands(), operands))
    mapping.map(from, to);
  Operation *copy = op->clone(mapping);
  // One operand may stand twice with two values: set them by place.
  for (auto [index, to] : llvm::enumerate(operands))
    copy->setOperand(index, to);
  copy->setDiscardableAttrs(ArrayRef<NamedAttribute>());
  copy->getResult(0).setType(ops.type(resultElement));
  copy->setLoc(ops.loc);
  ops.b.insert(copy);
  return copy->getResult(0);
}

bool isCast(Operation *op) {
  return isa<arith::ExtFOp, arith::TruncFOp, tt::FpToFpOp, arith::BitcastOp, tt::BitcastOp, tt::IntToPtrOp, tt::PtrToIntOp>(op);
}

} // namespace

bool isElementwise(Operation *op) {
  return op->getNumResults() == 1 && op->getNumRegions() == 0 && op->getNumOperands() > 0 &&
         (op->hasTrait<OpTrait::Elementwise>() || isa<arith::SelectOp>(op)) && isMemoryEffectFree(op);
}

Value convertFloat(OpBuilder &b, Location loc, Value value, Type element, bool towardZero) {
  Type from = getElementTypeOrSelf(value.getType());
  Ops ops{b, loc, value.getType()};
  if (from == element)
    return value;
  auto supported = [](Type type) { return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type); };
  if (!supported(from) || !supported(element))
    return {};
  unsigned fromBits = from.getIntOrFloatBitWidth(), toBits = element.getIntOrFloatBitWidth();
  if (isa<BFloat16Type>(from)) {
    value = bfloatToFloat(ops, value);
    return convertFloat(b, loc, value, element, towardZero);
  }
  if (fromBits < toBits)
    return arith::ExtFOp::create(b, loc, ops.type(element), value);
  if (isa<Float16Type>(from)) // to bf16
    return convertFloat(b, loc, arith::ExtFOp::create(b, loc, ops.type(b.getF32Type()), value), element, towardZero);
  if (isa<Float64Type>(from) && toBits == 16) {
    // Through f32 rounded to odd, so that the second rounding sees what the first one dropped.
    Value narrow = arith::TruncFOp::create(b, loc, ops.type(b.getF32Type()), value);
    Value widened = arith::ExtFOp::create(b, loc, value.getType(), narrow);
    return convertFloat(b, loc, towardZeroBits(ops, value, narrow, widened, /*odd=*/!towardZero), element, towardZero);
  }
  if (isa<BFloat16Type>(element))
    return floatToBFloat(ops, value, towardZero);
  Value narrow = arith::TruncFOp::create(b, loc, ops.type(element), value);
  if (!towardZero)
    return narrow;
  return towardZeroBits(ops, value, narrow, arith::ExtFOp::create(b, loc, value.getType(), narrow), /*odd=*/false);
}

Value emitElementwise(OpBuilder &b, Location loc, Operation *op, ValueRange operands, Type result) {
  Ops ops{b, loc, operands[0].getType()};
  Type first = getElementTypeOrSelf(operands[0].getType());
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return convertFloat(b, loc, operands[0], result);
  if (auto cast = dyn_cast<tt::FpToFpOp>(op))
    return convertFloat(b, loc, operands[0], result, cast.getRounding() == tt::RoundingMode::RTZ);
  if (isa<tt::IntToPtrOp>(op))
    return isa<LLVM::LLVMPointerType>(result) ? Value(LLVM::IntToPtrOp::create(b, loc, result, operands[0])) : operands[0];
  if (isa<tt::PtrToIntOp>(op))
    return isa<LLVM::LLVMPointerType>(first) ? Value(LLVM::PtrToIntOp::create(b, loc, result, operands[0])) : operands[0];
  if (isa<arith::BitcastOp, tt::BitcastOp>(op))
    return first == result ? operands[0] : ops.bitcast(operands[0], result);

  // Half precision: one operation in f32, one rounding.
  bool smallOperand = llvm::any_of(operands, [](Value v) { return isSmallFloat(getElementTypeOrSelf(v.getType())); });
  if ((smallOperand || isSmallFloat(result)) && !isa<arith::SelectOp>(op)) {
    SmallVector<Value> wide;
    for (Value operand : operands)
      wide.push_back(isSmallFloat(getElementTypeOrSelf(operand.getType())) ? convertFloat(b, loc, operand, b.getF32Type()) : operand);
    Value value = emitElementwise(b, loc, op, wide, isSmallFloat(result) ? b.getF32Type() : result);
    return value && isSmallFloat(result) ? convertFloat(b, loc, value, result) : value;
  }

  return TypeSwitch<Operation *, Value>(op)
      .Case<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>([&](auto) { return shift(ops, op, operands[0], operands[1]); })
      .Case<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(
          [&](auto) { return divide(ops, op, operands[0], operands[1]); })
      .Case([&](tt::MulhiUIOp) { return mulHigh(ops, operands[0], operands[1]); })
      .Case([&](tt::ClampFOp clampOp) { return clamp(ops, clampOp, operands); })
      .Case([&](tt::PreciseSqrtOp) { return Value(math::SqrtOp::create(b, loc, operands[0])); })
      .Case([&](tt::PreciseDivFOp) { return Value(arith::DivFOp::create(b, loc, operands[0], operands[1])); })
      .Case<arith::MaxNumFOp, arith::MinNumFOp>(
          [&](auto) { return pickNumber(ops, isa<arith::MaxNumFOp>(op), operands[0], operands[1]); })
      .Case([&](arith::SelectOp) {
        return Value(arith::SelectOp::create(b, loc, operands[0], operands[1], operands[2]));
      })
      .Default([&](Operation *) -> Value {
        StringRef dialect = op->getName().getDialectNamespace();
        if (isCast(op) || (dialect != "arith" && dialect != "math"))
          return {};
        return cloneWith(ops, op, operands, result);
      });
}

} // namespace triton_metal::cpu
