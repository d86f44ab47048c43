//===- TritonMetalOps.td - operations of the ttm dialect ---------------------------===//
#ifndef TRITON_METAL_TRITONMETAL_OPS_TD
#define TRITON_METAL_TRITONMETAL_OPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "triton_metal/Dialect/TritonMetal/IR/TritonMetalDialect.td"
include "triton_metal/Dialect/Triton/IR/TritonTypes.td"

def ThreadgroupMemory : Resource<"::triton_metal::ttm::ThreadgroupMemory">;
def SharedMemory : Resource<"::triton_metal::tt::SharedMemory">;

class TTM_Op<string mnemonic, list<Trait> traits = []> : Op<TritonMetalDialect, mnemonic, traits>;

def TTM_ConvertLayoutOp : TTM_Op<"convert_layout", [Pure, SameOperandsAndResultShape, SameOperandsAndResultElementType]> {
  let summary = "the same tensor in another layout";
  let description = [{
    What it takes follows from the two layouts (LayoutConversion). After `ttm-lower-conversions` only those remain that stay in a
    lane (registers) or in a SIMD-group (shuffles).
  }];
  let arguments = (ins TT_Tensor:$src);
  let results = (outs TT_Tensor:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def TTM_AllocOp : TTM_Op<"alloc", [MemoryEffects<[MemAlloc<ThreadgroupMemory>]>]> {
  let summary = "an array in threadgroup memory; `offset` is its byte in the pool, set by ttm-allocate-memory";
  let description = [{
    Lives from its first write to its last read. Contents are undefined before a write. With `simdgroup`, no element is read by
    another SIMD-group than wrote it.
  }];
  let arguments = (ins OptionalAttr<I32Attr>:$offset, UnitAttr:$simdgroup);
  let results = (outs TTM_MemoryType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}
def TTM_WriteOp : TTM_Op<"write", []> {
  let summary = "every element of a tensor into threadgroup memory, by its canonical holder";
  let arguments = (ins TT_Tensor:$value, Arg<TTM_MemoryType, "", [MemWrite<ThreadgroupMemory>]>:$memory);
  let assemblyFormat = "$value `,` $memory attr-dict `:` type($value) `,` type($memory)";
  let hasVerifier = 1;
}
def TTM_ReadOp : TTM_Op<"read", []> {
  let summary = "the tensor in threadgroup memory, each lane what its layout says";
  let arguments = (ins Arg<TTM_MemoryType, "", [MemRead<ThreadgroupMemory>]>:$memory);
  let results = (outs TT_Tensor:$result);
  let assemblyFormat = "$memory attr-dict `:` type($memory) `->` type($result)";
  let hasVerifier = 1;
}
def TTM_ReadAtOp : TTM_Op<"read_at", []> {
  let summary = "elements of an array in threadgroup memory at indices along an axis; other coordinates are the lane's own";
  let arguments = (ins Arg<TTM_MemoryType, "", [MemRead<ThreadgroupMemory>]>:$memory, TT_IntTensor:$indices, I32Attr:$axis);
  let results = (outs TT_Tensor:$result);
  let assemblyFormat = "$memory `[` $indices `]` attr-dict `:` type($memory) `,` type($indices) `->` type($result)";
  let hasVerifier = 1;
}
def TTM_BarrierOp : TTM_Op<"barrier", [MemoryEffects<[
    MemRead<ThreadgroupMemory>, MemWrite<ThreadgroupMemory>, MemRead<SharedMemory>, MemWrite<SharedMemory>]>]> {
  let summary = "orders accesses to threadgroup memory among the lanes of a SIMD-group or of the threadgroup";
  let description = [{ With `device`, accesses to device memory as well (tl.debug_barrier). }];
  let arguments = (ins TTM_ScopeAttr:$scope, UnitAttr:$device);
  let assemblyFormat = "$scope (`device` $device^)? attr-dict";
}

#endif
