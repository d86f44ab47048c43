//===- Pool.h - contexts and target machines that are used again ----------------===//
//
// Interned types and constants of an LLVMContext never die, so a context serves a bounded number of modules and is then replaced.
// A target machine costs more to make than a small kernel to compile, and serves one thread at a time.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Target/CPU/TargetSpec.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>

namespace triton_metal::cpu {

/// A context and a machine, out of the pool for the time of one compilation.
class Workshop {
public:
  /// Null and a reason when the target is unknown.
  static std::unique_ptr<Workshop> take(const TargetSpec &, std::string &error);
  ~Workshop();

  llvm::LLVMContext &context() { return *ctx; }
  llvm::TargetMachine &machine() { return *target; }

private:
  Workshop() = default;
  std::string key;
  unsigned uses = 0;
  std::unique_ptr<llvm::LLVMContext> ctx;
  std::unique_ptr<llvm::TargetMachine> target;
};

} // namespace triton_metal::cpu
