//===- Expressions.cpp - what tensor expressions cost and read -------------------------===//
//
// Decides which values are kept in buffers. The measure is rough on purpose: loads from contiguous memory and simple arithmetic are done
// again, functions and scattered loads are not.
//
//===----------------------------------------------------------------------------===//
#include "Elementwise.h"
#include "Program.h"
#include "triton_metal/Conversion/TritonToCPU/Passes.h"

using namespace mlir;

namespace triton_metal::cpu {

/// From this cost on a value that a later nest wants is kept.
static constexpr unsigned kDear = 8;
/// From this cost on a value from outside is kept before a loop.
static constexpr unsigned kDearInLoop = 4;
static constexpr unsigned kMost = 1u << 20;

Value pointerRoot(Value pointers) {
  while (Operation *op = pointers.getDefiningOp()) {
    if (isa<tt::SharedMemoryOp>(op))
      return pointers;
    if (isa<tt::AddPtrOp, tt::SplatOp, tt::BroadcastOp, tt::ExpandDimsOp, tt::ReshapeOp, tt::TransOp>(op))
      pointers = op->getOperand(0);
    else
      return {};
  }
  // What a loop carries may come from anywhere.
  auto argument = dyn_cast<BlockArgument>(pointers);
  bool isParameter = argument && argument.getOwner()->isEntryBlock() && isa<tt::FuncOp>(argument.getOwner()->getParentOp());
  return isParameter ? pointers : Value();
}

static bool sharesMemory(Value root) {
  auto argument = dyn_cast<BlockArgument>(root); // else a shared array, whose memory is its own
  return argument && bool(cast<tt::FuncOp>(argument.getOwner()->getParentOp()).getArgAttr(argument.getArgNumber(), kOverlaps));
}

bool mayOverlap(Value pointers, Value others) {
  if (tt::isSharedPointer(pointers.getType()) != tt::isSharedPointer(others.getType()))
    return false;
  Value a = pointerRoot(pointers), b = pointerRoot(others);
  return !a || !b || a == b || (sharesMemory(a) && sharesMemory(b));
}

bool Program::mayOverlap(tt::StoreOp store, tt::LoadOp load) {
  if (store.getPtr() == load.getPtr())
    return false; // element by element the same place
  return cpu::mayOverlap(store.getPtr(), load.getPtr());
}

/// Whether a load is done where it stands. Checked code compares the times of accesses to shared arrays.
bool Program::isEager(tt::LoadOp load) const {
  return load.getIsVolatile() || (options.checked && tt::isSharedPointer(load.getPtr().getType()));
}

bool Program::isLazy(Operation *op) const {
  if (op->getNumRegions() != 0 || op->getNumResults() == 0)
    return false;
  if (!llvm::all_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>))
    return false;
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return !isEager(load);
  return isa<arith::ConstantOp, ub::PoisonOp, tt::SplatOp, tt::MakeRangeOp, tt::ExpandDimsOp, tt::BroadcastOp, tt::ReshapeOp,
             tt::TransOp, tt::JoinOp, tt::SplitOp, tt::GatherOp, tt::AddPtrOp>(op) ||
         isElementwise(op);
}

unsigned Program::cost(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<RankedTensorType>(value.getType()) || buffers.contains(value))
    return isa<RankedTensorType>(value.getType()) ? 1 : 0;
  auto it = costs.find(value);
  if (it != costs.end())
    return it->second;
  auto type = cast<RankedTensorType>(value.getType());
  unsigned own = TypeSwitch<Operation *, unsigned>(op)
                     .Case<arith::ConstantOp, ub::PoisonOp, tt::SplatOp, tt::MakeRangeOp, tt::ExpandDimsOp, tt::BroadcastOp>(
                         [](auto) { return 0; })
                     .Case<tt::LoadOp>([&](tt::LoadOp load) { return readsMemory(load.getPtr()) ? kDear : 2u; })
                     .Case<tt::GatherOp>([](auto) { return kDear; })
                     .Case<tt::TransOp, tt::JoinOp, tt::SplitOp>([](auto) { return 2; })
                     .Case<arith::DivFOp, tt::PreciseDivFOp, tt::PreciseSqrtOp, math::SqrtOp, math::RsqrtOp>([](auto) { return 6; })
                     .Case<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::RemFOp>([](auto) { return 10; })
                     .Case<math::AbsFOp, math::FloorOp, math::CeilOp, math::FmaOp, math::AbsIOp>([](auto) { return 1; })
                     .Default([&](Operation *) -> unsigned { return op->getName().getDialectNamespace() == "math" ? 16 : 1; });
  if (isa<Float16Type, BFloat16Type>(type.getElementType()) && isElementwise(op) && !isa<arith::SelectOp>(op))
    own += 3;
  unsigned total = own;
  if (isLazy(op))
    for (Value operand : op->getOperands())
      if (isa<RankedTensorType>(operand.getType()))
        total = std::min(kMost, total + cost(operand));
  costs[value] = total;
  return total;
}

