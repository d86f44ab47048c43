//===- Buffers.cpp - tensors kept in the arena of a worker ---------------------------===//
#include "Buffers.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace triton_metal::cpu {

static constexpr int64_t kAlignment = 64;

int64_t Buffer::stride(unsigned dim) const {
  int64_t product = 1;
  for (unsigned i = dim + 1; i < shape.size(); ++i)
    product *= shape[i];
  return product;
}

Type memoryType(Type element) {
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), 8);
  if (isa<LLVM::LLVMPointerType>(element))
    return IntegerType::get(element.getContext(), 64);
  return element;
}

Buffer *Arena::create(OpBuilder &b, Location loc, Type element, ArrayRef<int64_t> shape, Type pointee) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(anchor);
  Buffer &buffer = buffers.emplace_back();
  buffer.element = element;
  buffer.pointee = pointee;
  buffer.shape.assign(shape.begin(), shape.end());
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  buffer.bytes = count * std::max<int64_t>(1, memoryType(element).getIntOrFloatBitWidth() / 8);
  buffer.begin = buffer.end = now;
  buffer.address =
      LLVM::GEPOp::create(b, loc, arena.getType(), b.getI8Type(), arena, ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(int32_t(0))});
  buffer.pointer = buffer.address;
  return &buffer;
}

void Arena::closeLoop(unsigned start) {
  for (Buffer &buffer : buffers)
    if (buffer.begin <= start && buffer.end >= start)
      buffer.end = std::max(buffer.end, now);
}

int64_t Arena::allocate(bool reuse) {
  struct Placed {
    Buffer *buffer;
    int64_t offset;
  };
  SmallVector<Placed> placed;
  int64_t total = 0;
  for (Buffer &buffer : buffers) {
    int64_t size = llvm::alignTo(std::max<int64_t>(buffer.bytes, 1), kAlignment);
    // First gap between those that live at the same time.
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (const Placed &other : placed)
      if (!reuse || (other.buffer->begin <= buffer.end && buffer.begin <= other.buffer->end))
        taken.push_back({other.offset, other.offset + llvm::alignTo(std::max<int64_t>(other.buffer->bytes, 1), kAlignment)});
    llvm::sort(taken);
    int64_t offset = 0;
    for (auto [from, to] : taken) {
      if (offset + size <= from)
        break;
      offset = std::max(offset, to);
    }
    placed.push_back({&buffer, offset});
    total = std::max(total, offset + size);
    buffer.address.setRawConstantIndices({int32_t(offset)});
  }
  return total;
}

} // namespace triton_metal::cpu
