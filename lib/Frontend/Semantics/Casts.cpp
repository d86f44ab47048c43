//===- Casts.cpp - conversions between the types of the language ------------------===//
#include "State.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

Result<Tensor> Semantics::bitcast(Tensor value, Elem elem) {
  Elem from = value.elem();
  if (from == elem)
    return value;
  if (from.isPointer() || elem.isPointer())
    return cast(value, elem);
  if (from.bits() != elem.bits())
    return valueError("Cannot bitcast data-type of size " + std::to_string(from.bits()) + " to data-type of size " +
                      std::to_string(elem.bits()));
  Type type = value.type.withElem(elem);
  mlir::Type to = state->typeOf(type);
  if (unwrap(value).getType() == to) // the IR's integers have no sign
    return Tensor{value.handle, type};
  return wrap(state->make<tt::BitcastOp>(to, unwrap(value)), type);
}

static Error cannotCast(Tensor value, Elem elem) {
  return assertionError("cannot cast " + value.type.valueStr() + " to " + value.type.withElem(elem).str());
}

Result<Tensor> Semantics::cast(Tensor value, Elem to, Rounding rounding) {
  Elem from = value.elem();
  if (from == to)
    return value;
  Type type = value.type.withElem(to);
  bool narrowing = from.isFloating() && to.isFloating() && to.bits() < from.bits();
  if (!narrowing && rounding != Rounding::Default)
    return valueError("fp_downcast_rounding should be set only for truncating fp conversions. Source scalar type is " + from.str() +
                      " and destination type is " + to.str());
  if (from.isVoid() || to.isVoid())
    return cannotCast(value, to);
  if (from.isShared != to.isShared)
    return typeError("a pointer into a shared array is no address and no other pointer: cannot cast " + value.type.valueStr() + " to " +
                     type.str());
  mlir::Type ir = state->typeOf(type);
  Value v = unwrap(value);

  if (from.is(Scalar::FP8E4B15) || to.is(Scalar::FP8E4B15))
    return assertionError("target doesn't provide conversion for this type: fp8e4b15; use fp8e4nv or fp8e5");

  // Types of 8 bits and rounding that is not the default have a conversion of their own.
  bool custom = narrowing && rounding == Rounding::TowardZero;
  if ((from.isFP8() && to.isFloating()) || (from.isFloating() && to.isFP8()) || custom) {
    tt::RoundingModeAttr mode;
    if (narrowing)
      mode = tt::RoundingModeAttr::get(ir.getContext(), custom ? tt::RoundingMode::RTZ : tt::RoundingMode::RTNE);
    return wrap(state->make<tt::FpToFpOp>(ir, v, mode), type);
  }
  if ((from.is(Scalar::FP16) || from.is(Scalar::BF16)) && !to.is(Scalar::FP32)) {
    TM_TRY(wide, cast(value, {Scalar::FP32}));
    return cast(wide, to);
  }
  if (from.isFloating() && to.isFloating()) {
    if (narrowing)
      return wrap(state->make<arith::TruncFOp>(ir, v), type);
    return wrap(state->make<arith::ExtFOp>(ir, v), type);
  }

  if (from.isInt() && to.isInt()) {
    if (to.isBool()) {
      TM_TRY(zero, constant(Number::fromInt(0), from));
      return compare(CompareOp::Ne, value, zero);
    }
    if (from.bits() == to.bits())
      return Tensor{value.handle, type};
    if (from.bits() > to.bits())
      return wrap(state->make<arith::TruncIOp>(ir, v), type);
    if (from.isSigned())
      return wrap(state->make<arith::ExtSIOp>(ir, v), type);
    return wrap(state->make<arith::ExtUIOp>(ir, v), type);
  }

  if (from.isStandardFloating() && to.isInt()) {
    if (to.isBool()) {
      TM_TRY(zero, constant(Number::fromFloat(0), from));
      return compare(CompareOp::Ne, value, zero);
    }
    if (to.isSigned())
      return wrap(state->make<arith::FPToSIOp>(ir, v), type);
    return wrap(state->make<arith::FPToUIOp>(ir, v), type);
  }
  if (from.isInt() && to.isStandardFloating()) {
    if (from.isSigned())
      return wrap(state->make<arith::SIToFPOp>(ir, v), type);
    return wrap(state->make<arith::UIToFPOp>(ir, v), type);
  }

  if (from.isPointer() && to.isInt()) {
    if (to.bits() == 64)
      return wrap(state->make<tt::PtrToIntOp>(ir, v), type);
    if (to.bits() == 1) {
      TM_TRY(address, cast(value, {Scalar::Int64}));
      TM_TRY(zero, constant(Number::fromInt(0), {Scalar::Int64}));
      return compare(CompareOp::Ne, address, zero);
    }
  }
  if (from.isInt() && to.isPointer()) {
    TM_TRY(address, cast(value, {Scalar::Int64}));
    return wrap(state->make<tt::IntToPtrOp>(ir, unwrap(address)), type);
  }
  if (from.isPointer() && to.isPointer()) {
    if (v.getType() == ir)
      return Tensor{value.handle, type};
    return wrap(state->make<tt::BitcastOp>(ir, v), type);
  }
  return cannotCast(value, to);
}
