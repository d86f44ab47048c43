//===- TritonPasses.td - target-independent passes on tt -----------------------===//
#ifndef TRITON_METAL_TRITON_PASSES_TD
#define TRITON_METAL_TRITON_PASSES_TD

include "mlir/Pass/PassBase.td"

def ReorderBroadcast : Pass<"tt-reorder-broadcast"> {
  let summary = "Elementwise before splat and broadcast";
  let description = [{
    `elementwise(splat a, splat b)` becomes `splat(elementwise(a, b))`, and `elementwise(broadcast a, splat b)` becomes
    `broadcast(elementwise(a, splat b))`: work is done on the smallest tensor that holds the information.
  }];
  let dependentDialects = ["::triton_metal::tt::TritonDialect"];
}

def AccumulateDot : Pass<"tt-accumulate-dot"> {
  let summary = "`dot(a, b, 0) + c` becomes `dot(a, b, c)`";
}

def CarryOffsets : Pass<"tt-carry-offsets"> {
  let summary = "Loops carry offsets, not tensors of pointers";
  let description = [{
    Where a loop moves all elements of a carried tensor of pointers or integers by one amount (`ptrs += BLOCK_K * stride`), it carries that
    amount as a number, and the tensor is made from its value before the loop: its registers are free and its contiguity is known.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::triton_metal::tt::TritonDialect"];
}

def LoopUnroll : Pass<"tt-loop-unroll"> {
  let summary = "Unroll loops by tt.loop_unroll_factor";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def PlantFault : Pass<"tt-plant-fault"> {
  let summary = "Plants one kind of miscompilation, to see that the tests would find it";
  let description = [{
    For tests only. Kinds: `swap-sub` (b - a), `mask-off-by-one` (a < b becomes a <= b), `select-swap` (arms exchanged),
    `shift-logical` (an arithmetic shift becomes a logical one), `reduce-drop` (a sum forgets to add: the first operand stays).
  }];
  let options = [Option<"kind", "kind", "std::string", /*default=*/"", "which fault">];
}

#endif
