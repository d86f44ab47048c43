//===- Memory.cpp - loads and stores, of device and of threadgroup memory --------------===//
#include "Lowering.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

static unsigned attributeOf(Operation *op, StringRef name) {
  auto attribute = op->getAttrOfType<IntegerAttr>(name);
  return attribute ? attribute.getInt() : 1;
}

/// Elements of one access: what is proven, at most 4 (16 bytes of floats; wider is not faster), and only types that have vectors.
static unsigned vectorOf(Operation *op, Type element) {
  if (isa<tt::PointerType>(element) || element.isInteger(1))
    return 1;
  unsigned widest = element.getIntOrFloatBitWidth() == 64 ? 2 : 4;
  return std::min(attributeOf(op, ttm::kVector), widest);
}

void KernelLowering::findVectors() {
  source.walk([&](Operation *op) {
    Value pointer;
    if (auto load = dyn_cast<tt::LoadOp>(op))
      pointer = load.getPtr();
    else if (auto store = dyn_cast<tt::StoreOp>(op))
      pointer = store.getPtr();
    auto layout = pointer ? ttm::getLayout(pointer) : std::nullopt;
    if (!layout)
      return;
    unsigned vector = vectorOf(op, tt::getElementOf(tt::getPointeeLike(pointer.getType())));
    if (vector == 1)
      return;
    for (auto &[known, longest] : vectors)
      if (known == *layout) {
        longest = std::max(longest, vector);
        return;
      }
    vectors.push_back({*layout, vector});
  });
}

Value KernelLowering::conjunction(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return arith::AndIOp::create(builder, loc, a, b);
}

/// Whether this lane holds the canonical copy; null where every lane does.
Value KernelLowering::canonicalTest(const LinearLayout &layout) {
  auto isZero = [&](msl::Builtin which, uint32_t mask, unsigned bits) -> Value {
    if (!mask)
      return {};
    Value number = msl::BuiltinOp::create(builder, loc, which);
    if (mask != (uint32_t(1) << bits) - 1)
      number = arith::AndIOp::create(builder, loc, number, constant(mask));
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, number, constant(0));
  };
  uint32_t lanes = layout.getFreeLaneMask(), groups = layout.getFreeSimdgroupMask();
  if (lanes == 31 && groups == (uint32_t(1) << simdgroupBits) - 1)
    return isZero(msl::Builtin::Thread, lanes, 5); // all of both: one number to look at
  Value lane = isZero(msl::Builtin::Lane, lanes, LinearLayout::kLaneBits);
  return conjunction(lane, isZero(msl::Builtin::SimdGroup, groups, simdgroupBits));
}

static msl::PointerType vectorPointer(Value pointer, unsigned count) {
  auto type = cast<msl::PointerType>(pointer.getType());
  return msl::PointerType::get(VectorType::get(count, type.getPointee()), type.getSpace());
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::lowerLoad(tt::LoadOp op) {
  Type type = op.getType(), element = tt::getElementOf(type);
  auto zero = [&](Type memory) -> Value {
    if (isa<msl::PointerType>(memory)) {
      Value address = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0));
      return msl::IntToPtrOp::create(builder, loc, memory, address);
    }
    return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(memory));
  };
  auto create = [&](Value pointer, Value mask, Value other) {
    Type memory = cast<msl::PointerType>(pointer.getType()).getPointee();
    if (mask)
      other = other ? toMemory(other) : zero(memory);
    return fromMemory(msl::LoadOp::create(builder, loc, memory, pointer, mask, mask ? other : Value()), element);
  };
  if (!isa<RankedTensorType>(type)) {
    setScalarPoint();
    auto number = [&](Value value) { return value ? scalars.lookup(value) : Value(); };
    scalars[op] = create(number(op.getPtr()), number(op.getMask()), number(op.getOther()));
    return success();
  }
  nestFor(type);
  unsigned vector = vectorOf(op, element);
  bool fits = vector > 1 && nest->depth() && (1u << nest->levels.back().bits) == vector;
  bool oneOther = !op.getOther() || isa_and_nonnull<arith::ConstantOp, tt::SplatOp>(op.getOther().getDefiningOp());
  if (fits && oneOther) {
    loadVector(op, vector);
    return success();
  }
  Located pointer = evaluate(op.getPtr(), nest->identity), mask, other;
  if (op.getMask())
    mask = evaluate(op.getMask(), nest->identity);
  if (op.getOther())
    other = evaluate(op.getOther(), nest->identity);
  unsigned level = std::max({pointer.level, mask.level, other.level});
  setLevel(level);
  define(op, {create(pointer.value, mask.value, other.value), level});
  nest->readsDevice = true;
  return success();
}

