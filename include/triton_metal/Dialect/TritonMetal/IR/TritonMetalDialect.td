//===- TritonMetalDialect.td - the ttm dialect: layouts, attributes, types ---------===//
#ifndef TRITON_METAL_TRITONMETAL_DIALECT_TD
#define TRITON_METAL_TRITONMETAL_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def TritonMetalDialect : Dialect {
  let name = "ttm";
  let cppNamespace = "::triton_metal::ttm";
  let summary = "tt whose tensors are distributed over the lanes of a threadgroup";
  let description = [{
    The encoding of every tensor is a `#ttm.layout`: a linear map over bits from (register, lane, simdgroup) to element.
    Operations of `tt`, `arith` and `math` keep their meaning; the operations here make explicit what crosses lanes.
    docs/design/ttm.md is the contract.
  }];
  let dependentDialects = ["::triton_metal::tt::TritonDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttributes();
  }];
}

def TTM_LayoutAttr : AttrDef<TritonMetalDialect, "Layout", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "layout";
  let summary = "who holds which element of a tensor";
  let description = [{
    `#ttm.layout<register = [[0, 1]], lane = [[0, 2], [1, 0], [2, 0], [0, 4], [4, 0]], simdgroup = []>`: for each bit of the
    register number, the lane and the SIMD-group the coordinates that it adds, by exclusive or. A zero vector means duplicates.
    The shape is not written: a layout reaches every element, so the bases determine it.
  }];
  // Bases as row-major element indices; see Analysis/LinearLayout.h.
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, ArrayRefParameter<"uint32_t">:$registers,
                        ArrayRefParameter<"uint32_t">:$lanes, ArrayRefParameter<"uint32_t">:$simdgroups);
  let builders = [AttrBuilder<(ins "const ::triton_metal::LinearLayout &":$layout), [{
    return $_get($_ctxt, layout.getShape(), layout.getRegisterBases(), layout.getLaneBases(), layout.getSimdgroupBases());
  }]>];
  let extraClassDeclaration = [{
    ::triton_metal::LinearLayout getLayout() const { return {getShape(), getRegisters(), getLanes(), getSimdgroups()}; }
  }];
  let genVerifyDecl = 1;
  let hasCustomAssemblyFormat = 1;
}

def TTM_ScopeAttr : I32EnumAttr<"Scope", "the lanes that a barrier joins", [
  I32EnumAttrCase<"Simdgroup", 0, "simdgroup">, I32EnumAttrCase<"Threadgroup", 1, "threadgroup">]> {
  let cppNamespace = "::triton_metal::ttm";
}

def TTM_MemoryType : TypeDef<TritonMetalDialect, "Memory"> {
  let mnemonic = "memory";
  let summary = "an array in threadgroup memory";
  let description = [{
    `!ttm.memory<64x32xf16>`, row-major; `!ttm.memory<64x32xf16, pad 8 every 32>` leaves 8 elements free after every 32, so that
    element e lies at e + (e / 32) * 8. An i1 takes a byte, a pointer 8.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType, "int64_t":$padInterval, "int64_t":$padAmount);
  let extraClassDeclaration = [{
    int64_t getNumElements() const;
    /// Bytes of one element.
    int64_t getElementBytes() const;
    /// Bytes of the array, padding included.
    int64_t getNumBytes() const;
    /// Place of a row-major element index, in elements.
    int64_t getPlace(int64_t element) const;
  }];
  let genVerifyDecl = 1;
  let hasCustomAssemblyFormat = 1;
}

#endif
