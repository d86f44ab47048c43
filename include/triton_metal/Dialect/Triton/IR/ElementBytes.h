//===- ElementBytes.h - what an element takes in memory ------------------------------===//
#pragma once
#include "triton_metal/Dialect/Triton/IR/Dialect.h"

namespace triton_metal::tt {

/// Bytes of one element of type `element` in memory: a pointer has 8, a bit is a byte.
inline int64_t getElementBytes(mlir::Type element) {
  return mlir::isa<PointerType>(element) ? 8 : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}
/// Those of what a pointer, or a tensor of pointers, points to.
inline int64_t getPointeeBytes(mlir::Type pointers) { return getElementBytes(getElementOf(getPointeeLike(pointers))); }

} // namespace triton_metal::tt
