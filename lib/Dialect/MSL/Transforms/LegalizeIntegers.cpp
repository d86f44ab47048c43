//===- LegalizeIntegers.cpp - integer operations whose result Metal defines -------===//
//
// Signless integers are Metal's unsigned types, so addition, subtraction and multiplication wrap by themselves. What is left are
// division and remainder (zero, and the one quotient that does not fit), shifts by the width or more, and i1, which is Metal's
// bool. Masked elements reach all of these, so they must stay harmless.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"

namespace triton_metal::msl {
#define GEN_PASS_DEF_LEGALIZEINTEGERS
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"
} // namespace triton_metal::msl

using namespace mlir;
using namespace triton_metal::msl;

namespace {

struct Legalizer {
  ImplicitLocOpBuilder builder;

  Value constant(Type type, int64_t value) { return arith::ConstantOp::create(builder, builder.getIntegerAttr(type, value)); }
  Value negated(Value test) { return arith::XOrIOp::create(builder, test, constant(test.getType(), 1)); }

  /// The value that replaces the only result of `op`; null if `op` is legal.
  Value legalize(Operation *op);
  Value division(Operation *op, bool isSigned, bool remainder);
  Value shift(Operation *op);
  Value logic(Operation *op);
  Value compareLogic(arith::CmpIOp op);
};

} // namespace

/// `op` may keep its operator: its divisor is a constant for which every quotient is defined.
static bool isSafeDivisor(Value divisor, bool isSigned) {
  APInt value;
  return matchPattern(divisor, m_ConstantInt(&value)) && !value.isZero() && !(isSigned && value.isAllOnes());
}

Value Legalizer::division(Operation *op, bool isSigned, bool remainder) {
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  Type type = lhs.getType();
  unsigned width = type.getIntOrFloatBitWidth();
  if (width < 32) { // the narrow types are computed in 32 bits, where no quotient of theirs overflows
    Type wide = builder.getI32Type();
    auto widen = [&](Value value) -> Value {
      return isSigned ? arith::ExtSIOp::create(builder, wide, value).getResult() : arith::ExtUIOp::create(builder, wide, value);
    };
    StringRef name = isSigned ? (remainder ? "rem_signed_32" : "div_signed_32") : (remainder ? "rem_unsigned_32" : "div_unsigned_32");
    Value result = CallOp::create(builder, wide, name, ValueRange{widen(lhs), widen(rhs)}).getResult();
    return arith::TruncIOp::create(builder, type, result);
  }
  if (isSafeDivisor(rhs, isSigned)) {
    if (!(isSigned && remainder))
      return {};
    // Metal's `%` is undefined for a negative operand.
    Value quotient = arith::DivSIOp::create(builder, lhs, rhs);
    return arith::SubIOp::create(builder, lhs, arith::MulIOp::create(builder, quotient, rhs));
  }
  std::string name = (Twine(remainder ? "rem_" : "div_") + (isSigned ? "signed_" : "unsigned_") + Twine(width)).str();
  return CallOp::create(builder, type, name, ValueRange{lhs, rhs}).getResult();
}

Value Legalizer::shift(Operation *op) {
  Type type = op->getOperand(0).getType();
  unsigned width = type.getIntOrFloatBitWidth();
  APInt amount;
  if (matchPattern(op->getOperand(1), m_ConstantInt(&amount)) && amount.ult(width))
    return {};
  if (auto mask = op->getOperand(1).getDefiningOp<arith::AndIOp>()) // masked already
    if (matchPattern(mask.getRhs(), m_ConstantInt(&amount)) && amount.ult(width))
      return {};
  Value masked = arith::AndIOp::create(builder, op->getOperand(1), constant(type, width - 1));
  OperationState state(op->getLoc(), op->getName());
  state.addOperands({op->getOperand(0), masked});
  state.addTypes(type);
  return builder.create(state)->getResult(0);
}

