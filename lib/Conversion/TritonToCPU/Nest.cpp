//===- Nest.cpp - evaluates tensor expressions inside a loop nest ---------------------===//
#include "Nest.h"

#include "Elementwise.h"
#include "Program.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace triton_metal::cpu {

Type registerType(Type type) {
  if (isa<tt::PointerType>(type))
    return LLVM::LLVMPointerType::get(type.getContext());
  return type;
}

Nest::Nest(Program &program, OpBuilder &builder, Location loc) : LaneEmitter(builder, loc), program(program) {
  levels.push_back({builder.getInsertionBlock(), nullptr});
}

unsigned Nest::intern(Index index) {
  for (unsigned id = 0; id < indices.size(); ++id)
    if (indices[id] == index)
      return id;
  indices.push_back(std::move(index));
  return indices.size() - 1;
}

unsigned Nest::depthOfIndex(unsigned index) const {
  unsigned depth = 0;
  for (const Lanes &part : indices[index])
    depth = std::max(depth, depthOf(part));
  return depth;
}

void Nest::leaveLevel(unsigned depth) {
  leave(depth);
  SmallVector<std::pair<Value, unsigned>> dead;
  for (auto &[key, lanes] : values)
    if (depthOf(lanes) >= depth || lanes.depth >= depth)
      dead.push_back(key);
  for (auto &key : dead)
    values.erase(key);
}

Lanes Nest::zero(Type element) {
  Value none = isa<LLVM::LLVMPointerType>(element)
                   ? Value(LLVM::ZeroOp::create(at(0), loc, element))
                   : Value(arith::ConstantOp::create(at(0), loc, cast<TypedAttr>(builder.getZeroAttr(element))));
  return uniform(none, 0);
}

Lanes Nest::evaluate(Value value, unsigned index) {
  Lanes result;
  if (assuming) {
    auto assumed = assumptions.find({value, index});
    if (assumed != assumptions.end()) {
      if (assumed->second < 0)
        result = integer(builder.getI1Type(), 1);
      else
        result = evaluate(value.getDefiningOp()->getOperand(assumed->second), index);
      // Holds under the test only: what depends on it must not be hoisted.
      result.depth = deepest();
      return result;
    }
  }
  auto known = values.find({value, index});
  if (known != values.end())
    return known->second;
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  if (!tensor) {
    Value scalar = program.scalar(value);
    if (auto pointer = dyn_cast<tt::PointerType>(value.getType())) {
      result.type = scalar.getType();
      result.pointer = scalar;
      result.pointee = memoryType(pointer.getPointeeType());
    } else {
      result = uniform(scalar, 0);
    }
  } else if (Buffer *buffer = program.bufferOf(value)) {
    result = loadBuffer(buffer, index);
  } else if (Operation *op = value.getDefiningOp()) {
    result = compute(op, value, index);
  } else {
    program.refuse(nullptr, loc, "a tensor that comes from nowhere");
    result = zero(registerType(tensor.getElementType()));
  }
  values[{value, index}] = result;
  return result;
}

Lanes Nest::constantAt(Value value, unsigned index) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements))) {
    program.refuse(value.getDefiningOp(), loc, "a constant of this kind");
    return zero(registerType(tt::getElementOf(value.getType())));
  }
  if (!elements.isSplat())
    return loadBuffer(program.constantBuffer(value, elements), index);
  auto attr = elements.getSplatValue<TypedAttr>();
  if (auto number = dyn_cast<IntegerAttr>(attr))
    return integer(number.getType(), number.getType().isInteger(1) ? int64_t(number.getValue().getZExtValue())
                                                                   : number.getValue().getSExtValue());
  return uniform(arith::ConstantOp::create(at(0), loc, attr), 0);
}

Lanes Nest::splitPointer(const Lanes &addresses, Type pointee) {
  Lanes result;
  result.type = LLVM::LLVMPointerType::get(builder.getContext());
  result.pointee = pointee;
  result.depth = depthOf(addresses);
  if (addresses.isUniform())
    result.pointer = LLVM::IntToPtrOp::create(at(result.depth), loc, result.type, scalarPart(addresses));
  else
    result.vector = toVector(addresses);
  return result;
}

