//===- Accesses.cpp - the memory accesses of a module --------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Abi.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace softmetal {

/// Which of an AIR call's operands is its pointer, and the type of what it points to; -1 if it does not access shared memory.
static int airPointer(CallInst *call, Type *&element, uint32_t &kind) {
  Function *callee = call->getCalledFunction();
  if (!callee)
    return -1;
  StringRef name = callee->getName();
  if (name.starts_with("air.atomic.") && name != "air.atomic.fence") {
    bool load = name.contains(".load.");
    kind = accessAtomic | (load ? 0 : accessWrite);
    element = load ? call->getType() : name.contains(".cmpxchg.") ? call->getArgOperand(2)->getType() : call->getArgOperand(1)->getType();
    return 0;
  }
  if (name.starts_with("air.load.system_coherent")) {
    kind = accessAtomic;
    element = call->getType();
    return 0;
  }
  if (name.starts_with("air.store.system_coherent")) {
    kind = accessAtomic | accessWrite;
    element = call->getArgOperand(0)->getType();
    return 1;
  }
  return -1;
}

static CallInst *asElementInWord(const Value *value) {
  auto *call = dyn_cast<CallInst>(const_cast<Value *>(value));
  Function *callee = call ? call->getCalledFunction() : nullptr;
  return callee && callee->getName().starts_with("air.element_in_word.") ? call : nullptr;
}

Value *elementOf(Value *pointer) {
  CallInst *element = asElementInWord(getUnderlyingObject(pointer, 0));
  return element ? element->getArgOperand(0) : pointer;
}

SmallVector<Access, 0> sharedAccesses(Module &module) {
  SmallVector<Access, 0> list;
  const DataLayout &layout = module.getDataLayout();
  auto add = [&](Instruction &instruction, unsigned operand, uint32_t kind, uint32_t bytes, Value *length, uint64_t align) {
    if (instruction.getOperand(operand)->getType()->getPointerAddressSpace() != space::thread)
      list.push_back({&instruction, operand, kind, bytes, length, uint32_t(align),
                      asElementInWord(getUnderlyingObject(instruction.getOperand(operand), 0)) ? AccessPart::Word : AccessPart::Whole});
  };
  for (Function &function : module)
    for (Instruction &instruction : instructions(function)) {
      if (auto *load = dyn_cast<LoadInst>(&instruction))
        add(instruction, 0, 0, layout.getTypeStoreSize(load->getType()), nullptr, load->getAlign().value());
      else if (auto *store = dyn_cast<StoreInst>(&instruction))
        add(instruction, 1, accessWrite, layout.getTypeStoreSize(store->getValueOperand()->getType()), nullptr,
            store->getAlign().value());
      else if (auto *memory = dyn_cast<MemIntrinsic>(&instruction)) {
        add(instruction, 0, accessWrite, 0, memory->getLength(), memory->getDestAlign().valueOrOne().value());
        if (auto *transfer = dyn_cast<MemTransferInst>(memory))
          add(instruction, 1, 0, 0, memory->getLength(), transfer->getSourceAlign().valueOrOne().value());
      } else if (asElementInWord(&instruction)) {
        add(instruction, 0, accessAtomic | accessWrite, 2, nullptr, 2);
        list.back().part = AccessPart::Element;
      } else if (auto *call = dyn_cast<CallInst>(&instruction)) {
        Type *element = nullptr;
        uint32_t kind = 0;
        if (int operand = airPointer(call, element, kind); operand >= 0)
          add(instruction, operand, kind, layout.getTypeStoreSize(element), nullptr, layout.getABITypeAlign(element).value());
      }
    }
  return list;
}

void forgetInBounds(Module &module) {
  for (Function &function : module)
    for (Instruction &instruction : instructions(function))
      if (auto *address = dyn_cast<GetElementPtrInst>(&instruction))
        address->setNoWrapFlags(GEPNoWrapFlags::none());
}

uint32_t accessShift(ArrayRef<Access> accesses, unsigned addressSpace) {
  uint64_t bits = 16;
  for (const Access &access : accesses)
    if (access.addressSpace() == addressSpace) {
      auto *length = dyn_cast_or_null<ConstantInt>(access.length);
      bits |= access.length ? (length ? length->getZExtValue() : 1) : access.bytes;
      bits |= access.align;
    }
  return countr_zero(bits);
}

} // namespace softmetal