void KernelLowering::loadVector(tt::LoadOp op, unsigned vector) {
  unsigned inner = nest->depth();
  View first = withInnermost(0);
  Located pointer = evaluate(op.getPtr(), first), mask, other;
  if (op.getOther())
    other = evaluate(op.getOther(), first);
  Type element = tt::getElementOf(op.getType());
  auto type = VectorType::get(vector, element);
  bool oneMask = op.getMask() && attributeOf(op, ttm::kMaskVector) >= vector;
  unsigned level = pointer.level;
  SmallVector<Value> masks;
  if (op.getMask()) {
    for (unsigned i = 0; i < (oneMask ? 1 : vector); ++i) {
      Located part = evaluate(op.getMask(), withInnermost(i));
      masks.push_back(part.value);
      level = std::max(level, part.level);
    }
  }
  // The index that the vector has in the array of all of them, should there be one.
  Storage shape;
  shape.layout = nest->domain;
  shape.packBits = llvm::Log2_32(vector);
  SmallVector<Term> terms;
  for (auto [i, basis] : llvm::enumerate(nest->domain.getRegisterBases()))
    if (i >= shape.packBits)
      terms.push_back({nest->identity[llvm::Log2_32(basis)], uint64_t(1) << (i - shape.packBits)});
  VectorLocal local;
  if (!terms.empty()) {
    Located index = linear(terms);
    local.index = index.value;
    level = std::max(level, index.level);
  }
  setLevel(level);
  Value whole = msl::PtrCastOp::create(builder, loc, vectorPointer(pointer.value, vector), pointer.value);
  auto fill = [&]() -> Value {
    Value value = other.value;
    if (!value)
      value = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
    return msl::SplatOp::create(builder, loc, type, value);
  };
  auto variableType = msl::PointerType::get(type, msl::AddressSpace::Thread);
  if (masks.size() <= 1) {
    Value mask = masks.empty() ? Value() : masks.front();
    Value loaded = msl::LoadOp::create(builder, loc, type, whole, mask, mask ? fill() : Value());
    local.variable = msl::VarOp::create(builder, loc, variableType, loaded);
  } else {
    // One test guards the vector where all of it is wanted; at an edge the elements are looked at one by one.
    local.variable = msl::VarOp::create(builder, loc, variableType, Value());
    Value all = masks.front();
    for (Value mask : ArrayRef(masks).drop_front())
      all = conjunction(all, mask);
    auto branch = msl::IfOp::create(builder, loc, all, /*withElse=*/true);
    builder.setInsertionPointToEnd(&branch.getThen().front());
    Value loaded = msl::LoadOp::create(builder, loc, type, whole, Value(), Value());
    msl::StoreOp::create(builder, loc, loaded, local.variable);
    builder.setInsertionPointToEnd(&branch.getOtherwise().front());
    for (unsigned i = 0; i < vector; ++i) {
      Value at = msl::PtrAddOp::create(builder, loc, pointer.value, constant(i));
      Value rest = other.value ? other.value : arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element)).getResult();
      Value part = msl::LoadOp::create(builder, loc, element, at, masks[i], rest);
      Value target = msl::ElementOp::create(builder, loc, local.variable, constant(i));
      msl::StoreOp::create(builder, loc, part, target);
    }
  }
  StringRef name = sourceName(op.getLoc());
  local.variable->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "x" : name));
  setLevel(inner);
  Value at = msl::ElementOp::create(builder, loc, local.variable, nest->levels[inner].counter);
  define(op, {msl::LoadOp::create(builder, loc, at), inner});
  nest->vectors[op] = local;
  nest->readsDevice = true;
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::lowerStore(tt::StoreOp op) {
  Type type = op.getValue().getType();
  if (!isa<RankedTensorType>(type)) {
    closeNest();
    Value thread = msl::BuiltinOp::create(builder, loc, msl::Builtin::Thread);
    Value mask = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, thread, constant(0));
    if (op.getMask())
      mask = conjunction(mask, scalars.lookup(op.getMask()));
    msl::StoreOp::create(builder, loc, toMemory(scalars.lookup(op.getValue())), scalars.lookup(op.getPtr()), mask);
    return success();
  }
  unsigned vector = vectorOf(op, tt::getElementOf(type));
  // All elements are loaded before any is stored: with more than one round, a store starts a nest of its own.
  if (nest && nest->readsDevice && nest->depth() > (vector > 1 ? 1 : 0))
    closeNest();
  nestFor(type);
  if (vector > 1 && nest->depth() && (1u << nest->levels.back().bits) == vector) {
    storeVector(op, vector);
  } else {
    if (nest->readsDevice && nest->depth()) {
      closeNest();
      nestFor(type);
    }
    setLevel(0);
    Value canonical = canonicalTest(nest->domain);
    Located pointer = evaluate(op.getPtr(), nest->identity), value = evaluate(op.getValue(), nest->identity), mask;
    if (op.getMask())
      mask = evaluate(op.getMask(), nest->identity);
    setLevel(nest->depth());
    msl::StoreOp::create(builder, loc, toMemory(value.value), pointer.value, conjunction(canonical, mask.value));
  }
  nest->inside.insert(op);
  nest->sealed = true;
  return success();
}

