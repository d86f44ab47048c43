//===- TritonDialect.td - the tt dialect --------------------------------------===//
#ifndef TRITON_METAL_TRITON_DIALECT_TD
#define TRITON_METAL_TRITON_DIALECT_TD

include "mlir/IR/OpBase.td"

def TritonDialect : Dialect {
  let name = "tt";
  let cppNamespace = "::triton_metal::tt";
  let summary = "Tensors of values and pointers of one program; no threads, no layouts, no target";
  let description = [{
    Names, types and text are those of upstream Triton's TTIR, so that text made elsewhere can be read and ours can be read
    elsewhere. Control flow is `scf`, elementwise arithmetic is `arith` and `math` on builtin tensors.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::cf::ControlFlowDialect", "::mlir::ub::UBDialect"];
  let hasConstantMaterializer = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttributes();
  }];
}

#endif
