//===- Ordered.cpp - what is done element by element ------------------------------------===//
//
// Scans along their axis, atomics, histograms, concatenation: operations with an order or with results in other places than their
// operands.
//
//===----------------------------------------------------------------------------===//
#include "Elementwise.h"
#include "GroupEmitter.h"

using namespace mlir;

namespace triton_metal::cpu {

/// A plain nest over `shape`, one element at a time.
void Program::forEachElement(ArrayRef<int64_t> shape, Location loc, llvm::function_ref<void(Nest &, unsigned)> body, int64_t width) {
  arena.tick();
  Nest nest(*this, here(), loc);
  Nest::Index index;
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    bool last = dim + 1 == shape.size();
    int64_t step = last ? std::min(width, extent) : 1;
    Lanes position = nest.integer(b.getI64Type(), 0);
    if (extent > step) {
      Value from = nest.constant(b.getI64Type(), 0), to = nest.constant(b.getI64Type(), extent),
            by = nest.constant(b.getI64Type(), step);
      auto loop = makeLoop(nest.at(nest.deepest()), loc, from, to, by, {});
      nest.levels.back().anchor = loop;
      nest.levels.push_back({loop.getBody(), nullptr});
      position = nest.uniform(loop.getInductionVar(), nest.deepest());
    }
    if (last && step > 1) {
      nest.width = step;
      for (int64_t lane = 0; lane < step; ++lane)
        position.offsets.push_back(lane);
    }
    position.nonNegative = true;
    index.push_back(std::move(position));
  }
  nest.innerDepth = nest.deepest();
  body(nest, nest.intern(std::move(index)));
  while (nest.levels.size() > 1) {
    closeBlock(b, loc, nest.levels.back().block, {});
    nest.levels.pop_back();
  }
  arena.tick();
}

/// Lanes run along the last dimension that is not scanned; the scanned one is a loop that carries the running values.
void Program::lowerScan(tt::ScanOp op) {
  Location loc = op.getLoc();
  prepare(op.getSrcs());
  flush();
  SmallVector<Buffer *> results;
  for (Value result : op.getResults())
    results.push_back(newBuffer(result));
  ArrayRef<int64_t> shape = tt::getShapeOf(op.getSrcs()[0].getType());
  unsigned axis = op.getAxis();
  int64_t extent = shape[axis];
  SmallVector<int64_t> others(shape);
  others.erase(others.begin() + axis);
  int64_t width = axis + 1 == shape.size() ? 1 : options.vectorBits / 32;
  forEachElement(others, loc, [&](Nest &nest, unsigned outer) {
    auto indexAtStep = [&](Lanes position) {
      Nest::Index index = nest.indexAt(outer);
      index.insert(index.begin() + axis, std::move(position));
      return nest.intern(std::move(index));
    };
    Type i64 = b.getI64Type();
    auto evaluate = [&](unsigned index) {
      SmallVector<Value> values;
      for (Value source : op.getSrcs())
        values.push_back(nest.toVector(nest.evaluate(source, index)));
      return values;
    };
    auto keepResults = [&](unsigned index, ValueRange values) {
      for (auto [value, buffer] : llvm::zip_equal(values, results))
        nest.store(nest.bufferPointer(buffer, index), nullptr, nest.fromVector(buffer->element, value, nest.deepest()), nest.deepest());
    };
    unsigned start = indexAtStep(nest.integer(i64, op.getReverse() ? extent - 1 : 0));
    SmallVector<Value> running = evaluate(start);
    keepResults(start, running);
    if (extent == 1)
      return;
    Value from = nest.constant(i64, 1), to = nest.constant(i64, extent);
    auto loop = makeLoop(nest.at(nest.deepest()), loc, from, to, from, running);
    nest.levels.back().anchor = loop;
    nest.levels.push_back({loop.getBody(), nullptr});
    unsigned depth = nest.deepest();
    Value position = loop.getInductionVar();
    if (op.getReverse()) {
      Value last = nest.constant(i64, extent - 1);
      position = arith::SubIOp::create(nest.at(depth), loc, last, position);
    }
    Lanes lanes = nest.uniform(position, depth);
    lanes.nonNegative = true;
    unsigned index = indexAtStep(lanes);
    SmallVector<Value> next = evaluate(index);
    next = combine(*this, nest.at(depth), loc, op.getCombineBlock(), SmallVector<Value>(loop.getRegionIterArgs()), next);
    keepResults(index, next);
    closeBlock(b, loc, loop.getBody(), next);
    nest.leaveLevel(depth);
    nest.levels.pop_back();
    nest.levels.back().anchor = nullptr;
  }, width);
  for (auto [result, buffer] : llvm::zip_equal(op.getResults(), results)) {
    arena.touch(buffer);
    setBuffer(result, buffer);
  }
}

