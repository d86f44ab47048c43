//===- Ops.cpp - verifiers, effects and result types of tt operations ------------===//
#include "triton_metal/Dialect/Triton/IR/Dialect.h"
#include "triton_metal/Dialect/Triton/IR/TypeNames.h"

using namespace mlir;
using namespace triton_metal::tt;

#define GET_OP_CLASSES
#include "triton_metal/Dialect/Triton/IR/TritonOps.cpp.inc"

/// Whether the types agree but for the encodings of tensors, which later stages add.
static bool agreeButForEncoding(TypeRange inferred, TypeRange actual) {
  auto plain = [](Type type) -> Type {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor ? RankedTensorType::get(tensor.getShape(), tensor.getElementType()) : type;
  };
  return inferred.size() == actual.size() &&
         llvm::all_of(llvm::zip(inferred, actual), [&](auto pair) { return plain(std::get<0>(pair)) == plain(std::get<1>(pair)); });
}
bool ExpandDimsOp::isCompatibleReturnTypes(TypeRange inferred, TypeRange actual) { return agreeButForEncoding(inferred, actual); }
bool JoinOp::isCompatibleReturnTypes(TypeRange inferred, TypeRange actual) { return agreeButForEncoding(inferred, actual); }
bool SplitOp::isCompatibleReturnTypes(TypeRange inferred, TypeRange actual) { return agreeButForEncoding(inferred, actual); }
bool TransOp::isCompatibleReturnTypes(TypeRange inferred, TypeRange actual) { return agreeButForEncoding(inferred, actual); }

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

LogicalResult BitcastOp::verify() {
  Type from = getElementOf(getSrc().getType()), to = getElementOf(getType());
  auto fromPointer = dyn_cast<PointerType>(from), toPointer = dyn_cast<PointerType>(to);
  if (bool(fromPointer) != bool(toPointer))
    return emitOpError("cannot cast between a pointer and a number; use tt.ptr_to_int or tt.int_to_ptr");
  if (fromPointer)
    return fromPointer.getAddressSpace() == toPointer.getAddressSpace()
               ? success()
               : emitOpError("cannot cast between address spaces");
  if (from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return emitOpError("needs types of equal width, got ") << from << " and " << to;
  return success();
}

LogicalResult FpToFpOp::verify() {
  unsigned from = getElementOf(getSrc().getType()).getIntOrFloatBitWidth();
  unsigned to = getElementOf(getType()).getIntOrFloatBitWidth();
  if (to < from && !getRounding())
    return emitOpError("narrows and must say how it rounds: rounding = rtne or rtz");
  return success();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

using Effects = SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

/// What is done to the memory that `pointer` points into: shared arrays and all other memory do not order each other.
template <typename... Kinds>
static void addEffects(OpOperand &pointer, Effects &effects) {
  SideEffects::Resource *memory = GlobalMemory::get();
  if (isSharedPointer(pointer.get().getType()))
    memory = SharedMemory::get();
  (effects.emplace_back(Kinds::get(), &pointer, memory), ...);
}

void LoadOp::getEffects(Effects &effects) {
  addEffects<MemoryEffects::Read>(getPtrMutable(), effects);
  if (getIsVolatile())
    addEffects<MemoryEffects::Write>(getPtrMutable(), effects);
}
void StoreOp::getEffects(Effects &effects) { addEffects<MemoryEffects::Write>(getPtrMutable(), effects); }
void AtomicRMWOp::getEffects(Effects &effects) {
  addEffects<MemoryEffects::Read, MemoryEffects::Write>(getPtrMutable(), effects);
}
void AtomicCASOp::getEffects(Effects &effects) {
  addEffects<MemoryEffects::Read, MemoryEffects::Write>(getPtrMutable(), effects);
}

LogicalResult SharedMemoryOp::verify() {
  if (!getType().isShared())
    return emitOpError("gives a pointer into shared memory, not ") << getType();
  if (isa<PointerType>(getElementType()))
    return emitOpError("holds numbers, not ") << getElementType();
  if (getShape().empty() || llvm::any_of(getShape(), [](int64_t size) { return size <= 0; }))
    return emitOpError("has a shape of positive sizes");
  int64_t count = 1;
  for (int64_t size : getShape())
    if (size > INT32_MAX || (count *= size) > INT32_MAX)
      return emitOpError("has more than ") << INT32_MAX << " elements";
  return success();
}

int64_t SharedMemoryOp::getNumElements() {
  int64_t count = 1;
  for (int64_t size : getShape())
    count *= size;
  return count;
}

int64_t SharedMemoryOp::getElementBytes() { return llvm::divideCeil(getElementType().getIntOrFloatBitWidth(), 8); }

std::string SharedMemoryOp::describeType() {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "(";
  llvm::interleaveComma(getShape(), os);
  os << (getShape().size() == 1 ? ",) x " : ") x ") << nameOfType(getElementType());
  return text;
}

std::string SharedMemoryOp::describe() {
  return (getName() + ": " + describeType() + ", " + Twine(getNumBytes()) + " bytes").str();
}

void ExternElementwiseOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (getPure())
    return;
  effects.emplace_back(MemoryEffects::Read::get(), GlobalMemory::get());
  effects.emplace_back(MemoryEffects::Write::get(), GlobalMemory::get());
}

//===----------------------------------------------------------------------===//
// Creation and shape
//===----------------------------------------------------------------------===//

LogicalResult MakeRangeOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  int64_t length = int64_t(getEnd()) - int64_t(getStart());
  if (type.getRank() != 1 || !type.getElementType().isInteger(32))
    return emitOpError("gives a one-dimensional tensor of i32, not ") << type;
  if (length != type.getNumElements())
    return emitOpError("has ") << length << " values for a tensor of " << type.getNumElements();
  return success();
}

