//===- GroupEmitter.cpp - the loops of one group of roots -----------------------------===//
//
//   for each outer dimension
//     for j = 0 .. extent step chunks * width       lanes along the last dimension(s)
//       if all masks true: `chunks` vectors, unmasked
//       else: for each chunk, masked
//
// A reduction along the lane dimension carries one accumulator a chunk through the inner loop and combines them after it. A reduction along
// another axis has the loop over that axis innermost, with one accumulator a chunk of results.
//
//===----------------------------------------------------------------------------===//
#include "GroupEmitter.h"

using namespace mlir;

namespace triton_metal::cpu {

scf::ForOp makeLoop(OpBuilder &b, Location loc, Value from, Value to, Value step, ValueRange inits) {
  auto loop = scf::ForOp::create(b, loc, from, to, step, inits);
  if (loop.getBody()->mightHaveTerminator())
    loop.getBody()->getTerminator()->erase();
  return loop;
}

void closeBlock(OpBuilder &b, Location loc, Block *block, ValueRange yielded) {
  if (block->mightHaveTerminator())
    block->getTerminator()->erase();
  b.setInsertionPointToEnd(block);
  scf::YieldOp::create(b, loc, yielded);
}

GroupEmitter::GroupEmitter(Program &program, Group &group, OpBuilder &builder, Location loc)
    : program(program), group(group), b(builder), loc(loc), nest(program, builder, loc) {}

void GroupEmitter::chooseLanes() {
  shape = group.shape;
  if (group.axis >= 0)
    shape.erase(shape.begin() + group.axis);
  // The width goes by the narrowest root; wider values take two registers.
  unsigned narrowest = 64, total = 0;
  for (const Root &root : group.roots) {
    Value value = root.kind == Root::Store  ? cast<tt::StoreOp>(root.op).getValue()
                  : root.kind == Root::Keep ? root.value
                                            : root.op->getOperand(0);
    Type element = memoryType(registerType(tt::getElementOf(value.getType())));
    narrowest = std::min(narrowest, std::max(32u, element.getIntOrFloatBitWidth()));
    if (root.kind == Root::Reduce && (reduceOf(root).getSrcs().size() > 1 || !neutralElement(reduceOf(root).getCombineBlock())))
      needsFirst = true;
    for (Value operand : root.kind == Root::Keep ? ValueRange(root.value) : ValueRange(root.op->getOperands()))
      total += program.cost(operand);
  }
  int64_t count = 1, most = program.options.vectorBits / narrowest;
  for (int64_t extent : shape)
    count *= extent;
  nest.width = std::min(most, count);
  int64_t trailing = 1;
  laneDim = shape.empty() ? 0 : shape.size() - 1;
  while (laneDim > 0 && shape[laneDim] * trailing < nest.width)
    trailing *= shape[laneDim--];
  perChunk = shape.empty() ? 1 : nest.width / trailing;
  int64_t left = shape.empty() ? 1 : shape[laneDim] / perChunk;
  // A sum waits for its last one: accumulators enough to hide that, while their terms are short.
  bool reduces = llvm::any_of(group.roots, [](const Root &root) { return root.kind == Root::Reduce; });
  int64_t wanted = needsFirst ? 1 : total < (reduces ? 32 : 12) ? 4 : total < 48 ? 2 : 1;
  chunks = std::min(left, wanted);
  steps = left / chunks;

  outer.assign(shape.size(), nest.integer(b.getI64Type(), 0));
  for (unsigned dim = laneDim; dim < shape.size(); ++dim) {
    int64_t below = 1;
    for (unsigned i = dim + 1; i < shape.size(); ++i)
      below *= shape[i];
    Lanes &lanes = outer[dim];
    lanes.nonNegative = true;
    bool any = false;
    for (int64_t lane = 0; lane < nest.width; ++lane) {
      lanes.offsets.push_back(lane / below % shape[dim]);
      any |= lanes.offsets.back() != 0;
    }
    if (!any)
      lanes.offsets.clear();
    if (dim == laneDim)
      lanes.slope = steps > 1 || chunks > 1 ? 1 : 0;
  }
}

void GroupEmitter::openOuterLoops() {
  Type i64 = b.getI64Type();
  for (unsigned dim = 0; dim < laneDim; ++dim) {
    if (shape[dim] == 1)
      continue;
    Value from = nest.constant(i64, 0), to = nest.constant(i64, shape[dim]), step = nest.constant(i64, 1);
    auto loop = makeLoop(nest.at(nest.deepest()), loc, from, to, step, {});
    nest.levels.back().anchor = loop;
    nest.levels.push_back({loop.getBody(), nullptr});
    outer[dim] = nest.uniform(loop.getInductionVar(), nest.deepest());
    outer[dim].nonNegative = true;
  }
}

unsigned GroupEmitter::indexOfChunk(unsigned chunk) {
  Nest::Index index = outer;
  if (!index.empty())
    index[laneDim].constant += chunk * perChunk;
  return nest.intern(std::move(index));
}

unsigned GroupEmitter::withAxis(unsigned index, const Lanes &position) {
  Nest::Index full = nest.indexAt(index);
  full.insert(full.begin() + group.axis, position);
  return nest.intern(std::move(full));
}

/// Evaluates all roots at `indices` (one a chunk), then stores. Reductions are combined into their accumulators.
GroupEmitter::Values GroupEmitter::step(Values accumulators, unsigned count, ArrayRef<unsigned> indices, Value first, bool onlyReductions) {
  std::vector<Pending> pending;
  unsigned next = 0;
  for (const Root &root : group.roots) {
    nest.setLocation(root.op ? root.op->getLoc() : loc);
    if (root.kind == Root::Reduce) {
      tt::ReduceOp reduce = reduceOf(root);
      unsigned operands = reduce.getSrcs().size();
      for (unsigned chunk = 0; chunk < count; ++chunk) {
        Values left, right;
        for (unsigned i = 0; i < operands; ++i) {
          left.push_back(accumulators[next + i * count + chunk]);
          right.push_back(nest.toVector(nest.evaluate(reduce.getSrcs()[i], indices[chunk])));
        }
        OpBuilder &at = nest.at(nest.deepest());
        Values combined = combine(program, at, root.op->getLoc(), reduce.getCombineBlock(), left, right);
        for (unsigned i = 0; i < operands; ++i) {
          Value value = combined[i];
          if (needsFirst)
            value = first ? Value(arith::SelectOp::create(nest.at(nest.deepest()), loc, first, right[i], value)) : right[i];
          accumulators[next + i * count + chunk] = value;
        }
      }
      next += operands * count;
      continue;
    }
    for (unsigned chunk = 0; chunk < count; ++chunk) {
      Pending store{&root, chunk, {}, {}, {}};
      if (root.kind == Root::Keep) {
        store.value = nest.evaluate(root.value, indices[chunk]);
      } else {
        auto op = cast<tt::StoreOp>(root.op);
        store.value = nest.evaluate(op.getValue(), indices[chunk]);
        store.pointer = nest.evaluate(op.getPtr(), indices[chunk]);
        if (op.getMask())
          store.mask = nest.evaluate(op.getMask(), indices[chunk]);
      }
      pending.push_back(std::move(store));
    }
  }
  for (const Pending &store : pending) {
    unsigned depth = nest.deepest();
    if (store.root->kind == Root::Keep) {
      nest.store(nest.bufferPointer(store.root->buffer, indices[store.chunk]), nullptr, store.value, depth);
      continue;
    }
    nest.setLocation(store.root->op->getLoc());
    bool masked = bool(cast<tt::StoreOp>(store.root->op).getMask());
    Access access{store.root->op, cast<tt::StoreOp>(store.root->op).getPtr(), Site::Access::Store};
    nest.store(store.pointer, masked ? &store.mask : nullptr, store.value, depth, &access);
  }
  nest.setLocation(loc);
  return accumulators;
}

/// The loop over a reduced axis that is not the lanes'.
GroupEmitter::Values GroupEmitter::reductionLoop(Values accumulators, unsigned count) {
  Type i64 = b.getI64Type();
  int64_t extent = group.shape[group.axis];
  SmallVector<unsigned> indices;
  if (extent == 1) {
    for (unsigned chunk = 0; chunk < count; ++chunk)
      indices.push_back(withAxis(indexOfChunk(chunk), nest.integer(i64, 0)));
    return step(std::move(accumulators), count, indices, Value(), true);
  }
  Value from = nest.constant(i64, 0), to = nest.constant(i64, extent), one = nest.constant(i64, 1);
  auto loop = makeLoop(nest.at(nest.deepest()), loc, from, to, one, accumulators);
  LaneEmitter::Level &level = nest.levels.back();
  level.anchor = loop;
  nest.levels.push_back({loop.getBody(), nullptr});
  unsigned depth = nest.deepest();
  Lanes position = nest.uniform(loop.getInductionVar(), depth);
  position.nonNegative = true;
  for (unsigned chunk = 0; chunk < count; ++chunk)
    indices.push_back(withAxis(indexOfChunk(chunk), position));
  Value first;
  if (needsFirst)
    first = arith::CmpIOp::create(nest.at(depth), loc, arith::CmpIPredicate::eq, loop.getInductionVar(), from);
  Values results = step(Values(loop.getRegionIterArgs()), count, indices, first, true);
  closeBlock(b, loc, loop.getBody(), results);
  nest.leaveLevel(depth);
  nest.levels.pop_back();
  nest.levels.back().anchor = nullptr;
  return Values(loop.getResults());
}

GroupEmitter::Values GroupEmitter::body(Values accumulators, unsigned count) {
  if (group.axis >= 0) {
    Values results = reductionLoop(std::move(accumulators), count);
    storeAccumulators(results, count);
    return {};
  }
  SmallVector<unsigned> indices;
  for (unsigned chunk = 0; chunk < count; ++chunk)
    indices.push_back(indexOfChunk(chunk));
  Value first;
  if (needsFirst && steps > 1)
    first = arith::CmpIOp::create(nest.at(nest.innerDepth), loc, arith::CmpIPredicate::eq, nest.innerIndex,
                                  nest.constant(b.getI64Type(), 0));
  return step(std::move(accumulators), count, indices, first, false);
}

/// The body under a test that all masks hold, and again for the rest.
GroupEmitter::Values GroupEmitter::speculated(Values accumulators) {
  SmallVector<Nest::Wanted> wanted;
  // Masks that depend on the reduced axis cannot be tested out here: their position is not known.
  Lanes unknown;
  if (group.axis >= 0) {
    Value none = LLVM::PoisonOp::create(nest.at(0), loc, b.getI64Type());
    unknown = nest.uniform(none, 1000);
  }
  for (unsigned chunk = 0; chunk < chunks; ++chunk) {
    unsigned index = indexOfChunk(chunk);
    if (group.axis >= 0)
      index = withAxis(index, unknown);
    for (const Root &root : group.roots) {
      if (root.kind == Root::Keep) {
        wanted.push_back({root.value, index, Nest::Wanted::Data});
      } else if (auto store = dyn_cast<tt::StoreOp>(root.op)) {
        wanted.push_back({store.getValue(), index, Nest::Wanted::Data});
        wanted.push_back({store.getPtr(), index, Nest::Wanted::Address});
        if (store.getMask())
          wanted.push_back({store.getMask(), index, Nest::Wanted::Mask});
      } else {
        for (Value source : reduceOf(root).getSrcs())
          wanted.push_back({source, index, Nest::Wanted::Data});
      }
    }
  }
  Value test = nest.width > 1 ? nest.speculate(wanted) : Value();
  if (!test)
    return body(std::move(accumulators), chunks);

  SmallVector<Type> types;
  if (group.axis < 0)
    llvm::append_range(types, ValueRange(accumulators).getTypes());
  auto branch = scf::IfOp::create(nest.at(nest.deepest()), loc, types, test, /*addThenBlock=*/true, /*addElseBlock=*/true);
  nest.levels.back().anchor = branch;
  for (bool fast : {true, false}) {
    Block *block = fast ? branch.thenBlock() : branch.elseBlock();
    if (block->mightHaveTerminator())
      block->getTerminator()->erase();
    nest.levels.push_back({block, nullptr});
    unsigned depth = nest.deepest();
    nest.assuming = fast;
    Values results;
    if (fast || chunks == 1) {
      results = body(accumulators, chunks);
    } else {
      // One chunk after the other. Only the first accumulator of a value takes part.
      Type i64 = b.getI64Type();
      Value outerIndex = nest.innerIndex;
      unsigned outerDepth = nest.innerDepth;
      int64_t outerDivisor = nest.innerDivisor;
      Value from = outerIndex ? outerIndex : nest.constant(i64, 0);
      Value to = arith::AddIOp::create(nest.at(depth), loc, from, nest.constant(i64, chunks * perChunk));
      Values carried;
      if (group.axis < 0)
        for (unsigned i = 0; i < accumulators.size(); i += chunks)
          carried.push_back(accumulators[i]);
      Value stride = nest.constant(i64, perChunk);
      auto loop = makeLoop(nest.at(depth), loc, from, to, stride, carried);
      nest.levels.back().anchor = loop;
      nest.levels.push_back({loop.getBody(), nullptr});
      nest.leaveLevel(outerDepth); // values of the other j
      nest.innerIndex = loop.getInductionVar();
      nest.innerDepth = nest.deepest();
      nest.innerDivisor = perChunk;
      Values inner;
      if (group.axis < 0) {
        inner = body(Values(loop.getRegionIterArgs()), 1);
      } else {
        Values initial;
        for (unsigned i = 0; i < accumulators.size(); i += chunks)
          initial.push_back(accumulators[i]);
        body(std::move(initial), 1);
      }
      closeBlock(b, loc, loop.getBody(), inner);
      nest.leaveLevel(nest.innerDepth);
      nest.levels.pop_back();
      nest.levels.back().anchor = nullptr;
      nest.innerIndex = outerIndex;
      nest.innerDepth = outerDepth;
      nest.innerDivisor = outerDivisor;
      if (group.axis < 0) {
        results = accumulators;
        for (unsigned i = 0; i < accumulators.size(); i += chunks)
          results[i] = loop.getResult(i / chunks);
      }
    }
    if (group.axis >= 0)
      results.clear();
    closeBlock(b, loc, block, results);
    nest.leaveLevel(depth);
    nest.levels.pop_back();
  }
  nest.assuming = false;
  nest.levels.back().anchor = nullptr;
  return Values(branch.getResults());
}

void GroupEmitter::innerLoop() {
  Values accumulators = initialAccumulators();
  Type i64 = b.getI64Type();
  if (steps == 1) {
    nest.innerDepth = nest.deepest();
    Values results = speculated(std::move(accumulators));
    if (group.axis < 0)
      finishRows(std::move(results));
    return;
  }
  Value from = nest.constant(i64, 0), to = nest.constant(i64, shape[laneDim]), stride = nest.constant(i64, chunks * perChunk);
  auto loop = makeLoop(nest.at(nest.deepest()), loc, from, to, stride, group.axis < 0 ? ValueRange(accumulators) : ValueRange());
  nest.levels.back().anchor = loop;
  nest.levels.push_back({loop.getBody(), nullptr});
  unsigned depth = nest.deepest();
  nest.innerIndex = loop.getInductionVar();
  nest.innerDepth = depth;
  nest.innerDivisor = chunks * perChunk;
  Values results = speculated(group.axis < 0 ? Values(loop.getRegionIterArgs()) : accumulators);
  closeBlock(b, loc, loop.getBody(), results);
  nest.leaveLevel(depth);
  nest.levels.pop_back();
  nest.levels.back().anchor = nullptr;
  nest.innerIndex = {};
  nest.innerDepth = nest.deepest();
  if (group.axis < 0)
    finishRows(Values(loop.getResults()));
}

void GroupEmitter::emit() {
  chooseLanes();
  openOuterLoops();
  innerLoop();
  // Close the outer loops.
  while (nest.levels.size() > 1) {
    closeBlock(b, loc, nest.levels.back().block, {});
    nest.levels.pop_back();
  }
}

void Program::emit(Group &group) {
  Location loc = group.roots[0].op ? group.roots[0].op->getLoc() : group.roots[0].value.getLoc();
  arena.tick();
  for (const Root &root : group.roots) {
    if (root.buffer)
      arena.touch(root.buffer);
    for (Buffer *buffer : root.results)
      arena.touch(buffer);
  }
  GroupEmitter(*this, group, here(), loc).emit();
  for (const Root &root : group.roots)
    if (root.kind == Root::Reduce)
      for (auto [result, buffer] : llvm::zip(root.op->getResults(), root.results))
        setBuffer(result, buffer);
  arena.tick();
}

} // namespace triton_metal::cpu
