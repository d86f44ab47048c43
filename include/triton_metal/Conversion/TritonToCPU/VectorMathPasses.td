//===- VectorMathPasses.td - the pass that expands math functions ---------------===//
#ifndef TRITON_METAL_VECTOR_MATH_PASSES_TD
#define TRITON_METAL_VECTOR_MATH_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandVectorMath : Pass<"expand-vector-math"> {
  let summary = "Math functions become inlined polynomial arithmetic";
  let description = [{
    Every `math` operation on f32 or f64, scalar or vector of any rank, that the machine has no instruction for is replaced by
    arithmetic of the same shape. An operation on another element type, or one without an expansion, is an error that names it.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif
