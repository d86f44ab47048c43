//===- SharedMemory.cpp - arrays in the program's own memory, and places in them -----------===//
//
// An index selects as NumPy's does: integers and tensors that broadcast together name coordinates, slices keep a dimension. What
// comes out is a pointer, or a tensor of pointers, row-major from the array's first element; loads, stores and atomics take it.
//
//===----------------------------------------------------------------------===//
#include "State.h"

#include "triton_metal/Support/Chips.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

Result<Tensor> Semantics::sharedMemory(ArrayRef<int64_t> shape, Elem elem) {
  if (elem.isPointer() || elem.isVoid())
    return typeError("tl.shared_memory holds numbers, not " + elem.str());
  if (shape.empty())
    return valueError("tl.shared_memory needs a shape of at least one dimension");
  __int128 count = 1;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    if (size <= 0)
      return valueError("tl.shared_memory: dimension " + std::to_string(dim) + " has the size " + std::to_string(size) +
                        "; sizes are positive");
    count = std::min<__int128>(count * size, INT64_MAX);
  }
  if (count > INT32_MAX) // the limit of bytes comes later, where all arrays are known
    return valueError("tl.shared_memory: the array " + shapeStr(shape) + " is too large; all arrays of a kernel have " +
                      std::to_string(kMaxThreadgroupBytes) + " bytes together");
  // All arrays stand at the start of the function: one in a loop or a branch is one array all the same.
  OpBuilder &builder = state->builder;
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = state->functions.back().function.getBody().front();
  auto place = entry.begin();
  while (place != entry.end() && isa<tt::SharedMemoryOp>(*place))
    ++place;
  builder.setInsertionPoint(&entry, place);
  const std::string &name = state->frames.back().name;
  Elem pointer = elem.pointer(/*toShared=*/true);
  auto op = tt::SharedMemoryOp::create(builder, state->loc(), state->typeOf(pointer), name.empty() ? "array" : name, shape);
  return wrap(op, Type::scalar(pointer));
}

Result<Nothing> Semantics::sharedBarrier() {
  tt::SharedBarrierOp::create(state->builder, state->loc());
  return Nothing{};
}

namespace {
using Selects = SharedIndex::Kind;

/// Sums of coordinates times strides: what is one number for all elements, and what differs.
struct Offsets {
  int64_t constant = 0;
  std::optional<Tensor> scalar, block;
};
} // namespace

static Result<Nothing> addTo(Semantics &semantics, std::optional<Tensor> &sum, Tensor term, int64_t stride) {
  if (term.elem().bits() < 32) { // the product need not fit
    TM_TRY(wide, semantics.cast(term, {Scalar::Int32}));
    term = wide;
  }
  if (stride != 1) {
    TM_TRY(scaled, semantics.binary(BinaryOp::Mul, term, Number::fromInt(stride), /*sanitize=*/false));
    term = scaled;
  }
  if (sum) {
    TM_TRY(both, semantics.binary(BinaryOp::Add, *sum, term, /*sanitize=*/false));
    term = both;
  }
  sum = term;
  return Nothing{};
}

/// The tensor with its dimensions at `first` of `rank`, and ones elsewhere.
static Result<Tensor> placed(Semantics &semantics, Tensor value, int64_t first, int64_t rank) {
  for (int64_t dim = 0; dim < first; ++dim) {
    TM_TRY(wider, semantics.expandDims(value, 0));
    value = wider;
  }
  while (value.type.rank() < rank) {
    TM_TRY(wider, semantics.expandDims(value, value.type.rank()));
    value = wider;
  }
  return value;
}

/// The coordinates of a range; a count that is no power of two is rounded up if `pads`.
static Result<Tensor> rangeTensor(Semantics &semantics, const SharedIndex &range, int64_t dim, bool pads) {
  int64_t count = pads ? int64_t(llvm::PowerOf2Ceil(uint64_t(std::max<int64_t>(range.count, 0)))) : range.count;
  if (count <= 0)
    return valueError("the slice of dimension " + std::to_string(dim) + " is empty");
  if (!llvm::isPowerOf2_64(uint64_t(count)))
    return valueError("the slice of dimension " + std::to_string(dim) + " has " + std::to_string(count) +
                      " elements, and tensors have sizes that are powers of two; use tl.arange and a mask: s.load(tl.arange(0, " +
                      std::to_string(llvm::PowerOf2Ceil(uint64_t(count))) + "), mask=...)");
  if (range.step == 1)
    return semantics.arange(range.start, range.start + count);
  TM_TRY(steps, semantics.arange(0, count));
  std::optional<Tensor> sum;
  TM_TRY(done, addTo(semantics, sum, steps, range.step));
  (void)done;
  return semantics.binary(BinaryOp::Add, *sum, Number::fromInt(range.start), /*sanitize=*/false);
}

