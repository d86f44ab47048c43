//===- TypeNames.cpp - types as signatures spell them ------------------------------===//
#include "triton_metal/Dialect/Triton/IR/TypeNames.h"
#include "triton_metal/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal;

std::string tt::nameOfType(Type type) {
  if (auto pointer = dyn_cast<tt::PointerType>(type))
    return "*" + nameOfType(pointer.getPointeeType());
  if (isa<BFloat16Type>(type))
    return "bf16";
  if (isa<Float16Type, Float32Type, Float64Type>(type))
    return "fp" + std::to_string(type.getIntOrFloatBitWidth());
  if (isa<Float8E5M2Type>(type))
    return "fp8e5";
  if (isa<Float8E4M3FNType>(type))
    return "fp8e4nv";
  if (isa<Float8E5M2FNUZType>(type))
    return "fp8e5b16";
  if (isa<Float8E4M3FNUZType>(type))
    return "fp8e4b8";
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}
