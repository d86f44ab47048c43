//===- Promotion.cpp - numbers, promotion and broadcasting of operands ------------===//
#include "State.h"

#include "llvm/ADT/APFloat.h"
#include <cmath>

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

std::string Number::str() const {
  if (tooWide)
    return text;
  if (kind == Kind::Boolean)
    return integer ? "True" : "False";
  return integer < 0 ? std::to_string(int64_t(integer)) : std::to_string(uint64_t(integer));
}

static bool fits(const Number &number, __int128 lo, __int128 hi) {
  return !number.tooWide && number.integer >= lo && number.integer <= hi;
}

Result<Elem> Semantics::numberType(const Number &number) const {
  switch (number.kind) {
  case Kind::Boolean:
    return Elem{Scalar::Int1};
  case Kind::Integral:
    for (Scalar scalar : {Scalar::Int32, Scalar::UInt32, Scalar::Int64, Scalar::UInt64})
      if (fits(number, minValue({scalar}), maxValue({scalar})))
        return Elem{scalar};
    return valueError("Nonrepresentable integer " + number.str() + ".");
  case Kind::Floating: {
    double size = std::fabs(number.real);
    bool single = size == 0 || std::isinf(size) || std::isnan(size) || (size >= 0x1p-126 && size <= 0x1.fffffep127);
    return Elem{single ? Scalar::FP32 : Scalar::FP64};
  }
  }
  llvm_unreachable("all kinds are named above");
}

Result<Tensor> Semantics::constant(const Number &number, Elem elem) {
  if (elem.isPointer() || elem.isVoid())
    return typeError("cannot make a constant of type " + elem.str());
  mlir::Type type = state->typeOf(elem);
  TypedAttr value;
  if (auto floating = dyn_cast<FloatType>(type)) {
    double real = number.kind == Kind::Floating ? number.real : double(number.integer);
    // One rounding, from the double that Python holds.
    llvm::APFloat exact(real);
    bool lost = false;
    exact.convert(floating.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &lost);
    value = FloatAttr::get(type, exact);
  } else {
    __int128 integer = number.kind == Kind::Floating ? __int128(number.real) : number.integer;
    if (number.tooWide)
      return valueError("Nonrepresentable integer " + number.str() + ".");
    if (elem.isBool())
      integer = number.isZero() ? 0 : 1;
    value = IntegerAttr::get(type, llvm::APInt(elem.bits(), uint64_t(integer), /*isSigned=*/false, /*implicitTrunc=*/true));
  }
  return wrap(arith::ConstantOp::create(state->builder, state->loc(), value), Type::scalar(elem));
}

Result<Tensor> Semantics::toTensor(const Operand &operand) {
  if (auto *tensor = std::get_if<Tensor>(&operand))
    return *tensor;
  const Number &number = std::get<Number>(operand);
  TM_TRY(elem, numberType(number));
  return constant(number, elem);
}

//===----------------------------------------------------------------------===//
// Promotion
//===----------------------------------------------------------------------===//

Result<Elem> Semantics::integerPromote(Elem a, Elem b) const {
  if (a.isUnsigned() == b.isUnsigned())
    return a.bits() > b.bits() ? a : b;
  Elem u = a.isUnsigned() ? a : b, s = a.isUnsigned() ? b : a;
  return u.bits() >= s.bits() ? u : s;
}

/// The type in which an operation on two types is done.
static Result<Elem> computationType(const Semantics &semantics, Elem a, bool weakA, Elem b, bool weakB, bool division) {
  auto either = [&](Scalar scalar) { return a.is(scalar) || b.is(scalar); };
  if (weakA != weakB) {
    Elem number = weakA ? a : b, tensor = weakA ? b : a;
    if (number.kind() <= tensor.kind()) {
      if (division && tensor.isFloating() && tensor.bits() < 32)
        return Elem{Scalar::FP32};
      return tensor;
    }
  }
  if (either(Scalar::FP64))
    return Elem{Scalar::FP64};
  if (division && (a.isFloating() || b.isFloating()))
    return Elem{Scalar::FP32};
  if (either(Scalar::FP32))
    return Elem{Scalar::FP32};
  if (either(Scalar::FP16))
    return Elem{Scalar::FP16};
  if (a.is(Scalar::BF16) && b.is(Scalar::BF16))
    return Elem{Scalar::BF16};
  if (either(Scalar::BF16))
    return Elem{Scalar::FP32};
  if (a.isFP8() && b.isFP8())
    return a == b ? a : Elem{Scalar::FP16};
  if (!a.isInt() || !b.isInt())
    return typeError("unexpected type " + a.str() + " and " + b.str());
  if (division && a.isUnsigned() != b.isUnsigned())
    return typeError("Cannot use /, #, or % with " + a.repr() + " and " + b.repr() +
                     " because they have different signedness;this is unlikely to result in a useful answer. Cast them to the same "
                     "signedness.");
  return semantics.integerPromote(a, b);
}

