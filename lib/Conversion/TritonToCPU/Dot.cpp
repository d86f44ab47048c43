//===- Dot.cpp - the register-blocked `dot` of the CPU device -------------------===//
//
//   for each panel of columns          B of the panel stays in the first-level cache
//     for each block of rows           accumulators of the block are loaded into registers
//       for k                          one row of B's panel in vectors, one scalar of A a row, broadcast
//                                      accumulators are stored
//
// Packed B is [panel][k][columns of a panel]; packed A is [m][k] or [k][m], whichever its source yields in order.
//
//===----------------------------------------------------------------------------===//
#include "DotPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace triton_metal::cpu {
namespace {

struct DotEmitter {
  DotEmitter(OpBuilder &builder, Location loc, const DotMachine &machine, const DotShape &shape, const DotOperand &a,
             const DotOperand &b, Value acc, bool accumulate, Value scratch)
      : builder(builder), loc(loc), fuse(machine.fuse), shape(shape), a(a), b(b), acc(acc), accumulate(accumulate),
        scratch(scratch), element(cast<MemRefType>(acc.getType()).getElementType()),
        plan(DotPlan::make(machine, shape, a, b, element)) {}

  void emit() {
    if (!shape.batched)
      return emitOne();
    forRange(0, shape.batch, 1, [&](Value at) {
      batch.assign(1, at);
      emitOne();
    });
  }

private:
  //===--- Small things ---===//

  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value plus(Value x, int64_t y) { return y == 0 ? x : Value(arith::AddIOp::create(builder, loc, x, index(y))); }
  Value plus(Value x, Value y) { return arith::AddIOp::create(builder, loc, x, y); }
  Value times(Value x, int64_t y) { return y == 1 ? x : Value(arith::MulIOp::create(builder, loc, x, index(y))); }
  VectorType vectorOf(int64_t lanes) { return VectorType::get({lanes}, element); }

  SmallVector<Value> indices(Value row, Value column) {
    SmallVector<Value> all(batch);
    all.append({row, column});
    return all;
  }

  /// A loop, or nothing but its body where it would run once.
  void forRange(int64_t from, int64_t to, int64_t step, llvm::function_ref<void(Value)> body) {
    if (from >= to)
      return;
    if (from + step >= to)
      return body(index(from));
    auto loop = scf::ForOp::create(builder, loc, index(from), index(to), index(step));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }

  /// Elements as they are stored, in the accumulator's type.
  Value widen(Value value, const DotOperand &operand) {
    auto type = cast<VectorType>(value.getType());
    Type from = type.getElementType();
    if (from == element)
      return value;
    VectorType to = type.clone(element);
    if (isa<IntegerType>(from)) {
      if (operand.isUnsigned)
        return arith::ExtUIOp::create(builder, loc, to, value);
      return arith::ExtSIOp::create(builder, loc, to, value);
    }
    if (from.isBF16() && element.isF32()) {
      // A bfloat is the upper half of a float.
      Type shorts = type.clone(builder.getI16Type()), words = type.clone(builder.getI32Type());
      Value bits = arith::ExtUIOp::create(builder, loc, words, arith::BitcastOp::create(builder, loc, shorts, value));
      Value sixteen = arith::ConstantOp::create(
          builder, loc, DenseElementsAttr::get(cast<VectorType>(words), builder.getI32IntegerAttr(16)));
      return arith::BitcastOp::create(builder, loc, to, arith::ShLIOp::create(builder, loc, bits, sixteen));
    }
    return arith::ExtFOp::create(builder, loc, to, value);
  }

  Value multiplyAdd(Value x, Value y, Value sum) {
    if (isa<FloatType>(element) && fuse)
      return math::FmaOp::create(builder, loc, x, y, sum);
    if (isa<FloatType>(element))
      return arith::AddFOp::create(builder, loc, arith::MulFOp::create(builder, loc, x, y), sum);
    return arith::AddIOp::create(builder, loc, arith::MulIOp::create(builder, loc, x, y), sum);
  }

  //===--- Reading an operand ---===//

  /// Widened elements of `operand` from (row, column) on, along the columns or, with `down`, along the rows; they are in order there.
  Value read(const DotOperand &operand, Value row, Value column, int64_t width, bool down) {
    if (operand.vectorAt)
      return widen(operand.vectorAt(builder, loc, indices(row, column), width), operand);
    VectorType type = VectorType::get({width}, operand.elementType);
    if (width == 1)
      return widen(vector::BroadcastOp::create(builder, loc, type,
                                               memref::LoadOp::create(builder, loc, operand.buffer, indices(row, column))),
                   operand);
    if (!down)
      return widen(vector::LoadOp::create(builder, loc, type, operand.buffer, indices(row, column)), operand);
    return widen(vector::LoadOp::create(builder, loc, type, swapped(operand), indices(column, row)), operand);
  }

