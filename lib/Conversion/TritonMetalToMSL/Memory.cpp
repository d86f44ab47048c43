//===- Memory.cpp - loads and stores, of device and of threadgroup memory --------------===//
#include "Lowering.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

void KernelLowering::closeNestRead(ValueRange values) {
  if (llvm::any_of(values, [&](Value value) { return readsOpenNest(value); }))
    closeNest();
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

bool KernelLowering::loadsVectors(tt::LoadOp op, unsigned vector) {
  return ttm::getAccessVector(op) >= vector && ttm::hasOneOther(op);
}

Value KernelLowering::zeroOf(Type memory) {
  if (isa<msl::PointerType>(memory)) {
    Value address = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0));
    return msl::IntToPtrOp::create(builder, loc, memory, address);
  }
  return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(memory));
}

Value KernelLowering::createLoad(Value pointer, Value mask, Value other, Type element) {
  Type memory = cast<msl::PointerType>(pointer.getType()).getPointee();
  if (mask)
    other = other ? toMemory(other) : zeroOf(memory);
  return fromMemory(msl::LoadOp::create(builder, loc, memory, pointer, mask, mask ? other : Value()), element);
}

Located KernelLowering::loadElement(tt::LoadOp op, const View &view) {
  Located pointer = evaluate(op.getPtr(), view), mask, other;
  if (op.getMask())
    mask = evaluate(op.getMask(), view);
  if (op.getOther())
    other = evaluate(op.getOther(), view);
  unsigned level = std::max({pointer.level, mask.level, other.level});
  setLevel(level);
  return {createLoad(pointer.value, mask.value, other.value, tt::getElementOf(op.getType())), level};
}

LogicalResult KernelLowering::lowerLoad(tt::LoadOp op) {
  Type type = op.getType(), element = tt::getElementOf(type);
  if (!isa<RankedTensorType>(type)) {
    setScalarPoint();
    auto number = [&](Value value) { return value ? scalars.lookup(value) : Value(); };
    scalars[op] = createLoad(number(op.getPtr()), number(op.getMask()), number(op.getOther()), element);
    return success();
  }
  unsigned vector = ttm::getAccessVector(op);
  if (vector > 1)
    closeNestRead(op.getOperands());
  nestFor(type);
  bool fits = vector > 1 && nest->depth() && (1u << nest->levels.back().bits) == vector;
  if (fits && ttm::hasOneOther(op)) {
    loadVector(op, vector);
    return success();
  }
  define(op, loadElement(op, nest->identity));
  readsMemoryOf(op.getPtr()) = true;
  return success();
}

/// Whether a mask that is off for some element of a group of `vector` neighbours is off for all that follow in the group, so that the
/// last one speaks for all.
static bool lastDecides(Value mask, const AxisInfoAnalysis &axis, unsigned dim, unsigned vector) {
  auto isUniform = [&](Value value) { return axis.get(value).constancy[dim] >= vector; };
  if (isUniform(mask))
    return true;
  Operation *op = mask.getDefiningOp();
  if (isa_and_nonnull<tt::BroadcastOp>(op))
    return lastDecides(op->getOperand(0), axis, dim, vector);
  if (auto expand = dyn_cast_or_null<tt::ExpandDimsOp>(op))
    return expand.getAxis() != dim && lastDecides(expand.getSrc(), axis, dim - (expand.getAxis() < dim), vector);
  if (isa_and_nonnull<arith::AndIOp>(op))
    return lastDecides(op->getOperand(0), axis, dim, vector) && lastDecides(op->getOperand(1), axis, dim, vector);
  auto compare = dyn_cast_or_null<arith::CmpIOp>(op);
  if (!compare)
    return false;
  // Numbers that count up from a multiple of the group's size, which therefore do not wrap in it.
  auto counts = [&](Value value) {
    AxisInfo info = axis.get(value);
    return info.contiguity[dim] >= vector && info.divisibility[dim] >= vector;
  };
  using P = arith::CmpIPredicate;
  switch (compare.getPredicate()) {
  case P::slt:
  case P::sle:
  case P::ult:
  case P::ule:
    return counts(compare.getLhs()) && isUniform(compare.getRhs());
  case P::sgt:
  case P::sge:
  case P::ugt:
  case P::uge:
    return isUniform(compare.getLhs()) && counts(compare.getRhs());
  default:
    return false;
  }
}