static Error incompatible(Elem a, Elem b) {
  return {ErrorKind::Type, "invalid operands of type " + a.repr() + " and " + b.repr()};
}

Result<Nothing> Semantics::promote(const Operand &a, const Operand &b, Tensor &x, Tensor &y, bool pointerA, bool pointerB,
                                   bool arithmetic, bool division) {
  auto *numberA = std::get_if<Number>(&a), *numberB = std::get_if<Number>(&b);
  Elem elemA, elemB;
  if (numberA) {
    TM_TRY(elem, numberType(*numberA));
    elemA = elem;
  } else {
    x = std::get<Tensor>(a);
    elemA = x.elem();
  }
  if (numberB) {
    TM_TRY(elem, numberType(*numberB));
    elemB = elem;
  } else {
    y = std::get<Tensor>(b);
    elemB = y.elem();
  }
  for (auto [first, second, allowed] : {std::tuple(elemA, elemB, pointerA), std::tuple(elemB, elemA, pointerB)})
    if (first.isPointer() && (!allowed || (second.isPointer() && second != first) || second.isFloating()))
      return incompatible(first, second);

  if (arithmetic && !elemA.isPointer() && !elemB.isPointer()) {
    TM_TRY(elem, computationType(*this, elemA, numberA, elemB, numberB, division));
    for (const Number *number : {numberA, numberB}) {
      if (!number || !elem.isInt())
        continue;
      if (number->isNegative() && elem.isUnsigned())
        return valueError("Cannot perform a binary operation between an unsigned tensor and a negative scalar. Perform a explicit "
                          "cast on one of them.");
      if (number->kind != Kind::Floating && !fits(*number, minValue(elem), maxValue(elem)))
        return valueError("Scalar " + number->str() + " is out of range for type " + elem.str());
    }
    TM_TRY(left, numberA ? constant(*numberA, elem) : cast(x, elem));
    TM_TRY(right, numberB ? constant(*numberB, elem) : cast(y, elem));
    x = left;
    y = right;
  } else {
    TM_TRY(left, toTensor(a));
    TM_TRY(right, toTensor(b));
    x = left;
    y = right;
  }
  return broadcastTogether(x, y);
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

Result<Nothing> Semantics::broadcastTogether(Tensor &a, Tensor &b) {
  if (a.type.shape() == b.type.shape())
    return Nothing{};
  if (!a.isBlock() || !b.isBlock()) {
    Tensor &scalar = a.isBlock() ? b : a;
    TM_TRY(wide, splat(scalar, (a.isBlock() ? a : b).type.shape()));
    scalar = wide;
    return Nothing{};
  }
  for (auto [narrow, wide] : {std::pair(&a, &b), std::pair(&b, &a)})
    while (narrow->type.rank() < wide->type.rank()) {
      TM_TRY(expanded, expandDims(*narrow, 0));
      *narrow = expanded;
    }
  SmallVector<int64_t> shape;
  for (auto [index, sizes] : llvm::enumerate(llvm::zip(a.type.shape(), b.type.shape()))) {
    auto [left, right] = sizes;
    if (left != right && left != 1 && right != 1)
      return valueError("Cannot make_shape_compatible: incompatible dimensions at index " + std::to_string(index) + ": " +
                        std::to_string(left) + " and " + std::to_string(right));
    shape.push_back(left == 1 ? right : left);
  }
  TM_TRY(left, broadcastTo(a, shape));
  TM_TRY(right, broadcastTo(b, shape));
  a = left;
  b = right;
  return Nothing{};
}

Result<Nothing> Semantics::broadcastAll(MutableArrayRef<Tensor> values) {
  for (unsigned round = 0; round < 2; ++round)
    for (unsigned i = 1; i < values.size(); ++i) {
      TM_TRY(done, broadcastTogether(values[0], values[i]));
      (void)done;
    }
  return Nothing{};
}
