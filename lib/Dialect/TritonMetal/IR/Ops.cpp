//===- Ops.cpp - verifiers and folds of ttm operations ------------------------------===//
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

#define GET_OP_CLASSES
#include "triton_metal/Dialect/TritonMetal/IR/TritonMetalOps.cpp.inc"

OpFoldResult ConvertLayoutOp::fold(FoldAdaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  if (auto inner = getSrc().getDefiningOp<ConvertLayoutOp>()) {
    getSrcMutable().assign(inner.getSrc());
    return getResult();
  }
  return {};
}

LogicalResult ConvertLayoutOp::verify() {
  std::optional<LinearLayout> from = getLayout(getSrc()), to = getLayout(getResult());
  if (!from || !to)
    return emitOpError("needs a layout on both sides");
  if (from->getSimdgroupBases().size() != to->getSimdgroupBases().size())
    return emitOpError("needs layouts of one threadgroup, got ") << getSrc().getType() << " and " << getType();
  return success();
}

static LogicalResult verifyAccess(Operation *op, Type tensor, MemoryType memory) {
  auto type = cast<RankedTensorType>(tensor);
  if (type.getShape() != memory.getShape() || type.getElementType() != memory.getElementType())
    return op->emitOpError("needs a tensor and an array of one shape and element type, got ") << tensor << " and " << memory;
  return success();
}
LogicalResult WriteOp::verify() { return verifyAccess(*this, getValue().getType(), getMemory().getType()); }
LogicalResult ReadOp::verify() { return verifyAccess(*this, getType(), getMemory().getType()); }

LogicalResult ReadAtOp::verify() {
  MemoryType memory = getMemory().getType();
  auto indices = cast<RankedTensorType>(getIndices().getType()), result = cast<RankedTensorType>(getType());
  if (indices.getShape() != result.getShape() || indices.getEncoding() != result.getEncoding())
    return emitOpError("needs indices and result of one shape and layout, got ") << indices << " and " << result;
  if (memory.getElementType() != result.getElementType() || int64_t(memory.getShape().size()) != result.getRank() ||
      getAxis() >= uint32_t(result.getRank()))
    return emitOpError("of ") << memory << " along axis " << getAxis() << " cannot give " << result;
  for (int64_t dim = 0; dim < result.getRank(); ++dim)
    if (dim != int64_t(getAxis()) && memory.getShape()[dim] != result.getDimSize(dim))
      return emitOpError("needs equal sizes off the axis; dimension ") << dim << " differs";
  return success();
}
