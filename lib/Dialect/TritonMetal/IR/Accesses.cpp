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

unsigned ttm::getWidestVector(Type element) {
  if (isa<tt::PointerType>(element) || element.isInteger(1))
    return 1;
  return element.getIntOrFloatBitWidth() == 64 ? 2 : 4;
}

bool ttm::hasOneOther(tt::LoadOp load) {
  return !load.getOther() || isa_and_nonnull<arith::ConstantOp, tt::SplatOp>(load.getOther().getDefiningOp());
}
