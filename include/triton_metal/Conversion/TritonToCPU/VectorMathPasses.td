//===- VectorMathPasses.td - the pass that expands math functions ---------------===//
#ifndef TRITON_METAL_VECTOR_MATH_PASSES_TD
#define TRITON_METAL_VECTOR_MATH_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandVectorMath : Pass<"expand-vector-math", "::mlir::ModuleOp"> {
  let summary = "Math functions become inlined polynomial arithmetic";
  let description = [{
    Every `math` operation on f32 or f64, scalar or vector of any rank, that the machine has no instruction for is replaced by
    arithmetic of the same shape; large arguments of circular functions call a function that is added to the module. An operation on another element type, or one without an expansion, is an error that names it.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif
