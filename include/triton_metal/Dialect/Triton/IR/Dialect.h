//===- Dialect.h - the tt dialect: types, attributes, operations ----------------===//
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/CastInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "triton_metal/Dialect/Triton/IR/TritonDialect.h.inc"
#include "triton_metal/Dialect/Triton/IR/TritonEnums.h.inc"
#define GET_TYPEDEF_CLASSES
#include "triton_metal/Dialect/Triton/IR/TritonTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "triton_metal/Dialect/Triton/IR/TritonAttributes.h.inc"

namespace triton_metal::tt {

/// Device memory: what loads, stores and atomics touch.
struct GlobalMemory : public mlir::SideEffects::Resource::Base<GlobalMemory> {
  llvm::StringRef getName() final { return "tt.global_memory"; }
};

/// The arrays of tl.shared_memory: threadgroup memory on Metal.
struct SharedMemory : public mlir::SideEffects::Resource::Base<SharedMemory> {
  llvm::StringRef getName() final { return "tt.shared_memory"; }
};

/// Largest number of elements of a tensor, upstream's limit.
inline constexpr int64_t kMaxTensorElements = 1048576;

/// `type` with `element` as its element type: a tensor of the same shape, or `element` itself for a scalar.
mlir::Type withElementOf(mlir::Type type, mlir::Type element);
/// The element type of a tensor, else the type itself.
mlir::Type getElementOf(mlir::Type type);
/// The shape of a tensor, else empty.
llvm::ArrayRef<int64_t> getShapeOf(mlir::Type type);
/// What a pointer, or a tensor of pointers, points to, in the same shape.
mlir::Type getPointeeLike(mlir::Type type);
/// Whether `type` is a pointer into shared memory, or a tensor of them.
bool isSharedPointer(mlir::Type type);
/// i1 in the shape of `type`.
mlir::Type getI1Like(mlir::Type type);

} // namespace triton_metal::tt

#define GET_OP_CLASSES
#include "triton_metal/Dialect/Triton/IR/TritonOps.h.inc"
