//===- LegalizeSimd.cpp - SIMD functions on types that Metal has them for ----------===//
//
// Metal's SIMD functions take no bool, bfloat, long or ulong. A bool travels as `uint`, a bfloat as the bits of a `ushort` when it is
// moved and as a float when it is added or compared, 64 bits as two words.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"

namespace triton_metal::msl {
#define GEN_PASS_DEF_LEGALIZESIMD
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"
} // namespace triton_metal::msl

using namespace mlir;
using namespace triton_metal::msl;

static Value legalize(SimdOp op) {
  ImplicitLocOpBuilder builder(op.getLoc(), op);
  Value value = op.getValue(), lane = op.getLane();
  Type type = value.getType();
  auto again = [&](Value in) -> Value { return SimdOp::create(builder, in.getType(), op.getKind(), in, lane); };
  if (auto pointer = dyn_cast<triton_metal::msl::PointerType>(type)) {
    Value moved = again(PtrToIntOp::create(builder, builder.getI64Type(), value));
    return IntToPtrOp::create(builder, pointer, moved);
  }
  if (type.isInteger(1) && op.getKind() != SimdKind::Any && op.getKind() != SimdKind::All) {
    Value moved = again(arith::ExtUIOp::create(builder, builder.getI32Type(), value));
    return arith::TruncIOp::create(builder, type, moved);
  }
  if (type.isBF16() && lane) {
    Value moved = again(arith::BitcastOp::create(builder, builder.getI16Type(), value));
    return arith::BitcastOp::create(builder, type, moved);
  }
  if (type.isBF16()) {
    Value result = again(arith::ExtFOp::create(builder, builder.getF32Type(), value));
    return arith::TruncFOp::create(builder, type, result);
  }
  if (!type.isInteger(64) || !lane)
    return {};
  StringRef name;
  switch (op.getKind()) {
  case SimdKind::Shuffle:
    name = "shuffle_64";
    break;
  case SimdKind::ShuffleXor:
    name = "shuffle_xor_64";
    break;
  case SimdKind::ShuffleUp:
    name = "shuffle_up_64";
    break;
  case SimdKind::ShuffleDown:
    name = "shuffle_down_64";
    break;
  default:
    return {};
  }
  Value narrow = arith::TruncIOp::create(builder, builder.getI16Type(), lane);
  return CallOp::create(builder, type, name, ValueRange{value, narrow}).getResult();
}

namespace {
struct LegalizeSimd : public triton_metal::msl::impl::LegalizeSimdBase<LegalizeSimd> {
  void runOnOperation() override {
    SmallVector<SimdOp> worklist;
    getOperation().walk([&](SimdOp op) { worklist.push_back(op); });
    while (!worklist.empty()) {
      SimdOp op = worklist.pop_back_val();
      Operation *previous = op->getPrevNode();
      Value result = legalize(op);
      if (!result)
        continue;
      // A pointer becomes a 64-bit number first, and that two words.
      for (Operation *made = previous ? previous->getNextNode() : &op->getBlock()->front(); made != op; made = made->getNextNode())
        if (auto simd = dyn_cast<SimdOp>(made))
          worklist.push_back(simd);
      op.getResult().replaceAllUsesWith(result);
      op->erase();
    }
  }
};
} // namespace
