//===- Program.cpp - the order of things ---------------------------------------------===//
#include "Program.h"

#include "Elementwise.h"
#include "triton_metal/Support/Unsupported.h"

using namespace mlir;

namespace triton_metal::cpu {

OpBuilder &Program::here() {
  b.setInsertionPointToEnd(block);
  return b;
}

void Program::refuse(Operation *op, Location loc, const Twine &reason) {
  if (!std::exchange(failed, true)) {
    if (op)
      (void)emitUnsupported(op, "cpu", reason, "rewrite the kernel without it, or report it");
    else
      emitError(loc) << reason;
  }
}

Value Program::scalar(Value value) {
  auto it = scalars.find(value);
  if (it != scalars.end())
    return it->second;
  if (pendingResults.contains(value)) {
    flush();
    return scalar(value);
  }
  // An operation that is only reached from a region (a constant used by a combine function) is emitted on demand.
  if (Operation *op = value.getDefiningOp(); op && isa<arith::ConstantOp>(op)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&block->getParent()->front());
    return b.clone(*op)->getResult(0);
  }
  refuse(value.getDefiningOp(), value.getLoc(), "its value is used where it is not available");
  return arith::ConstantOp::create(here(), value.getLoc(), b.getI1Type(), b.getBoolAttr(false));
}

Buffer *Program::bufferOf(Value value) {
  auto it = buffers.find(value);
  if (it == buffers.end())
    return nullptr;
  arena.touch(it->second);
  return it->second;
}

void Program::setBuffer(Value value, Buffer *buffer) {
  buffers[value] = buffer;
  bufferTrail.push_back(value);
}

/// A constant tensor whose elements differ, as constant memory.
Buffer *Program::constantBuffer(Value value, DenseElementsAttr elements) {
  Buffer *&known = constants[value];
  if (known)
    return known;
  OpBuilder::InsertionGuard guard(b);
  Buffer &buffer = constantBuffers.emplace_back();
  buffer.element = registerType(tt::getElementOf(value.getType()));
  llvm::append_range(buffer.shape, tt::getShapeOf(value.getType()));
  Type memory = memoryType(buffer.element);
  if (memory != elements.getElementType())
    elements = elements.mapValues(memory, [&](const APInt &number) { return number.zext(memory.getIntOrFloatBitWidth()); });
  int64_t count = elements.getNumElements();
  elements = elements.reshape(RankedTensorType::get({count}, memory));
  auto module = block->getParentOp()->getParentOfType<ModuleOp>();
  b.setInsertionPointToStart(module.getBody());
  std::string name = ("constant." + Twine(constantBuffers.size() - 1) + "." + kernelName).str();
  auto global = LLVM::GlobalOp::create(b, value.getLoc(), LLVM::LLVMArrayType::get(memory, count), /*isConstant=*/true,
                                       LLVM::Linkage::Internal, name, elements, 64);
  b.setInsertionPointToStart(entryBlock);
  buffer.pointer = LLVM::AddressOfOp::create(b, value.getLoc(), global);
  return known = &buffer;
}

Buffer *Program::newBuffer(Value like) {
  auto type = cast<RankedTensorType>(like.getType());
  Type element = type.getElementType(), pointee;
  if (auto pointer = dyn_cast<tt::PointerType>(element))
    pointee = memoryType(pointer.getPointeeType());
  return arena.create(b, like.getLoc(), registerType(element), type.getShape(), pointee);
}

FailureOr<int64_t> Program::lower(tt::FuncOp func, Block *entry, const Frame &newFrame) {
  frame = newFrame;
  block = entry;
  entryBlock = entry;
  kernelName = func.getName().str();
  // Buffers are addressed at the start, before anything else.
  Operation *anchor = LLVM::PoisonOp::create(here(), func.getLoc(), b.getI1Type());
  arena.begin(frame.arena, anchor);

  // Several blocks come from returns within branches. Scalars are arguments of the new blocks, tensors lie in buffers.
  DenseMap<Block *, Block *> targets{{&func.getBody().front(), entry}};
  DenseMap<Block *, SmallVector<Buffer *>> carried;
  for (Block &source : llvm::drop_begin(func.getBody())) {
    Block *target = targets[&source] = new Block;
    entry->getParent()->push_back(target);
    for (BlockArgument arg : source.getArguments()) {
      if (isa<RankedTensorType>(arg.getType())) {
        Buffer *buffer = newBuffer(arg);
        carried[&source].push_back(buffer);
        buffers[arg] = buffer;
      } else {
        bindScalar(arg, target->addArgument(registerType(arg.getType()), arg.getLoc()));
      }
    }
  }
  for (Block &source : func.getBody()) {
    block = targets[&source];
    lowerBlock(source);
    if (failed)
      break;
    keepForOtherBlocks(source);
    lowerTerminator(source.getTerminator(), targets, carried);
    if (failed)
      break;
    // What was kept here of other blocks' values need not have run on the way to the next one.
    for (Value value : std::exchange(bufferTrail, {}))
      if (value.getParentBlock() != &source)
        buffers.erase(value);
  }
  anchor->erase();
  if (failed)
    return failure();
  return arena.allocate(/*reuse=*/func.getBody().hasOneBlock());
}

