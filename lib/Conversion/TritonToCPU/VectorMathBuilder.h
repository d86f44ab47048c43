//===- VectorMathBuilder.h - arithmetic of one shape, briefly written -----------===//
//
// Builds arith and math operations on a float type f32 or f64, scalar or vector, and on the integers of the same width. No operation
// carries fast-math flags: the error terms below depend on every rounding. No float is ever converted to an integer by fptosi, whose
// result is poison for NaN and large values; integers come out of the low bits of `x + magic` instead.
//
//===----------------------------------------------------------------------------===//
#ifndef TRITON_METAL_CONVERSION_TRITONTOCPU_VECTORMATHBUILDER_H
#define TRITON_METAL_CONVERSION_TRITONTOCPU_VECTORMATHBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/ArrayRef.h"

#include <cmath>
#include <limits>

namespace triton_metal::cpu {

struct MathBuilder {
  using V = mlir::Value;
  using Predicate = mlir::arith::CmpFPredicate;

  MathBuilder(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type)
      : b(builder), loc(loc), type(type), wide(mlir::getElementTypeOrSelf(type).isF64()) {
    mlir::Type element = b.getIntegerType(wide ? 64 : 32);
    auto vector = mlir::dyn_cast<mlir::VectorType>(type);
    intType = vector ? mlir::Type(vector.clone(element)) : element;
  }

  /// The same shape in the other width.
  MathBuilder withElement(mlir::Type element) const {
    auto vector = mlir::dyn_cast<mlir::VectorType>(type);
    return MathBuilder(b, loc, vector ? mlir::Type(vector.clone(element)) : element);
  }

  // Facts of the format.
  int mantissaBits() const { return wide ? 52 : 23; }
  int exponentBias() const { return wide ? 1023 : 127; }
  double infinity() const { return std::numeric_limits<double>::infinity(); }
  double nan() const { return std::numeric_limits<double>::quiet_NaN(); }
  double smallestNormal() const { return wide ? 0x1p-1022 : 0x1p-126; }
  /// Added to a number of moderate size, it leaves the nearest integer in the low bits.
  double magic() const { return wide ? 0x1.8p52 : 0x1.8p23; }
  int64_t magicBits() const { return wide ? 0x4338000000000000 : 0x4b400000; }

  V c(double value) const {
    mlir::Type element = mlir::getElementTypeOrSelf(type);
    llvm::APFloat number(value);
    bool inexact;
    if (!wide)
      number.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &inexact);
    return constant(type, mlir::FloatAttr::get(element, number));
  }
  V ci(int64_t value) const {
    return constant(intType, b.getIntegerAttr(mlir::getElementTypeOrSelf(intType), value));
  }

  V add(V x, V y) const { return mlir::arith::AddFOp::create(b, loc, x, y); }
  V sub(V x, V y) const { return mlir::arith::SubFOp::create(b, loc, x, y); }
  V mul(V x, V y) const { return mlir::arith::MulFOp::create(b, loc, x, y); }
  V div(V x, V y) const { return mlir::arith::DivFOp::create(b, loc, x, y); }
  V neg(V x) const { return mlir::arith::NegFOp::create(b, loc, x); }
  V fma(V x, V y, V z) const { return mlir::math::FmaOp::create(b, loc, x, y, z); }
  V abs(V x) const { return mlir::math::AbsFOp::create(b, loc, x); }
  V sqrt(V x) const { return mlir::math::SqrtOp::create(b, loc, x); }
  V copysign(V magnitude, V sign) const { return mlir::math::CopySignOp::create(b, loc, magnitude, sign); }
  V select(V condition, V x, V y) const { return mlir::arith::SelectOp::create(b, loc, condition, x, y); }

  V cmp(Predicate predicate, V x, V y) const { return mlir::arith::CmpFOp::create(b, loc, predicate, x, y); }
  V less(V x, V y) const { return cmp(Predicate::OLT, x, y); }
  V greater(V x, V y) const { return cmp(Predicate::OGT, x, y); }
  V equal(V x, V y) const { return cmp(Predicate::OEQ, x, y); }
  V isNaN(V x) const { return cmp(Predicate::UNO, x, x); }
  V both(V x, V y) const { return mlir::arith::AndIOp::create(b, loc, x, y); }
  V either(V x, V y) const { return mlir::arith::OrIOp::create(b, loc, x, y); }

  /// Bounds that let NaN through.
  V atMost(V x, double bound) const { return select(greater(x, c(bound)), c(bound), x); }
  V atLeast(V x, double bound) const { return select(less(x, c(bound)), c(bound), x); }

