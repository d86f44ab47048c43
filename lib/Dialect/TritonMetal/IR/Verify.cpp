//===- Verify.cpp - the contract of distributed modules -------------------------------===//
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

/// All tensors among `types` have one layout.
static LogicalResult verifyEqual(Operation *op, TypeRange types) {
  Type first;
  for (Type type : types) {
    if (!isa<RankedTensorType>(type))
      continue;
    if (!first)
      first = type;
    else if (getLayoutAttr(first) != getLayoutAttr(type))
      return op->emitOpError("needs one layout on its tensors, got ") << first << " and " << type;
  }
  return success();
}

static LogicalResult verifyDot(tt::DotOp dot) {
  auto kind = dot->getAttrOfType<StringAttr>(kDotKind);
  if (!kind || (kind.getValue() != "simdgroup_matrix" && kind.getValue() != "scalar"))
    return dot.emitOpError("must say its ") << kDotKind << ": \"simdgroup_matrix\" or \"scalar\"";
  if (getLayoutAttr(dot.getC().getType()) != getLayoutAttr(dot.getType()))
    return dot.emitOpError("needs one layout on accumulator and result");
  return success();
}

static LogicalResult verifyOp(Operation *op) {
  for (Type type : op->getOperandTypes())
    if (isa<RankedTensorType>(type) && !getLayoutAttr(type))
      return op->emitOpError("has an operand without a layout: ") << type;
  for (Type type : op->getResultTypes())
    if (isa<RankedTensorType>(type) && !getLayoutAttr(type))
      return op->emitOpError("has a result without a layout: ") << type;
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  if (isElementwise(op) || isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp, tt::ScanOp>(op))
    return verifyEqual(op, types);
  if (auto dot = dyn_cast<tt::DotOp>(op))
    return verifyDot(dot);
  if (auto broadcast = dyn_cast<tt::BroadcastOp>(op)) {
    if (getLayout(broadcast.getType())->project(tt::getShapeOf(broadcast.getSrc().getType())) != getLayout(broadcast.getSrc()))
      return op->emitOpError("needs an operand whose layout is the result's, projected: ") << broadcast.getSrc().getType();
    return success();
  }
  if (isa<tt::ExpandDimsOp, tt::ReshapeOp, tt::TransOp, tt::JoinOp, tt::SplitOp, tt::ReduceOp>(op)) {
    std::optional<LinearLayout> expected = inferResultLayout(op, *getLayout(op->getOperand(0)));
    if (!expected)
      return op->emitOpError("cannot be done on this layout: ") << op->getOperand(0).getType();
    for (Type type : op->getResultTypes())
      if (isa<RankedTensorType>(type) && getLayout(type) != expected)
        return op->emitOpError("needs a result layout of <") << expected->str() << ">, got " << type;
    if (failed(verifyEqual(op, op->getOperandTypes())))
      return failure();
  }
  if (auto reduce = dyn_cast<tt::ReduceOp>(op))
    for (uint32_t basis : getLayoutAttr(reduce.getSrcs()[0].getType()).getSimdgroups())
      if (getLayout(reduce.getSrcs()[0])->getCoordinate(basis, reduce.getAxis()))
        return op->emitOpError("has its axis in SIMD-groups");
  return success();
}

LogicalResult ttm::verifyLayouts(Operation *root) {
  WalkResult result = root->walk([](Operation *op) { return failed(verifyOp(op)) ? WalkResult::interrupt() : WalkResult::advance(); });
  return failure(result.wasInterrupted());
}
