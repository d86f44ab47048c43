//===- DotPlan.h - the register block of a dot, and what must be packed ---------===//
#ifndef TRITON_METAL_CONVERSION_TRITONTOCPU_DOTPLAN_H
#define TRITON_METAL_CONVERSION_TRITONTOCPU_DOTPLAN_H

#include "triton_metal/Conversion/TritonToCPU/Dot.h"

#include "mlir/IR/BuiltinTypes.h"

namespace triton_metal::cpu {

/// All decisions about one dot, from its shape and operands alone.
struct DotPlan {
  int64_t lanes = 1;      ///< elements of one accumulator vector
  int64_t vectors = 1;    ///< vectors in a row of the register block
  int64_t rows = 1;       ///< rows of the block; `mainRows` of m go in such blocks
  int64_t mainRows = 0;
  int64_t restRows = 4;   ///< rows of the blocks that take the rest, where `rows` does not divide m
  bool packA = false;     ///< else `a` is read where it lies
  bool packB = false;     ///< else `b` is read where it lies
  bool rowsOfAOutside = true; ///< of the packed form: [m][k], else [k][m]
  int64_t scratchForA = 0, scratchForB = 0;

  int64_t panel() const { return lanes * vectors; } ///< columns of the block

  static DotPlan make(const DotMachine &, const DotShape &, const DotOperand &a, const DotOperand &b, mlir::Type accumulator);
};

/// Strides of an operand in memory along its last two dimensions.
struct TileStrides {
  int64_t row, column;
};
TileStrides tileStrides(const DotOperand &);

} // namespace triton_metal::cpu

#endif
