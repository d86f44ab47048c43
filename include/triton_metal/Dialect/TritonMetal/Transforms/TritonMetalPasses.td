//===- TritonMetalPasses.td - passes on distributed tensors ------------------------===//
#ifndef TRITON_METAL_TRITONMETAL_PASSES_TD
#define TRITON_METAL_TRITONMETAL_PASSES_TD

include "mlir/Pass/PassBase.td"

defvar TTM_dialects = ["::triton_metal::ttm::TritonMetalDialect"];

def VerifyLayouts : Pass<"ttm-verify-layouts"> {
  let dependentDialects = TTM_dialects;
  let summary = "Fail where a module breaks the contract of docs/design/ttm.md";
}
def SplitReductions : Pass<"ttm-split-reductions", "::triton_metal::tt::FuncOp"> {
  let dependentDialects = TTM_dialects;
  let summary = "Reduce over SIMD-groups in two steps with a conversion between";
  let description = [{
    A reduction whose axis lies in SIMD-group bits becomes one of what each SIMD-group has, a conversion that brings the partial
    results of all SIMD-groups into the lanes of each, and a reduction of these.
  }];
}
def LowerConversions : Pass<"ttm-lower-conversions", "::triton_metal::tt::FuncOp"> {
  let dependentDialects = TTM_dialects;
  let summary = "Send what changes its SIMD-group through threadgroup memory";
  let description = [{
    A `ttm.convert_layout` that cannot be done by registers or cheap shuffles becomes alloc, write and read; so do `tt.gather` and the
    results of atomics that other lanes need. Barriers come later.
  }];
}
def InsertBarriers : Pass<"ttm-insert-barriers", "::triton_metal::tt::FuncOp"> {
  let dependentDialects = TTM_dialects;
  let summary = "Order accesses to threadgroup memory, where the dataflow needs it and nowhere else";
}
def AllocateMemory : Pass<"ttm-allocate-memory", "::triton_metal::tt::FuncOp"> {
  let dependentDialects = TTM_dialects;
  let summary = "Place arrays in the pool of threadgroup memory by liveness; at most 32 KB";
}

#endif