Value Legalizer::compareLogic(arith::CmpIOp op) {
  Value differ = arith::XOrIOp::create(builder, op.getLhs(), op.getRhs());
  auto both = [&](Value a, Value b) -> Value { return arith::AndIOp::create(builder, a, b); };
  auto either = [&](Value a, Value b) -> Value { return arith::OrIOp::create(builder, a, b); };
  Value a = op.getLhs(), b = op.getRhs();
  switch (op.getPredicate()) { // read as signed, true is -1
  case arith::CmpIPredicate::eq:
    return negated(differ);
  case arith::CmpIPredicate::ne:
    return differ;
  case arith::CmpIPredicate::ult:
  case arith::CmpIPredicate::sgt:
    return both(negated(a), b);
  case arith::CmpIPredicate::ugt:
  case arith::CmpIPredicate::slt:
    return both(a, negated(b));
  case arith::CmpIPredicate::ule:
  case arith::CmpIPredicate::sge:
    return either(negated(a), b);
  case arith::CmpIPredicate::uge:
  case arith::CmpIPredicate::sle:
    return either(a, negated(b));
  }
  llvm_unreachable("predicate");
}

Value Legalizer::logic(Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<arith::AddIOp, arith::SubIOp>([&](auto o) { return arith::XOrIOp::create(builder, o.getLhs(), o.getRhs()).getResult(); })
      .Case<arith::MulIOp, arith::MinUIOp, arith::MaxSIOp>(
          [&](auto o) { return arith::AndIOp::create(builder, o.getLhs(), o.getRhs()).getResult(); })
      .Case<arith::MaxUIOp, arith::MinSIOp>([&](auto o) { return arith::OrIOp::create(builder, o.getLhs(), o.getRhs()).getResult(); })
      // A quotient by true is the dividend, a remainder 0; by false both are undefined, and shifts by true are.
      .Case<arith::DivUIOp, arith::DivSIOp, arith::ShLIOp, arith::ShRUIOp, arith::ShRSIOp>([&](auto o) { return o.getLhs(); })
      .Case<arith::RemUIOp, arith::RemSIOp>([&](auto o) { return constant(o.getType(), 0); })
      .Case<math::AbsIOp>([&](auto o) { return o.getOperand(); })
      .Default(Value());
}

Value Legalizer::legalize(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumOperands() == 0)
    return {};
  Type type = op->getResult(0).getType();
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return compare.getLhs().getType().isInteger(1) ? compareLogic(compare) : Value();
  if (type.isInteger(1))
    if (Value result = logic(op))
      return result;
  bool fromLogic = op->getOperand(0).getType().isInteger(1);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<arith::DivSIOp>([&](auto) { return division(op, true, false); })
      .Case<arith::DivUIOp>([&](auto) { return division(op, false, false); })
      .Case<arith::RemSIOp>([&](auto) { return division(op, true, true); })
      .Case<arith::RemUIOp>([&](auto) { return division(op, false, true); })
      .Case<arith::ShLIOp, arith::ShRUIOp, arith::ShRSIOp>([&](auto) { return shift(op); })
      .Case<arith::ExtSIOp>([&](auto extend) -> Value {
        return fromLogic ? arith::SelectOp::create(builder, extend.getIn(), constant(type, -1), constant(type, 0)).getResult() : Value();
      })
      .Case<arith::TruncIOp>([&](arith::TruncIOp truncate) -> Value {
        if (!type.isInteger(1))
          return {};
        Type wide = truncate.getIn().getType();
        Value bit = arith::AndIOp::create(builder, truncate.getIn(), constant(wide, 1));
        return arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, bit, constant(wide, 0));
      })
      .Case<arith::SIToFPOp>([&](auto) -> Value {
        if (!fromLogic)
          return {};
        auto number = [&](double value) { return arith::ConstantOp::create(builder, builder.getFloatAttr(type, value)); };
        return arith::SelectOp::create(builder, op->getOperand(0), number(-1), number(0));
      })
      .Case<math::AbsIOp>([&](auto absolute) -> Value {
        Value zero = constant(type, 0), value = absolute.getOperand();
        Value isNegative = arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, value, zero);
        return arith::SelectOp::create(builder, isNegative, arith::SubIOp::create(builder, zero, value), value);
      })
      .Default(Value());
}

namespace {
struct LegalizeIntegers : public triton_metal::msl::impl::LegalizeIntegersBase<LegalizeIntegers> {
  void runOnOperation() override {
    // What is created may need it too (the quotient of a remainder does not), so new operations are visited after their maker.
    getOperation().walk([&](Operation *op) {
      Legalizer legalizer{ImplicitLocOpBuilder(op->getLoc(), op)};
      Value result = legalizer.legalize(op);
      if (!result)
        return;
      op->getResult(0).replaceAllUsesWith(result);
      op->erase();
    });
  }
};
} // namespace
