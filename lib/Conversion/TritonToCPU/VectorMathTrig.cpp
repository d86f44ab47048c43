//===- VectorMathTrig.cpp - sine, cosine and tangent ----------------------------===//
#include "VectorMathReduce.h"
#include "VectorMathTables.h"

using namespace mlir;

namespace triton_metal::cpu {
namespace {

struct SinCos {
  Value sin, cos;
};

/// Both of an argument within a quarter turn.
SinCos sinCosOfRemainder(const MathBuilder &m, Value r) {
  Value z = m.mul(r, r);
  Value s = m.wide ? m.poly(z, tables::sin64) : m.poly(z, tables::sin32);
  Value c = m.wide ? m.poly(z, tables::cos64) : m.poly(z, tables::cos32);
  return {m.fma(m.mul(r, z), s, r), m.fma(m.mul(z, z), c, m.fma(z, m.c(-0.5), m.c(1)))};
}

/// sin(x + quadrants * pi / 2).
Value shiftedSin(const MathBuilder &m, Value x, int quadrants) {
  Reduced reduced = reduceToQuarterTurn(m, x);
  SinCos both = sinCosOfRemainder(m, reduced.r);
  Value quadrant = quadrants ? m.iadd(reduced.quadrant, m.ci(quadrants)) : reduced.quadrant;
  Value value = m.select(m.nonZero(m.iand(quadrant, m.ci(1))), both.cos, both.sin);
  Value sign = m.shl(m.iand(quadrant, m.ci(2)), m.wide ? 62 : 30);
  return m.fromBits(m.ixor(m.bits(value), sign));
}

/// `result`, or x itself where x is so small that the function rounds to it: keeps -0 and denormals.
Value orItself(const MathBuilder &m, Value x, Value result) {
  return m.select(m.less(m.abs(x), m.c(m.wide ? 0x1p-27 : 0x1p-13)), x, result);
}

} // namespace

Value emitSin(const MathBuilder &m, Value x) { return orItself(m, x, shiftedSin(m, x, 0)); }

Value emitCos(const MathBuilder &m, Value x) { return shiftedSin(m, x, 1); }

Value emitTan(const MathBuilder &m, Value x) {
  Reduced reduced = reduceToQuarterTurn(m, x);
  SinCos both = sinCosOfRemainder(m, reduced.r);
  Value odd = m.nonZero(m.iand(reduced.quadrant, m.ci(1)));
  Value quotient = m.div(m.select(odd, both.cos, both.sin), m.select(odd, m.neg(both.sin), both.cos));
  return orItself(m, x, quotient);
}

} // namespace triton_metal::cpu
