//===- DotPlan.cpp - the register block of a dot, and what must be packed -------===//
#include "DotPlan.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;

namespace triton_metal::cpu {

TileStrides tileStrides(const DotOperand &operand) {
  auto [strides, offset] = cast<MemRefType>(operand.buffer.getType()).getStridesAndOffset();
  return {strides[strides.size() - 2], strides.back()};
}

DotPlan DotPlan::make(const DotMachine &machine, const DotShape &shape, const DotOperand &a, const DotOperand &b, Type accumulator) {
  DotPlan plan;
  int64_t bytes = accumulator.getIntOrFloatBitWidth() / 8;
  plan.lanes = std::min<int64_t>(machine.vectorBytes / bytes, shape.n);
  bool manyRegisters = machine.vectorRegisters >= 32;

  // Enough accumulators to hide the latency of the multiplier (8 with 16 registers, 16 with 32), and few loads for each product.
  int64_t tallest = manyRegisters ? (machine.vectorBytes >= 64 ? 8 : 4) : 6;
  plan.rows = std::min(tallest, shape.m);
  int64_t wanted = manyRegisters ? 16 / std::min<int64_t>(plan.rows, 8) : plan.rows >= 4 ? 2 : 8 / plan.rows;
  plan.vectors = std::clamp<int64_t>(wanted, 1, std::min<int64_t>(8, shape.n / plan.lanes));
  plan.mainRows = shape.m;
  while (plan.mainRows % plan.rows != 0)
    plan.mainRows -= plan.restRows;

  auto packedBytes = [&](int64_t elements) { return static_cast<int64_t>(llvm::alignTo(elements * bytes, 64)); };
  // Scalars of `a` are broadcast one by one, so any strides do; vectors of `b` must lie together.
  plan.packA = !a.buffer || a.elementType != accumulator;
  plan.packB = !b.buffer || b.elementType != accumulator || (tileStrides(b).column != 1 && shape.n != 1);
  plan.rowsOfAOutside = a.buffer ? tileStrides(a).column == 1 || tileStrides(a).row != 1 : !a.columnMajor;
  plan.scratchForA = plan.packA ? packedBytes(shape.m * shape.k) : 0;
  plan.scratchForB = plan.packB ? packedBytes(shape.k * shape.n) : 0;
  return plan;
}

int64_t dotScratchBytes(const DotMachine &machine, const DotShape &shape, const DotOperand &a, const DotOperand &b,
                        Type accumulatorType) {
  DotPlan plan = DotPlan::make(machine, shape, a, b, accumulatorType);
  return plan.scratchForA + plan.scratchForB;
}

} // namespace triton_metal::cpu