  V bits(V x) const { return mlir::arith::BitcastOp::create(b, loc, intType, x); }
  V fromBits(V x) const { return mlir::arith::BitcastOp::create(b, loc, type, x); }
  V iadd(V x, V y) const { return mlir::arith::AddIOp::create(b, loc, x, y); }
  V isub(V x, V y) const { return mlir::arith::SubIOp::create(b, loc, x, y); }
  V iand(V x, V y) const { return mlir::arith::AndIOp::create(b, loc, x, y); }
  V ixor(V x, V y) const { return mlir::arith::XOrIOp::create(b, loc, x, y); }
  V shl(V x, int by) const { return mlir::arith::ShLIOp::create(b, loc, x, ci(by)); }
  V shr(V x, int by) const { return mlir::arith::ShRUIOp::create(b, loc, x, ci(by)); }
  V nonZero(V x) const {
    return mlir::arith::CmpIOp::create(b, loc, mlir::arith::CmpIPredicate::ne, x, ci(0));
  }

  /// Sum of coefficients[i] * x^i.
  V poly(V x, llvm::ArrayRef<double> coefficients) const {
    V sum = c(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      sum = fma(sum, x, c(coefficient));
    return sum;
  }

  /// The same with pairs of terms summed side by side, a chain of half the length: `square` is x^2.
  V pairwise(V x, V square, llvm::ArrayRef<double> coefficients) const {
    V sum;
    for (size_t end = coefficients.size(), begin; end > 0; end = begin) {
      begin = (end - 1) / 2 * 2;
      V pair = c(coefficients[begin]);
      if (end - begin == 2)
        pair = fma(x, c(coefficients[begin + 1]), pair);
      sum = sum ? fma(sum, square, pair) : pair;
    }
    return sum;
  }

  /// 2^n for an integer n in the range of normal exponents.
  V powerOfTwo(V n) const { return fromBits(shl(iadd(n, ci(exponentBias())), mantissaBits())); }

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type type, intType;
  bool wide; ///< f64

private:
  V constant(mlir::Type shaped, mlir::TypedAttr element) const {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(shaped))
      return mlir::arith::ConstantOp::create(b, loc, mlir::DenseElementsAttr::get(vector, mlir::Attribute(element)));
    return mlir::arith::ConstantOp::create(b, loc, element);
  }
};

/// A number split in two, for more digits than the format has.
struct Pair {
  mlir::Value high, low;
};

// exp and log (VectorMathExpLog.cpp)
mlir::Value emitExp(const MathBuilder &, mlir::Value x);
mlir::Value emitExp2(const MathBuilder &, mlir::Value x);
mlir::Value emitExpm1(const MathBuilder &, mlir::Value x);
mlir::Value emitLog(const MathBuilder &, mlir::Value x);
mlir::Value emitLog2(const MathBuilder &, mlir::Value x);
mlir::Value emitLog10(const MathBuilder &, mlir::Value x);
mlir::Value emitLog1p(const MathBuilder &, mlir::Value x);
/// The integer n next to a number, as a float, and the float whose low bits are n plus twice the bias of exponents.
struct Nearest {
  mlir::Value n, shifted;
};
/// Next to x, or to x * factor.
Nearest emitNearest(const MathBuilder &, mlir::Value x, mlir::Value factor = {});
/// p * 2^n in two steps, so that only the last one rounds.
mlir::Value emitScale(const MathBuilder &, mlir::Value p, const Nearest &nearest);
/// x = m * 2^exponent with m from sqrt(1/2) to sqrt(2); right for positive finite x.
struct Split {
  mlir::Value mantissa, exponent;
};
Split emitSplit(const MathBuilder &, mlir::Value x);

// powers and roots (VectorMathPow.cpp)
mlir::Value emitPow(const MathBuilder &, mlir::Value x, mlir::Value y);
mlir::Value emitRsqrt(const MathBuilder &, mlir::Value x);

// circular functions (VectorMathTrig.cpp, VectorMathArc.cpp)
mlir::Value emitSin(const MathBuilder &, mlir::Value x);
mlir::Value emitCos(const MathBuilder &, mlir::Value x);
mlir::Value emitTan(const MathBuilder &, mlir::Value x);
mlir::Value emitAtan(const MathBuilder &, mlir::Value x);
mlir::Value emitAtan2(const MathBuilder &, mlir::Value y, mlir::Value x);
mlir::Value emitAsin(const MathBuilder &, mlir::Value x);
mlir::Value emitAcos(const MathBuilder &, mlir::Value x);

// hyperbolic and error functions (VectorMathHyperbolic.cpp)
mlir::Value emitSinh(const MathBuilder &, mlir::Value x);
mlir::Value emitCosh(const MathBuilder &, mlir::Value x);
mlir::Value emitTanh(const MathBuilder &, mlir::Value x);
mlir::Value emitErf(const MathBuilder &, mlir::Value x);

} // namespace triton_metal::cpu

#endif
