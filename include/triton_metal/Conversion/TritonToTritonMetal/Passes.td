//===- Passes.td - from tt to distributed tensors ----------------------------------===//
#ifndef TRITON_METAL_TRITONTOTRITONMETAL_PASSES_TD
#define TRITON_METAL_TRITONTOTRITONMETAL_PASSES_TD

include "mlir/Pass/PassBase.td"

def PrepareForMetal : Pass<"ttm-prepare", "::mlir::ModuleOp"> {
  let summary = "Rewrite tt operations that have no distributed form; refuse what the device cannot do";
  let description = [{
    `cat` becomes join, trans and reshape; an int8 dot becomes an exact one of halves with float sums; a scalar atomic whose result is
    used becomes one on a tensor of one element. fp64, fp8 operands of dot, 64-bit atomics and calls are refused.
  }];
  let dependentDialects = ["::triton_metal::ttm::TritonMetalDialect"];
}

def AssignLayouts : Pass<"ttm-assign-layouts", "::mlir::ModuleOp"> {
  let summary = "Give every tensor a layout, with conversions where neighbours differ";
  let dependentDialects = ["::triton_metal::ttm::TritonMetalDialect"];
  let options = [
    Option<"numWarps", "num-warps", "unsigned", "4", "SIMD-groups of a threadgroup, a power of two">,
    Option<"chip", "chip", "std::string", "\"apple-m1\"", "Chip profile, see Support/Chips.h">,
    Option<"hintBytes", "hint-bytes", "int64_t", "0",
           "Threadgroup memory that the layouts of hints were found to need: the hints are ignored. 0 follows them">,
  ];
}

#endif
