//===- MSLOps.td - operations of the msl dialect --------------------------------===//
#ifndef TRITON_METAL_MSL_OPS_TD
#define TRITON_METAL_MSL_OPS_TD

include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "triton_metal/Dialect/MSL/IR/MSLTypes.td"

class MSL_Op<string mnemonic, list<Trait> traits = []> : Op<MSLDialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

def MSL_KernelOp : MSL_Op<"kernel", [FunctionOpInterface, IsolatedFromAbove, SingleBlock, NoTerminator]> {
  let summary = "a kernel; its arguments are the members of `Params`, in order";
  let description = [{
    `threads` is the size of the threadgroup, `pool` the bytes of threadgroup memory. The name of a member is the argument's
    `msl.name`.

    ```mlir
    msl.kernel @copy(%src: !msl.ptr<f32, device> {msl.name = "src"}, %n: i32 {msl.name = "n"})
        attributes {threads = 128 : i32, pool = 0 : i32} {
      ...
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs, I32Attr:$threads,
                       I32Attr:$pool);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Block &getBodyBlock() { return getBody().front(); }
    /// Bytes of the pool and of all arrays.
    int64_t getThreadgroupBytes();
  }];
}

def MSL_BuiltinAttr : MSL_Enum<"Builtin", "id of a lane or of its threadgroup", [
  I32EnumAttrCase<"ProgramX", 0, "program_x">, I32EnumAttrCase<"ProgramY", 1, "program_y">,
  I32EnumAttrCase<"ProgramZ", 2, "program_z">, I32EnumAttrCase<"ProgramsX", 3, "programs_x">,
  I32EnumAttrCase<"ProgramsY", 4, "programs_y">, I32EnumAttrCase<"ProgramsZ", 5, "programs_z">,
  I32EnumAttrCase<"Thread", 6, "thread">, I32EnumAttrCase<"Lane", 7, "lane">, I32EnumAttrCase<"SimdGroup", 8, "simdgroup">]>;

def MSL_BuiltinOp : MSL_Op<"builtin", [Pure]> {
  let summary = "an id that Metal hands to the lane";
  let arguments = (ins MSL_BuiltinAttr:$kind);
  let results = (outs I32:$result);
  let assemblyFormat = "$kind attr-dict";
  let builders = [OpBuilder<(ins "Builtin":$kind), [{ build($_builder, $_state, $_builder.getI32Type(), kind); }]>];
}

//===----------------------------------------------------------------------===//
// Variables and memory
//===----------------------------------------------------------------------===//

def MSL_VarOp : MSL_Op<"var", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a local variable, optionally with its first value";
  let arguments = (ins Optional<MSL_Value>:$init);
  let results = (outs MSL_Ptr:$result);
  let assemblyFormat = "($init^ `:` type($init))? attr-dict `->` type($result)";
  let hasVerifier = 1;
}
def MSL_ThreadgroupArrayOp : MSL_Op<"threadgroup_array"> {
  let summary = "an array of the kernel's in threadgroup memory, apart from the pool; gives its first element";
  let arguments = (ins I32Attr:$size);
  let results = (outs Res<MSL_Ptr, "", [MemAlloc]>:$result);
  let assemblyFormat = "$size attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Its bytes, up to where the next array may begin.
    int64_t getAllocatedBytes();
  }];
}
def MSL_ElementOp : MSL_Op<"element", [Pure,
    TypesMatchWith<"result is an element of the base", "base", "result", "::triton_metal::msl::elementPointerOf($_self)">]> {
  let summary = "an element of a local array or vector";
  let arguments = (ins MSL_Ptr:$base, I32:$index);
  let results = (outs MSL_Ptr:$result);
  let assemblyFormat = "$base `[` $index `]` attr-dict `:` type($base)";
  let builders = [OpBuilder<(ins "::mlir::Value":$base, "::mlir::Value":$index), [{
    build($_builder, $_state, elementPointerOf(base.getType()), base, index);
  }]>];
}
def MSL_FragmentOp : MSL_Op<"fragment", [Pure,
    TypesMatchWith<"result is the lane's part of the matrix", "matrix", "result",
                   "::triton_metal::msl::fragmentPointerOf($_self)">]> {
  let summary = "the two elements that the lane holds of a matrix, as a vector";
  let arguments = (ins MSL_Ptr:$matrix);
  let results = (outs MSL_Ptr:$result);
  let assemblyFormat = "$matrix attr-dict `:` type($matrix)";
  let builders = [OpBuilder<(ins "::mlir::Value":$matrix), [{
    build($_builder, $_state, fragmentPointerOf(matrix.getType()), matrix);
  }]>];
}
def MSL_LoadOp : MSL_Op<"load", [MemoryEffects<[MemRead]>, AttrSizedOperandSegments,
    TypesMatchWith<"result matches the pointee", "ptr", "result",
                   "::mlir::cast<::triton_metal::msl::PointerType>($_self).getPointee()">,
    TypesMatchWith<"other matches the pointee", "ptr", "other",
                   "::mlir::cast<::triton_metal::msl::PointerType>($_self).getPointee()", "!getOther() || std::equal_to<>()">]> {
  let summary = "a read; where the mask is off, memory stays untouched and the result is `other`";
  let arguments = (ins MSL_Ptr:$ptr, Optional<I1>:$mask, Optional<MSL_Value>:$other);
  let results = (outs MSL_Value:$result);
  let assemblyFormat = "$ptr (`if` $mask^ `else` $other)? attr-dict `:` type($ptr)";
  let builders = [OpBuilder<(ins "::mlir::Value":$ptr), [{
    build($_builder, $_state, ::mlir::cast<PointerType>(ptr.getType()).getPointee(), ptr, ::mlir::Value(), ::mlir::Value());
  }]>];
  let hasVerifier = 1;
}
def MSL_StoreOp : MSL_Op<"store", [MemoryEffects<[MemWrite]>,
    TypesMatchWith<"value matches the pointee", "ptr", "value",
                   "::mlir::cast<::triton_metal::msl::PointerType>($_self).getPointee()">]> {
  let summary = "a write, if the mask is on";
  let arguments = (ins MSL_Value:$value, MSL_Ptr:$ptr, Optional<I1>:$mask);
  let assemblyFormat = "$value `,` $ptr (`if` $mask^)? attr-dict `:` type($ptr)";
  let builders = [OpBuilder<(ins "::mlir::Value":$value, "::mlir::Value":$ptr), [{
    build($_builder, $_state, value, ptr, ::mlir::Value());
  }]>];
}
def MSL_PtrAddOp : MSL_Op<"ptr_add", [Pure, TypesMatchWith<"result matches", "ptr", "result", "$_self">]> {
  let summary = "pointer plus a signed offset in elements";
  let arguments = (ins MSL_Ptr:$ptr, AnyTypeOf<[I32, I64]>:$offset);
  let results = (outs MSL_Ptr:$result);
  let assemblyFormat = "$ptr `,` $offset attr-dict `:` type($ptr) `,` type($offset)";
  let builders = [OpBuilder<(ins "::mlir::Value":$ptr, "::mlir::Value":$offset), [{
    build($_builder, $_state, ptr.getType(), ptr, offset);
  }]>];
}
def MSL_PtrCastOp : MSL_Op<"ptr_cast", [Pure]> {
  let summary = "the same address, seen as another element type";
  let arguments = (ins MSL_Ptr:$ptr);
  let results = (outs MSL_Ptr:$result);
  let assemblyFormat = "$ptr attr-dict `:` type($ptr) `->` type($result)";
  let hasVerifier = 1;
}
def MSL_PtrToIntOp : MSL_Op<"ptr_to_int", [Pure]> {
  let summary = "the address";
  let arguments = (ins MSL_Ptr:$ptr);
  let results = (outs I64:$result);
  let assemblyFormat = "$ptr attr-dict `:` type($ptr)";
}
def MSL_IntToPtrOp : MSL_Op<"int_to_ptr", [Pure]> {
  let summary = "an address as a pointer";
  let arguments = (ins I64:$address);
  let results = (outs MSL_Ptr:$result);
  let assemblyFormat = "$address attr-dict `:` type($result)";
}
def MSL_PoolOp : MSL_Op<"pool", [Pure]> {
  let summary = "a place in the threadgroup's memory, by its offset in bytes";
  let arguments = (ins I32Attr:$offset);
  let results = (outs MSL_Ptr:$result);
  let assemblyFormat = "$offset attr-dict `:` type($result)";
  let hasVerifier = 1;
}
def MSL_SplatOp : MSL_Op<"splat", [Pure]> {
  let summary = "a number in every element of a vector";
  let arguments = (ins MSL_Number:$value);
  let results = (outs MSL_Vector:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
}

//===----------------------------------------------------------------------===//
// Control flow: no results, values travel through variables
//===----------------------------------------------------------------------===//

def MSL_ForOp : MSL_Op<"for", [RecursiveMemoryEffects, SingleBlock, NoTerminator]> {
  let summary = "counts from `lower` by `step` while less than `upper`, compared as signed numbers";
  let description = [{
    `unroll` marks a loop over registers: its bounds are constants and Metal's compiler is asked to unroll it, so that arrays stay in
    registers.
  }];
  let arguments = (ins MSL_Int:$lower, MSL_Int:$upper, MSL_Int:$step, UnitAttr:$unroll);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$lower, "::mlir::Value":$upper, "::mlir::Value":$step, "bool":$unroll)>];
  let skipDefaultBuilders = 1;
  let extraClassDeclaration = [{
    ::mlir::Value getCounter() { return getBody().front().getArgument(0); }
  }];
}
def MSL_IfOp : MSL_Op<"if", [RecursiveMemoryEffects, NoTerminator]> {
  let summary = "the first region where the condition holds, else the second, if there is one";
  let arguments = (ins I1:$condition);
  let regions = (region SizedRegion<1>:$then, AnyRegion:$otherwise);
  let assemblyFormat = "$condition $then (`else` $otherwise^)? attr-dict";
  let builders = [OpBuilder<(ins "::mlir::Value":$condition, "bool":$withElse)>];
  let skipDefaultBuilders = 1;
}
def MSL_LoopOp : MSL_Op<"loop", [RecursiveMemoryEffects, SingleBlock, NoTerminator]> {
  let summary = "repeats until a `msl.break_unless` in its block ends it";
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict";
  let builders = [OpBuilder<(ins)>];
  let skipDefaultBuilders = 1;
}
def MSL_BreakUnlessOp : MSL_Op<"break_unless", [HasParent<"LoopOp">, MemoryEffects<[MemWrite]>]> {
  let summary = "leaves the loop if the condition does not hold";
  let arguments = (ins I1:$condition);
  let assemblyFormat = "$condition attr-dict";
}
def MSL_ReturnOp : MSL_Op<"return", [MemoryEffects<[MemWrite]>]> {
  let summary = "ends the lane's program";
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// The SIMD-group and the threadgroup
//===----------------------------------------------------------------------===//

def MSL_SimdAttr : MSL_Enum<"SimdKind", "function over the lanes of a SIMD-group", [
  I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Product", 1, "product">, I32EnumAttrCase<"Max", 2, "max">,
  I32EnumAttrCase<"Min", 3, "min">, I32EnumAttrCase<"SMax", 4, "smax">, I32EnumAttrCase<"SMin", 5, "smin">,
  I32EnumAttrCase<"And", 6, "and">, I32EnumAttrCase<"Or", 7, "or">, I32EnumAttrCase<"Xor", 8, "xor">,
  I32EnumAttrCase<"InclusiveSum", 9, "inclusive_sum">, I32EnumAttrCase<"Shuffle", 10, "shuffle">,
  I32EnumAttrCase<"ShuffleXor", 11, "shuffle_xor">, I32EnumAttrCase<"ShuffleUp", 12, "shuffle_up">,
  I32EnumAttrCase<"ShuffleDown", 13, "shuffle_down">, I32EnumAttrCase<"Any", 14, "any">, I32EnumAttrCase<"All", 15, "all">]>;

def MSL_SimdOp : MSL_Op<"simd", [MemoryEffects<[MemWrite]>,
    TypesMatchWith<"result matches the value", "value", "result", "$_self">]> {
  let summary = "a function over the lanes of a SIMD-group: all lanes must reach it together";
  let arguments = (ins MSL_SimdAttr:$kind, MSL_Value:$value, Optional<I32>:$lane);
  let results = (outs MSL_Value:$result);
  let assemblyFormat = "$kind $value (`,` $lane^)? attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def MSL_BarrierAttr : MSL_Enum<"BarrierScope", "who waits for whom, and which memory is ordered", [
  I32EnumAttrCase<"Threadgroup", 0, "threadgroup">, I32EnumAttrCase<"ThreadgroupAndDevice", 1, "threadgroup_and_device">,
  I32EnumAttrCase<"SimdGroup", 2, "simdgroup">, I32EnumAttrCase<"SimdGroupOrder", 3, "simdgroup_order">]>;

def MSL_BarrierOp : MSL_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "all lanes of the threadgroup, or of the SIMD-group, wait for each other";
  let arguments = (ins MSL_BarrierAttr:$scope);
  let assemblyFormat = "$scope attr-dict";
}

def MSL_MatrixMultiplyOp : MSL_Op<"matrix_multiply", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "d = a * b + c on 8x8 matrices of a SIMD-group";
  let arguments = (ins MSL_Ptr:$d, MSL_Ptr:$a, MSL_Ptr:$b, MSL_Ptr:$c);
  let assemblyFormat = "$d `,` $a `,` $b `,` $c attr-dict `:` type($d) `,` type($a) `,` type($b) `,` type($c)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Atomics and functions of the prelude
//===----------------------------------------------------------------------===//

def MSL_AtomicAttr : MSL_Enum<"AtomicKind", "read-modify-write of a word", [
  I32EnumAttrCase<"Add", 0, "add">, I32EnumAttrCase<"Max", 1, "max">, I32EnumAttrCase<"Min", 2, "min">,
  I32EnumAttrCase<"SMax", 3, "smax">, I32EnumAttrCase<"SMin", 4, "smin">, I32EnumAttrCase<"And", 5, "and">,
  I32EnumAttrCase<"Or", 6, "or">, I32EnumAttrCase<"Xor", 7, "xor">, I32EnumAttrCase<"Exchange", 8, "exchange">,
  I32EnumAttrCase<"FAdd", 9, "fadd">]>;

def MSL_AtomicOp : MSL_Op<"atomic", [MemoryEffects<[MemRead, MemWrite]>,
    TypesMatchWith<"value matches the pointee", "ptr", "value",
                   "::mlir::cast<::triton_metal::msl::PointerType>($_self).getPointee()">,
    TypesMatchWith<"result matches the pointee", "ptr", "result",
                   "::mlir::cast<::triton_metal::msl::PointerType>($_self).getPointee()">]> {
  let summary = "atomic read-modify-write of 32 bits, relaxed; gives the old value";
  let arguments = (ins MSL_AtomicAttr:$kind, MSL_Ptr:$ptr, AnyTypeOf<[I32, F32]>:$value);
  let results = (outs AnyTypeOf<[I32, F32]>:$result);
  let assemblyFormat = "$kind $ptr `,` $value attr-dict `:` type($ptr)";
}
def MSL_CallOp : MSL_Op<"call", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "a function of the prelude, by its name; the printer adds its text";
  let arguments = (ins StrAttr:$callee, Variadic<MSL_Value>:$operands);
  let results = (outs Optional<MSL_Value>:$result);
  let assemblyFormat = "$callee `(` $operands `)` attr-dict `:` functional-type($operands, results)";
  let hasVerifier = 1;
}

#endif
