//===- Prepare.cpp - clean-up before instrumentation ---------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "llvm/Analysis/InlineCost.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/IPO/GlobalOpt.h"
#include "llvm/Transforms/IPO/ModuleInliner.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/ADCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/InferAddressSpaces.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

namespace softmetal {

namespace {
/// A kernel has no recursion and its helpers are small or used once: with everything in one function, every access shows its
/// address space and the argument that it comes from.
struct InlineAllPass : PassInfoMixin<InlineAllPass> {
  PreservedAnalyses run(Module &module, ModuleAnalysisManager &) {
    for (Function &function : module)
      if (!function.isDeclaration() && function.hasLocalLinkage() && !function.hasFnAttribute(Attribute::NoInline))
        function.addFnAttr(Attribute::AlwaysInline);
    return PreservedAnalyses::none();
  }
};

/// The constant space does not change while a kernel runs: what is read there once is read.
struct ConstantLoadsPass : PassInfoMixin<ConstantLoadsPass> {
  PreservedAnalyses run(Function &function, FunctionAnalysisManager &) {
    for (Instruction &instruction : instructions(function))
      if (auto *load = dyn_cast<LoadInst>(&instruction); load && load->getPointerAddressSpace() == space::constant && !load->isVolatile())
        load->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(function.getContext(), {}));
    return PreservedAnalyses::all();
  }
};
} // namespace

void addPreparePasses(ModulePassManager &passes) {
  passes.addPass(GlobalOptPass());
  passes.addPass(InlineAllPass());
  passes.addPass(AlwaysInlinerPass());
  FunctionPassManager functions;
  functions.addPass(SROAPass(SROAOptions::ModifyCFG));
  functions.addPass(ConstantLoadsPass());
  functions.addPass(EarlyCSEPass());
  functions.addPass(SimplifyCFGPass());
  functions.addPass(InferAddressSpacesPass(0));
  functions.addPass(InstCombinePass());
  functions.addPass(ADCEPass());
  passes.addPass(createModuleToFunctionPassAdaptor(std::move(functions)));
  passes.addPass(GlobalDCEPass());
}

void addTranslationPasses(ModulePassManager &passes, Translation &translation, bool clean) {
  passes.addPass(SpecialisePass(translation));
  if (clean || translation.checked() || translation.count)
    addPreparePasses(passes);
  passes.addPass(MatricesPass(translation));
  passes.addPass(PrivateMemoryPass(translation));
  if (translation.races) // before bounds, which hides where a pointer comes from
    passes.addPass(RacesPass(translation));
  if (translation.initialisation)
    passes.addPass(InitialisationPass(translation));
  if (translation.bounds)
    passes.addPass(BoundsPass(translation));
  if (translation.uniform)
    passes.addPass(UniformPass(translation));
  if (translation.count)
    passes.addPass(CountPass(translation));
  if (translation.interruptible)
    passes.addPass(InterruptsPass(translation));
  passes.addPass(DivisionsPass(translation));
  passes.addPass(LowerPass(translation));
  passes.addPass(ThreadgroupMemoryPass(translation));
  passes.addPass(EntryPass(translation));
}

} // namespace softmetal
