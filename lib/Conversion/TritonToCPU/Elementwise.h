//===- Elementwise.h - one elementwise operation on scalars or native vectors ------===//
//
// Every elementwise operation of arith, math and tt has one emission here, whatever the width. It gives what Triton promises where the
// machine or LLVM leaves things open: division by zero and INT_MIN / -1 do not trap, shifts by the width or more give 0 or the sign,
// f16 and bf16 are computed in f32 and rounded once an operation.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"

namespace triton_metal::cpu {

/// Whether emitElementwise knows `op`.
bool isElementwise(mlir::Operation *op);

/// The value of `op` on `operands`, which are scalars or all vectors of one width, pointers as i64 addresses or !llvm.ptr. `result` is
/// the element type of the result in registers. Null if the operation has no emission on this device.
mlir::Value emitElementwise(mlir::OpBuilder &b, mlir::Location loc, mlir::Operation *op, mlir::ValueRange operands, mlir::Type result);

/// Conversions between float types, with correct rounding ("rtne") or toward zero.
mlir::Value convertFloat(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Type element, bool towardZero = false);

} // namespace triton_metal::cpu