/// Whether the update of an element that no other thread sees is one operation on its type.
static bool isPlain(tt::RMWOp kind, Type element) {
  bool isExact = kind == tt::RMWOp::FADD || kind == tt::RMWOp::XCHG; // minima and maxima of floats have their own rules for NaN
  return !isa<FloatType>(element) || (isExact && element.getIntOrFloatBitWidth() >= 32);
}

/// What the element becomes, where the update is plain.
static Value plainUpdate(OpBuilder &b, Location loc, tt::RMWOp kind, Value old, Value value) {
  switch (kind) {
  case tt::RMWOp::AND: return arith::AndIOp::create(b, loc, old, value);
  case tt::RMWOp::OR: return arith::OrIOp::create(b, loc, old, value);
  case tt::RMWOp::XOR: return arith::XOrIOp::create(b, loc, old, value);
  case tt::RMWOp::ADD: return arith::AddIOp::create(b, loc, old, value);
  case tt::RMWOp::FADD: return arith::AddFOp::create(b, loc, old, value);
  case tt::RMWOp::MAX: return arith::MaxSIOp::create(b, loc, old, value);
  case tt::RMWOp::MIN: return arith::MinSIOp::create(b, loc, old, value);
  case tt::RMWOp::UMAX: return arith::MaxUIOp::create(b, loc, old, value);
  case tt::RMWOp::UMIN: return arith::MinUIOp::create(b, loc, old, value);
  case tt::RMWOp::XCHG: return value;
  }
  return {};
}

/// Does the read-modify-write on one element; gives its old value.
static Value update(OpBuilder &b, Location loc, tt::AtomicRMWOp rmw, Value address, Value value, LLVM::AtomicOrdering order) {
  Type element = value.getType();
  if (tt::isSharedPointer(rmw.getPtr().getType()) && isPlain(rmw.getAtomicRmwOp(), element)) {
    unsigned bytes = element.getIntOrFloatBitWidth() / 8;
    Value old = LLVM::LoadOp::create(b, loc, element, address, bytes);
    LLVM::StoreOp::create(b, loc, plainUpdate(b, loc, rmw.getAtomicRmwOp(), old, value), address, bytes);
    return old;
  }
  auto kind = [&] {
    switch (rmw.getAtomicRmwOp()) {
    case tt::RMWOp::AND: return LLVM::AtomicBinOp::_and;
    case tt::RMWOp::OR: return LLVM::AtomicBinOp::_or;
    case tt::RMWOp::XOR: return LLVM::AtomicBinOp::_xor;
    case tt::RMWOp::ADD: return LLVM::AtomicBinOp::add;
    case tt::RMWOp::FADD: return LLVM::AtomicBinOp::fadd;
    case tt::RMWOp::MAX: return isa<FloatType>(element) ? LLVM::AtomicBinOp::fmax : LLVM::AtomicBinOp::max;
    case tt::RMWOp::MIN: return isa<FloatType>(element) ? LLVM::AtomicBinOp::fmin : LLVM::AtomicBinOp::min;
    case tt::RMWOp::UMAX: return LLVM::AtomicBinOp::umax;
    case tt::RMWOp::UMIN: return LLVM::AtomicBinOp::umin;
    case tt::RMWOp::XCHG: return LLVM::AtomicBinOp::xchg;
    }
    return LLVM::AtomicBinOp::add;
  }();
  return LLVM::AtomicRMWOp::create(b, loc, kind, address, value, order);
}