VectorMask KernelLowering::vectorMask(Operation *op, Value mask, unsigned vector, function_ref<View(unsigned)> element) {
  VectorMask result;
  if (!mask)
    return result;
  bool oneMask = ttm::getVectorAttribute(op, ttm::kMaskVector) >= vector;
  for (unsigned i = 0; i < (oneMask ? 1 : vector); ++i) {
    Located part = evaluate(mask, element(i));
    result.elements.push_back(part.value);
    result.level = std::max(result.level, part.level);
  }
  LinearLayout layout = *ttm::getLayout(mask);
  unsigned dim = layout.getRank();
  while (dim > 1 && !layout.getCoordinate(layout.getRegisterBases()[0], dim - 1))
    --dim;
  if (oneMask || lastDecides(mask, axis, dim - 1, vector))
    result.all = result.elements.back();
  return result;
}

/// What is true where all of the vector is wanted.
Value KernelLowering::wantsAll(const VectorMask &mask) {
  Value all = mask.all;
  if (!all)
    for (Value element : mask.elements)
      all = conjunction(all, element);
  return all;
}

LoadedVector KernelLowering::loadWhole(tt::LoadOp op, unsigned vector, function_ref<View(unsigned)> element, unsigned level) {
  Located pointer = evaluate(op.getPtr(), element(0)), other;
  if (op.getOther())
    other = evaluate(op.getOther(), element(0));
  Type type = tt::getElementOf(op.getType()), vectorType = VectorType::get(vector, type);
  VectorMask mask = vectorMask(op, op.getMask(), vector, element);
  level = std::max({level, pointer.level, mask.level});
  setLevel(level);
  LoadedVector result;
  result.level = level;
  Value whole = msl::PtrCastOp::create(builder, loc, vectorPointer(pointer.value, vector), pointer.value);
  Value rest = other.value ? other.value : op.getMask() ? zeroOf(type) : Value();
  if (mask.elements.size() <= 1) {
    Value fill = mask.all ? msl::SplatOp::create(builder, loc, vectorType, rest).getResult() : Value();
    result.value = msl::LoadOp::create(builder, loc, vectorType, whole, mask.all, fill);
    return result;
  }
  // One test guards the vector where all of it is wanted; at an edge the elements are looked at one by one.
  result.variable = msl::VarOp::create(builder, loc, msl::PointerType::get(vectorType, msl::AddressSpace::Thread), Value());
  auto branch = msl::IfOp::create(builder, loc, wantsAll(mask), /*withElse=*/true);
  builder.setInsertionPointToEnd(&branch.getThen().front());
  Value loaded = msl::LoadOp::create(builder, loc, vectorType, whole, Value(), Value());
  msl::StoreOp::create(builder, loc, loaded, result.variable);
  builder.setInsertionPointToEnd(&branch.getOtherwise().front());
  for (unsigned i = 0; i < vector; ++i) {
    Value at = msl::PtrAddOp::create(builder, loc, pointer.value, constant(i));
    Value part = msl::LoadOp::create(builder, loc, type, at, mask.elements[i], rest);
    Value target = msl::ElementOp::create(builder, loc, result.variable, constant(i));
    msl::StoreOp::create(builder, loc, part, target);
  }
  return result;
}