//===----------------------------------------------------------------------===//
// Index maps
//===----------------------------------------------------------------------===//

Lanes Nest::sum(const Lanes &a, const Lanes &b) {
  if (std::optional<Lanes> affine = add(a, b))
    return *affine;
  unsigned depth = std::max(depthOf(a), depthOf(b));
  Value left = toVector(a), right = toVector(b);
  return fromVector(a.type, arith::AddIOp::create(at(depth), loc, left, right), depth);
}

Lanes Nest::scaled(const Lanes &a, int64_t factor) {
  if (std::optional<Lanes> affine = multiply(a, integer(a.type, factor)))
    return *affine;
  Value left = toVector(a), right = broadcast(constant(a.type, factor), 0);
  return fromVector(a.type, arith::MulIOp::create(at(depthOf(a)), loc, left, right), depthOf(a));
}

Lanes Nest::quotient(const Lanes &a, unsigned bits) {
  if (std::optional<Lanes> affine = shiftRight(a, bits))
    return *affine;
  if (a.isUniform())
    return uniform(arith::ShRSIOp::create(at(depthOf(a)), loc, scalarPart(a), constant(a.type, bits)), depthOf(a));
  Value left = toVector(a), right = broadcast(constant(a.type, bits), 0);
  return fromVector(a.type, arith::ShRSIOp::create(at(depthOf(a)), loc, left, right), depthOf(a));
}

Lanes Nest::remainder(const Lanes &a, unsigned bits) {
  if (std::optional<Lanes> affine = lowBits(a, bits))
    return *affine;
  Value mask = constant(a.type, (int64_t(1) << bits) - 1);
  if (a.isUniform())
    return uniform(arith::AndIOp::create(at(depthOf(a)), loc, scalarPart(a), mask), depthOf(a));
  Value left = toVector(a), right = broadcast(mask, 0);
  return fromVector(a.type, arith::AndIOp::create(at(depthOf(a)), loc, left, right), depthOf(a));
}

/// Both shapes are cut, from the right, into groups of dimensions with equal products; a group of one dimension each maps directly.
unsigned Nest::reshapeIndex(ArrayRef<int64_t> from, ArrayRef<int64_t> to, unsigned index) {
  Index source(to.size()), at0 = indices[index];
  int64_t f = from.size() - 1, t = to.size() - 1;
  Type i64 = builder.getI64Type();
  while (f >= 0 || t >= 0) {
    int64_t fEnd = f, tEnd = t, fProduct = 1, tProduct = 1;
    if (f >= 0)
      fProduct = from[f--];
    if (t >= 0)
      tProduct = to[t--];
    while (fProduct != tProduct) {
      if (fProduct < tProduct && f >= 0)
        fProduct *= from[f--];
      else if (t >= 0)
        tProduct *= to[t--];
      else
        break;
    }
    if (fEnd - f == 1 && tEnd - t == 1) {
      source[tEnd] = at0[fEnd];
      continue;
    }
    Lanes linear = integer(i64, 0);
    int64_t stride = 1;
    for (int64_t dim = fEnd; dim > f; --dim) {
      if (from[dim] > 1)
        linear = sum(linear, scaled(at0[dim], stride));
      stride *= from[dim];
    }
    int64_t left = tProduct;
    for (int64_t dim = tEnd; dim > t; --dim) {
      unsigned bits = llvm::Log2_64(to[dim]);
      left >>= bits;
      if (to[dim] == 1) {
        source[dim] = integer(i64, 0);
      } else if (left == 1) {
        source[dim] = linear;
        linear = integer(i64, 0);
      } else {
        source[dim] = remainder(linear, bits);
        linear = quotient(linear, bits);
      }
    }
  }
  return intern(std::move(source));
}

