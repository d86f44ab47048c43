//===- Contraction.cpp - dot ------------------------------------------------------------===//
//
// Operands are generated while they are packed, straight from memory where a load stands behind them; the accumulator is a buffer that
// stays where it is over a K loop.
//
//===----------------------------------------------------------------------------===//
#include "Elementwise.h"
#include "Program.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace triton_metal::cpu {

/// A memref over bytes of the arena. The conversion to LLVM sees through the cast.
static Value asMemref(OpBuilder &b, Location loc, Value pointer, MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  MLIRContext *context = b.getContext();
  Type i64 = b.getI64Type(), pointerType = LLVM::LLVMPointerType::get(context);
  unsigned rank = type.getRank();
  SmallVector<Type> fields{pointerType, pointerType, i64};
  if (rank > 0)
    fields.append(2, LLVM::LLVMArrayType::get(i64, rank));
  Type structType = LLVM::LLVMStructType::getLiteral(context, fields);
  Value descriptor = LLVM::PoisonOp::create(b, loc, structType);
  auto insert = [&](Value value, ArrayRef<int64_t> position) {
    descriptor = LLVM::InsertValueOp::create(b, loc, descriptor, value, position);
  };
  auto number = [&](int64_t value) -> Value { return LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(value)); };
  insert(pointer, {0});
  insert(pointer, {1});
  insert(number(0), {2});
  for (unsigned dim = 0; dim < rank; ++dim) {
    insert(number(type.getDimSize(dim)), {3, int64_t(dim)});
    insert(number(strides[dim]), {4, int64_t(dim)});
  }
  return UnrealizedConversionCastOp::create(b, loc, type, descriptor).getResult(0);
}

static bool isZero(Value value) {
  DenseElementsAttr elements;
  if (auto splat = value.getDefiningOp<tt::SplatOp>())
    return matchPattern(splat.getSrc(), m_AnyZeroFloat()) || matchPattern(splat.getSrc(), m_Zero());
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return false;
  if (isa<FloatType>(elements.getElementType()))
    return elements.getSplatValue<APFloat>().isPosZero();
  return elements.getSplatValue<APInt>().isZero();
}

/// If the result is only the new value of a carried tensor and nobody wants the old one any more, its buffer: the loop
/// accumulates in place.
Buffer *Program::accumulatorInPlace(tt::DotOp op) {
  if (!op.getD().hasOneUse())
    return nullptr;
  OpOperand &use = *op.getD().getUses().begin();
  auto yield = dyn_cast<scf::YieldOp>(use.getOwner());
  auto loop = yield ? dyn_cast<scf::ForOp>(yield->getParentOp()) : nullptr;
  if (!loop || op->getBlock() != loop.getBody())
    return nullptr;
  Value arg = loop.getRegionIterArg(use.getOperandNumber());
  Buffer *buffer = buffers.lookup(arg);
  if (!buffer || reads(op.getC(), buffer) == Reads::Other)
    return nullptr;
  if (reads(op.getA(), buffer) != Reads::No || reads(op.getB(), buffer) != Reads::No)
    return nullptr;
  bool wantedLater = false;
  visitLater(op->getNextNode(), [&](Value value) {
    if (value != op.getD())
      wantedLater |= reads(value, buffer) != Reads::No;
  });
  return wantedLater ? nullptr : buffer;
}

