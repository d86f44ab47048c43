//===- Interrupts.cpp - loops ask whether to go on -----------------------------------------------------------------------===//
//
// A lane that meets no other lane would otherwise run for ever: back-edges poll the stop flag, which a time limit or an interrupt
// sets. In code that is to be fast only those of loops whose number of rounds is not known where they begin.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Passes.h"
#include "softmetal/Passes/Runtime.h"
#include "llvm/Analysis/CFG.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"

using namespace llvm;

namespace softmetal {

PreservedAnalyses InterruptsPass::run(Module &module, ModuleAnalysisManager &analyses) {
  RuntimeCalls runtime(module);
  auto &functions = analyses.getResult<FunctionAnalysisManagerModuleProxy>(module).getManager();
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    SmallVector<std::pair<const BasicBlock *, const BasicBlock *>> edges;
    FindFunctionBackedges(function, edges);
    if (edges.empty())
      continue;
    auto ends = [&](const BasicBlock *head) {
      Loop *loop = functions.getResult<LoopAnalysis>(function).getLoopFor(head);
      auto &evolution = functions.getResult<ScalarEvolutionAnalysis>(function);
      return loop && loop->getHeader() == head && evolution.hasLoopInvariantBackedgeTakenCount(loop);
    };
    SmallPtrSet<const BasicBlock *, 8> done;
    for (auto [from, to] : edges) {
      if ((!translation.pollsEverywhere && ends(to)) || !done.insert(from).second)
        continue;
      Instruction *end = const_cast<BasicBlock *>(from)->getTerminator();
      IRBuilder<> builder(end);
      runtime.call(builder, "poll", {builder.getInt32(translation.addSite(*end))});
    }
  }
  return PreservedAnalyses::none();
}

} // namespace softmetal