LogicalResult UnsplatOp::verify() {
  if (tensorOf(getSrc()).getNumElements() != 1)
    return emitOpError("needs a tensor of one element, got ") << getSrc().getType();
  return success();
}

LogicalResult UnsplatOp::inferReturnTypes(MLIRContext *, std::optional<Location>, ValueRange operands, DictionaryAttr,
                                          OpaqueProperties, RegionRange, SmallVectorImpl<Type> &types) {
  types.push_back(getElementOf(operands[0].getType()));
  return success();
}

LogicalResult ExpandDimsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, ValueRange operands,
                                             DictionaryAttr attributes, OpaqueProperties properties, RegionRange,
                                             SmallVectorImpl<Type> &types) {
  auto type = tensorOf(operands[0]);
  int64_t axis = properties.as<Properties *>()->axis.getInt();
  if (axis < 0 || axis > type.getRank())
    return emitOptionalError(loc, "axis ", axis, " is outside 0..", type.getRank());
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin() + axis, 1);
  types.push_back(RankedTensorType::get(shape, type.getElementType()));
  return success();
}

LogicalResult ReshapeOp::verify() {
  if (tensorOf(getSrc()).getNumElements() != cast<RankedTensorType>(getType()).getNumElements())
    return emitOpError("changes the number of elements: ") << getSrc().getType() << " to " << getType();
  return success();
}

LogicalResult BroadcastOp::verify() {
  auto from = tensorOf(getSrc()), to = cast<RankedTensorType>(getType());
  if (from.getRank() != to.getRank())
    return emitOpError("keeps the rank: ") << from << " to " << to;
  for (auto [dim, sizes] : llvm::enumerate(llvm::zip(from.getShape(), to.getShape()))) {
    auto [source, result] = sizes;
    if (source != result && source != 1)
      return emitOpError("repeats dimensions of size 1 only; dimension ") << dim << " is " << source << " and becomes " << result;
  }
  return success();
}

LogicalResult CatOp::verify() {
  auto from = tensorOf(getLhs()), to = cast<RankedTensorType>(getType());
  SmallVector<int64_t> shape(from.getShape());
  if (shape.empty() || (shape[0] *= 2, ArrayRef<int64_t>(shape) != to.getShape()))
    return emitOpError("of two ") << from << " cannot give " << to;
  return success();
}

LogicalResult JoinOp::inferReturnTypes(MLIRContext *, std::optional<Location>, ValueRange operands, DictionaryAttr,
                                       OpaqueProperties, RegionRange, SmallVectorImpl<Type> &types) {
  auto type = tensorOf(operands[0]);
  SmallVector<int64_t> shape(type.getShape());
  shape.push_back(2);
  types.push_back(RankedTensorType::get(shape, type.getElementType()));
  return success();
}

LogicalResult SplitOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, ValueRange operands, DictionaryAttr,
                                        OpaqueProperties, RegionRange, SmallVectorImpl<Type> &types) {
  auto type = tensorOf(operands[0]);
  if (type.getRank() == 0)
    return emitOptionalError(loc, "a tensor of rank 0 cannot be split");
  auto half = RankedTensorType::get(type.getShape().drop_back(), type.getElementType());
  types.assign({half, half});
  return success();
}

LogicalResult SplitOp::verify() {
  auto type = tensorOf(getSrc());
  if (type.getRank() == 0 || type.getShape().back() != 2)
    return emitOpError("needs a last dimension of size 2, got ") << type;
  return success();
}

LogicalResult TransOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, ValueRange operands,
                                        DictionaryAttr attributes, OpaqueProperties properties, RegionRange,
                                        SmallVectorImpl<Type> &types) {
  auto type = tensorOf(operands[0]);
  ArrayRef<int32_t> order = properties.as<Properties *>()->order.asArrayRef();
  SmallVector<bool> seen(type.getRank(), false);
  if (int64_t(order.size()) != type.getRank())
    return emitOptionalError(loc, "order has ", order.size(), " entries for a tensor of rank ", type.getRank());
  SmallVector<int64_t> shape;
  for (int32_t dim : order) {
    if (dim < 0 || dim >= type.getRank() || seen[dim])
      return emitOptionalError(loc, "order must be a permutation of the dimensions");
    seen[dim] = true;
    shape.push_back(type.getDimSize(dim));
  }
  types.push_back(RankedTensorType::get(shape, type.getElementType()));
  return success();
}

