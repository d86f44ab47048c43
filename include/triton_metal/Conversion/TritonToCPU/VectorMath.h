//===- VectorMath.h - math functions as inlined polynomials ---------------------===//
//
// The CPU device calls no math library: exp, log, sin, ... become arithmetic on vectors of any width (and on scalars), f32 and f64, the
// same on x86 and arm64. Results are within 4 ulp (most within 1 to 2), with IEEE results for NaN, infinities, signed zeros,
// overflow and denormals. f16 and bf16 are extended to f32 by the caller.
//
// Stay as they are because the machine has them: sqrt, absf, floor, ceil, trunc, roundeven, fma, copysign.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "mlir/IR/Builders.h"
#include "mlir/Pass/Pass.h"

namespace triton_metal::cpu {

/// Value of the math op `op` as arithmetic at the insertion point, or null where it needs no expansion (native) or has none.
mlir::Value expandMathOp(mlir::OpBuilder &, mlir::Operation *op);

#define GEN_PASS_DECL_EXPANDVECTORMATH
#include "triton_metal/Conversion/TritonToCPU/VectorMathPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "triton_metal/Conversion/TritonToCPU/VectorMathPasses.h.inc"

} // namespace triton_metal::cpu