bool Program::readsMemory(Value value) {
  SmallVector<Value> stack{value};
  DenseSet<Value> visited;
  while (!stack.empty()) {
    Value current = stack.pop_back_val();
    Operation *op = current.getDefiningOp();
    if (!op || !visited.insert(current).second || !isa<RankedTensorType>(current.getType()) || buffers.contains(current))
      continue;
    if (isa<tt::LoadOp>(op))
      return true;
    if (isLazy(op))
      llvm::append_range(stack, op->getOperands());
  }
  return false;
}

/// The source of a broadcast that is dear to compute, or a masked load, is kept: it would be done again for every repetition.
void Program::keepBroadcast(Value value, DenseSet<Value> &visited, SmallVectorImpl<Value> &wanted) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<RankedTensorType>(value.getType()) || buffers.contains(value) || !visited.insert(value).second || !isLazy(op))
    return;
  if (auto gather = dyn_cast<tt::GatherOp>(op)) {
    keepBroadcast(gather.getIndices(), visited, wanted);
    if (!buffers.contains(gather.getSrc()) && !isa_and_nonnull<arith::ConstantOp, tt::SplatOp>(gather.getSrc().getDefiningOp()))
      wanted.push_back(gather.getSrc());
    return;
  }
  for (Value operand : op->getOperands())
    keepBroadcast(operand, visited, wanted);
  if (!isa<tt::BroadcastOp>(op))
    return;
  Value source = op->getOperand(0);
  while (auto shape = source.getDefiningOp()) {
    if (!isa<tt::ExpandDimsOp, tt::ReshapeOp, tt::BroadcastOp>(shape) || buffers.contains(source))
      break;
    source = shape->getOperand(0);
  }
  Operation *from = source.getDefiningOp();
  if (!from || buffers.contains(source) || !isLazy(from) || isa<tt::SplatOp>(from))
    return;
  auto type = cast<RankedTensorType>(source.getType());
  if (type.getNumElements() == 1)
    return;
  auto load = dyn_cast<tt::LoadOp>(from);
  if (cost(source) >= kDear || (load && load.getMask()))
    wanted.push_back(source);
}

void Program::prepare(ValueRange values) {
  SmallVector<Value> wanted;
  DenseSet<Value> visited;
  for (Value value : values)
    keepBroadcast(value, visited, wanted);
  for (Value value : wanted)
    if (!buffers.contains(value))
      keep(value);
}

bool Program::dependsOnPending(ValueRange values) {
  if (pendingResults.empty())
    return false;
  SmallVector<Value> stack(values);
  DenseSet<Value> visited;
  while (!stack.empty()) {
    Value value = stack.pop_back_val();
    if (!visited.insert(value).second)
      continue;
    if (pendingResults.contains(value))
      return true;
    if (buffers.contains(value))
      continue;
    if (Operation *op = value.getDefiningOp(); op && (isLazy(op) || isa<tt::SplatOp>(op)))
      llvm::append_range(stack, op->getOperands());
  }
  return false;
}

Program::Reads Program::reads(Value value, Buffer *buffer, bool same) {
  auto it = buffers.find(value);
  if (it != buffers.end())
    return it->second != buffer ? Reads::No : same ? Reads::Same : Reads::Other;
  Operation *op = value.getDefiningOp();
  if (!op || !isa<RankedTensorType>(value.getType()) || !isLazy(op))
    return Reads::No;
  bool keepsIndex = isElementwise(op) || isa<tt::LoadOp, tt::AddPtrOp>(op);
  Reads result = Reads::No;
  for (Value operand : op->getOperands()) {
    Reads found = reads(operand, buffer, same && keepsIndex);
    if (found == Reads::Other)
      return found;
    if (found == Reads::Same)
      result = found;
  }
  return result;
}

/// Calls `visit` with the tensors that operations from `from` to the end of its block want, those in regions included.
void Program::visitLater(Operation *from, llvm::function_ref<void(Value)> visit) {
  for (Operation *op = from; op; op = op->getNextNode())
    op->walk([&](Operation *inner) {
      if (isLazy(inner))
        return;
      for (Value operand : inner->getOperands())
        if (isa<RankedTensorType>(operand.getType()))
          visit(operand);
    });
}

