//===- Arithmetic.cpp - binary and unary operators, comparisons, selection, math -------===//
#include "State.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

static Error unexpected(Elem elem) { return typeError("unexpected type " + elem.str()); }
static Error incompatible(Elem a, Elem b) {
  return typeError("invalid operands of type " + a.repr() + " and " + b.repr());
}

//===----------------------------------------------------------------------===//
// Binary operators
//===----------------------------------------------------------------------===//

/// Asserts in debug builds that an addition, subtraction or multiplication of two integers narrower than 64 bits does not wrap.
static Result<Nothing> assertNoOverflow(Semantics &semantics, BinaryOp op, Tensor a, Tensor b) {
  Elem elem = a.elem();
  if (elem.bits() >= 64 || !semantics.options().sanitizeOverflow)
    return Nothing{};
  TM_TRY(x, semantics.cast(a, {Scalar::Int64}));
  TM_TRY(y, semantics.cast(b, {Scalar::Int64}));
  TM_TRY(wide, semantics.binary(op, x, y, false));
  TM_TRY(least, semantics.constant(Number::fromInt(int64_t(minValue(elem))), {Scalar::Int64}));
  TM_TRY(greatest, semantics.constant(Number::fromInt(int64_t(maxValue(elem))), {Scalar::Int64}));
  TM_TRY(below, semantics.compare(CompareOp::Le, wide, greatest));
  TM_TRY(above, semantics.compare(CompareOp::Ge, wide, least));
  TM_TRY(inRange, semantics.binary(BinaryOp::And, below, above));
  const char *name = op == BinaryOp::Add ? "add" : op == BinaryOp::Sub ? "sub" : "mul";
  return semantics.deviceAssert(inRange, "int" + std::to_string(elem.bits()) + " overflow detected for operation " + name, {});
}

/// A pointer plus a signed offset; an unsigned offset narrower than 64 bits is zero-extended, because the IR's is signed.
static Result<Tensor> addPointer(Semantics &semantics, Semantics::State &state, Tensor pointer, Tensor offset) {
  if (offset.elem().isUnsigned() && offset.elem().bits() < 64) {
    TM_TRY(wide, semantics.cast(offset, {Scalar::Int64}));
    offset = wide;
  }
  Value result = state.make<tt::AddPtrOp>(unwrap(pointer).getType(), unwrap(pointer), unwrap(offset));
  return wrap(result, pointer.type);
}

