//===- Folds.cpp - constant folding of tt operations ------------------------------===//
#include "triton_metal/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal::tt;

/// A splat constant in another shape; null for anything else.
static OpFoldResult resplat(Attribute source, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(source))
    return SplatElementsAttr::get(tensor, splat.getSplatValue<Attribute>());
  return {};
}

OpFoldResult SplatOp::fold(FoldAdaptor adaptor) {
  if (isa_and_nonnull<IntegerAttr, FloatAttr>(adaptor.getSrc()))
    return SplatElementsAttr::get(cast<RankedTensorType>(getType()), adaptor.getSrc());
  return {};
}

OpFoldResult MakeRangeOp::fold(FoldAdaptor) {
  if (getEnd() - getStart() == 1)
    return SplatElementsAttr::get(cast<RankedTensorType>(getType()), APInt(32, getStart()));
  return {};
}

OpFoldResult ExpandDimsOp::fold(FoldAdaptor adaptor) { return resplat(adaptor.getSrc(), getType()); }

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  return resplat(adaptor.getSrc(), getType());
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  if (auto inner = getSrc().getDefiningOp<ReshapeOp>(); inner && !inner.getAllowReorder() && !getAllowReorder()) {
    setOperand(inner.getSrc());
    return getResult();
  }
  return resplat(adaptor.getSrc(), getType());
}

OpFoldResult TransOp::fold(FoldAdaptor adaptor) {
  bool identity = true;
  for (auto [i, dim] : llvm::enumerate(getOrder()))
    identity &= int32_t(i) == dim;
  if (identity)
    return getSrc();
  return resplat(adaptor.getSrc(), getType());
}

OpFoldResult AddPtrOp::fold(FoldAdaptor adaptor) {
  if (matchPattern(adaptor.getOffset(), m_Zero()))
    return getPtr();
  return {};
}

OpFoldResult BitcastOp::fold(FoldAdaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  return {};
}
