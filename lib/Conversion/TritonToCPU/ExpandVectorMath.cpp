//===- ExpandVectorMath.cpp - math operations become inlined arithmetic ---------===//
#include "VectorMathBuilder.h"

#include "triton_metal/Conversion/TritonToCPU/VectorMath.h"
#include "triton_metal/Support/Unsupported.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace triton_metal::cpu {

#define GEN_PASS_DEF_EXPANDVECTORMATH
#include "triton_metal/Conversion/TritonToCPU/VectorMathPasses.h.inc"

Value expandMathOp(OpBuilder &builder, Operation *op) {
  if (op->getNumResults() != 1)
    return {};
  Type type = op->getResult(0).getType();
  Type element = getElementTypeOrSelf(type);
  if (!element.isF32() && !element.isF64())
    return {};
  MathBuilder m(builder, op->getLoc(), type);
  auto unary = [&](Value (*emit)(const MathBuilder &, Value)) { return emit(m, op->getOperand(0)); };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) { return unary(emitExp); })
      .Case([&](math::Exp2Op) { return unary(emitExp2); })
      .Case([&](math::ExpM1Op) { return unary(emitExpm1); })
      .Case([&](math::LogOp) { return unary(emitLog); })
      .Case([&](math::Log2Op) { return unary(emitLog2); })
      .Case([&](math::Log10Op) { return unary(emitLog10); })
      .Case([&](math::Log1pOp) { return unary(emitLog1p); })
      .Case([&](math::SinOp) { return unary(emitSin); })
      .Case([&](math::CosOp) { return unary(emitCos); })
      .Case([&](math::TanOp) { return unary(emitTan); })
      .Case([&](math::AtanOp) { return unary(emitAtan); })
      .Case([&](math::AsinOp) { return unary(emitAsin); })
      .Case([&](math::AcosOp) { return unary(emitAcos); })
      .Case([&](math::SinhOp) { return unary(emitSinh); })
      .Case([&](math::CoshOp) { return unary(emitCosh); })
      .Case([&](math::TanhOp) { return unary(emitTanh); })
      .Case([&](math::ErfOp) { return unary(emitErf); })
      .Case([&](math::RsqrtOp) { return unary(emitRsqrt); })
      .Case([&](math::PowFOp pow) { return emitPow(m, pow.getLhs(), pow.getRhs()); })
      .Case([&](math::Atan2Op atan2) { return emitAtan2(m, atan2.getLhs(), atan2.getRhs()); })
      .Default(Value());
}

namespace {

/// What the backend turns into an instruction or a short sequence by itself.
bool isNative(Operation *op) {
  return isa<math::SqrtOp, math::AbsFOp, math::AbsIOp, math::FloorOp, math::CeilOp, math::TruncOp, math::RoundEvenOp, math::FmaOp,
             math::CopySignOp, math::CtPopOp, math::CountLeadingZerosOp, math::CountTrailingZerosOp, math::IsNaNOp,
             math::IsInfOp, math::IsFiniteOp, math::IsNormalOp>(op);
}

struct ExpandVectorMath : impl::ExpandVectorMathBase<ExpandVectorMath> {
  void runOnOperation() override {
    SmallVector<Operation *> operations;
    getOperation()->walk([&](Operation *op) {
      if (isa_and_nonnull<math::MathDialect>(op->getDialect()) && !isNative(op))
        operations.push_back(op);
    });
    for (Operation *op : operations) {
      OpBuilder builder(op);
      if (Value expanded = expandMathOp(builder, op)) {
        op->getResult(0).replaceAllUsesWith(expanded);
        op->erase();
        continue;
      }
      (void)emitUnsupported(op, "cpu", "there is no vector implementation for operands of this type",
                            "compute in float32 or float64");
      return signalPassFailure();
    }
  }
};

} // namespace
} // namespace triton_metal::cpu
