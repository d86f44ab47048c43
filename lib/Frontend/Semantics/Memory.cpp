//===- Memory.cpp - loads, stores and atomics ---------------------------------------===//
#include "State.h"
#include "triton_metal/Dialect/Triton/IR/MemoryLayout.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

//===----------------------------------------------------------------------===//
// Hints
//===----------------------------------------------------------------------===//

/// The modifiers of every release, with and without the dot: they are hints, for both directions.
static Result<tt::CacheModifier> cacheModifier(StringRef text) {
  StringRef name = text;
  name.consume_front(".");
  auto found = llvm::StringSwitch<std::optional<tt::CacheModifier>>(name)
                   .Cases({"", "none"}, tt::CacheModifier::NONE)
                   .Case("ca", tt::CacheModifier::CA)
                   .Case("cg", tt::CacheModifier::CG)
                   .Case("wb", tt::CacheModifier::WB)
                   .Case("cs", tt::CacheModifier::CS)
                   .Case("wt", tt::CacheModifier::WT)
                   .Case("cv", tt::CacheModifier::CV)
                   .Default(std::nullopt);
  if (!found)
    return valueError("Cache modifier " + text.str() + " not supported");
  return *found;
}

static Result<tt::EvictionPolicy> evictionPolicy(StringRef text) {
  auto found = llvm::StringSwitch<std::optional<tt::EvictionPolicy>>(text)
                   .Cases({"", "evict_normal"}, tt::EvictionPolicy::NORMAL)
                   .Case("evict_first", tt::EvictionPolicy::EVICT_FIRST)
                   .Case("evict_last", tt::EvictionPolicy::EVICT_LAST)
                   .Default(std::nullopt);
  if (!found)
    return valueError("Eviction policy " + text.str() + " not supported");
  return *found;
}

/// The attribute that stands for a memory layout in TTIR, by the name of the enumeration's member; empty for none.
static Result<StringRef> memoryLayout(StringRef text) {
  auto found = llvm::StringSwitch<std::optional<StringRef>>(text)
                   .Case("", "")
                   .Case("COALESCED", tt::kCoalescedLayout)
                   .Case("BLOCK", tt::kBlockLayout)
                   .Default(std::nullopt);
  if (!found)
    return valueError("unknown memory layout '" + text.str() + "'; known are 'COALESCED' and 'BLOCK'");
  return *found;
}

/// Notes the hint on a load or store.
static void setMemoryLayout(Operation *access, StringRef layout) {
  if (!layout.empty())
    access->setAttr(tt::kMemoryLayout, StringAttr::get(access->getContext(), layout));
}

static Result<tt::MemSemantic> memoryOrder(StringRef text) {
  auto found = llvm::StringSwitch<std::optional<tt::MemSemantic>>(text)
                   .Cases({"", "acq_rel"}, tt::MemSemantic::ACQUIRE_RELEASE)
                   .Case("acquire", tt::MemSemantic::ACQUIRE)
                   .Case("release", tt::MemSemantic::RELEASE)
                   .Case("relaxed", tt::MemSemantic::RELAXED)
                   .Default(std::nullopt);
  if (!found)
    return valueError("Memory semantic " + text.str() + " not supported");
  return *found;
}

