//===- Facts.cpp - what is known of a kernel without running it --------------------===//
#include "triton_metal/Target/MSL/Print.h"

using namespace mlir;
using namespace triton_metal::msl;

namespace {

/// Adds up a block; statements of an inner block count once for each run of it.
struct Counter {
  KernelFacts facts;
  uint64_t bytes = 0, operations = 0; ///< of one lane
  bool countable = true;              ///< no device access or arithmetic in a loop of unknown length

  void visit(Block &block, uint64_t runs, bool known);
  void visit(Operation &op, uint64_t runs, bool known);
};

} // namespace

/// 32-bit registers that a variable of `type` takes of a lane.
static uint32_t registersOf(Type type) {
  if (auto array = dyn_cast<ArrayType>(type))
    return array.getSize() * registersOf(array.getElement());
  if (auto matrix = dyn_cast<MatrixType>(type))
    return 2 * registersOf(matrix.getElement());
  return llvm::divideCeil(byteSize(type), 4);
}

/// Registers of the variables of `block` and of the one inner block that has most of them.
static uint32_t registersOf(Block &block) {
  uint32_t own = 0, inner = 0;
  for (Operation &op : block) {
    if (auto variable = dyn_cast<VarOp>(op))
      own += registersOf(cast<PointerType>(variable.getResult().getType()).getPointee());
    else if (op.getNumResults() == 1 && op.hasAttr(kNameAttr))
      own += registersOf(op.getResult(0).getType());
    for (Region &region : op.getRegions())
      for (Block &nested : region)
        inner = std::max(inner, registersOf(nested));
  }
  return own + inner;
}

static std::optional<uint64_t> tripCount(ForOp loop) {
  APInt lower, upper, step;
  if (!matchPattern(loop.getLower(), m_ConstantInt(&lower)) || !matchPattern(loop.getUpper(), m_ConstantInt(&upper)) ||
      !matchPattern(loop.getStep(), m_ConstantInt(&step)) || !step.isStrictlyPositive())
    return std::nullopt;
  return lower.sge(upper) ? 0 : llvm::divideCeil((upper - lower).getZExtValue(), step.getZExtValue());
}

static bool onDevice(Value pointer) { return cast<PointerType>(pointer.getType()).getSpace() == AddressSpace::Device; }

void Counter::visit(Operation &op, uint64_t runs, bool known) {
  auto moves = [&](uint64_t size) {
    bytes += size * runs;
    countable &= known;
  };
  if (auto load = dyn_cast<LoadOp>(op); load && onDevice(load.getPtr())) {
    facts.deviceLoads += runs;
    moves(byteSize(load.getResult().getType()));
  } else if (auto store = dyn_cast<StoreOp>(op); store && onDevice(store.getPtr())) {
    facts.deviceStores += runs;
    moves(byteSize(store.getValue().getType()));
  } else if (auto atomic = dyn_cast<AtomicOp>(op)) {
    facts.atomics += runs;
    if (onDevice(atomic.getPtr()))
      moves(8);
  } else if (auto call = dyn_cast<CallOp>(op); call && call.getCallee().starts_with("shared_atomic_")) {
    facts.atomics += runs;
  } else if (call && call.getCallee().starts_with("atomic_")) {
    facts.atomics += runs;
    moves(8);
  } else if (call && call.getCallee() == "append_record") {
    facts.atomics += runs;
    facts.deviceStores += 8 * runs;
    moves(8 + 4 * 8);
  } else if (isa<SimdOp>(op)) {
    facts.simdOperations += runs;
  } else if (auto barrier = dyn_cast<BarrierOp>(op)) {
    bool wide = barrier.getScope() == BarrierScope::Threadgroup || barrier.getScope() == BarrierScope::ThreadgroupAndDevice;
    facts.barriers += wide ? runs : 0;
  } else if (isa<MatrixMultiplyOp>(op)) {
    facts.matrixOperations += runs;
    operations += runs * 2 * 512 / 32; // the 512 products are shared by 32 lanes
    countable &= known;
  } else if (op.getNumResults() == 1 && isa<FloatType>(op.getResult(0).getType()) && op.getNumOperands() &&
             llvm::all_of(op.getOperandTypes(), llvm::IsaPred<FloatType>) && !isa<arith::ExtFOp, arith::TruncFOp>(op)) {
    operations += runs * (isa<math::FmaOp>(op) ? 2 : 1);
    countable &= known;
  }
  if (auto loop = dyn_cast<ForOp>(op)) {
    std::optional<uint64_t> trips = tripCount(loop);
    return visit(loop.getBody().front(), runs * trips.value_or(1), known && trips);
  }
  for (Region &region : op.getRegions())
    for (Block &block : region)
      visit(block, runs, known && !isa<LoopOp>(op));
}

void Counter::visit(Block &block, uint64_t runs, bool known) {
  for (Operation &op : block)
    visit(op, runs, known);
}

KernelFacts triton_metal::msl::computeFacts(KernelOp kernel) {
  Counter counter;
  counter.visit(kernel.getBodyBlock(), 1, true);
  KernelFacts facts = counter.facts;
  facts.threads = kernel.getThreads();
  facts.poolBytes = kernel.getPool();
  facts.threadgroupBytes = uint32_t(kernel.getThreadgroupBytes());
  for (auto array : kernel.getBodyBlock().getOps<ThreadgroupArrayOp>()) {
    auto type = array->getAttrOfType<StringAttr>(kSourceTypeAttr);
    facts.sharedArrays.push_back(
        {array->getAttrOfType<StringAttr>(kNameAttr).str(), type ? type.str() : "", uint32_t(array.getAllocatedBytes())});
  }
  facts.estimatedRegisters = registersOf(kernel.getBodyBlock());
  if (counter.countable) {
    facts.bytesPerProgram = counter.bytes * facts.threads;
    facts.operationsPerProgram = counter.operations * facts.threads;
  }
  return facts;
}
