//===- TritonTypes.td - pointers and tensors of the tt dialect -----------------===//
#ifndef TRITON_METAL_TRITON_TYPES_TD
#define TRITON_METAL_TRITON_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "triton_metal/Dialect/Triton/IR/TritonDialect.td"

def TT_PtrType : TypeDef<TritonDialect, "Pointer"> {
  let mnemonic = "ptr";
  let summary = "a pointer to one element in memory";
  let description = [{
    `!tt.ptr<f32>`; an address space other than `global` is printed as a quoted name, `!tt.ptr<f32, "constant">`, as Triton 3.9
    does. The integers of earlier releases are read: 1 is `global`, 0 is `generic`. `shared` is ours: the threadgroup memory of one
    program, which tt.shared_memory gives out.
  }];
  let parameters = (ins "::mlir::Type":$pointeeType, StringRefParameter<"address space">:$addressSpace);
  let builders = [TypeBuilderWithInferredContext<(ins "::mlir::Type":$pointeeType), [{
    return $_get(pointeeType.getContext(), pointeeType, "global");
  }]>];
  let skipDefaultBuilders = 0;
  let extraClassDeclaration = [{ bool isShared() const { return getAddressSpace() == "shared"; } }];
  let genVerifyDecl = 1;
  let hasCustomAssemblyFormat = 1;
}

def TT_Float : AnyTypeOf<[F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F16, BF16, F32, F64], "floating-point">;
def TT_Int : AnyTypeOf<[I1, I<4>, I8, I16, I32, I64], "integer">;
def TT_Ptr : Type<CPred<"::mlir::isa<::triton_metal::tt::PointerType>($_self)">, "pointer", "::triton_metal::tt::PointerType">;
def TT_Scalar : AnyTypeOf<[TT_Float, TT_Int, TT_Ptr], "scalar">;
def TT_Tensor : RankedTensorOf<[TT_Float, TT_Int, TT_Ptr]>;
def TT_FloatTensor : RankedTensorOf<[TT_Float]>;
def TT_IntTensor : RankedTensorOf<[TT_Int]>;
def TT_PtrTensor : RankedTensorOf<[TT_Ptr]>;
def TT_FloatLike : AnyTypeOf<[TT_Float, TT_FloatTensor]>;
def TT_IntLike : AnyTypeOf<[TT_Int, TT_IntTensor]>;
def TT_I1Like : AnyTypeOf<[I1, RankedTensorOf<[I1]>]>;
def TT_I64Like : AnyTypeOf<[I64, RankedTensorOf<[I64]>]>;
def TT_PtrLike : AnyTypeOf<[TT_Ptr, TT_PtrTensor]>;
def TT_Type : AnyTypeOf<[TT_Scalar, TT_Tensor]>;

#endif