std::optional<unsigned> Nest::mapIndex(Operation *op, unsigned index) {
  Type i64 = builder.getI64Type();
  if (auto expand = dyn_cast<tt::ExpandDimsOp>(op)) {
    Index source = indices[index];
    source.erase(source.begin() + expand.getAxis());
    return intern(std::move(source));
  }
  if (auto wide = dyn_cast<tt::BroadcastOp>(op)) {
    Index source = indices[index];
    for (auto [dim, extent] : llvm::enumerate(tt::getShapeOf(wide.getSrc().getType())))
      if (extent == 1)
        source[dim] = integer(i64, 0);
    return intern(std::move(source));
  }
  if (auto trans = dyn_cast<tt::TransOp>(op)) {
    Index source = indices[index];
    for (auto [dim, from] : llvm::enumerate(trans.getOrder()))
      source[from] = indices[index][dim];
    return intern(std::move(source));
  }
  if (auto reshape = dyn_cast<tt::ReshapeOp>(op))
    return reshapeIndex(tt::getShapeOf(reshape.getType()), tt::getShapeOf(reshape.getSrc().getType()), index);
  if (isa<tt::SplitOp>(op)) // the caller appends the last index
    return std::nullopt;
  if (op->getNumResults() == 1 && isElementwise(op))
    return index;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Lanes Nest::compute(Operation *op, Value value, unsigned index) {
  Location saved = loc;
  loc = op->getLoc();
  Lanes result = computeHere(op, value, index);
  loc = saved;
  return result;
}

Lanes Nest::computeHere(Operation *op, Value value, unsigned index) {
  Type element = registerType(tt::getElementOf(value.getType()));
  if (isa<arith::ConstantOp>(op))
    return constantAt(value, index);
  if (isa<ub::PoisonOp>(op))
    return zero(element);
  if (auto splat = dyn_cast<tt::SplatOp>(op))
    return evaluate(splat.getSrc(), intern({}));
  if (auto range = dyn_cast<tt::MakeRangeOp>(op)) {
    Lanes position = indices[index][0];
    position.nonNegative = true;
    std::optional<Lanes> narrow = cast(position, element, true);
    if (!narrow) {
      unsigned depth = depthOf(position);
      Value vector = toVector(position);
      narrow = fromVector(element, arith::TruncIOp::create(at(depth), loc, laneType(element), vector), depth);
    }
    if (range.getStart() == 0)
      return *narrow;
    return sum(*narrow, integer(element, range.getStart()));
  }
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return evaluateLoad(load, index);
  if (auto add = dyn_cast<tt::AddPtrOp>(op)) {
    Lanes pointer = evaluate(add.getPtr(), index);
    return addOffset(pointer, evaluate(add.getOffset(), index));
  }
  if (auto join = dyn_cast<tt::JoinOp>(op)) {
    Index outer = indices[index];
    Lanes which = outer.pop_back_val();
    unsigned inner = intern(std::move(outer));
    if (which.isConstant())
      return evaluate(which.constant ? join.getRhs() : join.getLhs(), inner);
    Lanes left = evaluate(join.getLhs(), inner), right = evaluate(join.getRhs(), inner);
    unsigned depth = std::max({depthOf(left), depthOf(right), depthOf(which)});
    if (which.isUniform()) {
      Value second = arith::TruncIOp::create(at(depthOf(which)), loc, builder.getI1Type(), scalarPart(which));
      Value b = toVector(right), a = toVector(left);
      Value chosen = arith::SelectOp::create(at(depth), loc, second, b, a);
      Lanes result = fromVector(left.isPointer() ? builder.getI64Type() : left.type, chosen, depth);
      return left.isPointer() ? splitPointer(result, left.pointee) : result;
    }
    Value second = toVector(which), a = toVector(left), b = toVector(right);
    Value bit = arith::TruncIOp::create(at(depth), loc, laneType(builder.getI1Type()), second);
    Lanes result = fromVector(left.isPointer() ? builder.getI64Type() : left.type,
                              arith::SelectOp::create(at(depth), loc, bit, b, a), depth);
    return left.isPointer() ? splitPointer(result, left.pointee) : result;
  }
  if (auto split = dyn_cast<tt::SplitOp>(op)) {
    Index source = indices[index];
    source.push_back(integer(builder.getI64Type(), value == split.getOutLHS() ? 0 : 1));
    return evaluate(split.getSrc(), intern(std::move(source)));
  }
  if (auto gather = dyn_cast<tt::GatherOp>(op)) {
    Lanes which = evaluate(gather.getIndices(), index);
    // An index out of range is undefined, but must stay inside the buffer.
    int64_t extent = tt::getShapeOf(gather.getSrc().getType())[gather.getAxis()];
    std::optional<Lanes> wide = cast(which, builder.getI64Type(), true);
    if (!wide) {
      Value vector = toVector(which);
      wide = fromVector(builder.getI64Type(), arith::ExtSIOp::create(at(depthOf(which)), loc, laneType(builder.getI64Type()), vector),
                        depthOf(which));
    }
    Index source = indices[index];
    source[gather.getAxis()] = remainder(*wide, llvm::Log2_64(extent));
    return evaluate(gather.getSrc(), intern(std::move(source)));
  }
  if (isElementwise(op) && !isa<tt::ExpandDimsOp, tt::BroadcastOp, tt::TransOp, tt::ReshapeOp>(op))
    return elementwise(op, index);
  if (std::optional<unsigned> source = mapIndex(op, index))
    return evaluate(op->getOperand(0), *source);
  program.refuse(op, loc, "there is no lowering of this operation");
  return zero(element);
}

Lanes Nest::evaluateLoad(tt::LoadOp op, unsigned index) {
  Lanes pointer = evaluate(op.getPtr(), index), mask, other;
  unsigned depth = depthOf(pointer);
  if (op.getMask()) {
    mask = evaluate(op.getMask(), index);
    depth = std::max(depth, depthOf(mask));
  }
  if (op.getOther()) {
    other = evaluate(op.getOther(), index);
    depth = std::max(depth, depthOf(other));
  }
  if (mask.isConstant() && op.getMask() && mask.constant == 0)
    return op.getOther() ? other : zero(registerType(tt::getElementOf(op.getType())));
  Access access{op, op.getPtr(), Site::Access::Load};
  return load(pointer, op.getMask() ? &mask : nullptr, op.getOther() ? &other : nullptr,
              registerType(tt::getElementOf(op.getType())), depth, &access);
}

std::optional<Lanes> Nest::integerForm(Operation *op, ArrayRef<Lanes> operands) {
  auto powerOfTwo = [&](const Lanes &lanes) -> std::optional<unsigned> {
    if (!lanes.isConstant() || lanes.constant <= 0 || !llvm::isPowerOf2_64(lanes.constant))
      return std::nullopt;
    return llvm::Log2_64(lanes.constant);
  };
  // Between uniforms a scalar operation is as cheap, and wraps exactly.
  bool affine = llvm::any_of(operands, [](const Lanes &l) { return !l.isUniform() || l.slope != 0; });
  if (llvm::any_of(operands, [](const Lanes &l) { return l.isPointer() || !isa<IntegerType>(l.type) || l.type.isInteger(1); }))
    return std::nullopt;
  bool narrow = operands[0].type.getIntOrFloatBitWidth() < 32;
  return TypeSwitch<Operation *, std::optional<Lanes>>(op)
      .Case([&](arith::AddIOp) { return narrow ? std::nullopt : add(operands[0], operands[1]); })
      .Case([&](arith::SubIOp) { return narrow ? std::nullopt : subtract(operands[0], operands[1]); })
      .Case([&](arith::MulIOp) { return narrow ? std::nullopt : multiply(operands[0], operands[1]); })
      .Case([&](arith::ShLIOp) -> std::optional<Lanes> {
        if (narrow || !affine || !operands[1].isConstant() || operands[1].constant < 0 || operands[1].constant > 30)
          return std::nullopt;
        return multiply(operands[0], integer(operands[0].type, int64_t(1) << operands[1].constant));
      })
      .Case<arith::DivSIOp, arith::DivUIOp>([&](auto) -> std::optional<Lanes> {
        auto bits = powerOfTwo(operands[1]);
        return affine && bits && operands[0].nonNegative ? shiftRight(operands[0], *bits) : std::nullopt;
      })
      .Case<arith::RemSIOp, arith::RemUIOp>([&](auto) -> std::optional<Lanes> {
        auto bits = powerOfTwo(operands[1]);
        return affine && bits && operands[0].nonNegative ? lowBits(operands[0], *bits) : std::nullopt;
      })
      .Case<arith::ShRSIOp, arith::ShRUIOp>([&](auto) -> std::optional<Lanes> {
        if (!affine || !operands[1].isConstant() || operands[1].constant < 0 || operands[1].constant > 30 || !operands[0].nonNegative)
          return std::nullopt;
        return shiftRight(operands[0], operands[1].constant);
      })
      .Case([&](arith::AndIOp) -> std::optional<Lanes> {
        if (!affine || !operands[1].isConstant() || operands[1].constant < 0 || !llvm::isPowerOf2_64(operands[1].constant + 1) ||
            !operands[0].nonNegative)
          return std::nullopt;
        return lowBits(operands[0], llvm::Log2_64(operands[1].constant + 1));
      })
      .Case<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>([&](auto) -> std::optional<Lanes> {
        return affine ? cast(operands[0], tt::getElementOf(op->getResult(0).getType()), !isa<arith::ExtUIOp>(op)) : std::nullopt;
      })
      .Default([](Operation *) { return std::nullopt; });
}

Lanes Nest::elementwise(Operation *op, unsigned index) {
  SmallVector<Lanes, 3> operands;
  for (Value operand : op->getOperands())
    operands.push_back(evaluate(operand, index));
  unsigned depth = 0;
  for (const Lanes &operand : operands)
    depth = std::max(depth, depthOf(operand));
  Type element = registerType(tt::getElementOf(op->getResult(0).getType()));

  // Masks: true and false are common, and cost nothing.
  if (isa<arith::AndIOp, arith::OrIOp>(op) && operands[0].type.isInteger(1)) {
    bool isAnd = isa<arith::AndIOp>(op);
    for (unsigned i : {0, 1})
      if (operands[i].isConstant()) {
        Lanes result = (operands[i].constant != 0) == isAnd ? operands[1 - i] : operands[i];
        result.depth = std::max(result.depth, depth);
        return result;
      }
  }
  if (isa<arith::SelectOp>(op) && operands[0].isConstant()) {
    Lanes result = operands[operands[0].constant ? 1 : 2];
    result.depth = std::max(result.depth, operands[0].depth);
    return result;
  }
  if (isa<tt::BitcastOp>(op) && operands[0].isPointer() && isa<LLVM::LLVMPointerType>(element)) {
    Lanes result = operands[0];
    Type pointee = memoryType(cast<tt::PointerType>(tt::getElementOf(op->getResult(0).getType())).getPointeeType());
    if (pointee.getIntOrFloatBitWidth() == result.pointee.getIntOrFloatBitWidth()) {
      result.pointee = pointee;
      return result;
    }
    return splitPointer(fromVector(builder.getI64Type(), toVector(operands[0]), depth), pointee);
  }
  if (std::optional<Lanes> form = integerForm(op, operands))
    return *form;

  bool allUniform = llvm::all_of(operands, [](const Lanes &lanes) { return lanes.isUniform(); });
  bool scalars = allUniform || width == 1;
  SmallVector<Value> inputs;
  for (auto [position, operand] : llvm::enumerate(operands)) {
    bool scalarCondition = position == 0 && isa<arith::SelectOp>(op) && operand.isUniform();
    if (scalars && operand.isPointer())
      inputs.push_back(operand.pointer ? address(operand)
                                       : Value(LLVM::IntToPtrOp::create(at(depth), loc, operand.type, operand.vector)));
    else
      inputs.push_back(scalars || scalarCondition ? scalarPart(operand) : toVector(operand));
  }
  Type wanted = !scalars && isa<LLVM::LLVMPointerType>(element) ? Type(builder.getI64Type()) : element;
  Value value = emitElementwise(at(depth), loc, op, inputs, wanted);
  if (!value) {
    program.refuse(op, loc, "there is no lowering of this operation for its types");
    return zero(element);
  }
  if (isa<LLVM::LLVMPointerType>(element)) {
    Type pointee = memoryType(cast<tt::PointerType>(tt::getElementOf(op->getResult(0).getType())).getPointeeType());
    Lanes result;
    result.type = element;
    result.pointee = pointee;
    result.depth = depth;
    (scalars ? result.pointer : result.vector) = value;
    return result;
  }
  return scalars ? uniform(value, depth) : fromVector(element, value, depth);
}

} // namespace triton_metal::cpu
