//===- Count.cpp - memory accesses, barriers and operations are counted ---------------------------------------------------===//
//
// Every access to device and threadgroup memory tells the runtime its address, which groups the lanes of a SIMD-group into 128-byte
// transactions and bank conflicts; float arithmetic is counted once a block. Matrix operations and barriers are counted where they meet.
// Constant memory has a cache of its own, from where the parameters come, and is not counted.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"

using namespace llvm;

namespace softmetal {

static unsigned floatOperations(const BasicBlock &block) {
  unsigned count = 0;
  for (const Instruction &instruction : block) {
    Type *type = instruction.getType();
    unsigned lanes = type->isVectorTy() ? cast<FixedVectorType>(type)->getNumElements() : 1;
    if (isa<BinaryOperator>(instruction) && type->isFPOrFPVectorTy())
      count += lanes;
    else if (auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction); intrinsic && type->isFPOrFPVectorTy())
      count += intrinsic->getIntrinsicID() == Intrinsic::fmuladd ? 2 * lanes : lanes;
    else if (auto *call = dyn_cast<CallInst>(&instruction);
             call && call->getCalledFunction() && call->getCalledFunction()->getName().starts_with("air.fma."))
      count += 2 * lanes;
  }
  return count;
}

PreservedAnalyses CountPass::run(Module &module, ModuleAnalysisManager &) {
  RuntimeCalls runtime(module);
  for (const Access &access : sharedAccesses(module)) {
    if (access.addressSpace() == space::constant)
      continue;
    IRBuilder<> builder(access.instruction);
    runtime.call(builder, access.addressSpace() == space::threadgroup ? "count_threadgroup" : "count_device",
                 {runtime.plain(builder, access.pointer()), access.size(builder), builder.getInt32(access.kind),
                  builder.getInt32(translation.addSite(*access.instruction))});
  }
  for (Function &function : module)
    for (BasicBlock &block : function)
      if (unsigned operations = floatOperations(block)) {
        IRBuilder<> builder(block.getTerminator());
        runtime.call(builder, "count_operations", {builder.getInt32(operations)});
      }
  return PreservedAnalyses::none();
}

} // namespace softmetal
