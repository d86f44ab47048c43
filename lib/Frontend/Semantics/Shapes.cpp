//===- Shapes.cpp - creation of blocks and changes of their shape ------------------===//
#include "State.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::frontend;

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

static Result<tt::ProgramDim> gridAxis(int64_t axis, const char *function) {
  if (axis < 0 || axis > 2)
    return valueError(std::string(function) + " axis must be 0, 1, or 2 but got " + std::to_string(axis));
  return tt::ProgramDim(axis);
}

Result<Tensor> Semantics::programId(int64_t axis) {
  TM_TRY(dim, gridAxis(axis, "program_id"));
  return wrap(state->make<tt::GetProgramIdOp>(state->builder.getI32Type(), dim), Type::scalar(Scalar::Int32));
}

Result<Tensor> Semantics::numPrograms(int64_t axis) {
  TM_TRY(dim, gridAxis(axis, "num_programs"));
  return wrap(state->make<tt::GetNumProgramsOp>(state->builder.getI32Type(), dim), Type::scalar(Scalar::Int32));
}

Result<Tensor> Semantics::arange(int64_t start, int64_t end) {
  if (start >> 32 || end >> 32)
    return valueError("arange must fit in int32");
  if (end <= start)
    return valueError("arange's end argument must be greater than the start argument");
  int64_t length = end - start;
  if (length & (length - 1))
    return valueError("arange's range must be a power of 2");
  TM_TRY(checked, checkShape({length}));
  (void)checked;
  Type type = Type::block({Scalar::Int32}, {length});
  return wrap(state->make<tt::MakeRangeOp>(state->typeOf(type), int32_t(start), int32_t(end)), type);
}

Result<Nothing> Semantics::checkShape(ArrayRef<int64_t> shape) const {
  __int128 count = 1;
  for (auto [index, size] : llvm::enumerate(shape)) {
    if (size <= 0 || (size & (size - 1)))
      return valueError("Shape element " + std::to_string(index) + " must be a power of 2");
    count *= size;
    if (count > (__int128(1) << 62))
      break;
  }
  if (count > tt::kMaxTensorElements)
    return valueError("numel (" + std::to_string(int64_t(std::min<__int128>(count, INT64_MAX))) +
                      ") exceeds triton maximum tensor numel (" + std::to_string(tt::kMaxTensorElements) + ")");
  return Nothing{};
}

Result<Tensor> Semantics::full(ArrayRef<int64_t> shape, const Operand &value, Elem elem) {
  TM_TRY(checked, checkShape(shape));
  (void)checked;
  if (auto *tensor = std::get_if<Tensor>(&value)) {
    if (tensor->type.numElements() != 1)
      return assertionError("only accepts size-1 tensor");
    TM_TRY(scalar, unsplat(*tensor));
    TM_TRY(element, cast(scalar, elem));
    return splat(element, shape);
  }
  TM_TRY(element, constant(std::get<Number>(value), elem));
  return splat(element, shape);
}

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

Result<Tensor> Semantics::splat(Tensor value, ArrayRef<int64_t> shape) {
  if (value.isBlock())
    return assertionError("Cannot splat a block tensor");
  if (shape.empty())
    return value;
  Type type = Type::block(value.elem(), shape);
  return wrap(state->make<tt::SplatOp>(state->typeOf(type), unwrap(value)), type);
}

Result<Tensor> Semantics::unsplat(Tensor value) {
  if (!value.isBlock())
    return value;
  if (value.type.numElements() != 1)
    return assertionError("can only unsplat single-element tensors");
  Type type = Type::scalar(value.elem());
  if (auto splat = unwrap(value).getDefiningOp<tt::SplatOp>())
    return wrap(splat.getSrc(), type);
  return wrap(state->make<tt::UnsplatOp>(unwrap(value)), type);
}

Result<Tensor> Semantics::expandDims(Tensor value, int64_t axis) {
  SmallVector<int64_t> shape(value.type.shape());
  shape.insert(shape.begin() + axis, 1);
  if (!value.isBlock())
    return splat(value, shape);
  Type type = Type::block(value.elem(), shape);
  return wrap(state->make<tt::ExpandDimsOp>(state->typeOf(type), unwrap(value), uint32_t(axis)), type);
}

/// `['4', '8']`, as a list of dimensions stands in upstream's messages.
static std::string listStr(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [index, size] : llvm::enumerate(shape))
    text += (index ? ", '" : "'") + std::to_string(size) + "'";
  return text + "]";
}

static std::string plainListStr(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [index, size] : llvm::enumerate(shape))
    text += (index ? ", " : "") + std::to_string(size);
  return text + "]";
}

Result<Tensor> Semantics::broadcastTo(Tensor value, ArrayRef<int64_t> shape) {
  TM_TRY(checked, checkShape(shape));
  (void)checked;
  if (!value.isBlock())
    return splat(value, shape);
  ArrayRef<int64_t> from = value.type.shape();
  if (from.size() != shape.size())
    return valueError("Cannot broadcast, rank mismatch: " + listStr(from) + ", " + plainListStr(shape));
  if (from == shape)
    return value;
  for (auto [index, sizes] : llvm::enumerate(llvm::zip(from, shape))) {
    auto [size, wanted] = sizes;
    if (size != wanted && size != 1)
      return valueError("Cannot broadcast, the expanded size of the tensor (" + std::to_string(wanted) +
                        ") must match the existing size (" + std::to_string(size) + ") at non-singleton dimension " +
                        std::to_string(index) + ": " + listStr(from) + ", " + plainListStr(shape));
  }
  Type type = Type::block(value.elem(), shape);
  return wrap(state->make<tt::BroadcastOp>(state->typeOf(type), unwrap(value)), type);
}