Result<Tensor> Semantics::binary(BinaryOp op, const Operand &a, const Operand &b, bool sanitize) {
  Tensor x, y;
  bool division = op == BinaryOp::Div || op == BinaryOp::FloorDiv || op == BinaryOp::Mod;
  bool bitwise = op >= BinaryOp::And;
  TM_TRY(done, promote(a, b, x, y, op == BinaryOp::Add || op == BinaryOp::Sub, op == BinaryOp::Add, true, division));
  (void)done;
  Elem ex = x.elem(), ey = y.elem();
  if (bitwise) {
    if (!ex.isInt() || !ey.isInt())
      return incompatible(ex, ey);
  }
  if (op == BinaryOp::Add && (ex.isPointer() || ey.isPointer())) {
    if (ex.isPointer() && ey.isPointer())
      return typeError("cannot add pointers together");
    return ex.isPointer() ? addPointer(*this, *state, x, y) : addPointer(*this, *state, y, x);
  }
  if (op == BinaryOp::Sub && ex.isPointer()) {
    if (ey.isPointer())
      return typeError("cannot subtract pointers; cast them to tl.int64 first");
    TM_TRY(offset, negate(y));
    return addPointer(*this, *state, x, offset);
  }
  if (op == BinaryOp::Div && ex.isInt()) {
    TM_TRY(floatX, cast(x, {Scalar::FP32}));
    TM_TRY(floatY, cast(y, {Scalar::FP32}));
    x = floatX;
    y = floatY;
    ex = x.elem();
  }
  if ((op == BinaryOp::FloorDiv || bitwise) && !ex.isInt())
    return unexpected(ex);
  if (sanitize && ex.isInt() && (op == BinaryOp::Add || op == BinaryOp::Sub || op == BinaryOp::Mul)) {
    TM_TRY(checked, assertNoOverflow(*this, op, x, y));
    (void)checked;
  }
  Value l = unwrap(x), r = unwrap(y);
  bool real = ex.isFloating(), isSigned = ex.isSigned();
  Value result;
  switch (op) {
  case BinaryOp::Add: result = real ? state->make<arith::AddFOp>(l, r) : state->make<arith::AddIOp>(l, r); break;
  case BinaryOp::Sub: result = real ? state->make<arith::SubFOp>(l, r) : state->make<arith::SubIOp>(l, r); break;
  case BinaryOp::Mul: result = real ? state->make<arith::MulFOp>(l, r) : state->make<arith::MulIOp>(l, r); break;
  case BinaryOp::Div: result = state->make<arith::DivFOp>(l, r); break;
  case BinaryOp::FloorDiv: result = isSigned ? state->make<arith::DivSIOp>(l, r) : state->make<arith::DivUIOp>(l, r); break;
  case BinaryOp::Mod:
    result = real       ? state->make<arith::RemFOp>(l, r)
             : isSigned ? state->make<arith::RemSIOp>(l, r)
                        : state->make<arith::RemUIOp>(l, r);
    break;
  case BinaryOp::And: result = state->make<arith::AndIOp>(l, r); break;
  case BinaryOp::Or: result = state->make<arith::OrIOp>(l, r); break;
  case BinaryOp::Xor: result = state->make<arith::XOrIOp>(l, r); break;
  case BinaryOp::Shl: result = state->make<arith::ShLIOp>(l, r); break;
  case BinaryOp::Shr: {
    // The left operand decides which shift it is, and a number takes the tensor's type.
    bool arithmeticShift = std::holds_alternative<Tensor>(a) ? std::get<Tensor>(a).elem().isSigned() : isSigned;
    result = arithmeticShift ? state->make<arith::ShRSIOp>(l, r) : state->make<arith::ShRUIOp>(l, r);
    break;
  }
  }
  return wrap(result, x.type);
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

Result<Tensor> Semantics::compare(CompareOp op, const Operand &a, const Operand &b) {
  Tensor x, y;
  if (state->options.weakComparisons) {
    TM_TRY(done, promote(a, b, x, y, false, false, true, false));
    (void)done;
  } else {
    TM_TRY(left, toTensor(a));
    TM_TRY(right, toTensor(b));
    TM_TRY(done, promote(left, right, x, y, false, false, true, false));
    (void)done;
  }
  Elem elem = x.elem();
  Type type = x.type.withElem({Scalar::Int1});
  if (elem.isFloating()) {
    using P = arith::CmpFPredicate;
    static constexpr P predicates[] = {P::OEQ, P::UNE, P::OLT, P::OLE, P::OGT, P::OGE};
    return wrap(state->make<arith::CmpFOp>(predicates[unsigned(op)], unwrap(x), unwrap(y)), type);
  }
  if (!elem.isInt())
    return unexpected(elem);
  using P = arith::CmpIPredicate;
  static constexpr P signedPredicates[] = {P::eq, P::ne, P::slt, P::sle, P::sgt, P::sge};
  static constexpr P unsignedPredicates[] = {P::eq, P::ne, P::ult, P::ule, P::ugt, P::uge};
  P predicate = (elem.isSigned() ? signedPredicates : unsignedPredicates)[unsigned(op)];
  return wrap(state->make<arith::CmpIOp>(predicate, unwrap(x), unwrap(y)), type);
}

Result<Tensor> Semantics::logicalAnd(Tensor a, Tensor b) {
  TM_TRY(x, bitcast(a, {Scalar::Int1}));
  TM_TRY(y, bitcast(b, {Scalar::Int1}));
  return binary(BinaryOp::And, x, y);
}

Result<Tensor> Semantics::logicalOr(Tensor a, Tensor b) {
  TM_TRY(x, bitcast(a, {Scalar::Int1}));
  TM_TRY(y, bitcast(b, {Scalar::Int1}));
  return binary(BinaryOp::Or, x, y);
}

Result<Tensor> Semantics::logicalNot(Tensor value) {
  TM_TRY(bit, bitcast(value, {Scalar::Int1}));
  return invert(bit);
}

//===----------------------------------------------------------------------===//
// Unary operators
//===----------------------------------------------------------------------===//

Result<Tensor> Semantics::negate(Tensor value) {
  Elem elem = value.elem();
  if (elem.isPointer())
    return valueError("wrong type argument to unary minus (" + elem.repr() + ")");
  if (elem.isFloating())
    return wrap(state->make<arith::NegFOp>(unwrap(value)), value.type);
  TM_TRY(zero, constant(Number::fromInt(0), elem));
  return binary(BinaryOp::Sub, zero, value);
}

Result<Tensor> Semantics::invert(Tensor value) {
  Elem elem = value.elem();
  if (elem.isPointer() || elem.isFloating())
    return valueError("wrong type argument to unary invert (" + elem.repr() + ")");
  Number ones = Number::fromInt(0);
  ones.integer = elem.isSigned() ? __int128(-1) : maxValue(elem);
  TM_TRY(mask, constant(ones, elem));
  return binary(BinaryOp::Xor, value, mask);
}

//===----------------------------------------------------------------------===//
// Minimum, maximum, selection
//===----------------------------------------------------------------------===//

/// An operand of an operation whose numbers are strong and whose bf16 becomes fp32, unless the language is that of 3.9.
static Result<Operand> widen(Semantics &semantics, const Operand &operand) {
  if (semantics.options().weakComparisons)
    return operand;
  TM_TRY(tensor, semantics.toTensor(operand));
  if (!tensor.elem().is(Scalar::BF16))
    return Operand(tensor);
  TM_TRY(wide, semantics.cast(tensor, {Scalar::FP32}));
  return Operand(wide);
}

Result<Tensor> Semantics::minMax(bool isMax, const Operand &a, const Operand &b, bool propagateNan) {
  TM_TRY(left, widen(*this, a));
  TM_TRY(right, widen(*this, b));
  Tensor x, y;
  TM_TRY(done, promote(left, right, x, y, false, false, true, false));
  (void)done;
  Value l = unwrap(x), r = unwrap(y), result;
  Elem elem = x.elem();
  if (elem.isFloating() && propagateNan)
    result = isMax ? state->make<arith::MaximumFOp>(l, r) : state->make<arith::MinimumFOp>(l, r);
  else if (elem.isFloating())
    result = isMax ? state->make<arith::MaxNumFOp>(l, r) : state->make<arith::MinNumFOp>(l, r);
  else if (elem.isSigned())
    result = isMax ? state->make<arith::MaxSIOp>(l, r) : state->make<arith::MinSIOp>(l, r);
  else if (elem.isUnsigned())
    result = isMax ? state->make<arith::MaxUIOp>(l, r) : state->make<arith::MinUIOp>(l, r);
  else
    return typeError("Unexpected dtype " + elem.str());
  return wrap(result, x.type);
}

Result<Tensor> Semantics::clamp(const Operand &x, const Operand &lo, const Operand &hi, bool propagateNan) {
  TM_TRY(value, widen(*this, x));
  TM_TRY(least, widen(*this, lo));
  TM_TRY(greatest, widen(*this, hi));
  Tensor v, l, h;
  if (state->options.weakComparisons && std::holds_alternative<Tensor>(value)) {
    TM_TRY(low, promote(value, least, v, l, false, false, true, false));
    TM_TRY(high, promote(v, greatest, v, h, false, false, true, false));
    TM_TRY(again, promote(v, l, v, l, false, false, true, false));
    (void)low, (void)high, (void)again;
  } else {
    TM_TRY(bounds, promote(least, greatest, l, h, false, false, true, false));
    TM_TRY(low, promote(value, l, v, l, false, false, true, false));
    TM_TRY(high, promote(v, h, v, h, false, false, true, false));
    (void)bounds, (void)low, (void)high;
  }
  if (v.elem().isInt()) {
    TM_TRY(above, minMax(true, v, l, false));
    return minMax(false, above, h, false);
  }
  if (!v.elem().isFloating())
    return typeError("Unexpected dtype " + v.elem().str() + ". Only floating point and integer clamp is supported");
  TM_TRY(shape, broadcastTogether(v, l));
  (void)shape;
  auto nan = propagateNan ? tt::PropagateNan::ALL : tt::PropagateNan::NONE;
  return wrap(state->make<tt::ClampFOp>(unwrap(v).getType(), unwrap(v), unwrap(l), unwrap(h), nan), v.type);
}

Result<Tensor> Semantics::where(Tensor condition, const Operand &a, const Operand &b) {
  TM_TRY(bit, cast(condition, {Scalar::Int1}));
  Tensor x, y;
  TM_TRY(done, promote(a, b, x, y, true, true, true, false));
  TM_TRY(first, broadcastTogether(bit, x));
  TM_TRY(second, broadcastTogether(x, y));
  (void)done, (void)first, (void)second;
  if (x.elem() != y.elem())
    return incompatible(x.elem(), y.elem());
  return wrap(state->make<arith::SelectOp>(unwrap(bit), unwrap(x), unwrap(y)), x.type);
}

//===----------------------------------------------------------------------===//
// Math
//===----------------------------------------------------------------------===//

static Error wrongMathType(Elem elem, bool doubleToo) {
  return valueError(std::string("Expected dtype ['fp32'") + (doubleToo ? ", 'fp64'" : "") + "] but got " + elem.str());
}

Result<Tensor> Semantics::math(MathOp op, const Operand &operand) {
  bool doubleToo = op != MathOp::SqrtRn;
  if (auto *tensor = std::get_if<Tensor>(&operand))
    if (!tensor->elem().is(Scalar::FP32) && !(doubleToo && tensor->elem().is(Scalar::FP64)))
      return wrongMathType(tensor->elem(), doubleToo);
  TM_TRY(x, toTensor(operand));
  if (!x.elem().isFloating())
    return wrongMathType(x.elem(), doubleToo);
  Value v = unwrap(x), result;
  switch (op) {
  case MathOp::Exp: result = state->make<math::ExpOp>(v); break;
  case MathOp::Exp2: result = state->make<math::Exp2Op>(v); break;
  case MathOp::Log: result = state->make<math::LogOp>(v); break;
  case MathOp::Log2: result = state->make<math::Log2Op>(v); break;
  case MathOp::Sin: result = state->make<math::SinOp>(v); break;
  case MathOp::Cos: result = state->make<math::CosOp>(v); break;
  case MathOp::Sqrt: result = state->make<math::SqrtOp>(v); break;
  case MathOp::SqrtRn: result = state->make<tt::PreciseSqrtOp>(v.getType(), v); break;
  case MathOp::Rsqrt: result = state->make<math::RsqrtOp>(v); break;
  case MathOp::Erf: result = state->make<math::ErfOp>(v); break;
  case MathOp::Floor: result = state->make<math::FloorOp>(v); break;
  case MathOp::Ceil: result = state->make<math::CeilOp>(v); break;
  }
  return wrap(result, x.type);
}

Result<Tensor> Semantics::abs(const Operand &operand) {
  TM_TRY(x, toTensor(operand));
  if (x.elem().is(Scalar::FP8E4B15)) { // bytes without an MLIR type of their own
    TM_TRY(mask, constant(Number::fromInt(0x7F), {Scalar::Int8}));
    TM_TRY(wide, splat(mask, x.type.shape()));
    return wrap(state->make<arith::AndIOp>(unwrap(x), unwrap(wide)), x.type);
  }
  if (x.elem().isFloating() && x.elem().bits() == 8) { // no device has it; exact both ways, and a NaN stays one
    TM_TRY(wide, cast(x, {Scalar::FP32}));
    return cast(wrap(state->make<math::AbsFOp>(unwrap(wide)), wide.type), x.elem());
  }
  if (x.elem().isFloating())
    return wrap(state->make<math::AbsFOp>(unwrap(x)), x.type);
  if (x.elem().isSigned())
    return wrap(state->make<math::AbsIOp>(unwrap(x)), x.type);
  if (x.elem().isUnsigned())
    return x;
  return assertionError("Unexpected dtype " + x.elem().str());
}

Result<Tensor> Semantics::fdiv(const Operand &a, const Operand &b, bool ieee) {
  Tensor x, y;
  bool later = state->options.weakComparisons;
  TM_TRY(left, toTensor(a));
  TM_TRY(right, toTensor(b));
  if (later ? !left.elem().isFloating() && !right.elem().isFloating() : !left.elem().isFloating() || !right.elem().isFloating())
    return typeError("both operands of fdiv must have floating scalar type");
  if (later || left.elem() != right.elem()) {
    TM_TRY(done, promote(later ? a : Operand(left), later ? b : Operand(right), x, y, false, false, true, true));
    (void)done;
  } else {
    TM_TRY(done, promote(left, right, x, y, false, false, false, true));
    (void)done;
  }
  Value result = ieee && x.elem().is(Scalar::FP32) ? state->make<tt::PreciseDivFOp>(unwrap(x).getType(), unwrap(x), unwrap(y))
                                                   : state->make<arith::DivFOp>(unwrap(x), unwrap(y));
  return wrap(result, x.type);
}

Result<Tensor> Semantics::divRn(const Operand &a, const Operand &b) {
  for (const Operand *operand : {&a, &b})
    if (auto *tensor = std::get_if<Tensor>(operand); tensor && !tensor->elem().is(Scalar::FP32))
      return wrongMathType(tensor->elem(), false);
  Tensor x, y;
  TM_TRY(left, toTensor(a));
  TM_TRY(right, toTensor(b));
  TM_TRY(done, promote(left, right, x, y, false, false, true, false));
  (void)done;
  if (!x.elem().is(Scalar::FP32))
    return wrongMathType(x.elem(), false);
  return wrap(state->make<tt::PreciseDivFOp>(unwrap(x).getType(), unwrap(x), unwrap(y)), x.type);
}

Result<Tensor> Semantics::fma(const Operand &a, const Operand &b, const Operand &c) {
  Tensor x, y, z;
  Operand oa = a, ob = b, oc = c;
  if (!state->options.weakComparisons)
    for (Operand *operand : {&oa, &ob, &oc}) {
      TM_TRY(strong, toTensor(*operand));
      *operand = strong;
    }
  TM_TRY(first, promote(oa, ob, x, y, false, false, true, false));
  TM_TRY(second, promote(oc, x, z, x, false, false, true, false));
  TM_TRY(third, promote(z, y, z, y, false, false, true, false));
  TM_TRY(fourth, broadcastTogether(x, z));
  (void)first, (void)second, (void)third, (void)fourth;
  if (!x.elem().isFloating())
    return typeError("Unexpected dtype " + x.elem().str() + ". Only floating point fma is supported");
  return wrap(state->make<math::FmaOp>(unwrap(x), unwrap(y), unwrap(z)), x.type);
}

Result<Tensor> Semantics::umulhi(const Operand &a, const Operand &b) {
  auto wrong = [](Elem elem) {
    return valueError("Expected dtype ['int32', 'int64', 'uint32', 'uint64'] but got " + elem.str());
  };
  for (const Operand *operand : {&a, &b})
    if (auto *tensor = std::get_if<Tensor>(operand); tensor && (!tensor->elem().isInt() || tensor->elem().bits() < 32))
      return wrong(tensor->elem());
  Tensor x, y;
  Operand oa = a, ob = b;
  if (!state->options.weakComparisons)
    for (Operand *operand : {&oa, &ob}) {
      TM_TRY(strong, toTensor(*operand));
      *operand = strong;
    }
  TM_TRY(done, promote(oa, ob, x, y, false, false, true, false));
  (void)done;
  if (!x.elem().isInt() || x.elem().bits() < 32)
    return wrong(x.elem());
  return wrap(state->make<tt::MulhiUIOp>(unwrap(x).getType(), unwrap(x), unwrap(y)), x.type);
}