  /// The operand's buffer with its last two dimensions exchanged, so that vectors may run down its columns.
  Value swapped(const DotOperand &operand) {
    auto type = cast<MemRefType>(operand.buffer.getType());
    auto [strides, offset] = type.getStridesAndOffset();
    SmallVector<int64_t> sizes(type.getShape()), newStrides(strides);
    unsigned rank = type.getRank();
    std::swap(sizes[rank - 1], sizes[rank - 2]);
    std::swap(newStrides[rank - 1], newStrides[rank - 2]);
    auto layout = StridedLayoutAttr::get(builder.getContext(), offset, newStrides);
    auto newType = MemRefType::get(sizes, type.getElementType(), layout, type.getMemorySpace());
    SmallVector<OpFoldResult> sizeValues, strideValues;
    for (int64_t size : sizes)
      sizeValues.push_back(builder.getIndexAttr(size));
    for (int64_t stride : newStrides)
      strideValues.push_back(builder.getIndexAttr(stride));
    return memref::ReinterpretCastOp::create(builder, loc, newType, operand.buffer, builder.getIndexAttr(offset), sizeValues, strideValues);
  }

  enum class Order { Rows, Columns, None }; ///< along which index elements lie together: (Rows: the column index varies fastest)
  Order orderOf(const DotOperand &operand) {
    if (operand.vectorAt)
      return operand.columnMajor ? Order::Columns : Order::Rows;
    TileStrides strides = tileStrides(operand);
    return strides.column == 1 ? Order::Rows : strides.row == 1 ? Order::Columns : Order::None;
  }

  //===--- Packing ---===//

  Value view(int64_t byteOffset, ArrayRef<int64_t> sizes) {
    return memref::ViewOp::create(builder, loc, MemRefType::get(sizes, element), scratch, index(byteOffset), ValueRange{});
  }

  /// [m][k] or [k][m].
  Value packA() {
    bool outside = plan.rowsOfAOutside;
    int64_t outer = outside ? shape.m : shape.k, inner = outside ? shape.k : shape.m;
    Value packed = view(0, {outer, inner});
    Order order = orderOf(a);
    int64_t width = order == Order::None ? 1 : std::min<int64_t>(packLanes(), inner);
    forRange(0, outer, 1, [&](Value i) {
      forRange(0, inner, width, [&](Value j) {
        Value value = outside ? read(a, i, j, width, false) : read(a, j, i, width, true);
        vector::StoreOp::create(builder, loc, value, packed, ValueRange{i, j});
      });
    });
    return packed;
  }

  /// Panels of [k][columns].
  Value packB() {
    int64_t columns = plan.panel();
    Value packed = view(plan.scratchForA, {shape.n / columns, shape.k, columns});
    Order order = orderOf(b);
    if (order == Order::Columns && shape.k > 1) {
      packTransposed(packed);
      return packed;
    }
    int64_t width = order == Order::Rows ? plan.lanes : 1;
    forRange(0, shape.k, 1, [&](Value k) {
      forRange(0, shape.n / columns, 1, [&](Value panel) {
        Value first = times(panel, columns);
        forRange(0, columns, width, [&](Value column) {
          Value value = read(b, k, plus(first, column), width, false);
          vector::StoreOp::create(builder, loc, value, packed, ValueRange{panel, k, column});
        });
      });
    });
    return packed;
  }

  /// Squares of vectors are read down the columns and turned in registers.
  void packTransposed(Value packed) {
    int64_t side = std::min<int64_t>(plan.lanes, shape.k), columns = plan.panel();
    forRange(0, shape.n / columns, 1, [&](Value panel) {
      Value first = times(panel, columns);
      forRange(0, shape.k, side, [&](Value k) {
        forRange(0, columns, side, [&](Value column) {
          SmallVector<Value> square;
          for (int64_t j = 0; j < side; ++j)
            square.push_back(read(b, k, plus(plus(first, column), j), side, true));
          transpose(square);
          for (int64_t i = 0; i < side; ++i)
            vector::StoreOp::create(builder, loc, square[i], packed, ValueRange{panel, plus(k, i), column});
        });
      });
    });
  }

