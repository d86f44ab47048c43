//===- Dialect.cpp - registration of the tt dialect -----------------------------===//
#include "triton_metal/Dialect/Triton/IR/Dialect.h"

#include "mlir/Transforms/InliningUtils.h"

using namespace mlir;
using namespace triton_metal::tt;

#include "triton_metal/Dialect/Triton/IR/TritonDialect.cpp.inc"
#include "triton_metal/Dialect/Triton/IR/TritonEnums.cpp.inc"

namespace {

/// Every tt function may be inlined, also a `noinline` one, which no device calls; a return becomes the values that it returns.
struct TritonInliner : public DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Operation *, bool) const final { return true; }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final { return true; }
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }

  void handleTerminator(Operation *op, Block *newDest) const final {
    auto ret = cast<ReturnOp>(op);
    OpBuilder builder(op);
    cf::BranchOp::create(builder, op->getLoc(), newDest, ret.getOperands());
    op->erase();
  }
  void handleTerminator(Operation *op, ValueRange toReplace) const final {
    auto ret = cast<ReturnOp>(op);
    for (auto [from, to] : llvm::zip_equal(toReplace, ret.getOperands()))
      from.replaceAllUsesWith(to);
  }
};

} // namespace

void TritonDialect::initialize() {
  registerTypes();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "triton_metal/Dialect/Triton/IR/TritonOps.cpp.inc"
      >();
  addInterfaces<TritonInliner>();
}

Operation *TritonDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}
