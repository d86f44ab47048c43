//===- Dot.h - the register-blocked `dot` of the CPU device ---------------------===//
//
// Emits acc = a * b (+ acc) as loops over a micro-kernel that holds a block of the accumulator in registers. Everything is built
// from scf, arith, vector and memref operations on native vectors, so the same code serves x86 and arm64. The text grows with the
// register block, never with the tile.
//
// Operands are tiles in memory or generators that are called while packing, so that a load, its mask and a conversion feed the packed
// form directly. f16, bf16 and narrow integers are widened to the accumulator's type on the way.
//
// All extents are powers of two (1 included). The accumulator is a row-major buffer that stays in place between the steps of a K loop.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

#include <cstdint>
#include <functional>

namespace triton_metal::cpu {

/// The facts of a machine that shape the register block.
struct DotMachine {
  unsigned vectorBytes = 32;     ///< native vector: 16 (NEON, SSE), 32 (AVX2), 64 (AVX-512)
  unsigned vectorRegisters = 16; ///< 16 on AVX2, 32 on AVX-512 and NEON
  bool fuse = true;              ///< products are added without rounding them first

  bool operator==(const DotMachine &) const = default;
};

/// [batch x] m x k times [batch x] k x n.
struct DotShape {
  int64_t batch = 1; ///< used when `batched`
  int64_t m = 1, n = 1, k = 1;
  bool batched = false; ///< rank 3: every index list and memref has a leading batch dimension
};

/// One operand: exactly one of `buffer` and `vectorAt` is set. For `a` the last two dimensions are (m, k), for `b` (k, n).
struct DotOperand {
  /// Element type as stored or generated: f32, f64, f16, bf16, i8, i16, i32.
  mlir::Type elementType;

  /// How integer elements narrower than the accumulator widen.
  bool isUnsigned = false;

  /// A tile in memory: static shape, any static strides (a transposed view is fine and needs no copy by the caller).
  mlir::Value buffer;

  /// Returns vector<width x elementType>, the elements that begin at `indices` along the last dimension (along the one before it when
  /// `columnMajor`). `width` is a power of two that divides the extent of that dimension, and the index is a multiple of it. May be 1.
  /// Called once or a few times, inside loops; every element is asked for exactly once when the code runs.
  using VectorAt = std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange indices, int64_t width)>;
  VectorAt vectorAt;

  /// For `vectorAt` only: contiguous elements run along rows (a transposed load).
  bool columnMajor = false;
};

/// Bytes of 64-byte-aligned scratch that emitDot needs for these operands; may be 0. Dead again after the dot, so dots may share it.
int64_t dotScratchBytes(const DotMachine &, const DotShape &, const DotOperand &a, const DotOperand &b, mlir::Type accumulatorType);

/// Emits the dot at the insertion point. `acc` is memref<[batch x] m x n x T>, row-major without gaps, 64-byte aligned, T one of f32,
/// f64, i32. With `accumulate` the product is added to it, else it is overwritten. `scratch` is memref<bytes x i8> of at least
/// dotScratchBytes, 64-byte aligned, or null when that is 0. Operand buffers must not overlap `acc` or `scratch`.
/// The packed operand is read and the accumulator written only between this call's first and last operation.
void emitDot(mlir::OpBuilder &, mlir::Location, const DotMachine &, const DotShape &, const DotOperand &a, const DotOperand &b,
             mlir::Value acc, bool accumulate, mlir::Value scratch);

} // namespace triton_metal::cpu
