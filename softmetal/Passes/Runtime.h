//===- Runtime.h - declarations of the runtime's functions in a module, and slots for collectives ------------------------===//
#pragma once

#include "softmetal/Abi.h"
#include "softmetal/Passes/Translation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/IRBuilder.h"

namespace softmetal {

/// Writes calls of the functions of Abi.h.
class RuntimeCalls {
public:
  explicit RuntimeCalls(llvm::Module &module) : module(module), context(module.getContext()) {}

  /// A call of void softmetal_rt_<name>(...) or, with a result type, of one with a result.
  llvm::CallInst *call(llvm::IRBuilderBase &builder, llvm::StringRef name, llvm::ArrayRef<llvm::Value *> arguments,
                       llvm::Type *result = nullptr);
  /// Any pointer as one of address space 0.
  llvm::Value *plain(llvm::IRBuilderBase &builder, llvm::Value *pointer);
  /// Stack slot number `index` of a function for the operands of collectives.
  llvm::AllocaInst *slot(llvm::Function *function, unsigned index);
  llvm::CallInst *collective(llvm::IRBuilderBase &builder, Collective operation, uint32_t types, unsigned site, llvm::Value *a,
                             llvm::Value *b, llvm::Value *immediate = nullptr, llvm::Value *immediate2 = nullptr,
                             uint32_t bytes = 0);
  /// The lane's number in its SIMD-group, as i32.
  llvm::Value *lane(llvm::IRBuilderBase &builder);

private:
  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::DenseMap<llvm::Function *, llvm::SmallVector<llvm::AllocaInst *, 2>> slots;
};

/// The Scalar of an LLVM type (of its elements, if it is a vector).
Scalar scalarOf(llvm::Type *type, bool isSigned);

} // namespace softmetal
