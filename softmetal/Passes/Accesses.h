//===- Accesses.h - the memory accesses of a module ----------------------------------------------------------------------===//
//
// One list for every instrumenting pass, so that all of them see the same accesses: loads, stores, copies, fills and atomics, each
// with the operand that is its pointer.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/IRBuilder.h"
#include <cstdint>

namespace softmetal {

namespace space {
constexpr unsigned thread = 0, device = 1, constant = 2, threadgroup = 3;
}

/// What an access is to checks: memory as it is named; or, of an update of 16 bits, the element, or the 32-bit word around it, which is
/// what the machine touches. The element must lie in its array and have been written; the word may reach beyond both.
enum class AccessPart : uint8_t { Whole, Element, Word };

struct Access {
  llvm::Instruction *instruction;
  unsigned pointerOperand; ///< index of the pointer among the instruction's operands
  uint32_t kind;           ///< accessWrite, accessAtomic
  uint32_t bytes;          ///< 0: `length` says
  llvm::Value *length;     ///< of copies and fills
  uint32_t align;          ///< what the access demands
  AccessPart part = AccessPart::Whole;
  llvm::Value *pointer() const { return instruction->getOperand(pointerOperand); }
  unsigned addressSpace() const { return pointer()->getType()->getPointerAddressSpace(); }
  /// The number of bytes as an i32.
  llvm::Value *size(llvm::IRBuilderBase &builder) const {
    return length ? builder.CreateZExtOrTrunc(length, builder.getInt32Ty()) : builder.getInt32(bytes);
  }
};

/// Where `pointer` is the word around an element, the pointer to the element; else `pointer`.
llvm::Value *elementOf(llvm::Value *pointer);

/// Takes the promise that addresses stay in their object from address computations: checks ask for exactly that, and must not be folded.
void forgetInBounds(llvm::Module &module);

/// The logarithm of the bytes that no access to an address space is finer or less aligned than; at most 4.
uint32_t accessShift(llvm::ArrayRef<Access> accesses, unsigned addressSpace);

/// All accesses of the module's functions to memory other than the lane's own.
llvm::SmallVector<Access, 0> sharedAccesses(llvm::Module &module);

} // namespace softmetal