void Program::lowerAtomic(Operation *op) {
  Location loc = op->getLoc();
  flush();
  Value result = op->getResult(0);
  auto tensor = dyn_cast<RankedTensorType>(result.getType());
  prepare(op->getOperands());
  // Memory changes: what was loaded before keeps its values.
  Group barrier;
  Root root;
  root.kind = Root::Store;
  root.op = op;
  barrier.roots.push_back(root);
  SmallVector<Value> before;
  planKeeps(barrier, before);
  for (Value value : before)
    keep(value);
  Buffer *buffer = tensor && !result.use_empty() ? newBuffer(result) : nullptr;
  Type element = registerType(tt::getElementOf(result.getType()));
  auto order = [](tt::MemSemantic semantic) {
    switch (semantic) {
    case tt::MemSemantic::RELAXED: return LLVM::AtomicOrdering::monotonic;
    case tt::MemSemantic::ACQUIRE: return LLVM::AtomicOrdering::acquire;
    case tt::MemSemantic::RELEASE: return LLVM::AtomicOrdering::release;
    case tt::MemSemantic::ACQUIRE_RELEASE: return LLVM::AtomicOrdering::acq_rel;
    }
    return LLVM::AtomicOrdering::acq_rel;
  };
  Value scalarResult;
  forEachElement(tensor ? tensor.getShape() : ArrayRef<int64_t>(), loc, [&](Nest &nest, unsigned index) {
    auto scalarOf = [&](Value value) { return nest.scalarPart(nest.evaluate(value, index)); };
    unsigned depth = nest.deepest();
    Lanes lanes = nest.evaluate(op->getOperand(0), index);
    Value address = lanes.pointer ? nest.address(lanes)
                                  : Value(LLVM::IntToPtrOp::create(nest.at(depth), loc, lanes.type, lanes.vector));
    Value old;
    Access access{op, op->getOperand(0), Site::Access::Atomic};
    auto check = [&](OpBuilder &builder) {
      std::optional<Site> shared = sharedSite(access, memoryType(element));
      if (std::optional<Site> site = shared ? shared : accessSite(access, memoryType(element))) {
        Value one = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(1));
        callRuntime(builder, loc, shared ? kSharedAccessCallback : kCheckCallback, *site, "", {address, one});
      }
    };
    if (auto cas = dyn_cast<tt::AtomicCASOp>(op)) {
      Value expected = scalarOf(cas.getCmp()), desired = scalarOf(cas.getVal());
      Type bits = b.getIntegerType(element.getIntOrFloatBitWidth());
      OpBuilder &at = nest.at(depth);
      auto asBits = [&](Value value) { return value.getType() == bits ? value : Value(LLVM::BitcastOp::create(at, loc, bits, value)); };
      LLVM::AtomicOrdering success = order(cas.getSem());
      LLVM::AtomicOrdering failure = success == LLVM::AtomicOrdering::acq_rel   ? LLVM::AtomicOrdering::acquire
                                     : success == LLVM::AtomicOrdering::release ? LLVM::AtomicOrdering::monotonic
                                                                                : success;
      check(at);
      Value pair = LLVM::AtomicCmpXchgOp::create(at, loc, address, asBits(expected), asBits(desired), success, failure);
      old = LLVM::ExtractValueOp::create(at, loc, pair, ArrayRef<int64_t>{0});
      if (element != bits)
        old = LLVM::BitcastOp::create(at, loc, element, old);
    } else {
      auto rmw = cast<tt::AtomicRMWOp>(op);
      Value value = scalarOf(rmw.getVal()), none;
      if (rmw.getMask()) {
        Lanes mask = nest.evaluate(rmw.getMask(), index);
        if (!mask.isConstant() || mask.constant == 0) {
          none = arith::ConstantOp::create(nest.at(depth), loc, cast<TypedAttr>(b.getZeroAttr(element)));
          Value condition = nest.scalarPart(mask);
          auto branch = scf::IfOp::create(nest.at(depth), loc, TypeRange(element), condition, true, true);
          OpBuilder inner = branch.getThenBodyBuilder();
          check(inner);
          Value swapped = update(inner, loc, rmw, address, value, order(rmw.getSem()));
          scf::YieldOp::create(inner, loc, swapped);
          OpBuilder outer = branch.getElseBodyBuilder();
          scf::YieldOp::create(outer, loc, none);
          old = branch.getResult(0);
        }
      }
      if (!none) {
        check(nest.at(depth));
        old = update(nest.at(depth), loc, rmw, address, value, order(rmw.getSem()));
      }
    }
    if (buffer)
      nest.storeBuffer(buffer, index, nest.uniform(old, depth));
    scalarResult = old;
  });
  if (buffer) {
    arena.touch(buffer);
    setBuffer(result, buffer);
  } else if (!tensor) {
    bindScalar(result, scalarResult);
  }
}

