//===- MSLTypes.td - pointers, arrays, matrices of the msl dialect -------------===//
#ifndef TRITON_METAL_MSL_TYPES_TD
#define TRITON_METAL_MSL_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "triton_metal/Dialect/MSL/IR/MSLDialect.td"

class MSL_Enum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::triton_metal::msl";
}

def MSL_AddressSpaceAttr : MSL_Enum<"AddressSpace", "address space", [
  I32EnumAttrCase<"Thread", 0, "thread">, I32EnumAttrCase<"Device", 1, "device">, I32EnumAttrCase<"Constant", 2, "constant">,
  I32EnumAttrCase<"Threadgroup", 3, "threadgroup">]>;

def MSL_PointerType : TypeDef<MSLDialect, "Pointer"> {
  let mnemonic = "ptr";
  let summary = "a pointer, or in the thread address space the name of a variable or of a part of it";
  let parameters = (ins "::mlir::Type":$pointee, EnumParameter<MSL_AddressSpaceAttr>:$space);
  let assemblyFormat = "`<` $pointee `,` $space `>`";
  let builders = [TypeBuilderWithInferredContext<(ins "::mlir::Type":$pointee, "AddressSpace":$space), [{
    return $_get(pointee.getContext(), pointee, space);
  }]>];
}

def MSL_ArrayType : TypeDef<MSLDialect, "Array"> {
  let mnemonic = "array";
  let summary = "a local array of registers: `!msl.array<8 x f32>`";
  let parameters = (ins "int64_t":$size, "::mlir::Type":$element);
  let assemblyFormat = "`<` $size `x` $element `>`";
  let builders = [TypeBuilderWithInferredContext<(ins "int64_t":$size, "::mlir::Type":$element), [{
    return $_get(element.getContext(), size, element);
  }]>];
}

def MSL_MatrixType : TypeDef<MSLDialect, "Matrix"> {
  let mnemonic = "matrix";
  let summary = "an 8x8 matrix spread over the lanes of a SIMD-group; a lane holds two of its elements";
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
  let builders = [TypeBuilderWithInferredContext<(ins "::mlir::Type":$element), [{
    return $_get(element.getContext(), element);
  }]>];
  let genVerifyDecl = 1;
}

def MSL_Ptr : Type<CPred<"::mlir::isa<::triton_metal::msl::PointerType>($_self)">, "pointer", "::triton_metal::msl::PointerType">;
def MSL_Int : AnyTypeOf<[I1, I8, I16, I32, I64], "integer">;
def MSL_Float : AnyTypeOf<[F16, BF16, F32], "floating-point">;
def MSL_Number : AnyTypeOf<[MSL_Int, MSL_Float], "number">;
def MSL_Vector : VectorOfLengthAndType<[2, 4], [I8, I16, I32, I64, F16, BF16, F32]>;
def MSL_Value : AnyTypeOf<[MSL_Number, MSL_Vector, MSL_Ptr], "value">;

#endif
