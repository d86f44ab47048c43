//===- Interrupts.cpp - loops ask whether to go on -----------------------------------------------------------------------===//
//
// A lane that meets no other lane would otherwise run for ever: every back-edge polls the stop flag, which
// a time limit or an interrupt sets.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"
#include "llvm/Analysis/CFG.h"

using namespace llvm;

namespace softmetal {

PreservedAnalyses InterruptsPass::run(Module &module, ModuleAnalysisManager &) {
  RuntimeCalls runtime(module);
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    SmallVector<std::pair<const BasicBlock *, const BasicBlock *>> edges;
    FindFunctionBackedges(function, edges);
    SmallPtrSet<const BasicBlock *, 8> done;
    for (auto [from, to] : edges) {
      if (!done.insert(from).second)
        continue;
      Instruction *end = const_cast<BasicBlock *>(from)->getTerminator();
      IRBuilder<> builder(end);
      runtime.call(builder, "poll", {builder.getInt32(translation.addSite(*end))});
    }
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