void Program::lowerDot(tt::DotOp op) {
  Location loc = op.getLoc();
  auto aType = cast<RankedTensorType>(op.getA().getType()), bType = cast<RankedTensorType>(op.getB().getType());
  auto cType = cast<RankedTensorType>(op.getC().getType());
  Type element = cType.getElementType();
  bool half = isa<Float16Type, BFloat16Type>(element);
  auto operandType = [](Type type) {
    return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type) || type.isInteger(8) || type.isInteger(16) || type.isInteger(32);
  };
  if (!(half || element.isF32() || element.isF64() || element.isInteger(32)) || !operandType(aType.getElementType()) ||
      !operandType(bType.getElementType()))
    return refuse(op, loc, "a dot of these element types");

  prepare({op.getA(), op.getB(), op.getC()});
  flush();
  DotShape shape;
  unsigned rank = cType.getRank();
  shape.batched = rank == 3;
  shape.batch = shape.batched ? cType.getDimSize(0) : 1;
  shape.m = cType.getDimSize(rank - 2);
  shape.n = cType.getDimSize(rank - 1);
  shape.k = aType.getDimSize(rank - 1);

  // Half-precision results accumulate in f32 and are rounded at the end.
  Type accumulatorType = half ? Type(b.getF32Type()) : element;
  Buffer *result = half ? nullptr : accumulatorInPlace(op);
  if (!result)
    result = arena.create(b, loc, accumulatorType, cType.getShape());
  bool accumulate = !isZero(op.getC());
  if (accumulate && buffers.lookup(op.getC()) != result) {
    if (half) {
      Buffer *start = keep(op.getC());
      forEachElement(cType.getShape(), loc, [&](Nest &nest, unsigned index) {
        Lanes value = nest.loadBuffer(start, index);
        Value wide = convertFloat(nest.at(nest.deepest()), loc, nest.toVector(value), accumulatorType);
        nest.storeBuffer(result, index, nest.fromVector(accumulatorType, wide, nest.deepest()));
      });
    } else {
      Root root;
      root.kind = Root::Keep;
      root.value = op.getC();
      root.buffer = result;
      addRoot(std::move(root), cType.getShape());
      flush();
    }
  }
  arena.tick();
  arena.touch(result);

  Nest nest(*this, here(), loc);
  auto operand = [&](Value value, RankedTensorType type) {
    DotOperand operand;
    operand.elementType = type.getElementType();
    if (Buffer *buffer = bufferOf(value)) {
      operand.buffer = asMemref(here(), loc, buffer->pointer, MemRefType::get(type.getShape(), type.getElementType()));
      return operand;
    }
    // A transposed view of a buffer is a buffer, too.
    if (auto trans = value.getDefiningOp<tt::TransOp>())
      if (Buffer *buffer = bufferOf(trans.getSrc())) {
        SmallVector<int64_t> strides;
        for (int32_t from : trans.getOrder())
          strides.push_back(buffer->stride(from));
        auto layout = StridedLayoutAttr::get(b.getContext(), 0, strides);
        operand.buffer = asMemref(here(), loc, buffer->pointer, MemRefType::get(type.getShape(), type.getElementType(), layout));
        return operand;
      }
    operand.columnMajor = runsAlongRows(value);
    unsigned lanesDim = type.getRank() - (operand.columnMajor ? 2 : 1);
    operand.vectorAt = [this, value, lanesDim, &nest](OpBuilder &builder, Location where, ValueRange indices, int64_t width) -> Value {
      return generate(nest, builder, where, value, indices, lanesDim, width);
    };
    return operand;
  };
  DotOperand a = operand(op.getA(), aType), c = operand(op.getB(), bType);
  Value scratch;
  if (int64_t bytes = dotScratchBytes(options.dot, shape, a, c, accumulatorType)) {
    Buffer *buffer = arena.create(b, loc, b.getI8Type(), {bytes});
    scratch = asMemref(here(), loc, buffer->pointer, MemRefType::get({bytes}, b.getI8Type()));
  }
  Value accumulator = asMemref(here(), loc, result->pointer, MemRefType::get(cType.getShape(), accumulatorType));
  emitDot(here(), loc, options.dot, shape, a, c, accumulator, accumulate, scratch);
  arena.tick();
  if (!half)
    return setBuffer(op.getD(), result);
  Buffer *narrow = newBuffer(op.getD());
  forEachElement(cType.getShape(), loc, [&](Nest &inner, unsigned index) {
    Lanes value = inner.loadBuffer(result, index);
    Value rounded = convertFloat(inner.at(inner.deepest()), loc, inner.toVector(value), element);
    inner.storeBuffer(narrow, index, inner.fromVector(element, rounded, inner.deepest()));
  });
  arena.touch(result);
  arena.tick();
  setBuffer(op.getD(), narrow);
}

