//===- ArrayOrder.cpp - accesses to threadgroup memory that the clean-up must not merge ----------------------------------===//
//
// Where arrays are ordered by barriers alone (Run/Shadow.h), an access by the lane that wrote the element is one like any other. The
// clean-up would forward the value of the write, or drop a write that another follows: made volatile, all of them stay to be checked.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"

using namespace llvm;

namespace softmetal {

PreservedAnalyses ArrayOrderPass::run(Module &module, ModuleAnalysisManager &) {
  if (none_of(module.globals(), [](GlobalVariable &global) { return global.getAddressSpace() == space::threadgroup; }))
    return PreservedAnalyses::all(); // no array is declared
  for (Function &function : module)
    for (Instruction &instruction : instructions(function)) {
      if (auto *load = dyn_cast<LoadInst>(&instruction); load && load->getPointerAddressSpace() == space::threadgroup)
        load->setVolatile(true);
      if (auto *store = dyn_cast<StoreInst>(&instruction); store && store->getPointerAddressSpace() == space::threadgroup)
        store->setVolatile(true);
    }
  return PreservedAnalyses::none();
}

} // namespace softmetal
