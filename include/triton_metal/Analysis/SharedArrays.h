//===- SharedArrays.h - the shared memory of a kernel and its limit -------------------------===//
#pragma once
#include "triton_metal/Dialect/Triton/IR/Dialect.h"
#include "triton_metal/Support/Chips.h"

namespace triton_metal {

/// The arrays that a function makes with tt.shared_memory, in order.
llvm::SmallVector<tt::SharedMemoryOp> sharedArraysOf(tt::FuncOp function);
/// Their bytes, each rounded up to the alignment.
int64_t sharedBytesOf(llvm::ArrayRef<tt::SharedMemoryOp> arrays);
/// Fails with OutOfResources where the arrays and `pool` bytes that the compiler needs itself are more than a threadgroup has; the
/// error lists who takes how much, and ends with `remedy`.
mlir::LogicalResult checkSharedMemory(tt::FuncOp function, int64_t pool, const llvm::Twine &remedy);

} // namespace triton_metal
