//===- Values.cpp - where a tensor's elements come from --------------------------------===//
#include "Lowering.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

/// Operations that a lazy value may cost, as a tree. What is dearer is computed once and kept.
static constexpr unsigned kLaziestCost = 24;
static constexpr unsigned kNotLazy = ~0u;

StringRef triton_metal::lane::sourceName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName();
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return sourceName(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = sourceName(part); !name.empty())
        return name;
  return {};
}

bool KernelLowering::isScalarLike(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return !tensor || ttm::getLayout(tensor)->getNumRegisters() == 1;
}

/// Renamings keep each element in its lane and only number the registers otherwise.
bool KernelLowering::isRenaming(Operation *op) {
  if (auto convert = dyn_cast<ttm::ConvertLayoutOp>(op)) {
    auto kind = LayoutConversion::get(*ttm::getLayout(convert.getSrc()), *ttm::getLayout(convert.getResult())).kind;
    return kind == LayoutConversion::Kind::Identity || kind == LayoutConversion::Kind::Register;
  }
  return isa<tt::ExpandDimsOp, tt::BroadcastOp, tt::ReshapeOp, tt::TransOp, tt::SplitOp>(op);
}

/// Slow instructions and functions; everything else of `arith` is an instruction or two.
static bool isDear(Operation *op) {
  return isa<math::MathDialect>(op->getDialect()) ||
         isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::DivFOp, arith::RemFOp, tt::MulhiUIOp,
             tt::ExternElementwiseOp, tt::PreciseSqrtOp, tt::PreciseDivFOp>(op);
}

unsigned KernelLowering::costOf(Value value) {
  if (!isa<RankedTensorType>(value.getType()))
    return 0;
  auto [it, inserted] = costs.try_emplace(value, kNotLazy);
  if (!inserted)
    return it->second;
  Operation *op = value.getDefiningOp();
  unsigned cost = kNotLazy;
  if (op && isa<arith::ConstantOp, tt::SplatOp, ub::PoisonOp>(op)) {
    cost = 0;
  } else if (op && isa<tt::MakeRangeOp>(op)) {
    cost = 2;
  } else if (op && (isRenaming(op) || (ttm::isElementwise(op) && isMemoryEffectFree(op) && !isDear(op)))) {
    cost = isRenaming(op) ? 0 : 1;
    for (Value operand : op->getOperands()) {
      unsigned part = costOf(operand);
      cost = part == kNotLazy || cost == kNotLazy ? kNotLazy : cost + part;
    }
    if (cost > kLaziestCost)
      cost = kNotLazy;
  }
  costs[value] = cost;
  return cost;
}

bool KernelLowering::isLazy(Value value) { return costOf(value) != kNotLazy; }

