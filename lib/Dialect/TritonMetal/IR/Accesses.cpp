//===- Accesses.cpp - how loads and stores of device memory are done -----------------===//
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

unsigned ttm::getVectorAttribute(Operation *op, StringRef name) {
  auto attribute = op->getAttrOfType<IntegerAttr>(name);
  return attribute ? attribute.getInt() : 1;
}

unsigned ttm::getAccessVector(Operation *access) {
  if (!isa<tt::LoadOp, tt::StoreOp>(access))
    return 1;
  Type element = tt::getElementOf(tt::getPointeeLike(access->getOperand(0).getType()));
  return std::min(getVectorAttribute(access, kVector), getWidestVector(element));
}

SmallVector<std::pair<LinearLayout, unsigned>> ttm::longestVectors(Operation *kernel) {
  SmallVector<std::pair<LinearLayout, unsigned>> list;
  kernel->walk([&](Operation *op) {
    unsigned vector = getAccessVector(op);
    if (vector == 1)
      return;
    LinearLayout layout = *getLayout(op->getOperand(0));
    for (auto &[known, longest] : list)
      if (known == layout) {
        longest = std::max(longest, vector);
        return;
      }
    list.push_back({layout, vector});
  });
  return list;
}

unsigned ttm::getWidestVector(Type element) {
  if (isa<tt::PointerType>(element) || element.isInteger(1))
    return 1;
  return element.getIntOrFloatBitWidth() == 64 ? 2 : 4;
}

bool ttm::hasOneOther(tt::LoadOp load) {
  return !load.getOther() || isa_and_nonnull<arith::ConstantOp, tt::SplatOp>(load.getOther().getDefiningOp());
}
