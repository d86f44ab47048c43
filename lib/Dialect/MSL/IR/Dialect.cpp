//===- Dialect.cpp - registration and types of the msl dialect -------------------===//
#include "triton_metal/Dialect/MSL/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal::msl;

#include "triton_metal/Dialect/MSL/IR/MSLDialect.cpp.inc"
#include "triton_metal/Dialect/MSL/IR/MSLEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "triton_metal/Dialect/MSL/IR/MSLTypes.cpp.inc"

void MSLDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "triton_metal/Dialect/MSL/IR/MSLTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "triton_metal/Dialect/MSL/IR/MSLOps.cpp.inc"
      >();
}

LogicalResult MatrixType::verify(function_ref<InFlightDiagnostic()> emitError, Type element) {
  if (!isa<Float16Type, BFloat16Type, Float32Type>(element))
    return emitError() << "a matrix holds f16, bf16 or f32, not " << element;
  return success();
}

unsigned triton_metal::msl::byteSize(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * byteSize(vector.getElementType());
  if (isa<triton_metal::msl::PointerType>(type))
    return 8;
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}
