//===- Load.h - bitcode or a module becomes a module that the passes can take --------------------------------------------===//
//
// After load() a module has exactly one kernel, everything else is internal or gone; every AIR function in it is known by name
// and type, with the forms of AIR 2.6 rewritten to those of 2.8; it has the host's triple and layout; and it passes the verifier.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/StringRef.h"
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class DataLayout;
class Function;
class LLVMContext;
class Module;
class Triple;
} // namespace llvm

namespace softmetal {

/// Reads bitcode (with or without Apple's wrapper) or LLVM text. Null and a message on failure.
std::unique_ptr<llvm::Module> parseAir(llvm::StringRef bytes, llvm::LLVMContext &context, std::string &error);

/// Names of the kernels in a module, in order.
std::vector<std::string> kernelNames(const llvm::Module &module);
/// The function of kernel `name`, or of the only kernel if `name` is empty; null if there is none.
llvm::Function *findKernel(llvm::Module &module, llvm::StringRef name);

/// Makes `module` ready for the passes. False and a message if it holds something that is not understood.
bool prepareModule(llvm::Module &module, llvm::StringRef kernel, const llvm::Triple &triple, const llvm::DataLayout &layout,
                   std::string &error);

} // namespace softmetal
