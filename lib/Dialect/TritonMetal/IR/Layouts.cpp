//===- Layouts.cpp - layouts of the operands and results of operations ---------------===//
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

LayoutAttr ttm::getLayoutAttr(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<LayoutAttr>(tensor.getEncoding()) : LayoutAttr();
}

std::optional<LinearLayout> ttm::getLayout(Type type) {
  LayoutAttr attribute = getLayoutAttr(type);
  return attribute ? std::optional<LinearLayout>(attribute.getLayout()) : std::nullopt;
}

RankedTensorType ttm::withLayout(Type type, const LinearLayout &layout) {
  auto tensor = cast<RankedTensorType>(type);
  return RankedTensorType::get(tensor.getShape(), tensor.getElementType(), LayoutAttr::get(type.getContext(), layout));
}

bool ttm::isMatrixFragment(const LinearLayout &layout) {
  if (layout.getRank() < 2)
    return false;
  // Lane bits 0 and 3 are in columns, 1, 2 and 4 in rows.
  uint32_t columns = uint32_t(layout.getShape().back() - 1);
  ArrayRef<uint32_t> lanes = layout.getLaneBases();
  return (lanes[0] & columns) && (lanes[3] & columns) && (lanes[1] & ~columns) && (lanes[2] & ~columns) && (lanes[4] & ~columns);
}

unsigned ttm::getNumSimdgroups(Operation *op) {
  auto module = isa<ModuleOp>(op) ? cast<ModuleOp>(op) : op->getParentOfType<ModuleOp>();
  auto attribute = module ? module->getAttrOfType<IntegerAttr>(kNumSimdgroups) : IntegerAttr();
  return attribute ? attribute.getInt() : 4;
}

bool ttm::isElementwise(Operation *op) {
  return op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() >= 1 && isa<RankedTensorType>(op->getResult(0).getType());
}

std::optional<LinearLayout> ttm::inferResultLayout(Operation *op, const LinearLayout &operand) {
  return TypeSwitch<Operation *, std::optional<LinearLayout>>(op)
      .Case([&](tt::ExpandDimsOp expand) { return operand.expandDims(expand.getAxis()); })
      .Case([&](tt::ReshapeOp reshape) { return operand.reshape(tt::getShapeOf(reshape.getType())); })
      .Case([&](tt::TransOp trans) { return operand.trans(trans.getOrder()); })
      .Case([&](tt::JoinOp) { return operand.join(); })
      .Case([&](tt::SplitOp) { return operand.split(); })
      .Case([&](tt::ReduceOp reduce) { return operand.slice(reduce.getAxis()); })
      .Case([&](tt::ScanOp) { return operand; })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<LinearLayout> ttm::inferOperandLayout(Operation *op, unsigned index, const LinearLayout &result) {
  auto shapeOfOperand = [&] { return tt::getShapeOf(op->getOperand(index).getType()); };
  return TypeSwitch<Operation *, std::optional<LinearLayout>>(op)
      .Case<tt::ExpandDimsOp, tt::ReshapeOp>([&](Operation *) { return result.reshape(shapeOfOperand()); })
      .Case([&](tt::BroadcastOp) { return result.project(shapeOfOperand()); })
      .Case([&](tt::TransOp trans) {
        SmallVector<int32_t> inverse(trans.getOrder().size());
        for (auto [i, dim] : llvm::enumerate(trans.getOrder()))
          inverse[dim] = i;
        return result.trans(inverse);
      })
      .Case([&](tt::JoinOp) { return result.split(); })
      .Case([&](tt::SplitOp) { return result.join(); })
      .Case([&](tt::ScanOp) { return result; })
      .Default([&](Operation *op) { return isElementwise(op) ? std::optional<LinearLayout>(result) : std::nullopt; });
}
