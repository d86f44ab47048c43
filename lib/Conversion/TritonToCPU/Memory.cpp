//===- Memory.cpp - loads and stores by lanes ----------------------------------------===//
//
// The lane offsets decide: one address for all lanes is a scalar access, consecutive ones a vector access, a regular pattern within
// two vectors is loaded whole and permuted, anything else goes lane by lane or through gather and scatter. Masked lanes touch no memory.
//
//===----------------------------------------------------------------------------===//
#include "Nest.h"

using namespace mlir;

namespace triton_metal::cpu {

bool isContiguous(const Lanes &pointer, int64_t width) {
  if (pointer.vector || pointer.offsets.empty())
    return false;
  for (int64_t i = 0; i < width; ++i)
    if (pointer.offsets[i] - pointer.offsets[0] != i)
      return false;
  return true;
}

namespace {
/// Code of a depth goes into a branch for a while. What is made there is forgotten afterwards.
class Branch {
public:
  Branch(LaneEmitter &emitter, unsigned depth, Block *block)
      : emitter(emitter), depth(std::min<unsigned>(depth, emitter.deepest())), saved(emitter.levels[this->depth]),
        broadcasts(emitter.broadcasts), constants(emitter.constants) {
    emitter.levels[this->depth] = {block, nullptr};
  }
  ~Branch() {
    emitter.levels[depth] = saved;
    emitter.broadcasts = std::move(broadcasts);
    emitter.constants = std::move(constants);
  }

private:
  LaneEmitter &emitter;
  unsigned depth;
  LaneEmitter::Level saved;
  decltype(emitter.broadcasts) broadcasts;
  decltype(emitter.constants) constants;
};
} // namespace

static int64_t elementBytes(Type memory) { return std::max<int64_t>(1, memory.getIntOrFloatBitWidth() / 8); }

Value Nest::address(const Lanes &pointer) {
  OpBuilder::InsertionGuard guard(builder); // may stand among the operands of an operation that is being built
  Lanes first = pointer;
  first.pointer = {};
  first.pointee = {};
  first.type = builder.getI64Type();
  if (!pointer.offsets.empty())
    first.constant += pointer.offsets[0];
  first.offsets.clear();
  if (first.isConstant() && first.constant == 0)
    return pointer.pointer;
  unsigned depth = std::max(pointer.depth, depthOf(first));
  int64_t constantPart = first.constant;
  Type memory = memoryType(pointer.pointee);
  Value result = pointer.pointer;
  // The constant goes last, where it becomes a displacement.
  first.constant = 0;
  if (!first.isConstant())
    result = LLVM::GEPOp::create(at(depth), loc, result.getType(), memory, result, ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(scalarPart(first))});
  if (constantPart != 0) {
    if (llvm::isInt<31>(constantPart))
      result = LLVM::GEPOp::create(at(depth), loc, result.getType(), memory, result,
                                   ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(int32_t(constantPart))});
    else
      result = LLVM::GEPOp::create(at(depth), loc, result.getType(), memory, result,
                                   ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(constant(builder.getI64Type(), constantPart))});
  }
  return result;
}

Value Nest::pointerVector(const Lanes &pointer, Type memory, unsigned depth) {
  OpBuilder::InsertionGuard guard(builder); // may stand among the operands of an operation that is being built
  auto pointerType = LLVM::LLVMPointerType::get(builder.getContext());
  Type type = VectorType::get({width}, pointerType);
  if (!pointer.pointer) {
    Value addresses = pointer.vector;
    return LLVM::IntToPtrOp::create(at(depth), loc, type, addresses);
  }
  Lanes elements = pointer;
  elements.pointer = {};
  elements.pointee = {};
  elements.type = builder.getI64Type();
  Value vector = toVector(elements);
  return LLVM::GEPOp::create(at(depth), loc, type, memory, pointer.pointer, ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(vector)});
}

Value Nest::underCondition(Value condition, Value otherwise, unsigned depth, llvm::function_ref<Value(unsigned)> make) {
  auto ifOp = scf::IfOp::create(at(depth), loc, TypeRange(otherwise.getType()), condition, /*withElse=*/true);
  // A level of its own, so that what `make` needs at this depth goes inside.
  Branch branch(*this, depth, ifOp.thenBlock());
  Value value = make(depth);
  builder.setInsertionPointToEnd(ifOp.thenBlock());
  scf::YieldOp::create(builder, loc, value);
  builder.setInsertionPointToEnd(ifOp.elseBlock());
  scf::YieldOp::create(builder, loc, otherwise);
  return ifOp.getResult(0);
}

