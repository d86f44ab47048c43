//===- Nests.cpp - loops over registers -----------------------------------------------===//
#include "Lowering.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

SmallVector<RegisterRun> triton_metal::lane::registerRuns(const LinearLayout &layout, unsigned first, unsigned cut, uint32_t skip) {
  SmallVector<RegisterRun> runs;
  ArrayRef<uint32_t> bases = layout.getRegisterBases();
  auto dimOf = [&](uint32_t basis) {
    unsigned bit = llvm::Log2_32(basis), dim = layout.getRank();
    while (dim > 0 && (layout.getDimShift(dim - 1) + layout.getDimBits(dim - 1) <= bit))
      --dim;
    return dim;
  };
  for (unsigned i = first; i < bases.size(); ++i) {
    if (bases[i] & skip)
      continue;
    bool continues = !runs.empty() && runs.back().first + runs.back().count == i && bases[i] == 2 * bases[i - 1] &&
                     dimOf(bases[i]) == dimOf(bases[i - 1]) && !(cut && i == cut);
    if (continues)
      ++runs.back().count;
    else
      runs.push_back({i, 1});
  }
  return runs;
}

Value KernelLowering::constant(int64_t value) { return arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(value)); }

void KernelLowering::setLevel(unsigned level) {
  Nest::Level &where = nest->levels[level];
  if (where.next)
    builder.setInsertionPoint(where.next);
  else
    builder.setInsertionPointToEnd(where.block);
}

void KernelLowering::setScalarPoint() {
  if (nest)
    setLevel(0);
  else
    builder.setInsertionPointToEnd(current);
}

View KernelLowering::threadView(const LinearLayout &layout) {
  View view(layout.getNumElementBits());
  for (auto [i, basis] : llvm::enumerate(layout.getLaneBases()))
    if (basis)
      view[llvm::Log2_32(basis)] = {BitSource::Kind::Thread, uint8_t(i), 0};
  for (auto [i, basis] : llvm::enumerate(layout.getSimdgroupBases()))
    if (basis)
      view[llvm::Log2_32(basis)] = {BitSource::Kind::Thread, uint8_t(LinearLayout::kLaneBits + i), 0};
  return view;
}

void KernelLowering::enterLoop(unsigned bits, unsigned first) {
  static constexpr StringLiteral names[] = {"i", "j", "k", "l"};
  unsigned outer = nest->depth();
  setLevel(outer);
  Value lower = constant(first), upper = constant(int64_t(1) << bits), step = constant(1);
  auto loop = msl::ForOp::create(builder, loc, lower, upper, step, /*unroll=*/true);
  loop->setAttr(msl::kNameAttr, builder.getStringAttr(names[std::min<unsigned>(outer, 3)]));
  nest->levels[outer].next = loop;
  nest->levels.push_back({&loop.getBody().front(), nullptr, loop.getCounter(), bits});
}

void KernelLowering::leaveLoop() {
  unsigned level = nest->depth();
  nest->levels.pop_back();
  nest->levels.back().next = nullptr;
  SmallVector<std::pair<Value, unsigned>> gone;
  for (auto &[key, located] : nest->memo)
    if (located.level >= level)
      gone.push_back(key);
  for (auto &key : gone)
    nest->memo.erase(key);
}

Nest &KernelLowering::openNest(const LinearLayout &domain, uint32_t skip) {
  closeNest();
  nest.emplace();
  nest->domain = domain;
  nest->levels.push_back({current, nullptr, {}, 0});
  nest->identity = threadView(domain);
  unsigned vectorBits = 0;
  for (auto &[layout, vector] : vectors)
    if (holdsSame(layout, domain))
      vectorBits = llvm::Log2_32(vector);
  // Outermost the highest bits, so that the loops walk the registers in order.
  SmallVector<RegisterRun> runs = registerRuns(domain, 0, vectorBits, skip);
  for (RegisterRun run : llvm::reverse(runs)) {
    enterLoop(run.count, 0);
    for (unsigned i = 0; i < run.count; ++i)
      nest->identity[llvm::Log2_32(domain.getRegisterBases()[run.first + i])] = {BitSource::Kind::Counter, uint8_t(nest->depth()),
                                                                                uint8_t(i)};
  }
  return *nest;
}