/// How the bits of a renaming's operand are found, given those of its result.
View KernelLowering::sourceView(Operation *op, const View &view) {
  return llvm::TypeSwitch<Operation *, View>(op)
      .Case([&](tt::BroadcastOp broadcast) {
        ArrayRef<int64_t> from = cast<RankedTensorType>(broadcast.getSrc().getType()).getShape();
        ArrayRef<int64_t> to = cast<RankedTensorType>(broadcast.getType()).getShape();
        View source;
        unsigned bit = 0;
        for (unsigned i = from.size(); i-- > 0;) {
          unsigned bits = llvm::Log2_64(to[i]);
          if (from[i] == to[i])
            source.append(view.begin() + bit, view.begin() + bit + bits);
          bit += bits;
        }
        return source;
      })
      .Case([&](tt::TransOp trans) {
        LinearLayout from = *ttm::getLayout(trans.getSrc()), to = *ttm::getLayout(trans.getResult());
        View source(view.size());
        for (auto [i, dim] : llvm::enumerate(trans.getOrder()))
          for (unsigned bit = 0; bit < to.getDimBits(i); ++bit)
            source[from.getDimShift(dim) + bit] = view[to.getDimShift(i) + bit];
        return source;
      })
      .Default([&](Operation *) { return view; }); // the row-major index stays
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

/// The view of the first element of the block in which `value` is known to be one and the same; none if that is `view`.
std::optional<View> KernelLowering::firstOfConstantBlock(Value value, const View &view) {
  LinearLayout layout = *ttm::getLayout(value);
  AxisInfo info = axis.get(value);
  if (info.getRank() != layout.getRank() || view.size() != layout.getNumElementBits())
    return std::nullopt;
  View first = view;
  SmallVector<unsigned> inBlock, counted; // by loop: its bits within the block, and all of them
  auto countIn = [](SmallVector<unsigned> &bits, const BitSource &source) {
    if (source.kind != BitSource::Kind::Counter)
      return;
    bits.resize(std::max<size_t>(bits.size(), source.index + 1));
    ++bits[source.index];
  };
  auto forBlock = [&](function_ref<void(BitSource &)> fn) {
    for (unsigned dim = 0; dim < layout.getRank(); ++dim)
      for (unsigned bit = 0; bit < layout.getDimBits(dim) && int64_t(2) << bit <= info.constancy[dim]; ++bit)
        fn(first[layout.getDimShift(dim) + bit]);
  };
  for (const BitSource &source : view)
    countIn(counted, source);
  forBlock([&](BitSource &source) { countIn(inBlock, source); });
  // A loop that also leaves the block would only be read in a stranger way.
  forBlock([&](BitSource &source) {
    bool stays = source.kind == BitSource::Kind::One ||
                 (source.kind == BitSource::Kind::Counter && inBlock[source.index] == counted[source.index]);
    if (stays)
      source = {BitSource::Kind::Zero, 0, 0};
  });
  return first == view ? std::nullopt : std::optional<View>(first);
}

Located KernelLowering::evaluate(Value value, const View &view) {
  if (!isa<RankedTensorType>(value.getType()))
    return {scalars.lookup(value), 0};
  if (nest->views.empty())
    nest->views.push_back(nest->identity);
  if (tt::getElementOf(value.getType()).isInteger(1) && isLazy(value))
    if (std::optional<View> first = firstOfConstantBlock(value, view))
      return evaluate(value, *first);
  unsigned id = llvm::find(nest->views, view) - nest->views.begin();
  if (id == nest->views.size())
    nest->views.push_back(view);
  auto known = nest->memo.find({value, id});
  if (known != nest->memo.end())
    return known->second;
  Location outer = loc;
  loc = value.getLoc();
  Located result = compute(value, view);
  loc = outer;
  nest->memo[{value, id}] = result;
  return result;
}

Located KernelLowering::compute(Value value, const View &view) {
  if (Value number = scalars.lookup(value))
    return {number, 0};
  if (auto it = stored.find(value); it != stored.end()) {
    Storage storage = it->second;
    if (view != nest->identity || !holdsSame(storage.layout, nest->domain))
      nest->crossReads.insert(storage.variable);
    Located at = place(storage, view);
    setLevel(at.level);
    return {msl::LoadOp::create(builder, loc, at.value), at.level};
  }
  Operation *op = value.getDefiningOp();
  Type type = convertType(tt::getElementOf(value.getType()));
  if (isRenaming(op)) {
    View source = sourceView(op, view);
    if (isa<tt::SplitOp>(op)) {
      bool second = cast<OpResult>(value).getResultNumber() == 1;
      source.insert(source.begin(), {second ? BitSource::Kind::One : BitSource::Kind::Zero, 0, 0});
    }
    return evaluate(op->getOperand(0), source);
  }
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    auto splat = cast<SplatElementsAttr>(constantOp.getValue());
    setLevel(0);
    return {arith::ConstantOp::create(builder, loc, cast<TypedAttr>(splat.getSplatValue<Attribute>())), 0};
  }
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return loadElement(load, view);
  if (isa<ub::PoisonOp>(op)) {
    setLevel(0);
    if (isa<msl::PointerType>(type)) {
      Value zero = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0));
      return {msl::IntToPtrOp::create(builder, loc, type, zero), 0};
    }
    return {arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type)), 0};
  }
  if (auto splat = dyn_cast<tt::SplatOp>(op))
    return {scalars.lookup(splat.getSrc()), 0};
  if (auto range = dyn_cast<tt::MakeRangeOp>(op)) {
    SmallVector<Term> terms;
    for (auto [i, bit] : llvm::enumerate(view))
      terms.push_back({bit, uint64_t(1) << i});
    Located at = linear(terms);
    if (range.getStart()) {
      setLevel(at.level);
      at.value = arith::AddIOp::create(builder, loc, at.value, constant(range.getStart()));
    }
    return at;
  }
  unsigned level = 0;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Located part = evaluate(operand, view);
    operands.push_back(part.value);
    level = std::max(level, part.level);
  }
  setLevel(level);
  return {createScalar(op, operands, type), level};
}

