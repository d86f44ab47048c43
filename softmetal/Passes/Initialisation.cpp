//===- Initialisation.cpp - reads of threadgroup memory that nobody wrote are reported -----------------------------------===//
//
// Threadgroup memory is undefined when a threadgroup starts. The runtime keeps, for every byte, whether this threadgroup wrote it.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"

using namespace llvm;

namespace softmetal {

PreservedAnalyses InitialisationPass::run(Module &module, ModuleAnalysisManager &) {
  RuntimeCalls runtime(module);
  SmallVector<Access, 0> accesses = sharedAccesses(module);
  translation.threadgroupShift = accessShift(accesses, space::threadgroup);
  for (const Access &access : accesses) {
    if (access.addressSpace() != space::threadgroup || access.part == AccessPart::Word)
      continue;
    IRBuilder<> builder(access.instruction);
    Value *pointer = runtime.plain(builder, access.pointer()), *bytes = access.size(builder);
    // An update reads before it writes; only a plain write needs nothing before it.
    bool reads = !(access.kind & accessWrite) || (access.kind & accessAtomic);
    if (auto *call = dyn_cast<CallInst>(access.instruction); call && call->getCalledFunction()->getName().contains(".store."))
      reads = false;
    if (reads)
      runtime.call(builder, "read_threadgroup", {pointer, bytes, builder.getInt32(translation.addSite(*access.instruction))});
    if (access.kind & accessWrite)
      runtime.call(builder, "written_threadgroup", {pointer, bytes});
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