/// The mask of the first `count` of the elements of `steps`, placed as they are, and `mask`.
static Result<Nothing> limit(Semantics &semantics, std::optional<Tensor> &mask, Tensor steps, int64_t count) {
  TM_TRY(inside, semantics.compare(CompareOp::Lt, steps, Number::fromInt(count)));
  if (mask) {
    TM_TRY(both, semantics.binary(BinaryOp::And, *mask, inside));
    inside = both;
  }
  mask = inside;
  return Nothing{};
}

Result<Tensor> Semantics::sharedPointer(Tensor base, ArrayRef<int64_t> shape, ArrayRef<SharedIndex> indices,
                                        std::optional<Tensor> *mask) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t dim = shape.size(); dim-- > 1;)
    strides[dim - 1] = strides[dim] * shape[dim];

  // Tensors broadcast together. They, and the integers beside them, are one group of dimensions of the result: where the group
  // stands together it stays in its place, else it comes first.
  SmallVector<Tensor> tensors;
  size_t firstTensor = indices.size(), lastTensor = 0;
  bool hasTensors = llvm::any_of(indices, [](const SharedIndex &index) {
    return index.kind == Selects::Tensor && index.tensor.isBlock();
  });
  for (auto [dim, index] : llvm::enumerate(indices)) {
    if (index.kind == Selects::Tensor && !index.tensor.elem().isInt())
      return typeError("the index of dimension " + std::to_string(dim) + " is " + index.tensor.type.valueStr() + "; indices are integers");
    if (index.kind == Selects::Tensor && index.tensor.elem().isBool())
      return typeError("the index of dimension " + std::to_string(dim) +
                       " is a mask; pass it as mask= of .load, .store or an atomic of the array");
    if (index.kind != Selects::Range && hasTensors) {
      firstTensor = std::min(firstTensor, dim);
      lastTensor = dim;
    }
    if (index.kind == Selects::Tensor && index.tensor.isBlock())
      tensors.push_back(index.tensor);
  }
  bool together = true;
  for (size_t dim = firstTensor; dim <= lastTensor && hasTensors; ++dim)
    together &= indices[dim].kind != Selects::Range;
  if (tensors.size() > 1) {
    TM_TRY(done, broadcastAll(tensors));
    (void)done;
  }
  int64_t groupRank = hasTensors ? tensors[0].type.rank() : 0, rank = groupRank;
  for (const SharedIndex &index : indices)
    rank += index.kind == Selects::Range;

  Offsets offsets;
  const Tensor *nextTensor = tensors.begin();
  int64_t at = hasTensors && !together ? groupRank : 0, group = 0; // the next dimension of the result, that of the tensors
  bool passed = !hasTensors || !together;
  for (auto [dim, index] : llvm::enumerate(indices)) {
    if (!passed && dim == firstTensor) {
      group = at;
      at += groupRank;
      passed = true;
    }
    if (index.kind == Selects::Number) {
      offsets.constant += index.start * strides[dim];
    } else if (index.kind == Selects::Tensor && !index.tensor.isBlock()) {
      TM_TRY(done, addTo(*this, offsets.scalar, index.tensor, strides[dim]));
      (void)done;
    } else {
      bool isRange = index.kind == Selects::Range;
      Tensor value;
      if (isRange) {
        TM_TRY(range, rangeTensor(*this, index, int64_t(dim), mask));
        value = range;
        if (mask && range.type.numElements() != index.count) {
          TM_TRY(steps, arange(0, range.type.numElements()));
          TM_TRY(wideSteps, placed(*this, steps, at, rank));
          TM_TRY(limited, limit(*this, *mask, wideSteps, index.count));
          (void)limited;
        }
      } else {
        value = *nextTensor++;
      }
      TM_TRY(wide, placed(*this, value, isRange ? at++ : group, rank));
      TM_TRY(done, addTo(*this, offsets.block, wide, strides[dim]));
      (void)done;
    }
  }
  if (offsets.constant) {
    TM_TRY(moved, binary(BinaryOp::Add, base, Number::fromInt(offsets.constant)));
    base = moved;
  }
  for (const std::optional<Tensor> &offset : {offsets.scalar, offsets.block})
    if (offset) {
      TM_TRY(moved, binary(BinaryOp::Add, base, *offset));
      base = moved;
    }
  return base;
}