/// Whether the elements of a rank 2 or 3 operand lie together along its second to last dimension rather than along the last.
bool Program::runsAlongRows(Value value) {
  // Evaluate the pointers of the loads behind it with lanes along either dimension, in a block that is thrown away.
  auto type = cast<RankedTensorType>(value.getType());
  unsigned rank = type.getRank();
  auto contiguous = [&](unsigned dim) {
    if (type.getDimSize(dim) == 1)
      return 0;
    OpBuilder::InsertionGuard guard(b);
    Region scratchRegion;
    Block *scratchBlock = new Block;
    scratchRegion.push_back(scratchBlock);
    b.setInsertionPointToEnd(scratchBlock);
    int score = 0;
    {
      Nest nest(*this, b, value.getLoc());
      nest.width = std::min<int64_t>(4, type.getDimSize(dim));
      Nest::Index index(rank, nest.integer(b.getI64Type(), 0));
      for (int64_t lane = 0; lane < nest.width; ++lane)
        index[dim].offsets.push_back(lane);
      index[dim].nonNegative = true;
      score = nest.contiguousLoads(value, nest.intern(std::move(index)));
    }
    scratchBlock->dropAllReferences();
    scratchBlock->clear();
    return score;
  };
  return contiguous(rank - 2) > contiguous(rank - 1);
}

/// vector<width> of `value` from `indices` on along `lanesDim`, for a packing loop. Under a test that all its masks hold it is
/// loaded plainly.
Value Program::generate(Nest &outer, OpBuilder &builder, Location loc, Value value, ValueRange indices, unsigned lanesDim, int64_t width) {
  OpBuilder::InsertionGuard guard(builder);
  Block *target = builder.getInsertionBlock();
  // An anchor for what is emitted, wherever the packing loop stands.
  Operation *anchor = LLVM::PoisonOp::create(builder, loc, builder.getI1Type());
  Nest nest(*this, builder, loc);
  nest.levels.back() = {target, anchor};
  nest.width = width;
  Nest::Index index;
  for (auto [dim, position] : llvm::enumerate(indices)) {
    Value wide = position;
    if (isa<IndexType>(wide.getType()))
      wide = arith::IndexCastOp::create(nest.at(0), loc, builder.getI64Type(), wide);
    Lanes lanes = nest.uniform(wide, 0);
    lanes.nonNegative = true;
    if (dim == lanesDim && width > 1)
      for (int64_t lane = 0; lane < width; ++lane)
        lanes.offsets.push_back(lane);
    index.push_back(std::move(lanes));
  }
  unsigned id = nest.intern(std::move(index));
  Value test = nest.speculate({{value, id, Nest::Wanted::Data}});
  Value result;
  if (!test) {
    result = nest.toVector(nest.evaluate(value, id));
  } else {
    Type type = nest.laneType(registerType(tt::getElementOf(value.getType())));
    auto branch = scf::IfOp::create(nest.at(0), loc, TypeRange(type), test, true, true);
    nest.levels.back().anchor = branch; // what the branches share goes before them
    for (bool fast : {true, false}) {
      Block *block = fast ? branch.thenBlock() : branch.elseBlock();
      if (block->mightHaveTerminator())
        block->getTerminator()->erase();
      nest.levels.push_back({block, nullptr});
      // Values that hold under the test only are marked with this depth.
      nest.assuming = fast;
      Value lanes = nest.toVector(nest.evaluate(value, id));
      builder.setInsertionPointToEnd(block);
      scf::YieldOp::create(builder, loc, lanes);
      nest.leaveLevel(1);
      nest.levels.pop_back();
    }
    result = branch.getResult(0);
  }
  builder.setInsertionPoint(anchor);
  if (!isa<VectorType>(result.getType())) // a nest one lane wide computes with scalars
    result = vector::BroadcastOp::create(builder, loc, VectorType::get({width}, result.getType()), result);
  anchor->erase();
  return result;
}

} // namespace triton_metal::cpu
