//===- LowerConversions.cpp - through threadgroup memory what changes its SIMD-group -----------===//
#include "triton_metal/Dialect/TritonMetal/Transforms/Passes.h"

namespace triton_metal::ttm {
#define GEN_PASS_DEF_LOWERCONVERSIONS
#include "triton_metal/Dialect/TritonMetal/Transforms/TritonMetalPasses.h.inc"
} // namespace triton_metal::ttm

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

namespace {

/// Elements between the accesses of neighbouring lanes.
static uint32_t laneStride(const LinearLayout &layout) {
  for (uint32_t basis : layout.getLaneBases())
    if (basis)
      return basis;
  return 0;
}

/// An array for a tensor that is written in one layout and read in another. Rows are padded by 16 bytes where lanes go down a
/// column of them: strides of 16 words and more share banks.
static MemoryType memoryFor(RankedTensorType type, const LinearLayout &written, const LinearLayout &read) {
  MemoryType plain = MemoryType::get(type.getContext(), type.getShape(), type.getElementType(), 0, 0);
  int64_t bytes = plain.getElementBytes(), row = type.getRank() ? type.getShape().back() : 1;
  int64_t stride = std::max(laneStride(written), laneStride(read)) * bytes;
  if (type.getRank() < 2 || row * bytes < 64 || stride < 64)
    return plain;
  return MemoryType::get(type.getContext(), type.getShape(), type.getElementType(), row, std::max<int64_t>(1, 16 / bytes));
}

static AllocOp allocate(OpBuilder &builder, Location loc, MemoryType type, bool stays) {
  auto alloc = AllocOp::create(builder, loc, type, IntegerAttr(), stays ? builder.getUnitAttr() : UnitAttr());
  return alloc;
}

/// Whether shuffles beat the way through memory, which costs an access a register on both sides and a barrier. In slots of issue.
static bool prefersShuffle(const LayoutConversion &conversion) {
  unsigned registers = (1u << conversion.sourceRegisterBits) + (1u << conversion.resultRegisterBits);
  return conversion.getShuffleCost() <= 4 * registers + 40;
}

/// Before the first use of `op`: several writes then come before the reads of what they wrote, and share one barrier.
static void setInsertionPointToFirstUse(OpBuilder &builder, Operation *op) {
  Operation *first = nullptr;
  for (Operation *user : op->getUsers())
    if (Operation *here = op->getBlock()->findAncestorOpInBlock(*user); here && (!first || here->isBeforeInBlock(first)))
      first = here;
  if (first)
    builder.setInsertionPoint(first);
}

static void lowerConversion(ConvertLayoutOp op) {
  LinearLayout from = *getLayout(op.getSrc()), to = *getLayout(op.getResult());
  LayoutConversion conversion = LayoutConversion::get(from, to);
  using Kind = LayoutConversion::Kind;
  if (conversion.kind == Kind::Identity || conversion.kind == Kind::Register ||
      (conversion.kind == Kind::Shuffle && prefersShuffle(conversion)))
    return;
  OpBuilder builder(op);
  // Duplicates in several SIMD-groups have one writer, so that the others must wait for it.
  bool stays = conversion.staysInSimdgroup && !from.getFreeSimdgroupMask();
  auto alloc = allocate(builder, op.getLoc(), memoryFor(op.getSrc().getType(), from, to), stays);
  WriteOp::create(builder, op.getLoc(), op.getSrc(), alloc);
  setInsertionPointToFirstUse(builder, op);
  op.replaceAllUsesWith(ReadOp::create(builder, op.getLoc(), op.getType(), alloc).getResult());
  op.erase();
}

static void lowerGather(tt::GatherOp op) {
  OpBuilder builder(op);
  auto type = cast<RankedTensorType>(op.getSrc().getType());
  MemoryType memory = MemoryType::get(type.getContext(), type.getShape(), type.getElementType(), 0, 0);
  auto alloc = allocate(builder, op.getLoc(), memory, false);
  WriteOp::create(builder, op.getLoc(), op.getSrc(), alloc);
  op.replaceAllUsesWith(
      ReadAtOp::create(builder, op.getLoc(), op.getType(), alloc, op.getIndices(), op.getAxis()).getResult());
  op.erase();
}

/// Only the canonical copy does an atomic: the others learn its result through memory.
static void lowerAtomic(Operation *op) {
  std::optional<LinearLayout> layout = getLayout(op->getResult(0));
  if (!layout || op->use_empty() || !(layout->getFreeLaneMask() | layout->getFreeSimdgroupMask()))
    return;
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  Value result = op->getResult(0);
  auto alloc = allocate(builder, op->getLoc(), memoryFor(cast<RankedTensorType>(result.getType()), *layout, *layout), false);
  auto write = WriteOp::create(builder, op->getLoc(), result, alloc);
  auto read = ReadOp::create(builder, op->getLoc(), result.getType(), alloc);
  result.replaceAllUsesExcept(read, write);
}

struct LowerConversions : public triton_metal::ttm::impl::LowerConversionsBase<LowerConversions> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops)
      TypeSwitch<Operation *>(op)
          .Case([](ConvertLayoutOp convert) { lowerConversion(convert); })
          .Case([](tt::GatherOp gather) { lowerGather(gather); })
          .Case<tt::AtomicRMWOp, tt::AtomicCASOp>([](Operation *atomic) { lowerAtomic(atomic); });
  }
};

} // namespace