Result<Tensor> Semantics::reshape(Tensor value, ArrayRef<int64_t> shape, bool mayReorder) {
  TM_TRY(checked, checkShape(shape));
  (void)checked;
  Type type = Type::block(value.elem(), shape);
  if (type.numElements() != value.type.numElements())
    return valueError("reshape() cannot change total number of elements in tensor");
  if (shape.empty())
    return unsplat(value);
  if (!value.isBlock())
    return splat(value, shape);
  return wrap(state->make<tt::ReshapeOp>(state->typeOf(type), unwrap(value), mayReorder, /*efficient_layout=*/false), type);
}

Result<Tensor> Semantics::permute(Tensor value, ArrayRef<int64_t> order) {
  if (int64_t(order.size()) != value.type.rank())
    return valueError("permute dims must have the same length as input shape, got " + std::to_string(value.type.rank()) + " and " +
                      std::to_string(order.size()));
  SmallVector<bool> seen(order.size(), false);
  SmallVector<int64_t> shape;
  SmallVector<int32_t> dims;
  for (int64_t dim : order) {
    if (dim < 0 || dim >= int64_t(order.size()) || std::exchange(seen[dim], true))
      return valueError("permute dims must be a permutation of 0, 1, ..., n-1, but were " + plainListStr(order));
    shape.push_back(value.type.shape()[dim]);
    dims.push_back(int32_t(dim));
  }
  if (shape.empty())
    return value;
  return wrap(state->make<tt::TransOp>(unwrap(value), dims), Type::block(value.elem(), shape));
}

Result<Tensor> Semantics::join(Tensor a, Tensor b) {
  if (a.elem() != b.elem())
    return typeError("join needs operands of one type, got " + a.elem().str() + " and " + b.elem().str());
  TM_TRY(together, broadcastTogether(a, b));
  (void)together;
  bool scalars = !a.isBlock();
  if (scalars) {
    TM_TRY(wideA, expandDims(a, 0));
    TM_TRY(wideB, expandDims(b, 0));
    a = wideA;
    b = wideB;
  }
  SmallVector<int64_t> shape(a.type.shape());
  shape.push_back(2);
  TM_TRY(checked, checkShape(shape));
  (void)checked;
  Tensor joined = wrap(state->make<tt::JoinOp>(unwrap(a), unwrap(b)), Type::block(a.elem(), shape));
  return scalars ? reshape(joined, {2}, false) : Result<Tensor>(joined);
}

Result<std::pair<Tensor, Tensor>> Semantics::split(Tensor value) {
  if (!value.isBlock())
    return assertionError("split requires a non-scalar tensor");
  int64_t last = value.type.shape().back();
  if (last != 2)
    return assertionError("expected last dimension to be 2 for split, got " + std::to_string(last));
  bool flat = value.type.rank() == 1;
  if (flat) {
    TM_TRY(wide, expandDims(value, 0));
    value = wide;
  }
  auto op = tt::SplitOp::create(state->builder, state->loc(), unwrap(value));
  Type half = Type::block(value.elem(), value.type.shape().drop_back());
  Tensor left = wrap(op->getResult(0), half), right = wrap(op->getResult(1), half);
  if (flat) {
    TM_TRY(first, unsplat(left));
    TM_TRY(second, unsplat(right));
    return std::pair(first, second);
  }
  return std::pair(left, right);
}

Result<Tensor> Semantics::cat(Tensor a, Tensor b, int64_t dim) {
  int64_t rank = a.type.rank();
  if (rank != b.type.rank())
    return assertionError("tensors must have the same rank, got " + std::to_string(rank) + " and " + std::to_string(b.type.rank()));
  if (dim < -rank || dim >= rank)
    return valueError("invalid axis " + std::to_string(dim) + ". Expected " + std::to_string(-rank) + " <= axis < " +
                      std::to_string(rank));
  dim = dim < 0 ? dim + rank : dim;
  if (a.type.shape() != b.type.shape())
    return assertionError("tensor dims must match, got " + shapeStr(a.type.shape()) + " and " + shapeStr(b.type.shape()));
  TM_TRY(joined, join(a, b));
  SmallVector<int64_t> order, shape(a.type.shape());
  for (int64_t i = 0; i < rank; ++i)
    order.push_back(i);
  order.insert(order.begin() + dim, rank);
  shape[dim] *= 2;
  TM_TRY(moved, permute(joined, order));
  return reshape(moved, shape, false);
}

Result<Tensor> Semantics::gather(Tensor source, Tensor index, int64_t axis) {
  if (!index.elem().isInt())
    return assertionError("index must be an integer tensor");
  int64_t rank = source.type.rank();
  if (index.type.rank() != rank)
    return assertionError("source and index tensors must have the same rank");
  if (axis < -rank || axis >= rank)
    return assertionError("gather axis " + std::to_string(axis) + " must be < source rank (" + std::to_string(rank) + ")");
  axis = axis < 0 ? axis + rank : axis;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != axis && index.type.shape()[dim] != source.type.shape()[dim])
      return assertionError("index dim " + std::to_string(axis) + " must match the corresponding source dim");
  Type type = index.type.withElem(source.elem());
  return wrap(state->make<tt::GatherOp>(state->typeOf(type), unwrap(source), unwrap(index), uint32_t(axis)), type);
}
