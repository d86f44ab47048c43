//===- Ranges.h - where an access's pointer comes from, and the range that it must stay in -------------------------------===//
//
// A pointer is derived from one root: a kernel argument, a pointer loaded from memory (a member of the parameter block), a threadgroup
// array. The root's range is looked up once, where the root is made, and the accesses compare with it in line.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Runtime.h"

namespace softmetal {

class Ranges {
public:
  Ranges(llvm::Module &module, RuntimeCalls &runtime, const AirKernel &record);

  /// The one value that the pointer is derived from, or null.
  static llvm::Value *rootOf(llvm::Value *pointer);
  /// The buffer index of a root that is a kernel argument, or anyBuffer.
  uint32_t bufferOf(const llvm::Value *root) const;
  /// The `const MemoryRange *` of a root in device, constant or threadgroup memory.
  llvm::Value *rangeOf(llvm::Value *root);
  /// A member of that range, loaded beside it.
  llvm::Value *begin(llvm::Value *root) { return member(root, 0); }
  llvm::Value *shadow(llvm::Value *root) { return member(root, 2); }
  /// One more than the greatest offset at which `bytes` bytes lie in the range; 0 if none does.
  llvm::Value *limit(llvm::Value *root, uint32_t bytes);

private:
  llvm::Value *member(llvm::Value *root, unsigned index);
  /// Behind the last value that was made for the root.
  llvm::IRBuilder<> behind(llvm::Value *root);

  llvm::Module &module;
  RuntimeCalls &runtime;
  llvm::DenseMap<const llvm::Value *, uint32_t> buffers;
  llvm::DenseMap<llvm::Value *, llvm::Value *> ranges, last;
  llvm::DenseMap<std::pair<llvm::Value *, unsigned>, llvm::Value *> members;
  llvm::DenseMap<std::pair<llvm::Value *, uint32_t>, llvm::Value *> limits;
};

} // namespace softmetal
