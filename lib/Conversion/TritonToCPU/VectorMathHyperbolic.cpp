//===- VectorMathHyperbolic.cpp - hyperbolic functions and the error function ---===//
#include "VectorMathBuilder.h"
#include "VectorMathTables.h"

using namespace mlir;

namespace triton_metal::cpu {

Value emitTanh(const MathBuilder &m, Value x) {
  // t / (t + 2) with t = e^(2|x|) - 1; beyond the bound the result is 1 to the last bit.
  Value magnitude = m.atMost(m.abs(x), m.wide ? 22 : 10);
  Value t = emitExpm1(m, m.add(magnitude, magnitude));
  return m.copysign(m.div(t, m.add(t, m.c(2))), x);
}

namespace {

/// Beyond this e^|x| comes near overflow before its half does.
double hyperbolicLimit(const MathBuilder &m) { return m.wide ? 709 : 88; }

/// e^|x| / 2 as a square, for large |x|.
Value halfExp(const MathBuilder &m, Value magnitude) {
  Value root = emitExp(m, m.mul(magnitude, m.c(0.5)));
  return m.mul(m.mul(root, m.c(0.5)), root);
}

} // namespace

Value emitSinh(const MathBuilder &m, Value x) {
  Value magnitude = m.abs(x);
  Value t = emitExpm1(m, m.atMost(magnitude, hyperbolicLimit(m)));
  Value usual = m.mul(m.c(0.5), m.add(t, m.div(t, m.add(t, m.c(1)))));
  // t + t rounds nothing away for a denormal, 0.5 t does.
  usual = m.select(m.less(magnitude, m.c(m.wide ? 0x1p-27 : 0x1p-13)), magnitude, usual);
  return m.copysign(m.select(m.greater(magnitude, m.c(hyperbolicLimit(m))), halfExp(m, magnitude), usual), x);
}

Value emitCosh(const MathBuilder &m, Value x) {
  Value magnitude = m.abs(x);
  Value e = emitExp(m, m.atMost(magnitude, hyperbolicLimit(m)));
  Value usual = m.fma(e, m.c(0.5), m.div(m.c(0.5), e));
  return m.select(m.greater(magnitude, m.c(hyperbolicLimit(m))), halfExp(m, magnitude), usual);
}

Value emitErf(const MathBuilder &m, Value x) {
  Value magnitude = m.abs(x);
  Value z = m.mul(x, x);
  Value small = m.wide ? m.poly(z, tables::erfSmall64) : m.poly(z, tables::erfSmall32);
  small = m.fma(x, small, x);
  Value t = m.atMost(magnitude, m.wide ? 5.93 : 3.93);
  Value p = m.wide ? m.poly(t, tables::erfLarge64) : m.poly(t, tables::erfLarge32);
  Value exponent = m.neg(m.fma(t, p, t));
  Value large = m.sub(m.c(1), emitExp(m, exponent));
  return m.select(m.greater(magnitude, m.c(m.wide ? 1.0 : 0.925)), m.copysign(large, x), small);
}

} // namespace triton_metal::cpu
