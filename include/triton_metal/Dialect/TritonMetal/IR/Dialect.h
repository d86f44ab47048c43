//===- Dialect.h - the ttm dialect: distributed tensors -----------------------------===//
//
// docs/design/ttm.md says what a module of distributed tensors looks like and which operations may cross lanes.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/TensorEncoding.h"
#include "triton_metal/Analysis/LinearLayout.h"
#include "triton_metal/Dialect/Triton/IR/Dialect.h"

#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalDialect.h.inc"
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalEnums.h.inc"
#define GET_TYPEDEF_CLASSES
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalAttributes.h.inc"

namespace triton_metal::ttm {

/// The pool that the lanes of a threadgroup share.
struct ThreadgroupMemory : public mlir::SideEffects::Resource::Base<ThreadgroupMemory> {
  llvm::StringRef getName() final { return "ttm.threadgroup_memory"; }
};

/// Names of attributes. On the module: SIMD-groups of a threadgroup (i32) and the chip profile (string); on a tt.func: bytes of the
/// pool (i32).
inline constexpr llvm::StringLiteral kNumSimdgroups = "ttm.num_simdgroups";
inline constexpr llvm::StringLiteral kChip = "ttm.chip";
inline constexpr llvm::StringLiteral kPoolBytes = "ttm.pool_bytes";
/// On tt.load and tt.store (i32): this many registers, starting at multiples of it, are neighbours in memory and their address is
/// aligned to their common size, proven; and the mask is one and the same over this many of them.
inline constexpr llvm::StringLiteral kVector = "ttm.vector";
inline constexpr llvm::StringLiteral kMaskVector = "ttm.mask_vector";
/// On tt.dot (string): "simdgroup_matrix" or "scalar".
inline constexpr llvm::StringLiteral kDotKind = "ttm.kind";

/// On arith.fptosi (unit): every element is an integer that the result's type holds.
inline constexpr llvm::StringLiteral kExact = "ttm.exact";

/// The layout of a tensor type; none for scalars and for tensors without one.
std::optional<LinearLayout> getLayout(mlir::Type type);
inline std::optional<LinearLayout> getLayout(mlir::Value value) { return getLayout(value.getType()); }
LayoutAttr getLayoutAttr(mlir::Type type);
/// `type` with a layout as its encoding.
mlir::RankedTensorType withLayout(mlir::Type type, const LinearLayout &layout);
/// Whether the lanes hold 8x8 fragments of the last two dimensions, as the operands and results of simdgroup_matrix do.
bool isMatrixFragment(const LinearLayout &layout);
/// SIMD-groups of the threadgroup that `op` is compiled for.
unsigned getNumSimdgroups(mlir::Operation *op);

/// The layout that the result of a shape operation must have (expand_dims, reshape, trans, join, split, reduce), given that of its
/// operand; none for other operations, and for a split whose minor bit is not in registers.
std::optional<LinearLayout> inferResultLayout(mlir::Operation *op, const LinearLayout &operand);
/// The layout that operand `index` of `op` must have, given that of its results (for operations with results) and of its other
/// operands: equal for elementwise operations, projected for broadcast. None where any layout will do.
std::optional<LinearLayout> inferOperandLayout(mlir::Operation *op, unsigned index, const LinearLayout &result);

/// Whether `op` computes each element of its results from the same element of its operands, and nothing else.
bool isElementwise(mlir::Operation *op);

/// The number in the attribute kVector or kMaskVector, 1 if there is none.
unsigned getVectorAttribute(mlir::Operation *access, llvm::StringRef name);
/// Elements that a lane accesses at once: what is proven, and a type that Metal has.
unsigned getAccessVector(mlir::Operation *access);
/// For each layout the longest vector of the loads and stores in it: loops over registers step by it, so that an access with shorter
/// vectors goes element by element.
llvm::SmallVector<std::pair<LinearLayout, unsigned>> longestVectors(mlir::Operation *kernel);
/// The longest vector of `element` in memory: 4 elements (16 bytes of floats; wider is not faster), 2 of 64 bits, 1 of pointers and bits.
unsigned getWidestVector(mlir::Type element);
/// Whether the load's value where the mask is off is one number for all elements; else it goes element by element.
bool hasOneOther(tt::LoadOp load);

/// Checks docs/design/ttm.md on `root`: every tensor has a layout, layouts of operands and results agree.
mlir::LogicalResult verifyLayouts(mlir::Operation *root);

} // namespace triton_metal::ttm

#define GET_OP_CLASSES
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalOps.h.inc"
