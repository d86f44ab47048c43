//===- VerifyPrintable.cpp - refuses what has no defined text -----------------------===//
//
// A complaint here is a fault of the compiler, except for what the device lacks: that is refused with its reason before, where the
// operation is converted. Limits of the device are checked here, because only the whole kernel knows them.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"
#include "triton_metal/Support/Chips.h"
#include "triton_metal/Support/Unsupported.h"
#include "triton_metal/Target/MSL/Print.h"

namespace triton_metal::msl {
#define GEN_PASS_DEF_VERIFYPRINTABLE
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"
} // namespace triton_metal::msl

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::msl;

static bool isPrintableType(Type type) {
  return llvm::TypeSwitch<Type, bool>(type)
      .Case([](triton_metal::msl::PointerType pointer) { return isPrintableType(pointer.getPointee()); })
      .Case([](ArrayType array) { return isPrintableType(array.getElement()); })
      .Case([](MatrixType) { return true; })
      .Case([](VectorType vector) {
        return vector.getRank() == 1 && (vector.getNumElements() == 2 || vector.getNumElements() == 4) &&
               !vector.getElementType().isInteger(1) && isPrintableType(vector.getElementType());
      })
      .Case([](IntegerType integer) { return integer.isSignless() && llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth()); })
      .Case<Float16Type, BFloat16Type, Float32Type>([](auto) { return true; })
      .Default(false);
}

static bool isDefinedShift(Operation *op) {
  APInt amount;
  unsigned width = op->getOperand(0).getType().getIntOrFloatBitWidth();
  if (matchPattern(op->getOperand(1), m_ConstantInt(&amount)))
    return amount.ult(width);
  auto mask = op->getOperand(1).getDefiningOp<arith::AndIOp>();
  return mask && matchPattern(mask.getRhs(), m_ConstantInt(&amount)) && amount.ult(width);
}

static bool isDefinedDivision(Operation *op) {
  APInt divisor;
  return matchPattern(op->getOperand(1), m_ConstantInt(&divisor)) && !divisor.isZero() &&
         (!isa<arith::DivSIOp>(op) || !divisor.isAllOnes()) && divisor.getBitWidth() >= 32;
}

/// Why `op` has no text, or nothing.
static StringRef complaint(Operation *op) {
  bool logical = op->getNumOperands() && op->getOperand(0).getType().isInteger(1);
  bool brief = op->getNumResults() && op->getResult(0).getType().isBF16();
  StringRef fine, untold = "has no text in Metal";
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case<KernelOp, BuiltinOp, VarOp, ThreadgroupArrayOp, ElementOp, FragmentOp, LoadOp, StoreOp, PtrAddOp, PtrCastOp,
            PtrToIntOp, IntToPtrOp, PoolOp, SplatOp, ForOp, IfOp, LoopOp, BreakUnlessOp, msl::ReturnOp, BarrierOp,
            MatrixMultiplyOp, AtomicOp, arith::ConstantOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::SelectOp,
            arith::ExtUIOp, arith::ExtFOp, arith::TruncFOp, arith::BitcastOp>([&](auto) { return fine; })
      .Case<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::CmpIOp, arith::ExtSIOp, arith::MaxUIOp, arith::MinUIOp,
            arith::MaxSIOp, arith::MinSIOp>([&](auto) { return logical ? "on i1 is logic, see msl-legalize-integers" : fine; })
      .Case<arith::TruncIOp>([&](auto) {
        return op->getResult(0).getType().isInteger(1) ? "to i1 is a comparison, see msl-legalize-integers" : fine;
      })
      .Case<arith::ShLIOp, arith::ShRUIOp, arith::ShRSIOp>(
          [&](auto) { return isDefinedShift(op) ? fine : "by an unknown amount is undefined, see msl-legalize-integers"; })
      .Case<arith::DivSIOp, arith::DivUIOp, arith::RemUIOp>(
          [&](auto) { return isDefinedDivision(op) ? fine : "by an unknown divisor is undefined, see msl-legalize-integers"; })
      .Case<arith::SIToFPOp, arith::UIToFPOp>([&](auto) {
        bool direct = op->getResult(0).getType().isF32() || (logical && isa<arith::UIToFPOp>(op) && !brief);
        return direct && !(logical && isa<arith::SIToFPOp>(op)) ? fine : "to a 16-bit type goes through f32, see msl-legalize-floats";
      })
      .Case<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp, arith::RemFOp, arith::MinNumFOp,
            arith::MaxNumFOp, math::ExpOp, math::Exp2Op, math::LogOp, math::Log2Op, math::Log10Op, math::SinOp, math::CosOp,
            math::TanOp, math::TanhOp, math::AsinOp, math::AcosOp, math::AtanOp, math::Atan2Op, math::PowFOp, math::SqrtOp,
            math::RsqrtOp, math::FloorOp, math::CeilOp, math::TruncOp, math::RoundOp, math::RoundEvenOp, math::AbsFOp,
            math::CopySignOp, math::FmaOp>([&](auto) { return brief ? "on bf16 is done in f32, see msl-legalize-floats" : fine; })
      .Case([&](arith::CmpFOp compare) {
        using P = arith::CmpFPredicate;
        if (compare.getLhs().getType().isBF16())
          return StringRef("on bf16 is done in f32, see msl-legalize-floats");
        return llvm::is_contained({P::OEQ, P::UNE, P::OLT, P::OLE, P::OGT, P::OGE}, compare.getPredicate())
                   ? fine
                   : StringRef("of this kind has no operator, see msl-legalize-floats");
      })
      .Case([&](SimdOp simd) {
        Type type = simd.getValue().getType();
        bool votes = simd.getKind() == SimdKind::Any || simd.getKind() == SimdKind::All;
        bool known = votes ? type.isInteger(1)
                           : type.isF32() || type.isF16() || type.isInteger(8) || type.isInteger(16) || type.isInteger(32);
        return known ? fine : StringRef("has no overload for this type, see msl-legalize-simd");
      })
      .Case([&](CallOp call) {
        return preludeFunction(call.getCallee()).empty() ? StringRef("calls no function of the prelude") : fine;
      })
      .Default(untold);
}