void KernelLowering::loadVector(tt::LoadOp op, unsigned vector) {
  unsigned inner = nest->depth(), level = 0;
  // The indices that the vector has in the array of all of them, should there be one. It is an array of this tensor's layout: that of
  // the nest may hold the same elements by other runs of registers.
  VectorLocal local;
  for (Located index : arrayIndices(*ttm::getLayout(op.getResult()), llvm::Log2_32(vector), nest->identity)) {
    local.indices.push_back(index.value);
    level = std::max(level, index.level);
  }
  LoadedVector loaded = loadWhole(op, vector, [&](unsigned i) { return withInnermost(i); }, level);
  local.variable = loaded.variable;
  if (!local.variable)
    local.variable = msl::VarOp::create(
        builder, loc, msl::PointerType::get(loaded.value.getType(), msl::AddressSpace::Thread), loaded.value);
  if (StringRef name = sourceName(op.getLoc()); !name.empty()) // else it is called after where it comes from
    local.variable->setAttr(msl::kNameAttr, builder.getStringAttr(name));
  setLevel(inner);
  Value at = msl::ElementOp::create(builder, loc, local.variable, nest->levels[inner].counter);
  define(op, {msl::LoadOp::create(builder, loc, at), inner});
  nest->vectors[op] = local;
  readsMemoryOf(op.getPtr()) = true;
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::lowerStore(tt::StoreOp op) {
  Type type = op.getValue().getType();
  if (!isa<RankedTensorType>(type)) {
    closeNest();
    Value mask = isFirstThread();
    if (op.getMask())
      mask = conjunction(mask, scalars.lookup(op.getMask()));
    msl::StoreOp::create(builder, loc, toMemory(scalars.lookup(op.getValue())), scalars.lookup(op.getPtr()), mask);
    return success();
  }
  unsigned vector = ttm::getAccessVector(op);
  // All elements are loaded before any is stored: with more than one round, a store starts a nest of its own.
  if (nest && readsMemoryOf(op.getPtr()) && nest->depth() > (vector > 1 ? 1 : 0))
    closeNest();
  if (vector > 1)
    closeNestRead(op.getMask() ? ValueRange{op.getPtr(), op.getMask()} : ValueRange{op.getPtr()});
  nestFor(type);
  if (vector > 1 && nest->depth() && (1u << nest->levels.back().bits) == vector) {
    storeVector(op, vector);
  } else {
    if (readsMemoryOf(op.getPtr()) && nest->depth()) {
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
  VectorMask mask = vectorMask(op, op.getMask(), vector, [&](unsigned i) { return withInnermost(i); });
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
    variable->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "result" : name));
    Located value = evaluate(op.getValue(), nest->identity);
    setLevel(inner);
    Value target = msl::ElementOp::create(builder, loc, variable, nest->levels[inner].counter);
    msl::StoreOp::create(builder, loc, value.value, target);
    place = variable;
  }
  builder.setInsertionPointToEnd(nest->levels[inner - 1].block);
  Value whole = msl::PtrCastOp::create(builder, loc, vectorPointer(pointer.value, vector), pointer.value);
  if (mask.elements.size() <= 1) {
    msl::StoreOp::create(builder, loc, msl::LoadOp::create(builder, loc, place), whole, conjunction(canonical, mask.all));
    return;
  }
  auto branch = msl::IfOp::create(builder, loc, conjunction(canonical, wantsAll(mask)), /*withElse=*/true);
  builder.setInsertionPointToEnd(&branch.getThen().front());
  msl::StoreOp::create(builder, loc, msl::LoadOp::create(builder, loc, place), whole, Value());
  builder.setInsertionPointToEnd(&branch.getOtherwise().front());
  for (unsigned i = 0; i < vector; ++i) {
    Value at = msl::PtrAddOp::create(builder, loc, pointer.value, constant(i));
    Value part = msl::LoadOp::create(builder, loc, msl::ElementOp::create(builder, loc, place, constant(i)));
    msl::StoreOp::create(builder, loc, part, at, conjunction(canonical, mask.elements[i]));
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
  // Called after what is written there.
  std::string name;
  for (Operation *user : memory.getUsers())
    if (auto write = dyn_cast<ttm::WriteOp>(user)) {
      auto reduce = write.getValue().getDefiningOp<tt::ReduceOp>();
      name = reduce ? reductionName(reduce) : sourceName(write.getValue().getLoc()).str();
    }
  Location where = name.empty() ? loc : NameLoc::get(builder.getStringAttr("shared_" + name), loc);
  return msl::PoolOp::create(builder, where, type, alloc.getOffset().value_or(0));
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