/// Loads all lanes; nothing is masked.
Value Nest::plainLoad(const Lanes &pointer, Type memory, unsigned depth) {
  unsigned alignment = elementBytes(memory);
  if (pointer.isUniform())
    return LLVM::LoadOp::create(at(depth), loc, memory, address(pointer), alignment);
  if (isContiguous(pointer, width)) {
    Value from = address(pointer);
    return LLVM::LoadOp::create(at(depth), loc, laneType(memory), from, alignment);
  }
  if (pointer.vector) {
    Value pointers = pointerVector(pointer, memory, depth);
    Value all = arith::ConstantOp::create(at(0), loc, SplatElementsAttr::get(cast<ShapedType>(laneType(builder.getI1Type())), true));
    Value undefined = LLVM::PoisonOp::create(at(depth), loc, laneType(memory));
    return LLVM::masked_gather::create(at(depth), loc, laneType(memory), pointers, all, ValueRange{undefined},
                                       builder.getI32IntegerAttr(alignment));
  }
  // A pattern of constant offsets.
  int64_t low = *llvm::min_element(pointer.offsets), high = *llvm::max_element(pointer.offsets), span = high - low + 1;
  Lanes from = pointer;
  from.offsets.clear();
  auto whole = [&](int64_t start) -> Value {
    Lanes window = from;
    window.constant += start;
    Value at0 = address(window);
    return LLVM::LoadOp::create(at(depth), loc, laneType(memory), at0, alignment);
  };
  if (span == width || (span > width && span <= 2 * width)) {
    Value first = whole(low);
    Value second = span == width ? first : whole(high - width + 1);
    SmallVector<int64_t> lanes;
    for (int64_t offset : pointer.offsets)
      lanes.push_back(offset - low < width ? offset - low : width + offset - (high - width + 1));
    return vector::ShuffleOp::create(at(depth), loc, first, second, lanes);
  }
  if (span < width && llvm::isPowerOf2_64(span) && span > 1) {
    Lanes window = from;
    window.constant += low;
    Value at0 = address(window);
    Value part = LLVM::LoadOp::create(at(depth), loc, VectorType::get({span}, memory), at0, alignment);
    SmallVector<int64_t> lanes;
    for (int64_t offset : pointer.offsets)
      lanes.push_back(offset - low);
    return vector::ShuffleOp::create(at(depth), loc, part, part, lanes);
  }
  // One load an offset.
  llvm::SmallDenseMap<int64_t, Value> loaded;
  SmallVector<Value> elements;
  for (int64_t offset : pointer.offsets) {
    Value &element = loaded[offset];
    if (!element) {
      Lanes one = from;
      one.constant += offset;
      Value at0 = address(one);
      element = LLVM::LoadOp::create(at(depth), loc, memory, at0, alignment);
    }
    elements.push_back(element);
  }
  return vector::FromElementsOp::create(at(depth), loc, cast<VectorType>(laneType(memory)), elements);
}

Lanes Nest::load(const Lanes &pointer, const Lanes *mask, const Lanes *other, Type element, unsigned depth,
                 const Access *access) {
  Type memory = memoryType(element);
  if (mask && mask->isConstant() && mask->constant != 0)
    mask = nullptr;
  auto fromMemory = [&](Value value) {
    if (element.isInteger(1)) {
      Value none = arith::ConstantOp::create(at(depth), loc, builder.getZeroAttr(value.getType()));
      value = arith::CmpIOp::create(at(depth), loc, arith::CmpIPredicate::ne, value, none);
    }
    bool scalar = !isa<VectorType>(value.getType());
    return scalar ? uniform(value, depth) : fromVector(element, value, depth);
  };
  if (!mask) {
    check(access, pointer, {}, memory, depth);
    return fromMemory(plainLoad(pointer, memory, depth));
  }

  // What masked lanes get, in memory's type.
  bool scalarResult = pointer.isUniform() && mask->isUniform() && (!other || other->isUniform());
  Value otherwise;
  if (other) {
    otherwise = scalarResult ? scalarPart(*other) : toVector(*other);
    if (element.isInteger(1))
      otherwise = arith::ExtUIOp::create(at(depth), loc, scalarResult ? memory : laneType(memory), otherwise);
  } else {
    Type type = scalarResult ? memory : laneType(memory);
    otherwise = arith::ConstantOp::create(at(0), loc, builder.getZeroAttr(type));
  }
  if (mask->isUniform()) {
    Value condition = scalarPart(*mask);
    return fromMemory(underCondition(condition, otherwise, depth, [&](unsigned inside) -> Value {
      check(access, pointer, {}, memory, inside);
      Value value = plainLoad(pointer, memory, inside);
      if (!scalarResult && width > 1 && !isa<VectorType>(value.getType()))
        value = vector::BroadcastOp::create(at(inside), loc, laneType(memory), value);
      return value;
    }));
  }
  Value lanes = toVector(*mask);
  check(access, pointer, lanes, memory, depth);
  unsigned alignment = elementBytes(memory);
  if (pointer.isUniform()) {
    // One address: read it once if any lane wants it.
    Value any = vector::ReductionOp::create(at(depth), loc, vector::CombiningKind::OR, lanes);
    Value none = arith::ConstantOp::create(at(0), loc, builder.getZeroAttr(memory));
    Value value = underCondition(any, none, depth, [&](unsigned inside) { return plainLoad(pointer, memory, inside); });
    Value wide = vector::BroadcastOp::create(at(depth), loc, laneType(memory), value);
    return fromMemory(arith::SelectOp::create(at(depth), loc, lanes, wide, otherwise));
  }
  if (isContiguous(pointer, width)) {
    Value from = address(pointer);
    return fromMemory(
        LLVM::MaskedLoadOp::create(at(depth), loc, laneType(memory), from, lanes, otherwise, builder.getI32IntegerAttr(alignment)));
  }
  Value pointers = pointerVector(pointer, memory, depth);
  return fromMemory(LLVM::masked_gather::create(at(depth), loc, laneType(memory), pointers, lanes, ValueRange{otherwise},
                                                builder.getI32IntegerAttr(alignment)));
}