//===----------------------------------------------------------------------===//
// Local arrays
//===----------------------------------------------------------------------===//

/// Whether an operation that is not in `besides`, and was not lowered before, reads `tensor`, directly or through values that are
/// computed where they are used.
bool KernelLowering::isReadLater(Value tensor, const DenseSet<Operation *> &besides) {
  for (Operation *user : tensor.getUsers()) {
    bool passesOn = user->getNumResults() && (isRenaming(user) || isLazy(user->getResult(0)));
    if (passesOn) {
      for (Value result : user->getResults())
        if (!stored.count(result) && isReadLater(result, besides))
          return true;
    } else if (!besides.contains(user) && !done.contains(user)) {
      return true;
    }
  }
  return false;
}

bool KernelLowering::readsVariable(Value value, Value variable) {
  DenseSet<Value> seen;
  SmallVector<Value> pending = {value};
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    if (auto it = stored.find(next); it != stored.end()) {
      if (it->second.variable == variable)
        return true;
    } else if (Operation *op = next.getDefiningOp()) {
      llvm::append_range(pending, op->getOperands());
    }
  }
  return false;
}

bool KernelLowering::readsOpenNest(Value value) {
  DenseSet<Value> seen;
  SmallVector<Value> pending = {value};
  while (nest && !pending.empty()) {
    Value next = pending.pop_back_val();
    if (!seen.insert(next).second || stored.count(next) || scalars.count(next))
      continue;
    if (llvm::is_contained(nest->defined, next))
      return true;
    if (Operation *op = next.getDefiningOp(); op && (isRenaming(op) || isLazy(next)))
      llvm::append_range(pending, op->getOperands());
  }
  return false;
}

/// What the local array of `tensor` is called: as in the source, unless it is a step towards the value that the source means.
static std::string arrayName(Value tensor) {
  StringRef name = sourceName(tensor.getLoc());
  if (name.empty())
    return "result";
  Operation *op = tensor.getDefiningOp();
  bool isStep = op && (isa<tt::DotOp>(op) || ttm::isElementwise(op)) && llvm::all_of(tensor.getUsers(), [&](Operation *user) {
                  return ttm::isElementwise(user) && sourceName(user->getLoc()) == name;
                });
  if (!isStep)
    return name.str();
  if (isa<tt::DotOp>(op))
    return (name + "_product").str();
  return ((isa<arith::MulFOp>(op) ? "scaled_" : "partial_") + name).str();
}

bool KernelLowering::needsStorage(Value tensor) { return !stored.count(tensor) && isReadLater(tensor, nest->inside); }

