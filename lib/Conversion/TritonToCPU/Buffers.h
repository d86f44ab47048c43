//===- Buffers.h - tensors kept in the arena of a worker ---------------------------===//
//
// A buffer holds a whole tensor, row-major, 64-byte aligned. Its place is found at the end, when it is known from when to when each
// one is used: time is a counter that the lowering advances, and buffers whose times do not meet share bytes.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

#include <deque>

namespace triton_metal::cpu {

struct Buffer {
  mlir::Type element;           ///< in registers; pointers are stored as i64, i1 as a byte
  mlir::Type pointee;           ///< of a tensor of pointers
  llvm::SmallVector<int64_t, 4> shape;
  mlir::Value pointer;          ///< !llvm.ptr, dominates the whole program
  mlir::LLVM::GEPOp address;    ///< arena + offset, offset filled in by allocate()
  int64_t bytes = 0;
  unsigned begin = 0, end = 0;  ///< first and last time of use

  /// Elements from one index to the next of dimension `dim`.
  int64_t stride(unsigned dim) const;
};

/// How a value of this type lies in memory: i1 is a byte, a pointer an i64.
mlir::Type memoryType(mlir::Type element);

class Arena {
public:
  /// Buffers are addressed from `arena`, by operations before `anchor`.
  void begin(mlir::Value arenaPointer, mlir::Operation *anchorOp) { arena = arenaPointer, anchor = anchorOp; }

  Buffer *create(mlir::OpBuilder &b, mlir::Location loc, mlir::Type element, llvm::ArrayRef<int64_t> shape, mlir::Type pointee = {});
  void touch(Buffer *buffer) { buffer->end = std::max(buffer->end, now); }
  /// The buffer lives as long as the program.
  void pin(Buffer *buffer) { buffer->begin = 0, buffer->end = ~0u; }

  unsigned time() const { return now; }
  void tick() { ++now; }
  /// Ends a loop that began at `start`: what it used from before lives until now.
  void closeLoop(unsigned start);

  /// Gives every buffer its offset; returns the bytes of the arena. Without `reuse` no two buffers share bytes.
  int64_t allocate(bool reuse);

private:
  mlir::Value arena;
  mlir::Operation *anchor = nullptr;
  std::deque<Buffer> buffers;
  unsigned now = 0;
};

} // namespace triton_metal::cpu
