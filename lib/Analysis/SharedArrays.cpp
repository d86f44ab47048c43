//===- SharedArrays.cpp - the shared memory of a kernel and its limit -----------------------===//
#include "triton_metal/Analysis/SharedArrays.h"

#include "triton_metal/Support/SourcePosition.h"
#include "triton_metal/Support/Unsupported.h"

using namespace mlir;
using namespace triton_metal;

SmallVector<tt::SharedMemoryOp> triton_metal::sharedArraysOf(tt::FuncOp function) {
  SmallVector<tt::SharedMemoryOp> arrays;
  function.walk([&](tt::SharedMemoryOp array) { arrays.push_back(array); });
  return arrays;
}

int64_t triton_metal::sharedBytesOf(ArrayRef<tt::SharedMemoryOp> arrays) {
  int64_t bytes = 0;
  for (tt::SharedMemoryOp array : arrays)
    bytes += llvm::alignTo(array.getNumBytes(), kSharedAlignment);
  return bytes;
}

LogicalResult triton_metal::checkSharedMemory(tt::FuncOp function, int64_t pool, const Twine &remedy) {
  SmallVector<tt::SharedMemoryOp> arrays = sharedArraysOf(function);
  int64_t total = sharedBytesOf(arrays) + pool;
  if (total <= kMaxThreadgroupBytes)
    return success();
  std::string text;
  llvm::raw_string_ostream os(text);
  if (!arrays.empty())
    os << "kernel " << function.getName() << ": ";
  for (tt::SharedMemoryOp array : arrays) {
    os << array.describe();
    if (FileLineColLoc position = positionOf(array.getLoc()))
      os << " at " << position.getFilename().getValue() << ":" << position.getLine();
    os << "; ";
  }
  if (!arrays.empty() && pool)
    os << "the compiler's own: " << pool << " bytes; ";
  os << remedy;
  Operation *place = arrays.empty() ? function.getOperation() : arrays.back().getOperation();
  return emitOutOfResources(place, "threadgroup memory", total, kMaxThreadgroupBytes, text);
}