Nest &KernelLowering::nestFor(Type tensor) {
  LinearLayout domain = *ttm::getLayout(tensor);
  if (nest && !nest->sealed && holdsSame(nest->domain, domain))
    return *nest;
  return openNest(domain);
}

void KernelLowering::closeNest() {
  if (!nest) {
    builder.setInsertionPointToEnd(current);
    return;
  }
  unsigned depth = nest->depth();
  for (Value tensor : nest->defined) {
    if (depth == 0 || !needsStorage(tensor))
      continue;
    Storage storage = targetFor(tensor);
    VectorLocal vector = nest->vectors.lookup(tensor);
    Type vectorType = vector.variable ? cast<msl::PointerType>(vector.variable.getResult().getType()).getPointee() : Type();
    if (vector.variable && cast<VectorType>(vectorType).getNumElements() == 1 << storage.packBits) {
      // What was loaded as a vector goes straight into its place in the array.
      Operation *array = storage.variable.getDefiningOp();
      if (array->getBlock() == vector.variable->getBlock() && vector.variable->isBeforeInBlock(array))
        array->moveBefore(vector.variable);
      builder.setInsertionPoint(vector.variable);
      Value target = storage.variable;
      for (Value index : vector.indices)
        target = msl::ElementOp::create(builder, vector.variable.getLoc(), target, index);
      if (storage.isMatrix)
        target = msl::FragmentOp::create(builder, vector.variable.getLoc(), target);
      if (vector.variable.getInit())
        msl::StoreOp::create(builder, vector.variable.getLoc(), vector.variable.getInit(), target);
      vector.variable.getResult().replaceAllUsesWith(target);
      vector.variable.erase();
    } else {
      Value value = nest->memo.lookup({tensor, 0}).value;
      Located at = place(storage, nest->identity);
      setLevel(depth);
      msl::StoreOp::create(builder, tensor.getLoc(), value, at.value);
    }
    stored[tensor] = storage;
  }
  for (unsigned level = depth; level > 0; --level) {
    Operation *loop = nest->levels[level - 1].next;
    if (!nest->levels[level].block->empty())
      break;
    loop->erase();
    nest->levels[level - 1].next = nullptr;
  }
  nest.reset();
  builder.setInsertionPointToEnd(current);
}

void KernelLowering::define(Value tensor, Located located) {
  if (nest->views.empty())
    nest->views.push_back(nest->identity);
  nest->memo[{tensor, 0}] = located;
  nest->defined.push_back(tensor);
  nest->inside.insert(tensor.getDefiningOp());
  if (nest->depth() == 0)
    scalars[tensor] = located.value;
}

View KernelLowering::withInnermost(unsigned value) {
  View view = nest->identity;
  for (BitSource &bit : view)
    if (bit.kind == BitSource::Kind::Counter && bit.index == nest->depth())
      bit = {(value >> bit.position) & 1 ? BitSource::Kind::One : BitSource::Kind::Zero, 0, 0};
  return view;
}

//===----------------------------------------------------------------------===//
// Sums of bits
//===----------------------------------------------------------------------===//

/// What the lane's part of a sum says of its place in an 8x8 matrix, if it does.
static StringRef partOfMatrix(ArrayRef<Term> terms) {
  SmallVector<std::pair<unsigned, uint64_t>> lanes;
  for (const Term &term : terms)
    if (term.bit.kind == BitSource::Kind::Thread && term.bit.index < LinearLayout::kLaneBits)
      lanes.push_back({term.bit.index, term.weight});
  if (lanes == SmallVector<std::pair<unsigned, uint64_t>>{{1, 1}, {2, 2}, {4, 4}})
    return "fragment_row";
  if (lanes == SmallVector<std::pair<unsigned, uint64_t>>{{0, 2}, {3, 4}})
    return "fragment_col";
  return {};
}

