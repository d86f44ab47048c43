//===- BFloatBits.cpp - bfloats are carried as their 16 bits ----------------------------===//
//
// A processor without bfloat instructions has no register for a vector of them: LLVM then takes such a vector apart, element by element,
// wherever it crosses a block or is selected. Floats of 8 bits it does not have at all. All arithmetic on both is done in f32 by now, so
// what is left only moves them, and the same moves on integers are vector instructions everywhere.
//
//===----------------------------------------------------------------------------===//
#include "triton_metal/Conversion/TritonToCPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/AttrTypeSubElements.h"

namespace triton_metal::cpu {
#define GEN_PASS_DEF_BFLOATBITS
#include "triton_metal/Conversion/TritonToCPU/TritonToCPUPasses.h.inc"
} // namespace triton_metal::cpu

using namespace mlir;

namespace {

/// Floats that are carried as integers of this width: bf16, and those of 8 bits, which LLVM does not have at all.
bool isCarried(Type type, unsigned width) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    type = shaped.getElementType();
  return width == 16 ? type.isBF16() : isa<FloatType>(type) && type.getIntOrFloatBitWidth() == width;
}

/// Operations that look at a value's number; all others move it.
bool computes(Operation *op) {
  if (isa<LLVM::AtomicRMWOp, vector::ReductionOp>(op))
    return true;
  return isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op->getDialect()) &&
         !isa<arith::BitcastOp, arith::ConstantOp, arith::SelectOp>(op);
}

struct BFloatBits : triton_metal::cpu::impl::BFloatBitsBase<BFloatBits> {
  void runOnOperation() override {
    carry(16);
    carry(8);
  }

  void carry(unsigned width) {
    auto carried = [width](Type type) { return isCarried(type, width); };
    bool any = false, computed = false;
    getOperation()->walk([&](Operation *op) {
      bool here = llvm::any_of(op->getOperandTypes(), carried) || llvm::any_of(op->getResultTypes(), carried);
      any |= here;
      computed |= here && computes(op);
    });
    if (!any || computed)
      return;
    Type bits = IntegerType::get(&getContext(), width);
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](Type type) { return isa<FloatType>(type) && carried(type) ? std::optional<Type>(bits) : std::nullopt; });
    replacer.addReplacement([&](FloatAttr attr) -> std::optional<Attribute> {
      if (!carried(attr.getType()))
        return std::nullopt;
      return IntegerAttr::get(bits, attr.getValue().bitcastToAPInt());
    });
    replacer.addReplacement([&](DenseElementsAttr attr) -> std::optional<Attribute> {
      if (!carried(attr.getElementType()))
        return std::nullopt;
      return attr.bitcast(bits);
    });
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
    getOperation()->walk([](arith::BitcastOp cast) {
      if (cast.getType() != cast.getIn().getType())
        return;
      cast.replaceAllUsesWith(cast.getIn());
      cast.erase();
    });
  }
};

} // namespace