  /// Row i becomes column i: each step interleaves the first half of the rows with the second.
  void transpose(SmallVectorImpl<Value> &rows) {
    int64_t side = rows.size();
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < side / 2; ++i) {
      low.append({i, side + i});
      high.append({side / 2 + i, side + side / 2 + i});
    }
    for (int64_t step = 1; step < side; step *= 2) {
      SmallVector<Value> next;
      for (int64_t i = 0; i < side / 2; ++i) {
        next.push_back(vector::ShuffleOp::create(builder, loc, rows[i], rows[i + side / 2], low));
        next.push_back(vector::ShuffleOp::create(builder, loc, rows[i], rows[i + side / 2], high));
      }
      rows.assign(next.begin(), next.end());
    }
  }

  /// Packing a narrow matrix still uses whole vectors along its long side.
  int64_t packLanes() const { return std::max<int64_t>(plan.lanes, 16 / (element.getIntOrFloatBitWidth() / 8)); }

  //===--- The product ---===//

  Value scalarOfA(Value row, Value k) {
    if (!plan.packA)
      return memref::LoadOp::create(builder, loc, a.buffer, indices(row, k));
    return memref::LoadOp::create(builder, loc, packedA, plan.rowsOfAOutside ? ValueRange{row, k} : ValueRange{k, row});
  }

  Value vectorOfB(Value panel, Value k, int64_t vector) {
    VectorType type = vectorOf(plan.lanes);
    int64_t offset = vector * plan.lanes;
    if (plan.packB)
      return vector::LoadOp::create(builder, loc, type, packedB, ValueRange{panel, k, index(offset)});
    Value column = plus(times(panel, plan.panel()), offset);
    if (shape.n == 1) // a single column may have any stride
      return vector::BroadcastOp::create(builder, loc, type, memref::LoadOp::create(builder, loc, b.buffer, indices(k, column)));
    return vector::LoadOp::create(builder, loc, type, b.buffer, indices(k, column));
  }

  void block(Value panel, Value row, int64_t rows) {
    VectorType type = vectorOf(plan.lanes);
    Value firstColumn = times(panel, plan.panel());
    SmallVector<Value> sums;
    SmallVector<SmallVector<Value>> places;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t v = 0; v < plan.vectors; ++v) {
        places.push_back(indices(plus(row, i), plus(firstColumn, v * plan.lanes)));
        if (accumulate)
          sums.push_back(vector::LoadOp::create(builder, loc, type, acc, places.back()));
        else
          sums.push_back(arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type)));
      }
    auto step = [&](Value k, SmallVectorImpl<Value> &running) {
      SmallVector<Value> right;
      for (int64_t v = 0; v < plan.vectors; ++v)
        right.push_back(vectorOfB(panel, k, v));
      for (int64_t i = 0; i < rows; ++i) {
        Value left = vector::BroadcastOp::create(builder, loc, type, scalarOfA(plus(row, i), k));
        for (int64_t v = 0; v < plan.vectors; ++v) {
          Value &sum = running[i * plan.vectors + v];
          sum = multiplyAdd(left, right[v], sum);
        }
      }
    };
    if (shape.k == 1) {
      step(index(0), sums);
    } else {
      // Two steps a turn: the loop's own work is then small beside the products on any machine.
      auto loop = scf::ForOp::create(builder, loc, index(0), index(shape.k), index(2), sums);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> running(loop.getRegionIterArgs());
      step(loop.getInductionVar(), running);
      step(plus(loop.getInductionVar(), 1), running);
      scf::YieldOp::create(builder, loc, running);
      sums.assign(loop.getResults().begin(), loop.getResults().end());
    }
    for (auto [sum, place] : llvm::zip(sums, places))
      vector::StoreOp::create(builder, loc, sum, acc, place);
  }

  void emitOne() {
    if (plan.packA)
      packedA = packA();
    if (plan.packB)
      packedB = packB();
    forRange(0, shape.n / plan.panel(), 1, [&](Value panel) {
      forRange(0, plan.mainRows, plan.rows, [&](Value row) { block(panel, row, plan.rows); });
      forRange(plan.mainRows, shape.m, plan.restRows, [&](Value row) { block(panel, row, plan.restRows); });
    });
  }

  OpBuilder &builder;
  Location loc;
  bool fuse;
  const DotShape &shape;
  const DotOperand &a, &b;
  Value acc;
  bool accumulate;
  Value scratch;
  Type element;
  DotPlan plan;
  SmallVector<Value> batch;
  Value packedA, packedB;
};

} // namespace

void emitDot(OpBuilder &builder, Location loc, const DotMachine &machine, const DotShape &shape, const DotOperand &a,
             const DotOperand &b, Value acc, bool accumulate, Value scratch) {
  OpBuilder::InsertionGuard guard(builder);
  DotEmitter(builder, loc, machine, shape, a, b, acc, accumulate, scratch).emit();
}

} // namespace triton_metal::cpu
