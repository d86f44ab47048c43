//===- LowerMath.cpp - the AIR functions that need no runtime ------------------------------------------------------------===//
#include "softmetal/Passes/LowerMath.h"
#include <numbers>

using namespace llvm;

namespace softmetal {

static Value *asFloat(Value *value, IRBuilder<> &builder) {
  Type *type = value->getType();
  if (!type->isFPOrFPVectorTy() || type->getScalarType()->isFloatTy())
    return value;
  return builder.CreateFPExt(value, type->getWithNewType(builder.getFloatTy()));
}

static Value *back(Value *value, Type *type, IRBuilder<> &builder) {
  return value->getType() == type ? value : builder.CreateFPTrunc(value, type);
}

Value *MathLowering::library(StringRef name, ArrayRef<Value *> arguments, IRBuilder<> &builder) {
  SmallVector<Type *> types(arguments.size(), builder.getFloatTy());
  FunctionCallee callee = module.getOrInsertFunction(name, FunctionType::get(builder.getFloatTy(), types, false));
  auto *function = cast<Function>(callee.getCallee());
  function->setDoesNotThrow();
  function->setDoesNotAccessMemory();
  function->setWillReturn();
  auto *vector = dyn_cast<FixedVectorType>(arguments[0]->getType());
  if (!vector)
    return builder.CreateCall(callee, arguments);
  Value *result = PoisonValue::get(vector);
  for (unsigned i = 0; i < vector->getNumElements(); ++i) {
    SmallVector<Value *> scalars;
    for (Value *argument : arguments)
      scalars.push_back(builder.CreateExtractElement(argument, i));
    result = builder.CreateInsertElement(result, builder.CreateCall(callee, scalars), i);
  }
  return result;
}

/// What Apple's GPU does for float to long: modulo 2^64, with NaN and infinities 0. Every other width saturates.
static Value *wrapToLong(Value *value, Type *to, IRBuilder<> &builder) {
  Type *bits32 = value->getType()->getWithNewType(builder.getInt32Ty());
  Value *bits = builder.CreateBitCast(value, bits32);
  auto word = [&](uint32_t number) { return ConstantInt::get(bits32, number); };
  auto wide = [&](uint64_t number) { return ConstantInt::get(to, number); };
  Value *exponent = builder.CreateAnd(builder.CreateLShr(bits, word(23)), word(255));
  Value *mantissa = builder.CreateZExt(builder.CreateOr(builder.CreateAnd(bits, word(0x7fffff)), word(0x800000)), to);
  Value *shift = builder.CreateZExt(builder.CreateSub(exponent, word(150)), to); // meant for values from 2^63 on
  Value *inRange = builder.CreateICmpULT(shift, wide(64));
  Value *large = builder.CreateShl(mantissa, builder.CreateSelect(inRange, shift, wide(0)));
  large = builder.CreateSelect(inRange, large, wide(0));
  Value *negative = builder.CreateICmpSLT(bits, word(0));
  large = builder.CreateSelect(negative, builder.CreateNeg(large), large);
  Value *small = builder.CreateIntrinsic(Intrinsic::fptosi_sat, {to, value->getType()}, {value});
  return builder.CreateSelect(builder.CreateICmpULT(exponent, word(127 + 63)), small, large);
}

Value *MathLowering::convert(Value *value, Type *to, const NamedType &destination, const NamedType &source, IRBuilder<> &builder) {
  Type *from = value->getType();
  if (destination.isFloat() && source.isFloat()) {
    if (from == to)
      return value;
    unsigned fromBits = from->getScalarSizeInBits(), toBits = to->getScalarSizeInBits();
    if (fromBits == toBits) // half and bfloat, through float
      return builder.CreateFPTrunc(asFloat(value, builder), to);
    return fromBits < toBits ? builder.CreateFPExt(value, to) : builder.CreateFPTrunc(value, to);
  }
  if (destination.isFloat())
    return source.isSigned() && source.bits != 1 ? builder.CreateSIToFP(value, to) : builder.CreateUIToFP(value, to);
  if (!source.isFloat()) {
    if (destination.bits == 1)
      return builder.CreateICmpNE(value, Constant::getNullValue(from));
    return source.isSigned() && source.bits != 1 ? builder.CreateSExtOrTrunc(value, to) : builder.CreateZExtOrTrunc(value, to);
  }
  if (destination.bits == 1)
    return builder.CreateFCmpUNE(value, Constant::getNullValue(from));
  value = asFloat(value, builder);
  if (destination.isSigned() && destination.bits == 64)
    return wrapToLong(value, to, builder);
  return builder.CreateIntrinsic(destination.isSigned() ? Intrinsic::fptosi_sat : Intrinsic::fptoui_sat, {to, value->getType()},
                                 {value});
}

Value *MathLowering::lower(CallInst &call, const AirFunction &known, IRBuilder<> &builder) {
  Type *type = call.getType();
  auto operand = [&](unsigned index) { return call.getArgOperand(index); };
  auto floats = [&] {
    SmallVector<Value *> values;
    for (Value *argument : call.args())
      values.push_back(asFloat(argument, builder));
    return values;
  };
  auto number = [](Value *like, double value) { return ConstantFP::get(like->getType(), value); };
  bool isSigned = !known.types.empty() && known.types[0].isSigned();
  switch (known.operation) {
  case Operation::Intrinsic: {
    SmallVector<Value *> values = floats();
    return back(builder.CreateIntrinsic(Intrinsic::ID(known.detail), {values[0]->getType()}, values), type, builder);
  }
  case Operation::Library:
    return back(library(known.library, floats(), builder), type, builder);
  case Operation::IntegerMinMax: {
    Intrinsic::ID id = known.detail ? (isSigned ? Intrinsic::smax : Intrinsic::umax) : (isSigned ? Intrinsic::smin : Intrinsic::umin);
    return builder.CreateBinaryIntrinsic(id, operand(0), operand(1));
  }
  case Operation::Clamp: {
    if (known.types[0].isFloat()) {
      SmallVector<Value *> values = floats();
      Value *low = builder.CreateBinaryIntrinsic(Intrinsic::maxnum, values[0], values[1]);
      return back(builder.CreateBinaryIntrinsic(Intrinsic::minnum, low, values[2]), type, builder);
    }
    Value *low = builder.CreateBinaryIntrinsic(isSigned ? Intrinsic::smax : Intrinsic::umax, operand(0), operand(1));
    return builder.CreateBinaryIntrinsic(isSigned ? Intrinsic::smin : Intrinsic::umin, low, operand(2));
  }
  case Operation::Abs:
    return isSigned ? builder.CreateBinaryIntrinsic(Intrinsic::abs, operand(0), builder.getFalse()) : operand(0);
  case Operation::AbsDiff: {
    Value *less = isSigned ? builder.CreateICmpSLT(operand(0), operand(1)) : builder.CreateICmpULT(operand(0), operand(1));
    return builder.CreateSelect(less, builder.CreateSub(operand(1), operand(0)), builder.CreateSub(operand(0), operand(1)));
  }
  case Operation::MulHigh: {
    unsigned bits = type->getScalarSizeInBits();
    Type *wide = type->getWithNewBitWidth(2 * bits);
    auto widen = [&](Value *value) { return isSigned ? builder.CreateSExt(value, wide) : builder.CreateZExt(value, wide); };
    Value *product = builder.CreateMul(widen(operand(0)), widen(operand(1)));
    return builder.CreateTrunc(builder.CreateLShr(product, ConstantInt::get(wide, bits)), type);
  }
  case Operation::Saturating: {
    Intrinsic::ID id = known.detail ? (isSigned ? Intrinsic::ssub_sat : Intrinsic::usub_sat)
                                    : (isSigned ? Intrinsic::sadd_sat : Intrinsic::uadd_sat);
    return builder.CreateBinaryIntrinsic(id, operand(0), operand(1));
  }
  case Operation::Rotate:
    return builder.CreateIntrinsic(Intrinsic::fshl, {type}, {operand(0), operand(0), operand(1)});
  case Operation::BitCount: {
    auto id = Intrinsic::ID(known.detail);
    if (id == Intrinsic::ctlz || id == Intrinsic::cttz)
      return builder.CreateBinaryIntrinsic(id, operand(0), builder.getFalse());
    return builder.CreateUnaryIntrinsic(id, operand(0));
  }
  case Operation::ReciprocalSqrt: {
    Value *root = builder.CreateUnaryIntrinsic(Intrinsic::sqrt, asFloat(operand(0), builder));
    return back(builder.CreateFDiv(number(root, 1), root), type, builder);
  }
  case Operation::Sign: { // +-0 stay, NaN gives 0
    Value *value = asFloat(operand(0), builder);
    Value *one = builder.CreateBinaryIntrinsic(Intrinsic::copysign, number(value, 1), value);
    Value *result = builder.CreateSelect(builder.CreateFCmpUNE(value, number(value, 0)), one, value);
    return back(builder.CreateSelect(builder.CreateFCmpUNO(value, value), number(value, 0), result), type, builder);
  }
  case Operation::Fract: {
    Value *value = asFloat(operand(0), builder);
    Value *rest = builder.CreateFSub(value, builder.CreateUnaryIntrinsic(Intrinsic::floor, value));
    return back(builder.CreateBinaryIntrinsic(Intrinsic::minnum, rest, number(value, 0x1.fffffep-1)), type, builder);
  }
  case Operation::Saturate: {
    Value *value = asFloat(operand(0), builder);
    value = builder.CreateBinaryIntrinsic(Intrinsic::maxnum, value, number(value, 0));
    return back(builder.CreateBinaryIntrinsic(Intrinsic::minnum, value, number(value, 1)), type, builder);
  }
  case Operation::ScaleByPower: {
    Value *value = asFloat(operand(0), builder);
    return back(builder.CreateIntrinsic(Intrinsic::ldexp, {value->getType(), operand(1)->getType()}, {value, operand(1)}), type,
                builder);
  }
  case Operation::SinCos: {
    Value *value = asFloat(operand(0), builder);
    builder.CreateStore(back(builder.CreateUnaryIntrinsic(Intrinsic::cos, value), type, builder), operand(1));
    return back(builder.CreateUnaryIntrinsic(Intrinsic::sin, value), type, builder);
  }
  case Operation::ScaledTrig: { // the argument is reduced modulo 2 before the multiplication
    Value *value = asFloat(operand(0), builder);
    Value *half = builder.CreateFMul(value, number(value, 0.5));
    Value *turns = builder.CreateUnaryIntrinsic(Intrinsic::rint, half);
    Value *rest = builder.CreateFMul(builder.CreateFSub(half, turns), number(value, 2 * std::numbers::pi));
    return back(builder.CreateUnaryIntrinsic(known.detail ? Intrinsic::cos : Intrinsic::sin, rest), type, builder);
  }
  case Operation::Classify: {
    Value *is = builder.createIsFPClass(operand(0), known.detail);
    return builder.CreateZExtOrTrunc(is, type);
  }
  case Operation::Convert:
    return convert(operand(0), type, known.types[0], known.types[1], builder);
  case Operation::Dot: {
    Value *products = builder.CreateFMul(asFloat(operand(0), builder), asFloat(operand(1), builder));
    Value *sum = builder.CreateFAddReduce(ConstantFP::getNegativeZero(builder.getFloatTy()), products);
    return back(sum, type, builder);
  }
  default:
    return PoisonValue::get(type);
  }
}

} // namespace softmetal