LogicalResult TransOp::verify() { return success(); } // the permutation is checked where the result type is inferred

LogicalResult GatherOp::verify() {
  auto source = tensorOf(getSrc()), indices = tensorOf(getIndices()), result = cast<RankedTensorType>(getType());
  if (source.getElementType() != result.getElementType() || indices.getShape() != result.getShape())
    return emitOpError("of ") << source << " at " << indices << " cannot give " << result;
  if (source.getRank() != indices.getRank() || getAxis() >= uint32_t(source.getRank()))
    return emitOpError("needs operands of equal rank and an axis inside it");
  for (int64_t dim = 0; dim < source.getRank(); ++dim)
    if (dim != int64_t(getAxis()) && source.getDimSize(dim) != indices.getDimSize(dim))
      return emitOpError("needs equal sizes off the axis; dimension ") << dim << " differs";
  return success();
}

//===----------------------------------------------------------------------===//
// Contraction, reduction, scan
//===----------------------------------------------------------------------===//

LogicalResult DotOp::verify() {
  auto a = tensorOf(getA()), b = tensorOf(getB()), c = tensorOf(getC());
  int64_t rank = a.getRank();
  if ((rank != 2 && rank != 3) || b.getRank() != rank || c.getRank() != rank)
    return emitOpError("needs operands of rank 2, or all of rank 3, got ") << a << ", " << b << ", " << c;
  int64_t m = a.getDimSize(rank - 2), k = a.getDimSize(rank - 1), n = b.getDimSize(rank - 1);
  bool batched = rank == 2 || (a.getDimSize(0) == b.getDimSize(0) && a.getDimSize(0) == c.getDimSize(0));
  if (b.getDimSize(rank - 2) != k || c.getDimSize(rank - 2) != m || c.getDimSize(rank - 1) != n || !batched)
    return emitOpError("has shapes that do not multiply: ") << a << " * " << b << " -> " << c;
  if (a.getElementTypeBitWidth() != b.getElementTypeBitWidth())
    return emitOpError("needs operands of equal element width, got ") << a.getElementType() << " and " << b.getElementType();
  return success();
}

/// What tt.reduce and tt.scan share: equal shapes, an axis inside, a region from 2n scalars to n.
template <typename OpTy>
static LogicalResult verifyCombine(OpTy op) {
  if (op.getSrcs().empty())
    return op.emitOpError("needs at least one operand");
  auto first = tensorOf(op.getSrcs()[0]);
  if (op.getAxis() >= uint32_t(first.getRank()))
    return op.emitOpError("has axis ") << op.getAxis() << " for a tensor of rank " << first.getRank();
  if (op.getNumResults() != op.getSrcs().size())
    return op.emitOpError("needs as many results as operands");
  for (Value source : op.getSrcs())
    if (tensorOf(source).getShape() != first.getShape())
      return op.emitOpError("needs operands of one shape, got ") << first << " and " << source.getType();
  Block &block = op.getCombineBlock();
  size_t count = op.getSrcs().size();
  if (block.getNumArguments() != 2 * count)
    return op.emitOpError("combines ") << 2 * count << " scalars; its region takes " << block.getNumArguments();
  for (unsigned i = 0; i < 2 * count; ++i)
    if (block.getArgument(i).getType() != tensorOf(op.getSrcs()[i % count]).getElementType())
      return op.emitOpError("has a region argument of type ")
             << block.getArgument(i).getType() << " for " << op.getSrcs()[i % count].getType();
  Operation *end = block.empty() ? nullptr : &block.back();
  if (!end || end->getNumOperands() != count)
    return op.emitOpError("has a region that must return ") << count << " scalars";
  return success();
}

LogicalResult ReduceOp::verify() {
  if (failed(verifyCombine(*this)))
    return failure();
  for (auto [source, result] : llvm::zip(getSrcs(), getResults())) {
    auto type = tensorOf(source);
    SmallVector<int64_t> shape(type.getShape());
    shape.erase(shape.begin() + getAxis());
    Type expected = shape.empty() ? type.getElementType() : Type(RankedTensorType::get(shape, type.getElementType()));
    if (!agreeButForEncoding(expected, result.getType()))
      return emitOpError("gives ") << expected << ", not " << result.getType();
  }
  return success();
}

LogicalResult ScanOp::verify() {
  if (failed(verifyCombine(*this)))
    return failure();
  for (auto [source, result] : llvm::zip(getSrcs(), getResults()))
    if (source.getType() != result.getType())
      return emitOpError("keeps types: ") << source.getType() << " and " << result.getType();
  return success();
}
