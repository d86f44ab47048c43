// Metal's limit of threadgroup memory, by kernel: the variables that it and the functions it calls use.
#include "softmetal/Compile/Rules.h"
#include "softmetal/Compile/Target.h"

#include "clang/AST/Decl.h"
#include "clang/Basic/Diagnostic.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"

namespace softmetal {

namespace {

using Globals = llvm::SmallSetVector<const llvm::GlobalVariable *, 8>;

// Variables and functions that a constant or instruction names, through constant expressions.
void collect(const llvm::Value *value, Globals &globals, llvm::SmallSetVector<const llvm::Function *, 8> &functions) {
  if (auto *global = llvm::dyn_cast<llvm::GlobalVariable>(value)) {
    if (global->getAddressSpace() == space::Threadgroup)
      globals.insert(global);
  } else if (auto *function = llvm::dyn_cast<llvm::Function>(value)) {
    functions.insert(function);
  } else if (auto *expression = llvm::dyn_cast<llvm::ConstantExpr>(value)) {
    for (const llvm::Use &operand : expression->operands())
      collect(operand, globals, functions);
  }
}

} // namespace

void checkThreadgroupMemory(const llvm::Module &module, const KernelTable &table, clang::DiagnosticsEngine &diagnostics) {
  if (llvm::none_of(module.globals(), [](const llvm::GlobalVariable &global) { return global.getAddressSpace() == space::Threadgroup; }))
    return;
  for (const Kernel &kernel : table.kernels) {
    const llvm::Function *entry = module.getFunction(kernel.symbol);
    if (!entry)
      continue;
    Globals globals;
    llvm::SmallSetVector<const llvm::Function *, 8> functions;
    functions.insert(entry);
    for (size_t i = 0; i < functions.size(); ++i)
      for (const llvm::Instruction &instruction : llvm::instructions(functions[i]))
        for (const llvm::Use &operand : instruction.operands())
          collect(operand, globals, functions);
    uint64_t bytes = 0;
    for (const llvm::GlobalVariable *global : globals)
      bytes = llvm::alignTo(bytes, global->getAlign().valueOrOne()) + module.getDataLayout().getTypeAllocSize(global->getValueType());
    if (bytes <= MaxThreadgroupBytes)
      continue;
    unsigned id = diagnostics.getCustomDiagID(
        clang::DiagnosticsEngine::Error, "kernel '%0' uses %1 bytes of threadgroup memory; at most %2 are allowed");
    diagnostics.Report(kernel.decl->getLocation(), id) << kernel.symbol << unsigned(bytes) << unsigned(MaxThreadgroupBytes);
  }
}

} // namespace softmetal
