//===- Races.cpp - accesses that no barrier orders are reported ----------------------------------------------------------===//
//
// Every access to threadgroup memory, and to device memory, tells the runtime's shadow memory who, where and how (Run/Shadow.h has
// the rule). Constant memory cannot be written.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"

using namespace llvm;

namespace softmetal {

PreservedAnalyses RacesPass::run(Module &module, ModuleAnalysisManager &) {
  RuntimeCalls runtime(module);
  for (const Access &access : sharedAccesses(module)) {
    unsigned where = access.addressSpace();
    if (where == space::constant)
      continue;
    IRBuilder<> builder(access.instruction);
    runtime.call(builder, where == space::threadgroup ? "race_threadgroup" : "race_device",
                 {runtime.plain(builder, access.pointer()), access.size(builder), builder.getInt32(access.kind),
                  builder.getInt32(translation.addSite(*access.instruction))});
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
