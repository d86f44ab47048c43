//===- VectorMathPow.cpp - powers and reciprocal roots --------------------------===//
#include "VectorMathBuilder.h"
#include "VectorMathTables.h"

using namespace mlir;

namespace triton_metal::cpu {

Value emitRsqrt(const MathBuilder &m, Value x) { return m.div(m.c(1), m.sqrt(x)); }

namespace {

Pair twoSum(const MathBuilder &m, Value x, Value y) {
  Value sum = m.add(x, y);
  Value back = m.sub(sum, x);
  return {sum, m.add(m.sub(x, m.sub(sum, back)), m.sub(y, back))};
}

/// For |x| >= |y|.
Pair fastTwoSum(const MathBuilder &m, Value x, Value y) {
  Value sum = m.add(x, y);
  return {sum, m.sub(y, m.sub(sum, x))};
}

Pair twoProduct(const MathBuilder &m, Value x, Value y) {
  Value product = m.mul(x, y);
  return {product, m.fma(x, y, m.neg(product))};
}

/// log x to some 70 bits, for positive finite x.
Pair logPair(const MathBuilder &m, Value x) {
  Split split = emitSplit(m, x);
  // s = (mantissa - 1) / (mantissa + 1) as a pair; numerator and the sum 1 + mantissa are exact as pairs.
  Value one = m.c(1);
  Value numerator = m.sub(split.mantissa, one);
  Pair denominator = twoSum(m, split.mantissa, one);
  Value s = m.div(numerator, denominator.high);
  Value remainder = m.fma(m.neg(s), denominator.high, numerator);
  Value sLow = m.div(m.fma(m.neg(s), denominator.low, remainder), denominator.high);
  // log = 2 s + s^3 (2/3 + s^2 p): the factor 2/3 as a pair, the rest in single precision.
  Pair z = twoProduct(m, s, s);
  z.low = m.fma(m.mul(m.c(2), s), sLow, z.low);
  Value tail = m.mul(z.high, m.poly(z.high, llvm::ArrayRef<double>(tables::logPair64).drop_front()));
  double third = tables::logPair64[0];
  double thirdLow = 0x1.5555555555555p-55;
  Pair factor = fastTwoSum(m, m.c(third), m.add(tail, m.c(thirdLow)));
  Pair cube = twoProduct(m, z.high, s);
  cube.low = m.add(m.fma(z.high, sLow, m.mul(z.low, s)), cube.low);
  Pair term = twoProduct(m, cube.high, factor.high);
  term.low = m.add(m.fma(cube.high, factor.low, m.mul(cube.low, factor.high)), term.low);
  Value two = m.c(2);
  Pair head = fastTwoSum(m, m.mul(two, s), term.high);
  Value headLow = m.add(m.fma(two, sLow, term.low), head.low);
  // + exponent * ln 2, whose leading part is exact.
  Value scaled = m.mul(split.exponent, m.c(0x1.62e42fefa3800p-1));
  Pair sum = twoSum(m, scaled, head.high);
  Value low = m.add(m.fma(split.exponent, m.c(0x1.ef35793c76730p-45), headLow), sum.low);
  return fastTwoSum(m, sum.high, low);
}

/// |x|^y in double, from y log|x| as a pair.
Value powOfMagnitude(const MathBuilder &m, Value magnitude, Value y) {
  Pair log = logPair(m, magnitude);
  Pair product = twoProduct(m, y, log.high);
  Value low = m.fma(y, log.low, product.low);
  // Far beyond overflow and underflow the low part has no meaning (and may be inf - inf).
  Value high = m.atLeast(m.atMost(product.high, 800), -800);
  Value meaningful = m.equal(high, product.high);
  low = m.select(meaningful, low, m.c(0));
  Value power = emitExp(m, high);
  // e^(h + l) = e^h + e^h l; an infinite or vanished e^h stays what it is.
  Value corrected = m.fma(power, low, power);
  return m.select(m.less(power, m.c(m.infinity())), corrected, power);
}

} // namespace

Value emitPow(const MathBuilder &outer, Value x, Value y) {
  // f32 is computed in f64, where e^(y log x) needs no pairs to be right to the last bit but one.
  MathBuilder m = outer.withElement(outer.b.getF64Type());
  auto widen = [&](Value v) { return outer.wide ? v : Value(arith::ExtFOp::create(m.b, m.loc, m.type, v)); };
  Value wideX = widen(x), wideY = widen(y);
  Value magnitude = m.abs(wideX);
  Value result;
  if (outer.wide) {
    result = powOfMagnitude(m, magnitude, wideY);
  } else {
    result = emitExp(m, m.mul(wideY, emitLog(m, magnitude)));
  }
  // Bases 0 and infinity, by the sign of y.
  Value zero = m.c(0), infinity = m.c(m.infinity()), one = m.c(1);
  Value yPositive = m.greater(wideY, zero);
  result = m.select(m.equal(magnitude, zero), m.select(yPositive, zero, infinity), result);
  result = m.select(m.equal(magnitude, infinity), m.select(yPositive, infinity, zero), result);
  // Exponents of infinity.
  Value yInfinite = m.equal(m.abs(wideY), infinity);
  Value grows = m.cmp(arith::CmpFPredicate::OEQ, m.select(yPositive, one, zero), m.select(m.greater(magnitude, one), one, zero));
  result = m.select(yInfinite, m.select(grows, infinity, zero), result);
  // A negative base: odd exponents keep its sign, exponents that are no integer have no value.
  Value halfY = m.mul(wideY, m.c(0.5));
  Value isInteger = m.equal(wideY, math::FloorOp::create(m.b, m.loc, wideY));
  Value isEven = m.equal(halfY, math::FloorOp::create(m.b, m.loc, halfY));
  Value isOdd = m.select(isEven, zero, m.select(isInteger, one, zero));
  Value signedResult = m.select(m.equal(isOdd, one), m.copysign(result, wideX), result);
  Value noValue = m.select(m.less(wideX, zero), m.select(isInteger, zero, one), zero);
  noValue = m.select(m.equal(magnitude, infinity), zero, noValue);
  result = m.select(m.equal(noValue, one), m.c(m.nan()), signedResult);
  result = m.select(m.cmp(arith::CmpFPredicate::UNO, wideX, wideY), m.add(wideX, wideY), result);
  // 1^y and x^0 are 1 even for NaN, (-1)^inf too.
  Value always = m.either(m.equal(wideX, one), m.equal(wideY, zero));
  always = m.either(always, m.both(m.equal(magnitude, one), yInfinite));
  result = m.select(always, one, result);
  return outer.wide ? result : Value(arith::TruncFOp::create(m.b, m.loc, outer.type, result));
}

} // namespace triton_metal::cpu
