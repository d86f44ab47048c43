//===- LoopUnroll.cpp - unrolls loops by tt.loop_unroll_factor ---------------------------===//
//
// `tl.range(..., loop_unroll_factor=n)` asks for it. The loop that is left for the last iterations keeps no request.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"

#include "mlir/Dialect/SCF/Utils/Utils.h"

namespace triton_metal::tt {
#define GEN_PASS_DEF_LOOPUNROLL
#include "triton_metal/Dialect/Triton/Transforms/TritonPasses.h.inc"
} // namespace triton_metal::tt

using namespace mlir;

namespace {

constexpr llvm::StringLiteral kFactor = "tt.loop_unroll_factor";

/// Whether a loop is known to have no iteration, which MLIR's function does not expect.
bool isEmpty(scf::ForOp loop) {
  std::optional<int64_t> first = getConstantIntValue(loop.getLowerBound()), end = getConstantIntValue(loop.getUpperBound());
  return loop.getLowerBound() == loop.getUpperBound() || (first && end && *first >= *end);
}

void clampEnd(scf::ForOp loop) {
  OpBuilder builder(loop);
  Value first = loop.getLowerBound(), end = loop.getUpperBound();
  loop.setUpperBound(loop.getUnsignedCmp() ? arith::MaxUIOp::create(builder, loop.getLoc(), first, end).getResult()
                                           : arith::MaxSIOp::create(builder, loop.getLoc(), first, end).getResult());
}

struct LoopUnroll : public triton_metal::tt::impl::LoopUnrollBase<LoopUnroll> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops; // inner ones first
    getOperation()->walk([&](scf::ForOp loop) {
      if (loop->hasAttr(kFactor))
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops) {
      auto factor = loop->getAttrOfType<IntegerAttr>(kFactor);
      loop->removeAttr(kFactor);
      if (!factor || factor.getInt() <= 1 || isEmpty(loop))
        continue;
      // MLIR's function asserts that a constant step is positive, and takes it that the end is not before the beginning.
      std::optional<int64_t> step = getConstantIntValue(loop.getStep());
      if (!getConstantIntValue(loop.getLowerBound()) || !getConstantIntValue(loop.getUpperBound()))
        clampEnd(loop);
      if ((step && *step <= 0) || failed(loopUnrollByFactor(loop, uint64_t(factor.getInt())))) {
        loop.emitError("cannot be unrolled by ") << factor.getInt();
        return signalPassFailure();
      }
    }
  }
};

} // namespace
