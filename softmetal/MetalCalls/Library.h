//===- Library.h - a library of kernels ----------------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Load/Metallib.h"
#include "triton_metal/Runtime/Metal/MetalCalls.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <string>

namespace softmetal {

/// Kernels by name, each as the bytes of an AIR module, wherever they came from. Immutable.
class Library {
public:
  static std::shared_ptr<Library> fromText(llvm::StringRef text, const MetalCompileOptions &options, std::string &message);
  static std::shared_ptr<Library> fromBytes(std::unique_ptr<llvm::MemoryBuffer> bytes, std::string &error);

  const std::vector<std::string> &functions() const { return names; }
  /// The module that holds kernel `name`; empty if there is none.
  llvm::StringRef air(llvm::StringRef name) const;
  /// The same as LLVM text.
  bool print(llvm::StringRef name, std::string &text, std::string &error) const;
  /// Compiled by us: not optimised yet, and a barrier is the statement it was written as.
  bool isFromText() const { return ours; }

private:
  std::vector<std::string> names;
  std::unique_ptr<llvm::MemoryBuffer> bytes;
  std::string module;           ///< our own compilation, as bitcode
  Metallib metallib;
  bool isMetallib = false, ours = false;
};

} // namespace softmetal
