//===- ThreadgroupMemory.cpp - threadgroup globals become offsets from the threadgroup's base ---------------------------===//
//
// Several threadgroups run at once, so a threadgroup array cannot be a global of the process. Arrays are laid out one behind the
// other, with red zones between them when bounds are checked.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"
#include "llvm/IR/ReplaceConstant.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace softmetal {

constexpr uint32_t objectAlign = 16, redZone = 64;

PreservedAnalyses ThreadgroupMemoryPass::run(Module &module, ModuleAnalysisManager &) {
  if (!translation.error.empty())
    return PreservedAnalyses::none();
  SmallVector<GlobalVariable *> arrays;
  for (GlobalVariable &global : module.globals())
    if (global.getAddressSpace() == space::threadgroup)
      arrays.push_back(&global);
  if (arrays.empty())
    return PreservedAnalyses::none();

  const DataLayout &layout = module.getDataLayout();
  RuntimeCalls runtime(module);
  DenseMap<Function *, Value *> bases;
  auto baseOf = [&](Function *function) -> Value * {
    Value *&base = bases[function];
    if (!base) {
      IRBuilder<> builder(&*function->getEntryBlock().getFirstInsertionPt());
      CallInst *call = runtime.call(builder, "threadgroup", {}, builder.getPtrTy());
      call->getCalledFunction()->setDoesNotAccessMemory();
      call->getCalledFunction()->setWillReturn();
      base = builder.CreateAddrSpaceCast(call, PointerType::get(module.getContext(), space::threadgroup), "threadgroup");
    }
    return base;
  };
  uint32_t offset = 0, used = 0;
  for (GlobalVariable *array : arrays) {
    uint64_t align = std::max<uint64_t>(objectAlign, layout.getValueOrABITypeAlignment(array->getAlign(), array->getValueType()).value());
    uint64_t bytes = layout.getTypeAllocSize(array->getValueType());
    if (bytes > (1u << 20)) {
      translation.fail("the threadgroup array " + array->getName().str() + " has " + std::to_string(bytes) + " bytes; 32768 is the most");
      return PreservedAnalyses::none();
    }
    offset = alignTo(offset, align);
    uint32_t begin = offset;
    translation.objects.push_back({begin, uint32_t(begin + bytes), array->getName().str()});
    offset += bytes + (translation.bounds ? redZone : 0);
    used = alignTo(used, align) + bytes;

    convertUsersOfConstantsToInstructions({array});
    for (Use &use : make_early_inc_range(array->uses())) {
      auto *user = dyn_cast<Instruction>(use.getUser());
      if (!user)
        continue;
      Value *base = baseOf(user->getFunction());
      Instruction *place = user;
      if (auto *phi = dyn_cast<PHINode>(user))
        place = phi->getIncomingBlock(use)->getTerminator();
      IRBuilder<> builder(place);
      use.set(builder.CreateConstInBoundsGEP1_32(builder.getInt8Ty(), base, begin));
    }
  }
  for (GlobalVariable *array : arrays)
    if (array->use_empty())
      array->eraseFromParent();
    else
      translation.fail("the threadgroup array " + array->getName().str() + " is used by a constant initialiser");
  translation.threadgroupBytes = offset;
  translation.staticThreadgroupBytes = used;
  return PreservedAnalyses::none();
}

} // namespace softmetal