static Result<tt::MemSyncScope> memoryScope(StringRef text) {
  auto found = llvm::StringSwitch<std::optional<tt::MemSyncScope>>(text)
                   .Cases({"", "gpu"}, tt::MemSyncScope::GPU)
                   .Case("cta", tt::MemSyncScope::CTA)
                   .Case("sys", tt::MemSyncScope::SYSTEM)
                   .Default(std::nullopt);
  if (!found)
    return valueError("Memory semantic " + text.str() + " not supported");
  return *found;
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// Booleans lie in memory as bytes: a pointer to them is used as one to int8.
static Result<Tensor> asBytes(Semantics &semantics, Tensor pointer) {
  return semantics.cast(pointer, Elem{Scalar::Int8}.pointer(pointer.elem().isShared));
}

Result<Tensor> Semantics::load(Tensor pointer, std::optional<Operand> mask, std::optional<Operand> other,
                               const MemoryHints &hints) {
  TM_TRY(cache, cacheModifier(hints.cache));
  TM_TRY(eviction, evictionPolicy(hints.eviction));
  TM_TRY(layout, memoryLayout(hints.layout));
  if (!pointer.elem().isPointer())
    return valueError("Unsupported ptr type " + pointer.type.str() + " in `tl.load`");
  if (!mask && other)
    return valueError("`other` cannot be provided without `mask`");
  Tensor maskValue, otherValue;
  if (mask) {
    TM_TRY(value, toTensor(*mask));
    maskValue = value;
  }
  if (other) {
    TM_TRY(value, toTensor(*other));
    otherValue = value;
  }
  if (!pointer.isBlock()) {
    if (mask && maskValue.isBlock())
      return valueError("Mask argument cannot be block type if pointer argument is not a block");
    if (other && otherValue.isBlock())
      return valueError("Other argument cannot be block type if pointer argument is not a block");
  } else {
    if (mask) {
      TM_TRY(done, broadcastTogether(pointer, maskValue));
      (void)done;
    }
    if (other) {
      TM_TRY(done, broadcastTogether(pointer, otherValue));
      TM_TRY(again, broadcastTogether(pointer, maskValue));
      (void)done, (void)again;
    }
  }
  if (mask && !maskValue.elem().isBool())
    return valueError("Mask must have boolean scalar type");
  Elem elem = pointer.elem().pointee();
  bool isBool = elem.isBool();
  if (isBool) {
    TM_TRY(bytes, asBytes(*this, pointer));
    pointer = bytes;
    elem = {Scalar::Int8};
  }
  if (other) {
    TM_TRY(value, cast(otherValue, elem));
    otherValue = value;
  }
  Type type = pointer.type.withElem(elem);
  auto op = tt::LoadOp::create(state->builder, state->loc(), state->typeOf(type), unwrap(pointer),
                               mask ? unwrap(maskValue) : Value(), other ? unwrap(otherValue) : Value(), cache, eviction,
                               hints.isVolatile);
  setMemoryLayout(op, layout);
  Tensor loaded = wrap(op, type);
  return isBool ? cast(loaded, {Scalar::Int1}) : Result<Tensor>(loaded);
}

/// Value and mask in the shape of the pointer, which must not grow.
static Result<Nothing> fitToPointer(Semantics &semantics, Tensor &pointer, Tensor &value, Tensor *mask) {
  ArrayRef<int64_t> shape = pointer.type.shape();
  SmallVector<Tensor, 3> all{pointer, value};
  if (mask)
    all.push_back(*mask);
  TM_TRY(done, semantics.broadcastAll(all));
  (void)done;
  bool grows = all[0].type.shape() != shape;
  if (grows && pointer.elem().isShared) { // made from indices: no pointer is in the source
    bool isMask = mask && (!value.isBlock() || value.type.shape() == shape);
    return valueError("elements of shape " + shapeStr(shape) + " of a shared array do not take a " + (isMask ? "mask" : "value") +
                      " of shape " + shapeStr((isMask ? *mask : value).type.shape()));
  }
  if (grows)
    return valueError("Expected pointer argument to have shape " + shapeStr(all[0].type.shape()) + " but got " + shapeStr(shape));
  pointer = all[0];
  value = all[1];
  if (mask)
    *mask = all[2];
  return Nothing{};
}

Result<Nothing> Semantics::store(Tensor pointer, const Operand &operand, std::optional<Operand> maskOperand,
                                 const MemoryHints &hints) {
  TM_TRY(cache, cacheModifier(hints.cache));
  TM_TRY(eviction, evictionPolicy(hints.eviction));
  TM_TRY(layout, memoryLayout(hints.layout));
  if (pointer.elem().isConst)
    return valueError("Cannot store to a constant pointer");
  if (!pointer.elem().isPointer())
    return valueError("Unsupported ptr type " + pointer.type.str() + " in `tl.store`");
  TM_TRY(value, toTensor(operand));
  Tensor mask;
  if (maskOperand) {
    TM_TRY(converted, toTensor(*maskOperand));
    mask = converted;
  }
  if (!pointer.isBlock()) {
    if (value.isBlock() && pointer.elem().isShared)
      return valueError("one element of a shared array does not take a value of shape " + shapeStr(value.type.shape()));
    if (value.isBlock())
      return valueError("Value argument cannot be block type if pointer argument is not a block");
    if (maskOperand && mask.isBlock())
      return valueError("Mask argument cannot be block type if pointer argument is not a block");
  } else {
    TM_TRY(done, fitToPointer(*this, pointer, value, maskOperand ? &mask : nullptr));
    (void)done;
  }
  if (maskOperand && !mask.elem().isBool())
    return valueError("Mask must have boolean scalar type");
  Elem elem = pointer.elem().pointee();
  if (elem.isBool()) {
    TM_TRY(bit, cast(value, {Scalar::Int1}));
    value = bit;
    TM_TRY(bytes, asBytes(*this, pointer));
    pointer = bytes;
    elem = {Scalar::Int8};
  }
  TM_TRY(stored, cast(value, elem));
  auto op = tt::StoreOp::create(state->builder, state->loc(), unwrap(pointer), unwrap(stored), maskOperand ? unwrap(mask) : Value(),
                                cache, eviction);
  setMemoryLayout(op, layout);
  return Nothing{};
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

static const char *atomicName(AtomicOp op) {
  static constexpr const char *names[] = {"add", "max", "min", "and", "or", "xor", "xchg"};
  return names[unsigned(op)];
}

/// What all read-modify-writes check, and their operands in the pointer's shape and element type, with a mask.
static Result<Nothing> prepareAtomic(Semantics &semantics, AtomicOp op, Tensor &pointer, Tensor &value, Tensor &mask, bool masked) {
  std::string name = std::string("atomic_") + atomicName(op);
  if (!pointer.elem().isPointer())
    return valueError("Pointer argument of store instruction is " + pointer.type.str());
  if (pointer.elem().isConst)
    return valueError("Cannot store to a constant pointer");
  Elem elem = pointer.elem().pointee();
  if (elem.is(Scalar::FP16) && op != AtomicOp::Add)
    return valueError(name + " does not support fp16");
  if (elem.is(Scalar::BF16) && op != AtomicOp::Add)
    return valueError(name + " does not support bf16");
  if ((elem.isInt() && elem.bits() == 16) || elem.bits() < 16)
    return valueError(name + " does not support " + elem.str());
  if (pointer.isBlock()) {
    TM_TRY(done, fitToPointer(semantics, pointer, value, masked ? &mask : nullptr));
    (void)done;
  } else if (value.isBlock() || (masked && mask.isBlock())) {
    return valueError(std::string(value.isBlock() ? "Value" : "Mask") +
                      " argument cannot be block type if pointer argument is not a block");
  }
  TM_TRY(converted, semantics.cast(value, elem));
  value = converted;
  if (!masked) {
    TM_TRY(yes, semantics.full(pointer.type.shape(), Number::boolean(true), {Scalar::Int1}));
    mask = yes;
  } else if (!mask.elem().isBool()) {
    return valueError("Mask must have boolean scalar type");
  }
  return Nothing{};
}

static Tensor rmw(Semantics::State &state, tt::RMWOp op, Tensor pointer, Tensor value, Tensor mask, tt::MemSemantic order,
                  tt::MemSyncScope scope) {
  auto created = tt::AtomicRMWOp::create(state.builder, state.loc(), unwrap(value).getType(), op, unwrap(pointer), unwrap(value),
                                         unwrap(mask), order, scope);
  return wrap(created, value.type);
}

/// max and min of floats: the bits of non-negative floats order as signed integers do, those of negative ones the other way as
/// unsigned ones. Two integer operations on disjoint masks, chosen by the sign of the value.
static Result<Tensor> floatMinMax(Semantics &semantics, Semantics::State &state, bool isMax, Tensor pointer, Tensor value,
                                  Tensor mask, tt::MemSemantic order, tt::MemSyncScope scope) {
  Elem elem = value.elem();
  bool single = elem.is(Scalar::FP32);
  Elem i{single ? Scalar::Int32 : Scalar::Int64}, u{single ? Scalar::UInt32 : Scalar::UInt64};
  TM_TRY(signedValue, semantics.bitcast(value, i));
  TM_TRY(signedPointer, semantics.cast(pointer, i.pointer(pointer.elem().isShared)));
  TM_TRY(unsignedValue, semantics.bitcast(value, u));
  TM_TRY(unsignedPointer, semantics.cast(pointer, u.pointer(pointer.elem().isShared)));
  TM_TRY(sign, semantics.binary(BinaryOp::Shr, unsignedValue, Number::fromInt(elem.bits() - 1)));
  TM_TRY(negative, semantics.cast(sign, {Scalar::Int1}));
  TM_TRY(positive, semantics.logicalNot(negative));
  TM_TRY(positiveMask, semantics.binary(BinaryOp::And, mask, positive));
  TM_TRY(negativeMask, semantics.binary(BinaryOp::And, mask, negative));
  Tensor fromPositive = rmw(state, isMax ? tt::RMWOp::MAX : tt::RMWOp::MIN, signedPointer, signedValue, positiveMask, order, scope);
  Tensor fromNegative =
      rmw(state, isMax ? tt::RMWOp::UMIN : tt::RMWOp::UMAX, unsignedPointer, unsignedValue, negativeMask, order, scope);
  TM_TRY(chosen, semantics.where(positive, fromPositive, fromNegative));
  return semantics.bitcast(chosen, elem);
}

Result<Tensor> Semantics::atomic(AtomicOp op, Tensor pointer, const Operand &operand, std::optional<Operand> maskOperand,
                                 StringRef orderText, StringRef scopeText) {
  TM_TRY(value, toTensor(operand));
  Tensor mask;
  if (maskOperand) {
    TM_TRY(converted, toTensor(*maskOperand));
    mask = converted;
  }
  TM_TRY(done, prepareAtomic(*this, op, pointer, value, mask, maskOperand.has_value()));
  (void)done;
  TM_TRY(order, memoryOrder(orderText));
  TM_TRY(scope, memoryScope(scopeText));
  Elem elem = value.elem();
  bool isMinMax = op == AtomicOp::Max || op == AtomicOp::Min, isMax = op == AtomicOp::Max;
  if (isMinMax && elem.isFloating()) {
    if (!elem.is(Scalar::FP32) && !elem.is(Scalar::FP64))
      return typeError(std::string("atomic_") + atomicName(op) + " not supported for dtype " + elem.str());
    return floatMinMax(*this, *state, isMax, pointer, value, mask, order, scope);
  }
  bool bitwise = op == AtomicOp::And || op == AtomicOp::Or || op == AtomicOp::Xor;
  if (bitwise && !elem.isInt())
    return valueError(std::string("atomic_") + atomicName(op) + " does not support " + elem.str());
  tt::RMWOp kind;
  switch (op) {
  case AtomicOp::Add: kind = elem.isFloating() ? tt::RMWOp::FADD : tt::RMWOp::ADD; break;
  case AtomicOp::Max: kind = elem.isSigned() ? tt::RMWOp::MAX : tt::RMWOp::UMAX; break;
  case AtomicOp::Min: kind = elem.isSigned() ? tt::RMWOp::MIN : tt::RMWOp::UMIN; break;
  case AtomicOp::And: kind = tt::RMWOp::AND; break;
  case AtomicOp::Or: kind = tt::RMWOp::OR; break;
  case AtomicOp::Xor: kind = tt::RMWOp::XOR; break;
  case AtomicOp::Xchg: kind = tt::RMWOp::XCHG; break;
  }
  return rmw(*state, kind, pointer, value, mask, order, scope);
}

Result<Tensor> Semantics::atomicCas(Tensor pointer, Tensor expected, Tensor value, StringRef orderText, StringRef scopeText) {
  TM_TRY(order, memoryOrder(orderText));
  TM_TRY(scope, memoryScope(scopeText));
  if (!pointer.elem().isPointer())
    return valueError("Pointer argument of store instruction is " + pointer.type.str());
  if (pointer.elem().isConst)
    return valueError("Cannot store to a constant pointer");
  Elem elem = pointer.elem().pointee();
  if (elem.bits() != 16 && elem.bits() != 32 && elem.bits() != 64)
    return valueError("atomic_cas only supports elements with width {16, 32, 64}");
  mlir::Type wanted = state->typeOf(pointer.type.withElem(elem));
  for (auto [operand, name] : {std::pair(expected, "cmp"), std::pair(value, "val")})
    if (unwrap(operand).getType() != wanted)
      return valueError(std::string("atomic_cas: `") + name + "` is " + operand.type.str() + ", but the pointer needs " +
                        pointer.type.withElem(elem).str());
  auto op = tt::AtomicCASOp::create(state->builder, state->loc(), wanted, unwrap(pointer), unwrap(expected), unwrap(value), order,
                                    scope);
  return wrap(op, value.type);
}
