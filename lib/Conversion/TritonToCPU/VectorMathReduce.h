//===- VectorMathReduce.h - arguments of circular functions, reduced to a quarter turn ---===//
#ifndef TRITON_METAL_CONVERSION_TRITONTOCPU_VECTORMATHREDUCE_H
#define TRITON_METAL_CONVERSION_TRITONTOCPU_VECTORMATHREDUCE_H

#include "VectorMathBuilder.h"

namespace triton_metal::cpu {

/// x = quadrant * pi / 2 + r with |r| <= pi / 4 (a little more where the quotient rounds), for every finite x; r is NaN for others.
/// The low two bits of the integer `quadrant` are right, the others are anything.
struct Reduced {
  mlir::Value r, quadrant;
};
Reduced reduceToQuarterTurn(const MathBuilder &, mlir::Value x);

} // namespace triton_metal::cpu

#endif