void KernelLowering::storeVector(tt::StoreOp op, unsigned vector) {
  unsigned inner = nest->depth();
  View first = withInnermost(0);
  setLevel(0);
  Value canonical = canonicalTest(nest->domain);
  Located pointer = evaluate(op.getPtr(), first);
  bool oneMask = !op.getMask() || attributeOf(op, ttm::kMaskVector) >= vector;
  SmallVector<Value> masks;
  if (op.getMask())
    for (unsigned i = 0; i < (oneMask ? 1 : vector); ++i)
      masks.push_back(evaluate(op.getMask(), withInnermost(i)).value);
  // The value as one vector: where it lies in an array of vectors, else gathered by the innermost loop.
  Value place;
  auto it = stored.find(op.getValue());
  VectorLocal local = nest->vectors.lookup(op.getValue());
  if (it != stored.end() && (1u << it->second.packBits) == vector && it->second.layout == nest->domain) {
    place = this->place(it->second, first, /*whole=*/true).value;
  } else if (local.variable) {
    place = local.variable;
  } else {
    setLevel(inner - 1);
    Type element = convertType(tt::getElementOf(op.getValue().getType()));
    auto type = msl::PointerType::get(VectorType::get(vector, element), msl::AddressSpace::Thread);
    auto variable = msl::VarOp::create(builder, op.getValue().getLoc(), type, Value());
    StringRef name = sourceName(op.getValue().getLoc());
    variable->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "x" : name));
    Located value = evaluate(op.getValue(), nest->identity);
    setLevel(inner);
    Value target = msl::ElementOp::create(builder, loc, variable, nest->levels[inner].counter);
    msl::StoreOp::create(builder, loc, value.value, target);
    place = variable;
  }
  builder.setInsertionPointToEnd(nest->levels[inner - 1].block);
  Value whole = msl::PtrCastOp::create(builder, loc, vectorPointer(pointer.value, vector), pointer.value);
  if (masks.size() <= 1) {
    Value mask = masks.empty() ? Value() : masks.front();
    msl::StoreOp::create(builder, loc, msl::LoadOp::create(builder, loc, place), whole, conjunction(canonical, mask));
    return;
  }
  Value all = masks.front();
  for (Value mask : ArrayRef(masks).drop_front())
    all = conjunction(all, mask);
  auto branch = msl::IfOp::create(builder, loc, conjunction(canonical, all), /*withElse=*/true);
  builder.setInsertionPointToEnd(&branch.getThen().front());
  msl::StoreOp::create(builder, loc, msl::LoadOp::create(builder, loc, place), whole, Value());
  builder.setInsertionPointToEnd(&branch.getOtherwise().front());
  for (unsigned i = 0; i < vector; ++i) {
    Value at = msl::PtrAddOp::create(builder, loc, pointer.value, constant(i));
    Value part = msl::LoadOp::create(builder, loc, msl::ElementOp::create(builder, loc, place, constant(i)));
    msl::StoreOp::create(builder, loc, part, at, conjunction(canonical, masks[i]));
  }
}

