//===- StackSize.cpp - how much stack a lane needs at most ---------------------------------------------------------------===//
//
// An upper bound from the IR that is handed to the code generator: what a function allocates, and as much again for every value it
// makes, because code without optimisation spills them; summed along the deepest chain of calls. Metal has no recursion.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Passes.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace softmetal {
namespace {

constexpr uint64_t runtimeBytes = 24 * 1024; ///< the C library's functions, checks, and a signal's frame

class Depth {
public:
  Depth(Module &module, Translation &translation) : layout(module.getDataLayout()), translation(translation) {}

  uint64_t of(Function &function) {
    if (function.isDeclaration())
      return 0;
    auto [it, isNew] = known.try_emplace(&function, 0);
    if (!isNew) {
      if (it->second == 0)
        translation.fail("the function " + function.getName().str() + " calls itself; Metal has no recursion");
      return it->second;
    }
    uint64_t own = 256, callees = 0;
    for (Instruction &instruction : instructions(function)) {
      if (auto *alloca = dyn_cast<AllocaInst>(&instruction)) {
        auto *count = dyn_cast<ConstantInt>(alloca->getArraySize());
        // An unknown size is that of a cooperative tensor: at most 64 registers of 4 bytes, and generously more.
        own += count ? alignTo(layout.getTypeAllocSize(alloca->getAllocatedType()) * count->getZExtValue(), 16) + 16 : 4096;
      } else if (!instruction.getType()->isVoidTy())
        own += alignTo(layout.getTypeAllocSize(instruction.getType()), 8);
      if (auto *call = dyn_cast<CallInst>(&instruction))
        if (Function *callee = call->getCalledFunction())
          callees = std::max(callees, of(*callee));
    }
    return known[&function] = own + callees;
  }

private:
  const DataLayout &layout;
  Translation &translation;
  DenseMap<Function *, uint64_t> known;
};

} // namespace

PreservedAnalyses StackSizePass::run(Module &module, ModuleAnalysisManager &) {
  Function *entry = module.getFunction(entryName);
  if (!entry || !translation.error.empty())
    return PreservedAnalyses::all();
  uint64_t bytes = alignTo(Depth(module, translation).of(*entry) + runtimeBytes, 4096);
  if (bytes > (8u << 20))
    translation.fail("a lane would need " + std::to_string(bytes) + " bytes of stack");
  translation.stackBytes = bytes;
  return PreservedAnalyses::all();
}

} // namespace softmetal
