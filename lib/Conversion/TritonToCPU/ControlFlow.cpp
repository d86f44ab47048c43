//===- ControlFlow.cpp - loops and branches that carry tensors -------------------------===//
//
// A carried tensor lives in one buffer from before the loop to after it. At the end of an iteration the new values are written over
// the old ones: in place where each element of the new value needs only the same element of the old ones, through other buffers where not.
//
//===----------------------------------------------------------------------------===//
#include "Program.h"

using namespace mlir;

namespace triton_metal::cpu {

static bool isTensor(Value value) { return isa<RankedTensorType>(value.getType()); }

/// buffers[i] = values[i], all at once.
void Program::assign(ValueRange values, ArrayRef<Buffer *> targets) {
  flush();
  SmallVector<std::pair<Value, Buffer *>> moves;
  for (auto [value, target] : llvm::zip_equal(values, targets)) {
    auto it = buffers.find(value);
    if (it == buffers.end() || it->second != target)
      moves.push_back({value, target});
  }
  prepare(llvm::map_to_vector(moves, [](auto &move) { return move.first; }));
  bool conflict = false;
  for (auto &[value, target] : moves)
    for (auto &[other, buffer] : moves) {
      Reads found = reads(value, buffer);
      bool sameShape = ArrayRef<int64_t>(target->shape) == ArrayRef<int64_t>(buffer->shape);
      conflict |= found == Reads::Other || (found == Reads::Same && target != buffer && !sameShape);
    }
  SmallVector<std::pair<Buffer *, Value>> copies;
  auto move = [&](Value value, Buffer *target) {
    Root root;
    root.kind = Root::Keep;
    root.value = value;
    root.buffer = target;
    addRoot(std::move(root), tt::getShapeOf(value.getType()));
  };
  // Moves of one shape stand together, so that they share a nest: all loads of a step come before its stores.
  llvm::stable_sort(moves, [](auto &a, auto &c) {
    return ArrayRef<int64_t>(a.second->shape) < ArrayRef<int64_t>(c.second->shape);
  });
  if (!conflict) {
    for (auto &[value, target] : moves)
      move(value, target);
    flush();
    return;
  }
  SmallVector<Buffer *> temporaries;
  for (auto &[value, target] : moves) {
    temporaries.push_back(newBuffer(value));
    move(value, temporaries.back());
  }
  flush();
  for (auto [pair, temporary] : llvm::zip_equal(moves, temporaries)) {
    Buffer *before = buffers.lookup(pair.first);
    buffers[pair.first] = temporary;
    move(pair.first, pair.second);
    flush();
    if (before)
      buffers[pair.first] = before;
    else
      buffers.erase(pair.first);
  }
}

/// Lowers `source` at the end of `target`; tensors that its terminator yields go into `yieldBuffers`. Returns the scalars that it yields.
SmallVector<Value> Program::lowerRegionBlock(Block &source, Block *target, ArrayRef<Buffer *> yieldBuffers) {
  Block *outerBlock = block;
  Operation *outerCursor = cursor;
  unsigned trail = bufferTrail.size();
  block = target;
  lowerBlock(source);
  SmallVector<Value> yielded;
  if (!failed) {
    cursor = nullptr;
    Operation *terminator = source.getTerminator();
    SmallVector<Value> tensors;
    for (Value operand : terminator->getOperands())
      if (isTensor(operand))
        tensors.push_back(operand);
    if (!yieldBuffers.empty())
      assign(tensors, yieldBuffers);
    for (Value operand : terminator->getOperands())
      if (!isTensor(operand))
        yielded.push_back(scalar(operand));
  }
  while (bufferTrail.size() > trail)
    buffers.erase(bufferTrail.pop_back_val());
  block = outerBlock;
  cursor = outerCursor;
  return yielded;
}

void Program::lowerFor(scf::ForOp op) {
  flush();
  keepForRegions(op);
  SmallVector<Value> inits, tensorInits;
  SmallVector<Buffer *> carried;
  for (auto [init, arg] : llvm::zip_equal(op.getInitArgs(), op.getRegionIterArgs())) {
    if (isTensor(init)) {
      tensorInits.push_back(init);
      carried.push_back(newBuffer(arg));
    } else {
      inits.push_back(scalar(init));
    }
  }
  // Initial values do not read the new buffers, so nothing can conflict.
  if (!carried.empty())
    assign(tensorInits, carried);
  Value lower = scalar(op.getLowerBound()), upper = scalar(op.getUpperBound()), step = scalar(op.getStep());
  unsigned start = arena.time();
  arena.tick();
  auto loop = makeLoop(here(), op.getLoc(), lower, upper, step, inits);
  bindScalar(op.getInductionVar(), loop.getInductionVar());
  unsigned trail = bufferTrail.size();
  unsigned nextScalar = 0, nextTensor = 0;
  for (BlockArgument arg : op.getRegionIterArgs()) {
    if (isTensor(arg))
      setBuffer(arg, carried[nextTensor++]);
    else
      bindScalar(arg, loop.getRegionIterArg(nextScalar++));
  }
  SmallVector<Value> yielded = lowerRegionBlock(*op.getBody(), loop.getBody(), carried);
  if (failed)
    yielded.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
  pollInLoop(loop.getBody(), op.getLoc(), /*mayBeEndless=*/false);
  closeBlock(b, op.getLoc(), loop.getBody(), yielded);
  for (Buffer *buffer : carried)
    arena.touch(buffer);
  arena.tick();
  arena.closeLoop(start);
  while (bufferTrail.size() > trail)
    buffers.erase(bufferTrail.pop_back_val());
  nextScalar = nextTensor = 0;
  for (Value result : op.getResults()) {
    if (isTensor(result))
      setBuffer(result, carried[nextTensor++]);
    else
      bindScalar(result, loop.getResult(nextScalar++));
  }
}

void Program::lowerIf(scf::IfOp op) {
  flush();
  keepForRegions(op);
  SmallVector<Type> types;
  SmallVector<Buffer *> results;
  for (Value result : op.getResults()) {
    if (isTensor(result))
      results.push_back(newBuffer(result));
    else
      types.push_back(registerType(result.getType()));
  }
  unsigned start = arena.time();
  arena.tick();
  auto branch = scf::IfOp::create(here(), op.getLoc(), types, scalar(op.getCondition()), true, true);
  for (auto [source, target] : {std::pair(op.thenBlock(), branch.thenBlock()), std::pair(op.elseBlock(), branch.elseBlock())}) {
    if (target->mightHaveTerminator())
      target->getTerminator()->erase();
    SmallVector<Value> yielded;
    if (source)
      yielded = lowerRegionBlock(*source, target, results);
    if (failed)
      for (Type type : types)
        yielded.push_back(LLVM::PoisonOp::create((b.setInsertionPointToEnd(target), b), op.getLoc(), type));
    yielded.resize(types.size());
    closeBlock(b, op.getLoc(), target, yielded);
  }
  for (Buffer *buffer : results)
    arena.touch(buffer);
  arena.tick();
  arena.closeLoop(start);
  unsigned nextScalar = 0, nextTensor = 0;
  for (Value result : op.getResults()) {
    if (isTensor(result))
      setBuffer(result, results[nextTensor++]);
    else
      bindScalar(result, branch.getResult(nextScalar++));
  }
}

void Program::lowerWhile(scf::WhileOp op) {
  flush();
  keepForRegions(op);
  Location loc = op.getLoc();
  SmallVector<Value> inits, tensorInits;
  SmallVector<Buffer *> beforeBuffers, afterBuffers;
  for (auto [init, arg] : llvm::zip_equal(op.getInits(), op.getBeforeArguments())) {
    if (isTensor(init)) {
      tensorInits.push_back(init);
      beforeBuffers.push_back(newBuffer(arg));
    } else {
      inits.push_back(scalar(init));
    }
  }
  SmallVector<Type> types;
  for (Value arg : op.getAfterArguments()) {
    if (isTensor(arg))
      afterBuffers.push_back(newBuffer(arg));
    else
      types.push_back(registerType(arg.getType()));
  }
  if (!beforeBuffers.empty())
    assign(tensorInits, beforeBuffers);
  unsigned start = arena.time();
  arena.tick();
  unsigned trail = bufferTrail.size();
  auto loop = scf::WhileOp::create(here(), loc, types, inits);
  Block *before = b.createBlock(&loop.getBefore(), {}, ValueRange(inits).getTypes(), SmallVector<Location>(inits.size(), loc));
  Block *after = b.createBlock(&loop.getAfter(), {}, types, SmallVector<Location>(types.size(), loc));
  auto bindArguments = [&](ValueRange arguments, Block *target, ArrayRef<Buffer *> targets) {
    unsigned nextScalar = 0, nextTensor = 0;
    for (Value arg : arguments) {
      if (isTensor(arg))
        setBuffer(arg, targets[nextTensor++]);
      else
        bindScalar(arg, target->getArgument(nextScalar++));
    }
  };
  bindArguments(op.getBeforeArguments(), before, beforeBuffers);
  // The condition's tensors go over to the second region in buffers of their own.
  SmallVector<Value> passed = lowerRegionBlock(*op.getBeforeBody(), before, afterBuffers);
  if (!failed) {
    b.setInsertionPointToEnd(before);
    scf::ConditionOp::create(b, loc, passed[0], ValueRange(passed).drop_front());
    bindArguments(op.getAfterArguments(), after, afterBuffers);
    SmallVector<Value> yielded = lowerRegionBlock(*op.getAfterBody(), after, beforeBuffers);
    pollInLoop(after, loc, /*mayBeEndless=*/true);
    if (!failed)
      closeBlock(b, loc, after, yielded);
  }
  for (ArrayRef<Buffer *> list : {ArrayRef<Buffer *>(beforeBuffers), ArrayRef<Buffer *>(afterBuffers)})
    for (Buffer *buffer : list)
      arena.touch(buffer);
  arena.tick();
  arena.closeLoop(start);
  while (bufferTrail.size() > trail)
    buffers.erase(bufferTrail.pop_back_val());
  unsigned nextScalar = 0, nextTensor = 0;
  for (Value result : op.getResults()) {
    if (isTensor(result))
      setBuffer(result, afterBuffers[nextTensor++]);
    else
      bindScalar(result, loop.getResult(nextScalar++));
  }
}

} // namespace triton_metal::cpu
