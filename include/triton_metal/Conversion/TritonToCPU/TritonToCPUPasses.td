//===- TritonToCPUPasses.td - from tt to the LLVM dialect for the CPU -----------===//
#ifndef TRITON_METAL_TRITON_TO_CPU_PASSES_TD
#define TRITON_METAL_TRITON_TO_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def TritonToCPU : Pass<"triton-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Tensors become loop nests over native vectors";
  let description = [{
    Every kernel becomes a function `void NAME(params, grid, begin, end, arena)` that runs the programs with linear ids [begin, end), and
    a function for one program. Elementwise chains, broadcasts, ranges, masks and affine pointers are inlined into the nests that consume
    them; other tensors lie in the arena, whose size is the attribute `triton_metal.arena_bytes` of the function. Memory is accessed
    by operations of the LLVM dialect, loops are scf, arithmetic is arith, math and vector.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "unsigned", "256", "bits of a native vector">,
    Option<"vectorRegisters", "vector-registers", "unsigned", "16", "number of native vectors">,
    Option<"checked", "checked", "bool", "false", "accesses are compared with the arrays passed, loops ask whether to end">,
    Option<"fpFusion", "fp-fusion", "bool", "true", "a * b + c may be rounded once">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def BFloatBits : Pass<"bfloat-bits", "::mlir::ModuleOp"> {
  let summary = "Bfloats are carried as their 16 bits";
  let description = [{
    Every bf16, alone or as the element of a vector or memref, becomes i16, if no operation of the module computes with one: expects
    that bfloat arithmetic is written out in f32. A module with such an operation stays as it is.
  }];
}

def CPUToLLVM : Pass<"cpu-to-llvm", "::mlir::ModuleOp"> {
  let summary = "scf, arith, math, vector and memref become the LLVM dialect, in one conversion";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect"];
}

#endif
