//===- Prepare.cpp - clean-up before instrumentation ---------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "llvm/Analysis/InlineCost.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/IPO/GlobalOpt.h"
#include "llvm/Transforms/IPO/ModuleInliner.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/ADCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/InferAddressSpaces.h"
#include "llvm/Transforms/Scalar/LoopUnrollPass.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/LCSSA.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"
#include "llvm/Transforms/Utils/LoopUtils.h"

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

namespace {
/// Of all loops only those are to be unrolled that shuffle by a distance that changes.
struct MarkShufflesPass : PassInfoMixin<MarkShufflesPass> {
  PreservedAnalyses run(Function &function, FunctionAnalysisManager &analyses) {
    for (Loop *loop : analyses.getResult<LoopAnalysis>(function).getLoopsInPreorder()) {
      bool shuffles = loop->isInnermost() && any_of(loop->blocks(), [](BasicBlock *block) {
        return any_of(*block, [](Instruction &instruction) {
          auto *call = dyn_cast<CallInst>(&instruction);
          return call && call->getCalledFunction() && call->getCalledFunction()->getName().starts_with("air.simd_shuffle_xor.") &&
                 !isa<Constant>(call->getArgOperand(1));
        });
      });
      LLVMContext &context = function.getContext();
      MDNode *wish = MDNode::get(context, MDString::get(context, shuffles ? "llvm.loop.unroll.full" : "llvm.loop.unroll.disable"));
      loop->setLoopID(makePostTransformationMetadata(context, loop->getLoopID(), {"llvm.loop.unroll."}, {wish}));
    }
    return PreservedAnalyses::all();
  }
};
} // namespace

/// Reductions of a SIMD-group, step by step: which lanes do alike what differs from step to step.
static void addUnrollShuffles(ModulePassManager &passes) {
  FunctionPassManager functions;
  functions.addPass(LoopSimplifyPass());
  functions.addPass(LCSSAPass());
  functions.addPass(MarkShufflesPass());
  functions.addPass(LoopUnrollPass(LoopUnrollOptions(/*OptLevel=*/2, /*OnlyWhenForced=*/true)));
  functions.addPass(EarlyCSEPass());
  passes.addPass(createModuleToFunctionPassAdaptor(std::move(functions)));
}

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
  if (translation.arrayOrder)
    passes.addPass(ArrayOrderPass(translation));
  if (clean || translation.checked() || translation.count)
    addPreparePasses(passes);
  passes.addPass(MatricesPass(translation));
  if (translation.count) { // before private accesses get a second place to go to
    addUnrollShuffles(passes);
    passes.addPass(CountPass(translation));
  }
  passes.addPass(PrivateMemoryPass(translation));
  if (translation.races) // before bounds, which hides where a pointer comes from
    passes.addPass(RacesPass(translation));
  if (translation.initialisation)
    passes.addPass(InitialisationPass(translation));
  if (translation.bounds)
    passes.addPass(BoundsPass(translation));
  if (translation.uniform)
    passes.addPass(UniformPass(translation));
  passes.addPass(InterruptsPass(translation));
  passes.addPass(DivisionsPass(translation));
  passes.addPass(LowerPass(translation));
  passes.addPass(ThreadgroupMemoryPass(translation));
  passes.addPass(EntryPass(translation));
}

} // namespace softmetal
