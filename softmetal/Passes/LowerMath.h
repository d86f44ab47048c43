//===- LowerMath.h - the AIR functions that need no runtime --------------------------------------------------------------===//
#pragma once

#include "softmetal/Load/Functions.h"
#include "llvm/IR/IRBuilder.h"

namespace softmetal {

/// Arithmetic, conversions and math functions as IR. Half and bfloat go through float, as AIR itself does for bfloat; functions
/// without an intrinsic call the C library, element by element.
class MathLowering {
public:
  explicit MathLowering(llvm::Module &module) : module(module) {}
  llvm::Value *lower(llvm::CallInst &call, const AirFunction &known, llvm::IRBuilder<> &builder);

private:
  llvm::Value *convert(llvm::Value *value, llvm::Type *to, const NamedType &destination, const NamedType &source,
                       llvm::IRBuilder<> &builder);
  llvm::Value *library(llvm::StringRef name, llvm::ArrayRef<llvm::Value *> arguments, llvm::IRBuilder<> &builder);
  llvm::Module &module;
};

} // namespace softmetal