/// Values read from memory that another block wants keep what they are now.
void Program::keepForOtherBlocks(Block &source) {
  cursor = nullptr;
  for (Operation &op : source) {
    if (!isLazy(&op))
      continue;
    for (Value result : op.getResults()) {
      bool elsewhere = llvm::any_of(result.getUsers(), [&](Operation *user) {
        return source.findAncestorOpInBlock(*user) == nullptr;
      });
      if (elsewhere && !buffers.contains(result) && readsMemory(result))
        keep(result);
    }
  }
}

void Program::lowerTerminator(Operation *op, const DenseMap<Block *, Block *> &targets,
                              const DenseMap<Block *, SmallVector<Buffer *>> &carried) {
  Location loc = op->getLoc();
  struct Edge {
    Block *to, *through = nullptr; ///< a block on the way, where tensors go into their buffers
    SmallVector<Value> numbers, tensors;
  };
  auto edge = [&](Block *to, ValueRange operands) {
    Edge made{to, nullptr, {}, {}};
    for (Value operand : operands) {
      if (isa<RankedTensorType>(operand.getType()))
        made.tensors.push_back(operand);
      else
        made.numbers.push_back(scalar(operand));
    }
    return made;
  };
  auto finish = [&](Edge &from) {
    unsigned trail = bufferTrail.size();
    if (from.through)
      block = from.through;
    if (!from.tensors.empty())
      assign(from.tensors, carried.lookup(from.to));
    LLVM::BrOp::create(here(), loc, from.numbers, targets.lookup(from.to));
    // What was kept on the way is not there on the other one.
    while (from.through && bufferTrail.size() > trail)
      buffers.erase(bufferTrail.pop_back_val());
  };
  if (auto branch = dyn_cast<cf::BranchOp>(op)) {
    Edge only = edge(branch.getDest(), branch.getDestOperands());
    finish(only);
  } else if (auto branch = dyn_cast<cf::CondBranchOp>(op)) {
    Value condition = scalar(branch.getCondition());
    Edge edges[2] = {edge(branch.getTrueDest(), branch.getTrueDestOperands()),
                     edge(branch.getFalseDest(), branch.getFalseDestOperands())};
    Block *region = block;
    for (Edge &way : edges)
      if (!way.tensors.empty())
        region->getParent()->push_back(way.through = new Block);
    auto first = [&](Edge &way) { return way.through ? way.through : targets.lookup(way.to); };
    auto direct = [&](Edge &way) { return way.through ? ValueRange() : ValueRange(way.numbers); };
    LLVM::CondBrOp::create(here(), loc, condition, first(edges[0]), direct(edges[0]), first(edges[1]), direct(edges[1]));
    for (Edge &way : edges)
      if (way.through)
        finish(way);
  } else if (isa<tt::ReturnOp>(op)) {
    LLVM::ReturnOp::create(here(), loc, ValueRange());
  } else {
    refuse(op, loc, "a block that ends in this way");
  }
}

void Program::lowerBlock(Block &source) {
  Operation *outerCursor = cursor;
  for (Operation &op : source) {
    if (failed)
      break;
    if (op.hasTrait<OpTrait::IsTerminator>())
      break;
    cursor = &op;
    lowerOp(&op);
  }
  cursor = source.mightHaveTerminator() ? source.getTerminator() : nullptr;
  flush();
  cursor = outerCursor;
}