/// Operations of which the printer needs the name, whatever else happens to them.
/// Whether the text of `op`, which has no variable, might be executed under a condition or more than once.
static bool standsConditionally(Operation *op) {
  if (!op->hasOneUse())
    return !op->use_empty();
  Operation *user = *op->user_begin();
  if (user->getBlock() != op->getBlock() || user->getNumRegions() || isa<arith::SelectOp, LoadOp, CallOp>(user))
    return true;
  if (auto store = dyn_cast<StoreOp>(user))
    return bool(store.getMask());
  bool isLogic = isa<arith::AndIOp, arith::OrIOp>(user) && user->getResult(0).getType().isInteger(1);
  return isLogic || (user->getNumResults() == 1 && !user->hasAttr(kNameAttr) && standsConditionally(user));
}

static bool needsName(Operation *op) { return isa<VarOp, ThreadgroupArrayOp, ForOp>(op) || (isa<SimdOp>(op) && standsConditionally(op)); }

namespace {
struct VerifyPrintable : public triton_metal::msl::impl::VerifyPrintableBase<VerifyPrintable> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    if (kernel.getThreads() > kMaxThreads)
      return fail(emitOutOfResources(kernel, "threads", kernel.getThreads(), kMaxThreads,
                                     "launch with num_warps of at most " + Twine(kMaxThreads / kSimdWidth)));
    if (int64_t bytes = kernel.getThreadgroupBytes(); bytes > kMaxThreadgroupBytes)
      return fail(emitOutOfResources(kernel, "threadgroup memory", bytes, kMaxThreadgroupBytes, "use smaller blocks"));
    for (unsigned index = 0; index < kernel.getNumArguments(); ++index)
      if (!kernel.getArgAttrOfType<StringAttr>(index, kNameAttr))
        return fail(kernel.emitOpError() << "has no name for argument " << index);
    WalkResult result = kernel.walk([&](Operation *op) {
      if (StringRef why = complaint(op); !why.empty())
        return WalkResult(op->emitOpError(why));
      for (Type type : op->getResultTypes())
        if (!isPrintableType(type))
          return WalkResult(op->emitOpError() << "has a result of type " << type << ", which Metal lacks");
      if (needsName(op) && !op->getAttrOfType<StringAttr>(kNameAttr))
        return WalkResult(op->emitOpError("has no name, see msl-form-statements"));
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
  void fail(LogicalResult) { signalPassFailure(); }
};
} // namespace