void Program::lowerHistogram(tt::HistogramOp op) {
  Location loc = op.getLoc();
  prepare(op->getOperands());
  flush();
  Buffer *counts = newBuffer(op.getResult());
  int64_t bins = counts->shape[0];
  forEachElement(counts->shape, loc, [&](Nest &nest, unsigned index) {
    nest.storeBuffer(counts, index, nest.integer(counts->element, 0));
  }, options.vectorBits / 32);
  forEachElement(tt::getShapeOf(op.getSrc().getType()), loc, [&](Nest &nest, unsigned index) {
    unsigned depth = nest.deepest();
    Value value = nest.scalarPart(nest.evaluate(op.getSrc(), index));
    Value limit = nest.constant(value.getType(), bins);
    Value counted = arith::CmpIOp::create(nest.at(depth), loc, arith::CmpIPredicate::ult, value, limit);
    if (op.getMask()) {
      Value mask = nest.scalarPart(nest.evaluate(op.getMask(), index));
      counted = arith::AndIOp::create(nest.at(depth), loc, counted, mask);
    }
    // An element that does not count adds 0 to bin 0.
    Value bin = arith::SelectOp::create(nest.at(depth), loc, counted, value, nest.constant(value.getType(), 0));
    Value wide = bin.getType().isInteger(64) ? bin : Value(arith::ExtUIOp::create(nest.at(depth), loc, b.getI64Type(), bin));
    Value address = LLVM::GEPOp::create(nest.at(depth), loc, counts->pointer.getType(), counts->element, counts->pointer,
                                        ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(wide)});
    Value old = LLVM::LoadOp::create(nest.at(depth), loc, counts->element, address);
    Value one = arith::ExtUIOp::create(nest.at(depth), loc, counts->element, counted);
    Value sum = arith::AddIOp::create(nest.at(depth), loc, old, one);
    LLVM::StoreOp::create(nest.at(depth), loc, sum, address);
  });
  arena.touch(counts);
  setBuffer(op.getResult(), counts);
}

void Program::lowerCat(tt::CatOp op) {
  prepare(op->getOperands());
  flush();
  Buffer *result = newBuffer(op.getResult());
  int64_t offset = 0;
  for (Value source : {op.getLhs(), op.getRhs()}) {
    ArrayRef<int64_t> shape = tt::getShapeOf(source.getType());
    forEachElement(shape, op.getLoc(), [&](Nest &nest, unsigned index) {
      Lanes value = nest.evaluate(source, index);
      Nest::Index target = nest.indexAt(index);
      target[0].constant += offset;
      nest.storeBuffer(result, nest.intern(std::move(target)), value);
    }, options.vectorBits / 32);
    offset += shape[0];
  }
  arena.touch(result);
  setBuffer(op.getResult(), result);
}

} // namespace triton_metal::cpu
