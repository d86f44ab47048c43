//===- VectorMathExpLog.cpp - exponentials and logarithms -----------------------===//
#include "VectorMathBuilder.h"
#include "VectorMathTables.h"

using namespace mlir;

namespace triton_metal::cpu {

// ln 2 = high + low, where n * high is exact for every exponent n.
static double ln2High(bool wide) { return wide ? 0x1.62e42fefa3800p-1 : 0x1.62e400p-1; }
static double ln2Low(bool wide) { return wide ? 0x1.ef35793c76730p-45 : 0x1.7f7d1cf79abcap-20; }

Nearest emitNearest(const MathBuilder &m, Value x, Value factor) {
  Value shift = m.c(m.magic() + 2 * m.exponentBias());
  Value shifted = factor ? m.fma(x, factor, shift) : m.add(x, shift);
  return {m.sub(shifted, shift), shifted};
}

Value emitScale(const MathBuilder &m, Value p, const Nearest &nearest) {
  // Both powers of two are made in place: the bias is in the numbers already, and what is left of it drops out at the top.
  Value half = m.bits(m.fma(nearest.n, m.c(0.5), m.c(m.magic() + m.exponentBias())));
  Value rest = m.isub(m.bits(nearest.shifted), half);
  auto power = [&](Value biased) { return m.fromBits(m.shl(biased, m.mantissaBits())); };
  return m.mul(m.mul(p, power(half)), power(rest));
}

namespace {

/// x = n ln 2 + r, |r| <= ln 2 / 2, with e^r - 1 - r = r^2 p.
struct ExpParts {
  Nearest nearest;
  Value r, square, p;
};

ExpParts expParts(const MathBuilder &m, Value x) {
  ExpParts parts;
  parts.nearest = emitNearest(m, x, m.c(0x1.71547652b82fep+0));
  parts.r = m.fma(parts.nearest.n, m.c(-ln2High(m.wide)), x);
  parts.r = m.fma(parts.nearest.n, m.c(-ln2Low(m.wide)), parts.r);
  parts.square = m.mul(parts.r, parts.r);
  parts.p = m.wide ? m.pairwise(parts.r, parts.square, tables::exp64) : m.pairwise(parts.r, parts.square, tables::exp32);
  return parts;
}

/// log(x) - exponent * ln 2 = high + low, for the mantissa of x.
struct LogParts {
  Value high, low, exponent;
};

LogParts logParts(const MathBuilder &m, Value x) {
  Split split = emitSplit(m, x);
  Value f = m.sub(split.mantissa, m.c(1));
  Value square = m.mul(f, f), low;
  if (m.wide) {
    // log(1 + f) = f - (f^2 / 2 - s (f^2 / 2 + s^2 p)), s = f / (2 + f): the rounding of s counts for little.
    Value half = m.mul(m.c(0.5), square);
    Value s = m.div(f, m.add(f, m.c(2)));
    Value z = m.mul(s, s);
    low = m.sub(m.mul(s, m.fma(z, m.poly(z, tables::log64), half)), half);
  } else {
    Value p = m.mul(m.mul(f, square), m.poly(f, tables::log32));
    low = m.fma(square, m.c(-0.5), p);
  }
  return {f, low, split.exponent};
}

/// NaN below 0, -inf at 0, and x itself at infinity and NaN.
Value logEdges(const MathBuilder &m, Value x, Value result) {
  result = m.select(m.less(x, m.c(m.infinity())), result, x);
  result = m.select(m.equal(x, m.c(0)), m.c(-m.infinity()), result);
  return m.select(m.less(x, m.c(0)), m.c(m.nan()), result);
}

} // namespace

Split emitSplit(const MathBuilder &m, Value x) {
  // Denormals are scaled up first.
  int lift = m.mantissaBits() + 1;
  Value small = m.less(x, m.c(m.smallestNormal()));
  Value lifted = m.select(small, m.mul(x, m.c(std::ldexp(1.0, lift))), x);
  int64_t rootBits = m.wide ? 0x3fe6a09e667f3bcd : 0x3f3504f3;
  int64_t oneBits = int64_t(m.exponentBias()) << m.mantissaBits();
  Value bits = m.bits(lifted);
  Value biased = m.shr(m.iadd(bits, m.ci(oneBits - rootBits)), m.mantissaBits());
  Split split;
  split.mantissa = m.fromBits(m.isub(bits, m.shl(m.isub(biased, m.ci(m.exponentBias())), m.mantissaBits())));
  Value exponent = m.fromBits(m.iadd(biased, m.ci(m.magicBits())));
  double bias = m.magic() + m.exponentBias();
  split.exponent = m.sub(exponent, m.select(small, m.c(bias + lift), m.c(bias)));
  return split;
}

Value emitExp(const MathBuilder &m, Value x) {
  x = m.atLeast(m.atMost(x, m.wide ? 710 : 89), m.wide ? -746 : -105);
  ExpParts parts = expParts(m, x);
  return emitScale(m, m.fma(parts.square, parts.p, m.add(parts.r, m.c(1))), parts.nearest);
}

Value emitExp2(const MathBuilder &m, Value x) {
  x = m.atLeast(m.atMost(x, m.wide ? 1025 : 129), m.wide ? -1080 : -155);
  Nearest nearest = emitNearest(m, x);
  Value r = m.sub(x, nearest.n);
  Value square = m.mul(r, r);
  Value p = m.wide ? m.pairwise(r, square, tables::exp2_64) : m.pairwise(r, square, tables::exp2_32);
  return emitScale(m, m.fma(r, p, m.c(1)), nearest);
}

Value emitExpm1(const MathBuilder &m, Value x) {
  Value bounded = m.atLeast(m.atMost(x, m.wide ? 710 : 89), m.wide ? -40 : -20);
  ExpParts parts = expParts(m, bounded);
  // 2 (h q + (h - 1/2)) with h = 2^(n - 1), which is finite where the result is.
  Value q = m.add(parts.r, m.mul(parts.square, parts.p));
  Value n = m.isub(m.bits(m.add(parts.nearest.n, m.c(m.magic()))), m.ci(m.magicBits()));
  Value h = m.powerOfTwo(m.isub(n, m.ci(1)));
  Value result = m.mul(m.fma(h, q, m.sub(h, m.c(0.5))), m.c(2));
  return m.select(m.less(m.abs(x), m.c(m.wide ? 0x1p-54 : 0x1p-25)), x, result);
}

Value emitLog(const MathBuilder &m, Value x) {
  LogParts parts = logParts(m, x);
  Value low = m.fma(parts.exponent, m.c(ln2Low(m.wide)), parts.low);
  Value result = m.fma(parts.exponent, m.c(ln2High(m.wide)), m.add(parts.high, low));
  return logEdges(m, x, result);
}

/// log(x) * scale + exponent * perExponent; `scale` is given in two parts, as its rounding would show near 1.
static Value scaledLog(const MathBuilder &m, Value x, double scaleHigh, double scaleLow, double highPart, double lowPart) {
  LogParts parts = logParts(m, x);
  // The leading part keeps half of its digits, so that its product with the leading part of the scale is exact.
  int64_t mask = m.wide ? ~int64_t(0xffffffff) : ~int64_t(0xfff);
  Value sum = m.add(parts.high, parts.low);
  Value head = m.fromBits(m.iand(m.bits(sum), m.ci(mask)));
  Value rest = m.add(m.sub(parts.high, head), parts.low);
  Value low = m.fma(m.add(head, rest), m.c(scaleLow), m.mul(rest, m.c(scaleHigh)));
  low = m.fma(parts.exponent, m.c(lowPart), low);
  Value high = m.mul(parts.exponent, m.c(highPart));
  return logEdges(m, x, m.add(high, m.fma(head, m.c(scaleHigh), low)));
}

Value emitLog2(const MathBuilder &m, Value x) {
  return m.wide ? scaledLog(m, x, 0x1.7154765200000p+0, 0x1.705fc2eefa200p-33, 1, 0)
                : scaledLog(m, x, 0x1.714p+0, 0x1.47652b82fe177p-12, 1, 0);
}

Value emitLog10(const MathBuilder &m, Value x) {
  return m.wide ? scaledLog(m, x, 0x1.bcb7b15200000p-2, 0x1.b9438ca9aadd5p-36, 0x1.34413509f7800p-2, 0x1.fef311f12b358p-46)
                : scaledLog(m, x, 0x1.bcap-2, 0x1.7b1526e50e32ap-14, 0x1.344p-2, 0x1.3509f79fef312p-18);
}

Value emitLog1p(const MathBuilder &m, Value x) {
  // log(u) x / (u - 1) with u = 1 + x rounded: the two errors of the rounding cancel.
  Value one = m.c(1);
  Value u = m.add(x, one);
  Value d = m.sub(u, one);
  Value result = m.mul(emitLog(m, u), m.div(x, d));
  result = m.select(m.equal(d, m.c(0)), x, result);
  result = m.select(m.equal(x, m.c(-1)), m.c(-m.infinity()), result);
  return m.select(m.equal(x, m.c(m.infinity())), x, result);
}

} // namespace triton_metal::cpu
