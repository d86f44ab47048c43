//===- AllocateMemory.cpp - arrays in the pool of threadgroup memory ---------------------------===//
//
// An array lives from its first write to its last read, in program order; a write always precedes a read in the same iteration of a
// loop, so loops lengthen nothing. While all arrays together are small they get places of their own, because sharing costs a
// barrier between the last read of one and the first write of the next. Otherwise those that are not alive together share. The arrays of
// tl.shared_memory lie apart from the pool and take from the same limit.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/TritonMetal/Transforms/Passes.h"

#include "triton_metal/Analysis/SharedArrays.h"

namespace triton_metal::ttm {
#define GEN_PASS_DEF_ALLOCATEMEMORY
#include "triton_metal/Dialect/TritonMetal/Transforms/TritonMetalPasses.h.inc"
} // namespace triton_metal::ttm

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

namespace {

/// Below this the pool does not bound how many threadgroups a core holds.
constexpr int64_t kRoomForAll = 4096;

struct Array {
  AllocOp op;
  int64_t bytes, first, last, offset = 0;
};

struct AllocateMemory : public triton_metal::ttm::impl::AllocateMemoryBase<AllocateMemory> {
  void runOnOperation() override {
    SmallVector<Array> arrays = collect();
    int64_t total = 0;
    for (Array &array : arrays) {
      array.offset = total;
      total += array.bytes;
    }
    if (total > kRoomForAll)
      total = share(arrays);
    std::string remedy = "use smaller arrays";
    if (!arrays.empty())
      remedy = "use smaller blocks or fewer elements that change their SIMD-group; the largest array holds a " + describeLargest(arrays);
    if (failed(checkSharedMemory(getOperation(), total, remedy)))
      return signalPassFailure();
    Builder builder(&getContext());
    for (Array &array : arrays)
      array.op.setOffsetAttr(builder.getI32IntegerAttr(array.offset));
    getOperation()->setAttr(kPoolBytes, builder.getI32IntegerAttr(total));
  }

  SmallVector<Array> collect() {
    DenseMap<Operation *, int64_t> number;
    SmallVector<AllocOp> allocs;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      number[op] = number.size();
      if (auto alloc = dyn_cast<AllocOp>(op))
        allocs.push_back(alloc);
    });
    SmallVector<Array> arrays;
    for (AllocOp alloc : allocs) {
      Array array{alloc, int64_t(llvm::alignTo(alloc.getType().getNumBytes(), 16)), INT64_MAX, 0};
      for (Operation *user : alloc->getUsers()) {
        array.first = std::min(array.first, number[user]);
        array.last = std::max(array.last, number[user]);
      }
      arrays.push_back(array);
    }
    return arrays;
  }

  /// The lowest place for each array that is free of arrays alive at the same time, the largest first. Gives the bytes needed.
  static int64_t share(SmallVectorImpl<Array> &arrays) {
    SmallVector<Array *> order = llvm::to_vector(llvm::make_pointer_range(arrays));
    llvm::sort(order, [](Array *a, Array *b) { return std::pair(b->bytes, a) < std::pair(a->bytes, b); });
    SmallVector<Array *> placed;
    int64_t total = 0;
    for (Array *array : order) {
      SmallVector<Array *> alive;
      for (Array *other : placed)
        if (array->first <= other->last && other->first <= array->last)
          alive.push_back(other);
      llvm::sort(alive, [](Array *a, Array *b) { return std::pair(a->offset, a) < std::pair(b->offset, b); });
      array->offset = 0;
      for (Array *other : alive)
        if (array->offset + array->bytes > other->offset)
          array->offset = std::max(array->offset, other->offset + other->bytes);
        else
          break;
      placed.push_back(array);
      total = std::max(total, array->offset + array->bytes);
    }
    return total;
  }

  static std::string describeLargest(ArrayRef<Array> arrays) {
    const Array *largest = std::max_element(arrays.begin(), arrays.end(), [](auto &a, auto &b) { return a.bytes < b.bytes; });
    std::string text;
    llvm::raw_string_ostream os(text);
    MemoryType type = const_cast<Array *>(largest)->op.getType();
    os << "tensor of ";
    llvm::interleave(type.getShape(), os, "x");
    os << " " << type.getElementType() << " (" << largest->bytes << " bytes)";
    return text;
  }
};

} // namespace