Located KernelLowering::linear(ArrayRef<Term> terms) {
  // Runs of bits of one source whose weights double are taken together: `(source >> first & mask) * weight`.
  SmallVector<Term> sorted(terms);
  llvm::stable_sort(sorted, [](const Term &a, const Term &b) {
    auto key = [](const Term &t) { return std::tuple(t.bit.kind, t.bit.kind == BitSource::Kind::Counter ? t.bit.index : 0,
                                                     t.bit.kind == BitSource::Kind::Counter ? t.bit.position : t.bit.index); };
    return key(a) < key(b);
  });
  Located sum;
  auto add = [&](Value value, unsigned level) {
    if (!sum.value) {
      sum = {value, level};
      return;
    }
    sum.level = std::max(sum.level, level);
    setLevel(sum.level);
    sum.value = arith::AddIOp::create(builder, loc, sum.value, value);
  };
  // The part of a sum that the loops do not change is shared; it is called by what it is.
  StringRef lanePart = partOfMatrix(sorted);
  auto nameSum = [&](const Twine &name) {
    if (auto add = sum.value ? sum.value.getDefiningOp<arith::AddIOp>() : arith::AddIOp())
      add->setLoc(NameLoc::get(builder.getStringAttr(name)));
  };
  auto isLane = [](const Term &term) { return term.bit.kind == BitSource::Kind::Thread && term.bit.index < LinearLayout::kLaneBits; };
  int64_t fixed = 0;
  for (unsigned i = 0; i < sorted.size();) {
    const Term &term = sorted[i];
    if (term.bit.kind == BitSource::Kind::Zero || term.bit.kind == BitSource::Kind::One) {
      fixed += term.bit.kind == BitSource::Kind::One ? term.weight : 0;
      ++i;
      continue;
    }
    bool isCounter = term.bit.kind == BitSource::Kind::Counter;
    auto positionOf = [&](const Term &t) -> unsigned { return isCounter ? t.bit.position : t.bit.index; };
    unsigned count = 1;
    while (i + count < sorted.size() && sorted[i + count].bit.kind == term.bit.kind &&
           (!isCounter || sorted[i + count].bit.index == term.bit.index) &&
           positionOf(sorted[i + count]) == positionOf(term) + count && sorted[i + count].weight == term.weight << count)
      ++count;
    bool endsLanes = !lanePart.empty() && isLane(term) && (i + count == sorted.size() || !isLane(sorted[i + count]));
    Location outer = loc;
    if (!lanePart.empty() && isLane(term))
      loc = NameLoc::get(builder.getStringAttr(lanePart));
    bool startsLoops = isCounter && sum.value && sum.level == 0;
    if (startsLoops && i > 0 && !isLane(sorted[i - 1]) && !sourceName(loc).empty())
      nameSum("first_" + sourceName(loc));
    i += count;
    unsigned first = positionOf(term), level = isCounter ? term.bit.index : 0, bits;
    setLevel(level);
    Value number;
    if (isCounter) {
      number = nest->levels[level].counter;
      bits = nest->levels[level].bits;
    } else {
      msl::Builtin which = msl::Builtin::Thread;
      bits = LinearLayout::kLaneBits + simdgroupBits;
      if (first >= LinearLayout::kLaneBits)
        which = msl::Builtin::SimdGroup, first -= LinearLayout::kLaneBits, bits = simdgroupBits;
      else if (first + count <= LinearLayout::kLaneBits)
        which = msl::Builtin::Lane, bits = LinearLayout::kLaneBits;
      number = msl::BuiltinOp::create(builder, loc, which);
    }
    if (first)
      number = arith::ShRUIOp::create(builder, loc, number, constant(first));
    if (first + count < bits)
      number = arith::AndIOp::create(builder, loc, number, constant((int64_t(1) << count) - 1));
    if (term.weight != 1)
      number = arith::MulIOp::create(builder, loc, number, constant(term.weight));
    add(number, level);
    if (endsLanes)
      nameSum(lanePart);
    loc = outer;
  }
  if (fixed || !sum.value) {
    setLevel(sum.level);
    Value value = constant(fixed);
    add(value, sum.level);
  }
  return sum;
}
