//===- VectorMathArc.cpp - arcus functions --------------------------------------===//
#include "VectorMathBuilder.h"
#include "VectorMathTables.h"

using namespace mlir;

namespace triton_metal::cpu {
namespace {

constexpr double pi = 0x1.921fb54442d18p+1;

/// pi - constant of the format's own rounding, to be added as a low part.
double piLow(const MathBuilder &m) { return m.wide ? 0x1.1a62633145c07p-53 : -0x1.777a5cp-24; }

/// atan of q from 0 to 1.
Value atanOfUnit(const MathBuilder &m, Value q) {
  Value z = m.mul(q, q);
  Value p = m.wide ? m.poly(z, tables::atan64) : m.poly(z, tables::atan32);
  return m.fma(m.mul(q, z), p, q);
}

/// scale * pi - value, with the low part of pi.
Value fromPi(const MathBuilder &m, double scale, Value value) {
  return m.add(m.sub(m.c(scale * pi), value), m.c(scale * piLow(m)));
}

} // namespace

Value emitAtan(const MathBuilder &m, Value x) {
  Value magnitude = m.abs(x);
  Value big = m.greater(magnitude, m.c(1));
  Value angle = atanOfUnit(m, m.select(big, m.div(m.c(1), magnitude), magnitude));
  return m.copysign(m.select(big, fromPi(m, 0.5, angle), angle), x);
}

Value emitAtan2(const MathBuilder &m, Value y, Value x) {
  Value ay = m.abs(y), ax = m.abs(x);
  Value steep = m.greater(ay, ax);
  Value low = m.select(steep, ax, ay), high = m.select(steep, ay, ax);
  Value q = m.div(low, high);
  // 0 / 0 stands for an angle of 0, inf / inf for 1.
  q = m.select(m.equal(low, high), m.select(m.equal(high, m.c(0)), m.c(0), m.c(1)), q);
  Value angle = atanOfUnit(m, q);
  angle = m.select(steep, fromPi(m, 0.5, angle), angle);
  Value left = m.less(m.copysign(m.c(1), x), m.c(0));
  angle = m.select(left, fromPi(m, 1, angle), angle);
  // The selects above compare, so a NaN operand is brought back here.
  angle = m.select(m.cmp(arith::CmpFPredicate::UNO, x, y), m.add(x, y), angle);
  return m.copysign(angle, y);
}

namespace {

/// |x| > 1/2 goes through asin x = pi / 2 - 2 asin(sqrt((1 - |x|) / 2)).
struct AsinParts {
  Value outer, root, value; ///< whether so, the root, and asin of the root or of |x|
};
AsinParts asinParts(const MathBuilder &m, Value x) {
  Value magnitude = m.abs(x);
  AsinParts parts;
  parts.outer = m.greater(magnitude, m.c(0.5));
  Value half = m.mul(m.sub(m.c(1), magnitude), m.c(0.5));
  Value z = m.select(parts.outer, half, m.mul(magnitude, magnitude));
  parts.root = m.select(parts.outer, m.sqrt(half), magnitude);
  Value p = m.wide ? m.poly(z, tables::asin64) : m.poly(z, tables::asin32);
  parts.value = m.fma(m.mul(parts.root, z), p, parts.root);
  return parts;
}

} // namespace

Value emitAsin(const MathBuilder &m, Value x) {
  AsinParts parts = asinParts(m, x);
  Value outer = fromPi(m, 0.5, m.add(parts.value, parts.value));
  return m.copysign(m.select(parts.outer, outer, parts.value), x);
}

Value emitAcos(const MathBuilder &m, Value x) {
  AsinParts parts = asinParts(m, x);
  Value twice = m.add(parts.value, parts.value);
  Value negative = m.less(x, m.c(0));
  Value outer = m.select(negative, fromPi(m, 1, twice), twice);
  Value inner = fromPi(m, 0.5, m.copysign(parts.value, x));
  return m.select(parts.outer, outer, inner);
}

} // namespace triton_metal::cpu