Storage KernelLowering::makeStorage(Value tensor, bool matrix) {
  Storage storage;
  storage.layout = *ttm::getLayout(tensor);
  storage.isMatrix = matrix;
  Type element = convertType(tt::getElementOf(tensor.getType()));
  if (matrix) {
    storage.packBits = 1;
  } else if (isa<FloatType>(element) || (element.isInteger() && !element.isInteger(1))) {
    for (auto &[layout, vector] : vectors)
      if (holdsSame(layout, storage.layout))
        storage.packBits = llvm::Log2_32(vector);
  }
  Type type = element;
  if (matrix)
    type = msl::MatrixType::get(element);
  else if (storage.packBits)
    type = VectorType::get(int64_t(1) << storage.packBits, element);
  for (RegisterRun run : registerRuns(storage.layout, storage.packBits, 0, 0))
    type = msl::ArrayType::get(int64_t(1) << run.count, type);
  auto variable = msl::VarOp::create(builder, tensor.getLoc(), msl::PointerType::get(type, msl::AddressSpace::Thread), Value());
  variable->setAttr(msl::kNameAttr, builder.getStringAttr(arrayName(tensor)));
  storage.variable = variable;
  return storage;
}

/// The array for an eager value: the variable of the loop's argument that it becomes, if nothing reads that any more, else a new one
/// before the nest.
Storage KernelLowering::targetFor(Value tensor) {
  if (auto it = targets.find(tensor); it != targets.end()) {
    Value argument = carriedArg.lookup(tensor);
    bool isFree = !argument || (!isReadLater(argument, nest ? nest->inside : done) &&
                                !(nest && nest->crossReads.contains(it->second.variable)));
    if (isFree)
      return it->second;
  }
  setScalarPoint();
  return makeStorage(tensor, fragments.contains(tensor));
}

SmallVector<Located, 3> KernelLowering::arrayIndices(const LinearLayout &layout, unsigned packBits, const View &view) {
  SmallVector<Located, 3> indices;
  Location outer = loc;
  loc = UnknownLoc::get(builder.getContext()); // an index has no name in the source
  SmallVector<RegisterRun> runs = registerRuns(layout, packBits, 0, 0);
  for (RegisterRun run : llvm::reverse(runs)) {
    SmallVector<Term> terms;
    for (unsigned i = 0; i < run.count; ++i)
      terms.push_back({view[llvm::Log2_32(layout.getRegisterBases()[run.first + i])], uint64_t(1) << i});
    indices.push_back(linear(terms));
  }
  loc = outer;
  return indices;
}

Located KernelLowering::place(const Storage &storage, const View &view, bool whole) {
  SmallVector<Term> inner;
  for (unsigned i = 0; i < storage.packBits; ++i)
    inner.push_back({view[llvm::Log2_32(storage.layout.getRegisterBases()[i])], uint64_t(1) << i});
  Located at{storage.variable, 0};
  for (Located index : arrayIndices(storage.layout, storage.packBits, view)) {
    at.level = std::max(at.level, index.level);
    setLevel(at.level);
    at.value = msl::ElementOp::create(builder, loc, at.value, index.value);
  }
  if (storage.isMatrix) {
    setLevel(at.level);
    at.value = msl::FragmentOp::create(builder, loc, at.value);
  }
  if (!inner.empty() && !whole) {
    Located index = linear(inner);
    unsigned level = std::max(at.level, index.level);
    setLevel(level);
    at = {msl::ElementOp::create(builder, loc, at.value, index.value), level};
  }
  return at;
}

void KernelLowering::copyInto(const Storage &target, Value tensor) {
  openNest(target.layout);
  Located value = evaluate(tensor, nest->identity);
  unsigned depth = nest->depth();
  bool whole = target.packBits && nest->levels[depth].bits == target.packBits && value.level < depth;
  if (whole) { // all elements of a vector are one number
    View first = withInnermost(0);
    Located at = place(target, first, /*whole=*/true);
    setLevel(depth - 1);
    auto type = VectorType::get(int64_t(1) << target.packBits, value.value.getType());
    msl::StoreOp::create(builder, loc, msl::SplatOp::create(builder, loc, type, value.value), at.value);
  } else {
    Located at = place(target, nest->identity);
    setLevel(depth);
    msl::StoreOp::create(builder, loc, value.value, at.value);
  }
  closeNest();
}
