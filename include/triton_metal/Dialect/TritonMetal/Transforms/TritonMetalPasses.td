//===- TritonMetalPasses.td - passes on distributed tensors ------------------------===//
#ifndef TRITON_METAL_TRITONMETAL_PASSES_TD
#define TRITON_METAL_TRITONMETAL_PASSES_TD

include "mlir/Pass/PassBase.td"

def VerifyLayouts : Pass<"ttm-verify-layouts"> {
  let summary = "Fail where a module breaks the contract of docs/design/ttm.md";
  let dependentDialects = ["::triton_metal::ttm::TritonMetalDialect"];
}

#endif
