//===- Uniform.cpp - promises of uniform values are verified -------------------------------------------------------------===//
//
// metal::uniform<T> compiles to llvm.assume(air.is_uniform(x)): a promise that the optimiser may use. Here the lanes of the
// SIMD-group meet and compare.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"

using namespace llvm;

namespace softmetal {

PreservedAnalyses UniformPass::run(Module &module, ModuleAnalysisManager &) {
  RuntimeCalls runtime(module);
  for (Function &function : module) {
    if (!function.getName().starts_with("air.is_uniform."))
      continue;
    for (User *user : make_early_inc_range(function.users())) {
      auto *call = cast<CallInst>(user);
      IRBuilder<> builder(call);
      Value *value = call->getArgOperand(0);
      if (value->getType()->isIntegerTy(1))
        value = builder.CreateZExt(value, builder.getInt8Ty());
      uint32_t bytes = module.getDataLayout().getTypeStoreSize(value->getType());
      if (bytes > slotBytes) {
        translation.fail("is_uniform of a value of " + std::to_string(bytes) + " bytes");
        return PreservedAnalyses::none();
      }
      AllocaInst *slot = runtime.slot(call->getFunction(), 0);
      builder.CreateStore(value, slot);
      runtime.collective(builder, Collective::Uniform, 0, translation.addSite(*call), slot, nullptr, nullptr, nullptr, bytes);
      call->replaceAllUsesWith(builder.getTrue());
      call->eraseFromParent();
    }
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