/// Finds what `group` should keep (added to it as roots) and what must be kept before it runs.
void Program::planKeeps(Group &group, SmallVectorImpl<Value> &before) {
  // What the group computes at its own index.
  DenseSet<Value> computed;
  SmallVector<Value> stack;
  for (const Root &root : group.roots) {
    if (root.kind == Root::Keep)
      stack.push_back(root.value);
    else
      llvm::append_range(stack, root.op->getOperands());
  }
  while (!stack.empty()) {
    Value value = stack.pop_back_val();
    if (tt::getShapeOf(value.getType()) != ArrayRef<int64_t>(group.shape) || buffers.contains(value) || !computed.insert(value).second)
      continue;
    Operation *op = value.getDefiningOp();
    if (op && (isElementwise(op) || isa<tt::LoadOp, tt::AddPtrOp>(op)))
      llvm::append_range(stack, op->getOperands());
  }
  bool stores = group.stores();
  DenseSet<Value> visited;
  SmallVector<Value> chosen;
  std::function<void(Value)> visit = [&](Value value) {
    if (!isa<RankedTensorType>(value.getType()) || buffers.contains(value) || !visited.insert(value).second)
      return;
    Operation *op = value.getDefiningOp();
    if (!op)
      return;
    bool here = computed.contains(value);
    if (isa<tt::LoadOp>(op) && stores && loaded.contains(op)) {
      here ? chosen.push_back(value) : before.push_back(value);
      return;
    }
    bool isRoot = llvm::any_of(group.roots, [&](const Root &root) { return root.kind == Root::Keep && root.value == value; });
    if (here && !isRoot && isLazy(op) && cost(value) >= kDear && !isa<tt::SplatOp, tt::BroadcastOp>(op)) {
      chosen.push_back(value);
      return;
    }
    if (isLazy(op))
      for (Value operand : op->getOperands())
        visit(operand);
  };
  if (cursor) {
    // The operation at the cursor is still to come, unless it is the one whose roots these are.
    Operation *from = cursor;
    for (const Root &root : group.roots)
      if (root.op == cursor)
        from = cursor->getNextNode();
    visitLater(from, visit);
  }
  for (Value value : chosen) {
    Root root;
    root.kind = Root::Keep;
    root.value = value;
    root.buffer = newBuffer(value);
    root.remember = true;
    // Before the stores of the group: evaluation order inside a step is all values, then all stores.
    group.roots.push_back(root);
  }
}

/// Before a loop or branch: what its regions want from outside and is dear is computed once, here. And if it writes memory, what was
/// loaded before and is wanted after it.
void Program::keepForRegions(Operation *op) {
  flush();
  bool writes = false, loops = isa<LoopLikeOpInterface>(op);
  op->walk([&](Operation *inner) { writes |= isa<tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(inner); });
  SmallVector<Value> wanted;
  DenseSet<Value> visited;
  std::function<void(Value)> visit = [&](Value value) {
    Operation *from = value.getDefiningOp();
    if (!from || !isa<RankedTensorType>(value.getType()) || buffers.contains(value) || !visited.insert(value).second || !isLazy(from))
      return;
    bool outside = !op->isProperAncestor(from);
    bool shapeOnly = isa<tt::BroadcastOp, tt::ExpandDimsOp, tt::SplatOp, tt::ReshapeOp, tt::TransOp, tt::JoinOp, tt::SplitOp>(from);
    bool pointers = isa<tt::PointerType>(tt::getElementOf(value.getType()));
    if (outside && !shapeOnly && !pointers && ((loops && cost(value) >= kDearInLoop) || (isa<tt::LoadOp>(from) && (loops || writes)))) {
      bool affine = !readsMemory(value) && cost(value) < kDear;
      if (!affine) {
        wanted.push_back(value);
        return;
      }
    }
    for (Value operand : from->getOperands())
      visit(operand);
  };
  op->walk([&](Operation *inner) {
    if (inner == op || isLazy(inner))
      return;
    for (Value operand : inner->getOperands())
      visit(operand);
  });
  if (writes) {
    std::function<void(Value)> after = [&](Value value) {
      Operation *from = value.getDefiningOp();
      if (!from || !isa<RankedTensorType>(value.getType()) || buffers.contains(value) || !visited.insert(value).second || !isLazy(from))
        return;
      if (isa<tt::LoadOp>(from) && loaded.contains(from)) {
        wanted.push_back(value);
        return;
      }
      for (Value operand : from->getOperands())
        after(operand);
    };
    visited.clear();
    visitLater(op->getNextNode(), after);
  }
  prepare(wanted);
  for (Value value : wanted)
    if (!buffers.contains(value))
      keep(value);
}

} // namespace triton_metal::cpu
