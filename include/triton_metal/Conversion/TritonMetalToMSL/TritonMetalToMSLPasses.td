//===- TritonMetalToMSLPasses.td - distributed tensors to one lane's program --------===//
#ifndef TRITON_METAL_TRITONMETALTOMSL_PASSES_TD
#define TRITON_METAL_TRITONMETALTOMSL_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTritonMetalToMSL : Pass<"convert-triton-metal-to-msl", "::mlir::ModuleOp"> {
  let summary = "Tensors become the registers of a lane, walked by short loops";
  let description = [{
    Takes a module as docs/design/ttm.md describes it and replaces its kernel by a `msl.kernel`. The text grows with the program, not
    with the blocks: a tensor with several registers a lane is a local array, and operations on tensors of one layout share a loop.
    Whatever the device lacks is refused by name.
  }];
  let dependentDialects = ["::triton_metal::msl::MSLDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif
