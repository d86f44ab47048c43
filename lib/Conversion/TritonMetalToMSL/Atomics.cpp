//===- Atomics.cpp - atomic read-modify-write and compare-and-swap ----------------------===//
//
// Metal has atomics on 32-bit words, relaxed ones only before language version 4.1: the order that a kernel asks for holds for the word
// itself, and for other memory only where a barrier stands. What is absent is built from compare-and-swap: minimum and maximum of
// floats, and what there is on 16 bits, in the word around them. 64 bits are refused by name (PrepareForMetal).
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"
#include "triton_metal/Analysis/SharedArrays.h"
#include "triton_metal/Support/Unsupported.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

static std::optional<msl::AtomicKind> kindOf(tt::RMWOp op) {
  switch (op) {
  case tt::RMWOp::AND:
    return msl::AtomicKind::And;
  case tt::RMWOp::OR:
    return msl::AtomicKind::Or;
  case tt::RMWOp::XOR:
    return msl::AtomicKind::Xor;
  case tt::RMWOp::ADD:
    return msl::AtomicKind::Add;
  case tt::RMWOp::FADD:
    return msl::AtomicKind::FAdd;
  case tt::RMWOp::MAX:
    return msl::AtomicKind::SMax;
  case tt::RMWOp::MIN:
    return msl::AtomicKind::SMin;
  case tt::RMWOp::UMAX:
    return msl::AtomicKind::Max;
  case tt::RMWOp::UMIN:
    return msl::AtomicKind::Min;
  case tt::RMWOp::XCHG:
    return msl::AtomicKind::Exchange;
  }
  return std::nullopt;
}

/// The place of an element in its shared array, as i32; null where the pointer is not an expression of arrays and offsets.
static Value placeOf(OpBuilder &builder, Location loc, Value pointer) {
  Type i32 = builder.getI32Type();
  if (pointer.getDefiningOp<msl::ThreadgroupArrayOp>())
    return arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  if (auto sum = pointer.getDefiningOp<msl::PtrAddOp>()) {
    Value first = placeOf(builder, loc, sum.getPtr()), offset = sum.getOffset();
    if (!first)
      return {};
    if (offset.getType() != i32)
      offset = arith::TruncIOp::create(builder, loc, i32, offset);
    return builder.createOrFold<arith::AddIOp>(loc, offset, first);
  }
  if (auto choice = pointer.getDefiningOp<arith::SelectOp>()) {
    Value yes = placeOf(builder, loc, choice.getTrueValue()), no = placeOf(builder, loc, choice.getFalseValue());
    return yes && no ? builder.createOrFold<arith::SelectOp>(loc, choice.getCondition(), yes, no) : Value();
  }
  return {};
}

LogicalResult KernelLowering::lowerAtomic(Operation *op, Value ptr, Value mask, Value result) {
  Type element = tt::getElementOf(result.getType());
  unsigned width = element.getIntOrFloatBitWidth();
  auto rmw = dyn_cast<tt::AtomicRMWOp>(op);
  bool isNarrow = width == 16 && (!rmw || rmw.getAtomicRmwOp() == tt::RMWOp::FADD);
  if (width != 32 && !isNarrow)
    return emitUnsupported(op, "metal", "Metal's atomics are on words of 32 bits, this one has " + Twine(width),
                           "use a 32-bit type, or run the kernel with device=\"cpu\"");
  // Metal's atomics on floats are for device memory: those on shared arrays are made from the atomics on words.
  bool isShared = tt::isSharedPointer(ptr.getType());
  for (tt::SharedMemoryOp array : isNarrow && isShared ? sharedArraysOf(source) : SmallVector<tt::SharedMemoryOp>())
    if (array.getElementBytes() == 2 && array.getNumElements() % 2) // the last element's word would reach beyond the array
      return emitUnsupported(op, "metal", "an atomic on 16 bits changes a word of 32, and array '" + array.getName() + "' ends within one",
                             "make it one element longer", "an atomic on a shared array");
  auto function = [&](StringRef name) { return (isShared ? "shared_" + name : Twine(name)).str(); };
  Type word = builder.getIntegerType(width);
  auto asWords = [&](Value pointer) -> Value {
    auto type = msl::PointerType::get(word, cast<msl::PointerType>(pointer.getType()).getSpace());
    return pointer.getType() == type ? pointer : msl::PtrCastOp::create(builder, loc, type, pointer).getResult();
  };
  Value place; // of 16 bits in a shared array
  auto callOn = [&](StringRef name, Value pointer, ValueRange operands) -> Value {
    SmallVector<Value> arguments{asWords(pointer)};
    if (place)
      arguments.push_back(place);
    llvm::append_range(arguments, operands);
    return msl::CallOp::create(builder, loc, word, function(name), arguments).getResult();
  };
  auto perform = [&](Value pointer, ValueRange operands) -> Value {
    if (!rmw) {
      // Compared by bits, so that a float is found although it is a NaN, and 0 differs from -0.
      auto bits = [&](Value value) -> Value {
        return value.getType() == word ? value : arith::BitcastOp::create(builder, loc, word, value).getResult();
      };
      Value old = callOn(isNarrow ? "atomic_cas_16" : "atomic_cas_32", pointer, {bits(operands[0]), bits(operands[1])});
      return element == word ? old : arith::BitcastOp::create(builder, loc, element, old).getResult();
    }
    if (isNarrow) {
      Value old = callOn(element.isBF16() ? "atomic_add_bfloat" : "atomic_add_half", pointer, operands[0]);
      return arith::BitcastOp::create(builder, loc, element, old);
    }
    tt::RMWOp which = rmw.getAtomicRmwOp();
    bool isFloat = isa<FloatType>(element);
    if (isFloat && (which == tt::RMWOp::MAX || which == tt::RMWOp::MIN || which == tt::RMWOp::UMAX || which == tt::RMWOp::UMIN)) {
      bool isMax = which == tt::RMWOp::MAX || which == tt::RMWOp::UMAX;
      return msl::CallOp::create(builder, loc, element, function(isMax ? "atomic_fmax_32" : "atomic_fmin_32"),
                                 ValueRange{pointer, operands[0]})
          .getResult();
    }
    if (isShared && which == tt::RMWOp::FADD)
      return msl::CallOp::create(builder, loc, element, function("atomic_fadd_32"), ValueRange{pointer, operands[0]}).getResult();
    if (isShared && isFloat && which == tt::RMWOp::XCHG) {
      Value word = arith::BitcastOp::create(builder, loc, builder.getI32Type(), operands[0]);
      Value old = msl::AtomicOp::create(builder, loc, word.getType(), msl::AtomicKind::Exchange, asWords(pointer), word);
      return arith::BitcastOp::create(builder, loc, element, old);
    }
    return msl::AtomicOp::create(builder, loc, element, *kindOf(which), pointer, operands[0]);
  };

  // Guarded by the mask and by being the canonical copy; the old value passes through a variable.
  SmallVector<Value> inputs = rmw ? SmallVector<Value>{rmw.getVal()}
                                  : SmallVector<Value>{cast<tt::AtomicCASOp>(op).getCmp(), cast<tt::AtomicCASOp>(op).getVal()};
  bool isTensor = isa<RankedTensorType>(result.getType());
  closeNest();
  SmallVector<Value> operands;
  Value pointer, test;
  if (isTensor) {
    openNest(*ttm::getLayout(result));
    setLevel(0);
    test = canonicalTest(nest->domain);
    pointer = evaluate(ptr, nest->identity).value;
    for (Value input : inputs)
      operands.push_back(evaluate(input, nest->identity).value);
    Value wanted = mask ? evaluate(mask, nest->identity).value : Value();
    setLevel(nest->depth());
    test = conjunction(test, wanted);
  } else {
    test = conjunction(isFirstThread(), mask ? scalars.lookup(mask) : Value());
    pointer = scalars.lookup(ptr);
    for (Value input : inputs)
      operands.push_back(scalars.lookup(input));
  }
  if (isNarrow && isShared) {
    place = placeOf(builder, loc, pointer);
    if (!place)
      return emitUnsupported(op, "metal", "an atomic on 16 bits needs the place of its element in the array, which a pointer does not tell",
                             "index the array itself, or use a 32-bit type", "an atomic through a pointer that a loop or branch made");
  }
  bool isWanted = !op->use_empty();
  Value old;
  if (isWanted) {
    auto variable = msl::VarOp::create(builder, loc, msl::PointerType::get(element, msl::AddressSpace::Thread), Value());
    StringRef name = sourceName(op->getLoc());
    variable->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "old" : name));
    msl::StoreOp::create(builder, loc, arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element)), variable);
    old = variable;
  }
  OpBuilder::InsertPoint after = builder.saveInsertionPoint();
  if (test) {
    auto branch = msl::IfOp::create(builder, loc, test, /*withElse=*/false);
    after = builder.saveInsertionPoint();
    builder.setInsertionPointToEnd(&branch.getThen().front());
  }
  Value seen = perform(pointer, operands);
  if (isWanted)
    msl::StoreOp::create(builder, loc, seen, old);
  if (test)
    builder.restoreInsertionPoint(after);
  if (isWanted) {
    Value value = msl::LoadOp::create(builder, loc, old);
    if (isTensor)
      define(result, {value, nest->depth()});
    else
      scalars[result] = value;
  }
  if (isTensor) {
    nest->inside.insert(op);
    nest->sealed = true;
  }
  return success();
}
