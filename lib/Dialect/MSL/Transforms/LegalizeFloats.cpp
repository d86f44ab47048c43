//===- LegalizeFloats.cpp - floating-point operations that Metal defines as Triton does ===//
//
// bfloat has no functions in Metal's library and, before Apple9, no arithmetic: each operation is done in float and rounded, which
// is what the operation means. Conversions between the 16-bit types, from 64-bit integers to half and from integers to bfloat go
// through float. Comparisons keep the six forms that C++ has operators for.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"

namespace triton_metal::msl {
#define GEN_PASS_DEF_LEGALIZEFLOATS
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"
} // namespace triton_metal::msl

using namespace mlir;
using namespace triton_metal::msl;

namespace {

struct Legalizer {
  ImplicitLocOpBuilder builder;

  Value widened(Value value) {
    bool narrow = isa<Float16Type, BFloat16Type>(value.getType());
    return !narrow ? value : arith::ExtFOp::create(builder, builder.getF32Type(), value).getResult();
  }
  Value narrowed(Value value, Type type) {
    return value.getType() == type ? value : arith::TruncFOp::create(builder, type, value).getResult();
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) { return arith::CmpFOp::create(builder, predicate, a, b); }
  Value negated(Value test) {
    return arith::XOrIOp::create(builder, test, arith::ConstantOp::create(builder, builder.getBoolAttr(true)));
  }

  /// The value that replaces the only result of `op`; null if `op` is legal.
  Value legalize(Operation *op);
  Value comparison(arith::CmpFOp op);
  Value toInteger(Operation *op, bool isSigned);
  Value inFloat(Operation *op);
  Value keepingNaN(Operation *op, StringRef function);
};

} // namespace

Value Legalizer::comparison(arith::CmpFOp op) {
  using P = arith::CmpFPredicate;
  Value a = op.getLhs(), b = op.getRhs();
  bool widen = a.getType().isBF16();
  if (widen)
    a = widened(a), b = widened(b);
  auto either = [&](Value x, Value y) -> Value { return arith::OrIOp::create(builder, x, y); };
  switch (op.getPredicate()) {
  case P::OEQ:
  case P::OGT:
  case P::OGE:
  case P::OLT:
  case P::OLE:
  case P::UNE:
    return widen ? compare(op.getPredicate(), a, b) : Value();
  case P::ONE:
    return either(compare(P::OLT, a, b), compare(P::OGT, a, b));
  case P::UEQ:
    return negated(either(compare(P::OLT, a, b), compare(P::OGT, a, b)));
  case P::UGT:
    return negated(compare(P::OLE, a, b));
  case P::UGE:
    return negated(compare(P::OLT, a, b));
  case P::ULT:
    return negated(compare(P::OGE, a, b));
  case P::ULE:
    return negated(compare(P::OGT, a, b));
  case P::ORD:
    return arith::AndIOp::create(builder, compare(P::OEQ, a, a), compare(P::OEQ, b, b));
  case P::UNO:
    return either(compare(P::UNE, a, a), compare(P::UNE, b, b));
  case P::AlwaysFalse:
    return arith::ConstantOp::create(builder, builder.getBoolAttr(false));
  case P::AlwaysTrue:
    return arith::ConstantOp::create(builder, builder.getBoolAttr(true));
  }
  llvm_unreachable("predicate");
}

Value Legalizer::toInteger(Operation *op, bool isSigned) {
  Value value = widened(op->getOperand(0));
  Type type = op->getResult(0).getType();
  if (type.isInteger(1))
    return compare(arith::CmpFPredicate::UNE, value, arith::ConstantOp::create(builder, builder.getF32FloatAttr(0)));
  bool wide = type.isInteger(64);
  StringRef name =
      isSigned ? (wide ? "float_to_signed_64" : "float_to_signed_32") : (wide ? "float_to_unsigned_64" : "float_to_unsigned_32");
  if (isSigned && !wide && op->hasAttr(kExactAttr))
    name = "small_float_to_signed_32";
  Value result = CallOp::create(builder, wide ? builder.getI64Type() : builder.getI32Type(), name, value).getResult();
  return result.getType() == type ? result : arith::TruncIOp::create(builder, type, result).getResult();
}

Value Legalizer::inFloat(Operation *op) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(widened(operand));
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(operands);
  state.addTypes(builder.getF32Type());
  state.addAttributes(op->getAttrs());
  return narrowed(builder.create(state)->getResult(0), op->getResult(0).getType());
}

Value Legalizer::keepingNaN(Operation *op, StringRef function) {
  Value result = CallOp::create(builder, builder.getF32Type(), function,
                                ValueRange{widened(op->getOperand(0)), widened(op->getOperand(1))})
                     .getResult();
  return narrowed(result, op->getResult(0).getType());
}

Value Legalizer::legalize(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumOperands() == 0)
    return {};
  Type type = op->getResult(0).getType();
  bool computes = isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::RemFOp, arith::NegFOp, arith::MinNumFOp,
                      arith::MaxNumFOp>(op) ||
                  (isa<math::MathDialect>(op->getDialect()) && isa<FloatType>(type));
  if (computes && type.isBF16())
    return inFloat(op);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<arith::CmpFOp>([&](auto compare) { return comparison(compare); })
      .Case<arith::FPToSIOp>([&](auto) { return toInteger(op, true); })
      .Case<arith::FPToUIOp>([&](auto) { return toInteger(op, false); })
      .Case<arith::SIToFPOp, arith::UIToFPOp>([&](Operation *) {
        bool direct = type.isF32() || op->getOperand(0).getType().isInteger(1);
        return direct && !type.isBF16() ? Value() : inFloat(op);
      })
      .Case<arith::MinimumFOp>([&](auto) { return keepingNaN(op, "fmin_or_nan"); })
      .Case<arith::MaximumFOp>([&](auto) { return keepingNaN(op, "fmax_or_nan"); })
      .Case<math::ErfOp>([&](auto) -> Value {
        Value result = CallOp::create(builder, builder.getF32Type(), "error_function", widened(op->getOperand(0))).getResult();
        return narrowed(result, type);
      })
      .Default(Value());
}

namespace {
struct LegalizeFloats : public triton_metal::msl::impl::LegalizeFloatsBase<LegalizeFloats> {
  void runOnOperation() override {
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