void Program::lowerOp(Operation *op) {
  if (auto load = dyn_cast<tt::LoadOp>(op); load && isa<RankedTensorType>(load.getType())) {
    // It must see what stores before it have written.
    if (pending.stores())
      flush();
    loaded.insert(op);
    if (isEager(load)) {
      prepare(op->getOperands());
      keep(load.getResult());
    }
    return;
  }
  if (isLazy(op))
    return;
  TypeSwitch<Operation *>(op)
      .Case([&](tt::StoreOp store) {
        if (!isa<RankedTensorType>(store.getPtr().getType()))
          return lowerScalarMemory(op);
        prepare(op->getOperands());
        // A load of this nest from the same memory but at other addresses must be over before the store begins.
        SmallVector<Value> first;
        DenseSet<Value> visited;
        SmallVector<Value> stack(op->getOperands());
        for (const Root &root : pending.roots)
          llvm::append_range(stack, root.kind == Root::Keep ? ValueRange(root.value) : ValueRange(root.op->getOperands()));
        bool again = false;
        while (!stack.empty()) {
          Value value = stack.pop_back_val();
          Operation *from = value.getDefiningOp();
          if (!from || !visited.insert(value).second || buffers.contains(value) || !isa<RankedTensorType>(value.getType()))
            continue;
          if (auto load = dyn_cast<tt::LoadOp>(from); load && mayOverlap(store, load))
            first.push_back(value), again = true;
          if (isLazy(from))
            llvm::append_range(stack, from->getOperands());
        }
        if (again) {
          flush();
          for (Value value : llvm::reverse(first))
            if (!buffers.contains(value))
              keep(value);
        }
        for (const Root &root : pending.roots)
          if (root.kind == Root::Store && !again) {
            auto other = cast<tt::StoreOp>(root.op);
            if (other.getPtr() == store.getPtr())
              continue;
            if (cpu::mayOverlap(store.getPtr(), other.getPtr())) {
              flush();
              break;
            }
          }
        Root root;
        root.kind = Root::Store;
        root.op = op;
        addRoot(std::move(root), tt::getShapeOf(store.getPtr().getType()));
      })
      .Case([&](tt::ReduceOp reduce) { lowerReduce(reduce); })
      .Case([&](tt::DotOp dot) { lowerDot(dot); })
      .Case([&](scf::ForOp loop) { lowerFor(loop); })
      .Case([&](scf::IfOp branch) { lowerIf(branch); })
      .Case([&](scf::WhileOp loop) { lowerWhile(loop); })
      .Case([&](tt::ScanOp scan) { lowerScan(scan); })
      .Case([&](tt::HistogramOp histogram) { lowerHistogram(histogram); })
      .Case([&](tt::CatOp cat) { lowerCat(cat); })
      .Case<tt::DebugBarrierOp, tt::SharedBarrierOp>([&](auto) { lowerBarrier(op); })
      .Case<tt::AtomicRMWOp, tt::AtomicCASOp>([&](auto) { lowerAtomic(op); })
      .Case([&](tt::SharedMemoryOp array) { lowerSharedMemory(array); })
      .Case([&](tt::PrintOp print) { lowerPrint(print); })
      .Case([&](tt::AssertOp assertion) { lowerAssert(assertion); })
      .Default([&](Operation *) { lowerScalarOp(op); });
}

void Program::lowerScalarMemory(Operation *op) {
  flush();
  Nest nest(*this, here(), op->getLoc());
  unsigned index = nest.intern({});
  if (auto load = dyn_cast<tt::LoadOp>(op)) {
    Lanes value = nest.evaluate(load.getPtr(), index), mask, other;
    if (load.getMask())
      mask = nest.evaluate(load.getMask(), index);
    if (load.getOther())
      other = nest.evaluate(load.getOther(), index);
    Type element = registerType(load.getType());
    Access access{op, load.getPtr(), Site::Access::Load};
    Lanes result = nest.load(value, load.getMask() ? &mask : nullptr, load.getOther() ? &other : nullptr, element, 0, &access);
    scalars[load.getResult()] = nest.scalarPart(result);
    return;
  }
  auto store = cast<tt::StoreOp>(op);
  // Tensors loaded earlier and used later keep their old values.
  Group barrier;
  Root root;
  root.kind = Root::Store;
  root.op = op;
  barrier.roots.push_back(root);
  SmallVector<Value> before;
  planKeeps(barrier, before);
  for (Value value : before)
    keep(value);
  Nest after(*this, here(), op->getLoc());
  index = after.intern({});
  Lanes mask;
  if (store.getMask())
    mask = after.evaluate(store.getMask(), index);
  Access access{op, store.getPtr(), Site::Access::Store};
  Lanes to = after.evaluate(store.getPtr(), index), value = after.evaluate(store.getValue(), index);
  after.store(to, store.getMask() ? &mask : nullptr, value, 0, &access);
}

