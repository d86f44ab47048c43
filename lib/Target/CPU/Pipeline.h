//===- Pipeline.h - the passes over LLVM IR, and the backend --------------------===//
#pragma once
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

namespace triton_metal::cpu {

/// Gives the module its target and every function the attributes that our code may rely on (no unwinding, full-width vectors).
void setTarget(llvm::Module &, llvm::TargetMachine &, unsigned vectorBytes);

/// Cleans up what lowering leaves: repeated address arithmetic, loop-invariant work, rotated loops. No vectoriser, no unrolling.
void optimise(llvm::Module &, llvm::TargetMachine &);

/// Writes an object or assembly. False when the target cannot.
bool emit(llvm::Module &, llvm::TargetMachine &, llvm::CodeGenFileType, llvm::raw_pwrite_stream &);

} // namespace triton_metal::cpu
