//===- Bounds.cpp - every access outside its object is reported and made harmless ----------------------------------------===//
//
// A device pointer that comes from a kernel argument is checked against *that* buffer; one loaded from memory (a member of the
// parameter block) against all registered buffers, so a buffer that was not made resident is found too. The comparison with the range
// of the pointer's root is in line; what fails it goes to the runtime, which may still find another buffer. It gives back the
// pointer to use: a sink that reads as zeros, as unmapped memory does on the GPU, where the access would have gone astray.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Ranges.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace softmetal {

/// Whether the access certainly stays in its range and is aligned, in line; null where that cannot be asked.
static Value *insideOf(Ranges &ranges, RuntimeCalls &runtime, IRBuilder<> &builder, const Access &access, const DataLayout &layout) {
  if (access.length)
    return nullptr;
  Value *pointer = access.pointer(), *begin, *limit;
  if (auto *array = dyn_cast<GlobalVariable>(getUnderlyingObject(pointer, 0))) {
    uint64_t bytes = layout.getTypeAllocSize(array->getValueType());
    begin = builder.CreatePtrToInt(array, builder.getInt64Ty());
    limit = builder.getInt64(bytes >= access.bytes ? bytes - access.bytes + 1 : 0);
  } else {
    Value *root = Ranges::rootOf(pointer);
    if (!root)
      return nullptr;
    begin = builder.CreatePtrToInt(ranges.begin(root), builder.getInt64Ty());
    limit = ranges.limit(root, access.bytes);
  }
  Value *address = builder.CreatePtrToInt(pointer, builder.getInt64Ty());
  Value *inside = builder.CreateICmpULT(builder.CreateSub(address, begin), limit);
  if (access.align > 1)
    inside = builder.CreateAnd(inside, builder.CreateIsNull(builder.CreateAnd(address, builder.getInt64(access.align - 1))));
  return inside;
}

PreservedAnalyses BoundsPass::run(Module &module, ModuleAnalysisManager &) {
  AirKernel record;
  if (!readAirKernel(module, record, translation.error))
    return PreservedAnalyses::none();
  forgetInBounds(module);
  RuntimeCalls runtime(module);
  Ranges ranges(module, runtime, record);
  MDNode *unlikely = MDBuilder(module.getContext()).createUnlikelyBranchWeights();
  for (const Access &access : sharedAccesses(module)) {
    if (access.part == AccessPart::Word)
      continue; // it begins where the element's check says
    IRBuilder<> builder(access.instruction);
    Value *pointer = access.pointer();
    bool threadgroup = access.addressSpace() == space::threadgroup;
    const Value *object = getUnderlyingObject(pointer, 0);
    if (!threadgroup && isa<GlobalVariable>(object))
      continue; // a constant of the program, sized by its type
    uint32_t buffer = ranges.bufferOf(Ranges::rootOf(pointer));
    Value *inside = insideOf(ranges, runtime, builder, access, module.getDataLayout());
    BasicBlock *before = access.instruction->getParent();
    if (inside)
      builder.SetInsertPoint(SplitBlockAndInsertIfThen(builder.CreateNot(inside), access.instruction, false, unlikely));
    SmallVector<Value *> arguments{runtime.plain(builder, pointer), access.size(builder), builder.getInt32(access.kind),
                                   builder.getInt32(translation.addSite(*access.instruction))};
    if (!threadgroup)
      arguments.push_back(builder.getInt32(buffer));
    arguments.push_back(builder.getInt32(access.length ? 1 : access.align));
    Value *safe = runtime.call(builder, threadgroup ? "bounds_threadgroup" : "bounds_device", arguments, builder.getPtrTy());
    safe = builder.CreateAddrSpaceCast(safe, pointer->getType());
    if (inside) {
      BasicBlock *astray = builder.GetInsertBlock();
      PHINode *either = PHINode::Create(pointer->getType(), 2, "", access.instruction->getParent()->begin());
      either->addIncoming(pointer, before);
      either->addIncoming(safe, astray);
      safe = either;
    }
    access.instruction->setOperand(access.pointerOperand, safe);
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