void Program::lowerScalarOp(Operation *op) {
  Location loc = op->getLoc();
  if (isa<LLVM::AssumeOp>(op))
    return;
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return lowerScalarMemory(op);
  if (op->getNumResults() != 1 || isa<RankedTensorType>(op->getResult(0).getType())) {
    refuse(op, loc, "there is no lowering of this operation");
    return;
  }
  SmallVector<Value> operands;
  if (!isa<tt::UnsplatOp>(op))
    for (Value operand : op->getOperands())
      operands.push_back(scalar(operand)); // may flush
  Value result = op->getResult(0);
  here();
  scalars[result] =
      TypeSwitch<Operation *, Value>(op)
          .Case([&](tt::GetProgramIdOp id) { return frame.programId[unsigned(id.getAxis())]; })
          .Case([&](tt::GetNumProgramsOp count) { return frame.programCount[unsigned(count.getAxis())]; })
          .Case([&](arith::ConstantOp) { return b.clone(*op)->getResult(0); })
          .Case([&](ub::PoisonOp) -> Value { return LLVM::ZeroOp::create(b, loc, registerType(result.getType())); })
          .Case([&](tt::AddPtrOp add) -> Value {
            Type pointee = memoryType(cast<tt::PointerType>(add.getPtr().getType()).getPointeeType());
            Value offset = operands[1];
            if (!offset.getType().isInteger(64))
              offset = arith::ExtSIOp::create(b, loc, b.getI64Type(), offset);
            return LLVM::GEPOp::create(b, loc, operands[0].getType(), pointee, operands[0], ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(offset)});
          })
          .Case([&](tt::UnsplatOp unsplat) -> Value {
            flush();
            Nest nest(*this, here(), loc);
            Nest::Index index(tt::getShapeOf(unsplat.getSrc().getType()).size(), nest.integer(b.getI64Type(), 0));
            Lanes value = nest.evaluate(unsplat.getSrc(), nest.intern(std::move(index)));
            return value.isPointer() ? nest.address(value) : nest.scalarPart(value);
          })
          .Case([&](tt::BitcastOp cast) -> Value {
            return isa<tt::PointerType>(cast.getType()) ? operands[0]
                                                        : emitElementwise(b, loc, op, operands, registerType(result.getType()));
          })
          .Default([&](Operation *) -> Value {
            if (!isElementwise(op))
              return {};
            return emitElementwise(b, loc, op, operands, registerType(result.getType()));
          });
  if (!scalars[result]) {
    refuse(op, loc, "there is no lowering of this operation");
    scalars[result] = arith::ConstantOp::create(here(), loc, b.getBoolAttr(false));
  }
}

void Program::lowerReduce(tt::ReduceOp op) {
  prepare(op.getSrcs());
  ArrayRef<int64_t> shape = op.getSourceShape();
  unsigned axis = op.getAxis();
  Root root;
  root.kind = Root::Reduce;
  root.op = op;
  // Lanes run along the last axis. A reduction along it combines lanes at the end; along another axis, or if the last one is short,
  // lanes are independent results.
  bool last = llvm::all_of(shape.drop_front(axis + 1), [](int64_t extent) { return extent == 1; });
  bool byRows = last && (shape[axis] >= int64_t(options.vectorBits / 32) ||
                         llvm::all_of(shape.take_front(axis), [](int64_t e) { return e == 1; }));
  if (dependsOnPending(op.getSrcs()))
    flush();
  for (Value result : op.getResults())
    if (isa<RankedTensorType>(result.getType()))
      root.results.push_back(newBuffer(result));
  addRoot(std::move(root), shape, byRows ? -1 : int(axis));
  for (Value result : op.getResults())
    pendingResults.insert(result);
}

void Program::addRoot(Root root, ArrayRef<int64_t> shape, int axis) {
  ValueRange operands = root.kind == Root::Keep ? ValueRange(root.value) : ValueRange(root.op->getOperands());
  bool fits = pending.roots.empty() || (ArrayRef<int64_t>(pending.shape) == shape && pending.axis == axis);
  if (!fits || dependsOnPending(operands))
    flush();
  pending.shape.assign(shape.begin(), shape.end());
  pending.axis = axis;
  pending.roots.push_back(std::move(root));
}

Buffer *Program::keep(Value value, Buffer *into) {
  flush();
  Buffer *buffer = into ? into : newBuffer(value);
  Group group;
  llvm::append_range(group.shape, tt::getShapeOf(value.getType()));
  Root root;
  root.kind = Root::Keep;
  root.value = value;
  root.buffer = buffer;
  group.roots.push_back(root);
  emit(group);
  if (!into)
    setBuffer(value, buffer);
  return buffer;
}

void Program::flush() {
  if (pending.roots.empty())
    return;
  Group group = std::move(pending);
  pending = Group();
  Group planned = group;
  SmallVector<Value> before;
  planKeeps(planned, before);
  bool needsResults = dependsOnPending(before);
  pendingResults.clear();
  if (!needsResults)
    return emitPlanned(planned, before);
  // What must be kept before the stores is computed from reductions that share their nest: the reductions get one of their own.
  auto isStore = [](const Root &root) { return root.kind == Root::Store; };
  Group reductions = group;
  llvm::erase_if(reductions.roots, isStore);
  llvm::erase_if(group.roots, std::not_fn(isStore));
  for (Group *part : {&reductions, &group}) {
    before.clear();
    planKeeps(*part, before);
    emitPlanned(*part, before);
  }
}

void Program::emitPlanned(Group &group, ArrayRef<Value> before) {
  for (Value value : before)
    keep(value);
  emit(group);
  for (Root &root : group.roots)
    if (root.remember)
      setBuffer(root.value, root.buffer);
}

} // namespace triton_metal::cpu