//===----------------------------------------------------------------------===//
// Threadgroup memory
//===----------------------------------------------------------------------===//

Value KernelLowering::memoryBase(Value memory) {
  auto alloc = memory.getDefiningOp<ttm::AllocOp>();
  Type element = convertType(cast<ttm::MemoryType>(memory.getType()).getElementType());
  if (element.isInteger(1))
    element = builder.getI8Type();
  auto type = msl::PointerType::get(element, msl::AddressSpace::Threadgroup);
  return msl::PoolOp::create(builder, loc, type, alloc.getOffset().value_or(0));
}

/// Place in the array of the element that `view` selects: element e lies at e + (e / interval) * amount.
Located KernelLowering::memoryPlace(ttm::MemoryType type, const View &view) {
  SmallVector<Term> terms;
  for (auto [i, bit] : llvm::enumerate(view))
    terms.push_back({bit, uint64_t(type.getPlace(int64_t(1) << i))});
  return linear(terms);
}

LogicalResult KernelLowering::lowerWrite(ttm::WriteOp op) {
  auto type = cast<ttm::MemoryType>(op.getMemory().getType());
  closeNest();
  Value base = memoryBase(op.getMemory());
  openNest(*ttm::getLayout(op.getValue()));
  setLevel(0);
  Value canonical = canonicalTest(nest->domain);
  Located value = evaluate(op.getValue(), nest->identity);
  Located index = memoryPlace(type, nest->identity);
  setLevel(nest->depth());
  Value at = msl::PtrAddOp::create(builder, loc, base, index.value);
  msl::StoreOp::create(builder, loc, toMemory(value.value), at, canonical);
  closeNest();
  return success();
}

LogicalResult KernelLowering::lowerRead(ttm::ReadOp op) {
  auto type = cast<ttm::MemoryType>(op.getMemory().getType());
  nestFor(op.getType());
  setLevel(0);
  Value base = memoryBase(op.getMemory());
  Located index = memoryPlace(type, nest->identity);
  setLevel(index.level);
  Value at = msl::PtrAddOp::create(builder, loc, base, index.value);
  Value value = fromMemory(msl::LoadOp::create(builder, loc, at), type.getElementType());
  define(op, {value, index.level});
  return success();
}

LogicalResult KernelLowering::lowerReadAt(ttm::ReadAtOp op) {
  auto type = cast<ttm::MemoryType>(op.getMemory().getType());
  nestFor(op.getType());
  setLevel(0);
  Value base = memoryBase(op.getMemory());
  Located index = evaluate(op.getIndices(), nest->identity);
  // The lane's own coordinates but that of the axis, in the shape of the array.
  ArrayRef<int64_t> from = type.getShape();
  LinearLayout result = *ttm::getLayout(op.getResult());
  SmallVector<Term> terms;
  uint64_t stride = 1, axisStride = 1;
  for (unsigned dim = from.size(); dim-- > 0; stride *= from[dim]) {
    if (dim == op.getAxis()) {
      axisStride = stride;
      continue;
    }
    for (unsigned bit = 0; bit < llvm::Log2_64(from[dim]); ++bit)
      terms.push_back({nest->identity[result.getDimShift(dim) + bit], stride << bit});
  }
  Located own = linear(terms);
  unsigned level = std::max(own.level, index.level);
  setLevel(level);
  Value along = index.value;
  if (along.getType().getIntOrFloatBitWidth() < 32)
    along = arith::ExtSIOp::create(builder, loc, builder.getI32Type(), along);
  else if (along.getType().isInteger(64))
    along = arith::TruncIOp::create(builder, loc, builder.getI32Type(), along);
  if (axisStride != 1)
    along = arith::MulIOp::create(builder, loc, along, constant(axisStride));
  Value place = arith::AddIOp::create(builder, loc, own.value, along);
  if (type.getPadAmount()) {
    Value row = arith::DivUIOp::create(builder, loc, place, constant(type.getPadInterval()));
    place = arith::AddIOp::create(builder, loc, place, arith::MulIOp::create(builder, loc, row, constant(type.getPadAmount())));
  }
  Value at = msl::PtrAddOp::create(builder, loc, base, place);
  define(op, {fromMemory(msl::LoadOp::create(builder, loc, at), type.getElementType()), level});
  return success();
}
