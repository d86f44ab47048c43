//===- Passes.h - the passes from AIR to a module that a host can run ----------------------------------------------------===//
//
// In the one order that was found right: specialise, prepare, matrices, instrument, lower. Instrumented before specialisation,
// dead code "reads" unbound parameters; without InferAddressSpaces, struct copies are generic stores and so not seen.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Passes/Translation.h"

namespace softmetal {

#define SOFTMETAL_PASS(Name)                                                                                                     \
  struct Name##Pass : TranslationPass<Name##Pass> {                                                                              \
    using TranslationPass::TranslationPass;                                                                                      \
    llvm::PreservedAnalyses run(llvm::Module &module, llvm::ModuleAnalysisManager &);                                            \
  };
SOFTMETAL_PASS(Specialise)        ///< function constants get their values
SOFTMETAL_PASS(ArrayOrder)        ///< what is to be ordered by barriers alone stays as it was written
SOFTMETAL_PASS(Matrices)          ///< <64 x T> becomes the two elements that a lane holds
SOFTMETAL_PASS(Bounds)            ///< every access outside its object is reported and made harmless
SOFTMETAL_PASS(PrivateMemory)     ///< accesses outside a lane's own arrays are made harmless, and reported in checked code
SOFTMETAL_PASS(Races)             ///< accesses that no barrier orders are reported
SOFTMETAL_PASS(Initialisation)    ///< reads of threadgroup memory that nobody wrote are reported
SOFTMETAL_PASS(Uniform)           ///< promises of uniform values are verified
SOFTMETAL_PASS(Count)             ///< memory transactions, bank conflicts, barriers and operations are counted
SOFTMETAL_PASS(Interrupts)        ///< loops ask whether to go on
SOFTMETAL_PASS(Divisions)         ///< integer divisions that a host traps on
SOFTMETAL_PASS(Lower)             ///< calls of air.* become IR or calls of the runtime
SOFTMETAL_PASS(ThreadgroupMemory) ///< threadgroup globals become offsets from the threadgroup's base
SOFTMETAL_PASS(Entry)             ///< the function that the runtime calls for each lane
SOFTMETAL_PASS(StackSize)         ///< how much stack a lane needs at most
#undef SOFTMETAL_PASS

/// Name of the function that EntryPass makes.
extern const char entryName[];

/// Inlining, SROA, InferAddressSpaces and dead code: brings text that clang did not optimise, and anything to be instrumented,
/// into the form where every access shows its address space.
void addPreparePasses(llvm::ModulePassManager &passes);

/// All of them in order, as the translation asks. `clean`: prepare even if nothing is instrumented.
void addTranslationPasses(llvm::ModulePassManager &passes, Translation &translation, bool clean);

} // namespace softmetal