void Nest::store(const Lanes &pointer, const Lanes *mask, const Lanes &value, unsigned depth, const Access *access) {
  Type element = value.isPointer() ? Type(builder.getI64Type()) : value.type;
  Type memory = memoryType(element);
  unsigned alignment = elementBytes(memory);
  if (mask && mask->isConstant() && mask->constant != 0)
    mask = nullptr;
  if (mask && mask->isConstant())
    return;
  auto toMemory = [&](bool scalar) {
    Value v = scalar && !value.isPointer() ? scalarPart(value) : toVector(value);
    if (element.isInteger(1))
      v = arith::ExtUIOp::create(at(depth), loc, scalar ? memory : laneType(memory), v);
    return v;
  };
  auto plain = [&](unsigned inside) {
    check(access, pointer, {}, memory, inside);
    if (width == 1 || (pointer.isUniform() && value.isUniform() && !value.isPointer())) {
      Value v = toMemory(true);
      Value to = address(pointer);
      LLVM::StoreOp::create(at(inside), loc, v, to, alignment);
      return;
    }
    Value v = toMemory(false);
    if (isContiguous(pointer, width)) {
      Value to = address(pointer);
      LLVM::StoreOp::create(at(inside), loc, v, to, alignment);
      return;
    }
    if (pointer.vector) {
      Value pointers = pointerVector(pointer, memory, inside);
      Value all = arith::ConstantOp::create(at(0), loc, SplatElementsAttr::get(cast<ShapedType>(laneType(builder.getI1Type())), true));
      LLVM::masked_scatter::create(at(inside), loc, v, pointers, all, builder.getI32IntegerAttr(alignment));
      return;
    }
    for (int64_t lane = 0; lane < width; ++lane) {
      Lanes one = pointer;
      one.offsets.clear();
      one.constant += pointer.offset(lane);
      Value to = address(one);
      Value part = vector::ExtractOp::create(at(inside), loc, v, lane);
      LLVM::StoreOp::create(at(inside), loc, part, to, alignment);
    }
  };
  if (!mask)
    return plain(depth);
  if (mask->isUniform()) {
    auto ifOp = scf::IfOp::create(at(depth), loc, scalarPart(*mask), /*withElse=*/false);
    Branch branch(*this, depth, ifOp.thenBlock());
    plain(depth);
    return;
  }
  Value lanes = toVector(*mask), v = toMemory(false);
  check(access, pointer, lanes, memory, depth);
  if (isContiguous(pointer, width)) {
    Value to = address(pointer);
    LLVM::MaskedStoreOp::create(at(depth), loc, v, to, lanes, builder.getI32IntegerAttr(alignment));
    return;
  }
  Value pointers = pointerVector(pointer, memory, depth);
  LLVM::masked_scatter::create(at(depth), loc, v, pointers, lanes, builder.getI32IntegerAttr(alignment));
}

Lanes Nest::bufferPointer(Buffer *buffer, unsigned index) {
  Lanes pointer;
  pointer.type = buffer->pointer.getType();
  pointer.pointer = buffer->pointer;
  pointer.pointee = memoryType(buffer->element);
  const Index at = indexAt(index);
  for (unsigned dim = 0; dim < buffer->shape.size(); ++dim)
    if (buffer->shape[dim] > 1)
      pointer = addOffset(pointer, scaled(at[dim], buffer->stride(dim)));
  return pointer;
}

Lanes Nest::loadBuffer(Buffer *buffer, unsigned index) {
  Lanes pointer = bufferPointer(buffer, index);
  Type element = isa<LLVM::LLVMPointerType>(buffer->element) ? Type(builder.getI64Type()) : buffer->element;
  Lanes value = load(pointer, nullptr, nullptr, element, depthOf(pointer));
  return buffer->pointee ? splitPointer(value, buffer->pointee) : value;
}

void Nest::storeBuffer(Buffer *buffer, unsigned index, const Lanes &value) {
  store(bufferPointer(buffer, index), nullptr, value, deepest());
}

} // namespace triton_metal::cpu
