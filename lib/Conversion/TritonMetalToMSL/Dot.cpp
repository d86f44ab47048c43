//===- Dot.cpp - matrix products ------------------------------------------------------------===//
//
// Registers 2f and 2f + 1 of an operand are what the lane holds of 8x8 fragment f. The product is three short loops over fragments, K
// outermost, that accumulate in place where the old accumulator is not read any more.
//
// An operand that is loaded for this product alone is *streamed*: its load stands inside of these loops, fragment by fragment, where
// no write stands between the load and the product. Of two streamed operands the longer side has one fragment at a time in a register,
// the other all those of one step of K.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"
#include "triton_metal/Support/Unsupported.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

Storage KernelLowering::fragmentsOf(Value operand) {
  if (auto it = stored.find(operand); it != stored.end() && it->second.isMatrix)
    return it->second;
  setScalarPoint();
  Storage storage = makeStorage(operand, /*matrix=*/true);
  copyInto(storage, operand);
  return storage;
}

/// Where the result accumulates: in place of `c` if that is not read later, else in a copy of it.
Storage KernelLowering::accumulatorOf(tt::DotOp op, bool matrix) {
  Value c = op.getC();
  DenseSet<Operation *> besides = {op};
  auto it = stored.find(c);
  // The product is written while the factors are still read.
  auto isFactor = [&](const Storage &storage) {
    return readsVariable(op.getA(), storage.variable) || readsVariable(op.getB(), storage.variable);
  };
  bool inPlace = it != stored.end() && it->second.isMatrix == matrix && !isReadLater(c, besides) && !isFactor(it->second);
  if (inPlace)
    return it->second;
  Storage storage;
  auto target = targets.find(op.getD());
  Value argument = carriedArg.lookup(op.getD());
  if (target != targets.end() && target->second.isMatrix == matrix && argument != c && (!argument || !isReadLater(argument, besides)) &&
      !isFactor(target->second))
    storage = target->second;
  else {
    setScalarPoint();
    storage = makeStorage(op.getD(), matrix);
  }
  copyInto(storage, c);
  return storage;
}

/// Whether 8x8 matrices multiply: no fragment has duplicates.
static bool usesMatrices(tt::DotOp op) {
  auto kind = op->getAttrOfType<StringAttr>(ttm::kDotKind);
  if (!kind || kind.getValue() != "simdgroup_matrix")
    return false;
  return llvm::all_of(op->getOperands(), [](Value operand) {
    LinearLayout layout = *ttm::getLayout(operand);
    return layout.getNumRegisters() > 1 && !layout.getFreeLaneMask();
  });
}

/// Collects the loads that `value`, an operand of `dot` or a part of it, is made from where it is used; false if it cannot be made
/// there.
bool KernelLowering::collectStream(Value value, tt::DotOp dot, SmallVectorImpl<Operation *> &made) {
  if (isLazy(value) || !isa<RankedTensorType>(value.getType()))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != dot->getBlock() || !value.hasOneUse())
    return false;
  bool isLoad = isa<tt::LoadOp>(op);
  if (isLoad) {
    for (Operation *between = op->getNextNode(); between != dot; between = between->getNextNode()) {
      WalkResult result = between->walk([&](Operation *inner) {
        bool writes = llvm::TypeSwitch<Operation *, bool>(inner)
                          .Case([](ttm::BarrierOp barrier) { return barrier.getDevice(); })
                          .Case<tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>([](auto) { return true; })
                          .Case<ttm::WriteOp, ttm::ReadOp, ttm::ReadAtOp, ttm::AllocOp, tt::LoadOp>([](auto) { return false; })
                          .Default([](Operation *other) { return other->getNumRegions() == 0 && !isMemoryEffectFree(other); });
        return writes ? WalkResult::interrupt() : WalkResult::advance();
      });
      if (result.wasInterrupted())
        return false;
    }
    // Its addresses and masks are made at each fragment.
    for (Value operand : op->getOperands())
      if (isa<RankedTensorType>(operand.getType()) && !isLazy(operand))
        return false;
    made.push_back(op);
    return true;
  }
  bool passes = isRenaming(op) || (ttm::isElementwise(op) && op->getNumResults() == 1 && isMemoryEffectFree(op));
  if (!passes)
    return false;
  for (Value operand : op->getOperands())
    if (!collectStream(operand, dot, made))
      return false;
  made.push_back(op);
  return true;
}

void KernelLowering::findStreams() {
  source.walk([&](tt::DotOp dot) {
    if (!usesMatrices(dot))
      return;
    for (Value operand : {dot.getA(), dot.getB()}) {
      SmallVector<Operation *> made;
      if (!isLazy(operand) && collectStream(operand, dot, made) && llvm::any_of(made, llvm::IsaPred<tt::LoadOp>)) {
        streamed.insert(operand);
        madeAtUse.insert(made.begin(), made.end());
      }
    }
  });
}

/// Fills the matrix at `matrix` with the fragment of the streamed tensor `operand` that `view` selects; its two elements differ in
/// the element bit of register bit 0.
void KernelLowering::streamFragment(Value operand, Located matrix, View view) {
  unsigned low = llvm::Log2_32(ttm::getLayout(operand)->getRegisterBases()[0]);
  setLevel(matrix.level);
  Value fragment = msl::FragmentOp::create(builder, loc, matrix.value);
  auto element = [&](unsigned i) {
    view[low] = {i ? BitSource::Kind::One : BitSource::Kind::Zero, 0, 0};
    return view;
  };
  auto loadPair = [&](tt::LoadOp load) {
    Location outer = loc;
    loc = load.getLoc();
    LoadedVector loaded = loadWhole(load, 2, element, matrix.level);
    StringRef name = sourceName(loc);
    if (loaded.variable)
      loaded.variable->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "pair" : name));
    loc = outer;
    return loaded;
  };
  auto load = operand.getDefiningOp<tt::LoadOp>();
  if (load && loadsVectors(load, 2)) {
    LoadedVector loaded = loadPair(load);
    setLevel(loaded.level);
    if (loaded.variable)
      loaded.value = msl::LoadOp::create(builder, loc, loaded.variable);
    msl::StoreOp::create(builder, load.getLoc(), loaded.value, fragment);
    return;
  }
  // Pairs that the elements are computed from are loaded before the loop over the two.
  SmallVector<std::pair<Value, msl::VarOp>> pairs;
  SmallVector<Value> parts = {operand};
  while (!parts.empty()) {
    Value part = parts.pop_back_val();
    Operation *op = part.getDefiningOp();
    if (!op || !madeAtUse.contains(op))
      continue;
    if (auto leaf = dyn_cast<tt::LoadOp>(op)) {
      if (!loadsVectors(leaf, 2))
        continue;
      LoadedVector loaded = loadPair(leaf);
      setLevel(loaded.level);
      if (!loaded.variable) {
        auto type = msl::PointerType::get(loaded.value.getType(), msl::AddressSpace::Thread);
        loaded.variable = msl::VarOp::create(builder, leaf.getLoc(), type, loaded.value);
        StringRef name = sourceName(leaf.getLoc());
        loaded.variable->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "pair" : name));
      }
      pairs.push_back({part, loaded.variable});
    } else if (ttm::isElementwise(op)) { // renamings number the elements otherwise
      parts.append(op->operand_begin(), op->operand_end());
    }
  }
  enterLoop(1, 0);
  view[low] = {BitSource::Kind::Counter, uint8_t(nest->depth()), 0};
  if (nest->views.empty())
    nest->views.push_back(nest->identity);
  unsigned id = llvm::find(nest->views, view) - nest->views.begin();
  if (id == nest->views.size())
    nest->views.push_back(view);
  for (auto &[value, variable] : pairs) {
    setLevel(nest->depth());
    Value at = msl::ElementOp::create(builder, loc, variable, nest->levels.back().counter);
    nest->memo[{value, id}] = {msl::LoadOp::create(builder, loc, at), nest->depth()};
  }
  Located value = evaluate(operand, view);
  setLevel(nest->depth());
  Value target = msl::ElementOp::create(builder, loc, fragment, nest->levels.back().counter);
  msl::StoreOp::create(builder, loc, value.value, target);
  leaveLoop();
}

LogicalResult KernelLowering::lowerDot(tt::DotOp op) {
  auto kind = op->getAttrOfType<StringAttr>(ttm::kDotKind);
  if (!kind || kind.getValue() != "simdgroup_matrix")
    return lowerScalarDot(op);
  LinearLayout a = *ttm::getLayout(op.getA()), b = *ttm::getLayout(op.getB()), c = *ttm::getLayout(op.getC());
  if (!usesMatrices(op))
    return emitUnsupported(op, "metal", "a dimension of the product is less than 8", "use blocks of at least 8, or device=\"cpu\"", "dot");
  closeNest();
  bool streamsLeft = streamed.contains(op.getA()), streamsRight = streamed.contains(op.getB());
  Storage left, right;
  if (!streamsLeft)
    left = fragmentsOf(op.getA());
  if (!streamsRight)
    right = fragmentsOf(op.getB());
  Storage sum = accumulatorOf(op, /*matrix=*/true);

  // One loop for each of batch, K, M, N over those of its coordinate bits that are in registers above the fragment's own.
  unsigned rank = c.getRank();
  nest.emplace();
  nest->domain = c;
  nest->levels.push_back({current, nullptr, {}, 0});
  auto bitsOf = [&](const LinearLayout &layout, unsigned dim) {
    SmallVector<unsigned> bits;
    for (auto [i, basis] : llvm::enumerate(layout.getRegisterBases()))
      if (i > 0)
        if (uint32_t coordinate = layout.getCoordinate(basis, dim))
          bits.push_back(llvm::Log2_32(coordinate));
    return bits;
  };
  View leftView = threadView(a), rightView = threadView(b), sumView = threadView(c);
  auto walk = [&](const LinearLayout &layout, unsigned dim, ArrayRef<std::pair<View *, unsigned>> users) {
    SmallVector<unsigned> bits = bitsOf(layout, dim);
    if (bits.empty())
      return;
    enterLoop(bits.size(), 0);
    for (auto [position, bit] : llvm::enumerate(bits))
      for (auto &[view, shift] : users)
        (*view)[shift + bit] = {BitSource::Kind::Counter, uint8_t(nest->depth()), uint8_t(position)};
  };
  for (unsigned dim = 0; dim + 2 < rank; ++dim)
    walk(c, dim, {{&leftView, a.getDimShift(dim)}, {&rightView, b.getDimShift(dim)}, {&sumView, c.getDimShift(dim)}});
  walk(a, rank - 1, {{&leftView, a.getDimShift(rank - 1)}, {&rightView, b.getDimShift(rank - 2)}});
  auto walkRows = [&] { walk(c, rank - 2, {{&leftView, a.getDimShift(rank - 2)}, {&sumView, c.getDimShift(rank - 2)}}); };
  auto walkCols = [&] { walk(c, rank - 1, {{&rightView, b.getDimShift(rank - 1)}, {&sumView, c.getDimShift(rank - 1)}}); };
  auto matrixOf = [&](Value operand, ArrayRef<unsigned> sizes) -> Value {
    Type type = msl::MatrixType::get(tt::getElementOf(operand.getType()));
    for (unsigned size : sizes)
      type = msl::ArrayType::get(size, type);
    setLevel(nest->depth());
    auto variable = msl::VarOp::create(builder, operand.getLoc(), msl::PointerType::get(type, msl::AddressSpace::Thread), Value());
    StringRef name = sourceName(operand.getLoc());
    variable->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "fragment" : name));
    return variable;
  };
  auto fragment = [&](const Storage &storage, const View &view) -> Value {
    Located at = place(storage, view, /*whole=*/true);
    Value part = at.value;
    auto op = part.getDefiningOp<msl::FragmentOp>();
    part = op.getMatrix();
    op.erase();
    return part;
  };
  // Outside runs the streamed side that has more fragments, inside the other.
  unsigned rows = bitsOf(c, rank - 2).size(), cols = bitsOf(c, rank - 1).size();
  bool colsOutside = streamsRight && (!streamsLeft || cols >= rows);
  bool bothStreamed = streamsLeft && streamsRight;
  Value innerOperand = colsOutside ? op.getA() : op.getB(), outerOperand = colsOutside ? op.getB() : op.getA();
  View &innerView = colsOutside ? leftView : rightView, &outerView = colsOutside ? rightView : leftView;
  Value innerArray, outerMatrix;
  unsigned innerBits = colsOutside ? rows : cols;
  if (bothStreamed) {
    innerArray = innerBits ? matrixOf(innerOperand, {1u << innerBits}) : matrixOf(innerOperand, {});
    View before = innerView, sumBefore = sumView;
    unsigned depth = nest->depth();
    colsOutside ? walkRows() : walkCols();
    Located at{innerArray, nest->depth()};
    setLevel(at.level);
    if (innerBits)
      at.value = msl::ElementOp::create(builder, loc, innerArray, nest->levels.back().counter);
    streamFragment(innerOperand, at, innerView);
    if (nest->depth() > depth)
      leaveLoop();
    innerView = before, sumView = sumBefore;
  }
  colsOutside ? walkCols() : walkRows();
  if (streamsLeft || streamsRight) {
    outerMatrix = matrixOf(outerOperand, {});
    streamFragment(outerOperand, {outerMatrix, nest->depth()}, outerView);
  }
  colsOutside ? walkRows() : walkCols();
  setLevel(nest->depth());
  Value inner = innerArray;
  if (innerArray && innerBits)
    inner = msl::ElementOp::create(builder, loc, innerArray, nest->levels.back().counter);
  else if (!innerArray)
    inner = fragment(colsOutside ? left : right, innerView);
  Value outer = outerMatrix ? outerMatrix : fragment(colsOutside ? right : left, outerView);
  Value l = colsOutside ? inner : outer, r = colsOutside ? outer : inner, d = fragment(sum, sumView);
  setLevel(nest->depth());
  msl::MatrixMultiplyOp::create(builder, loc, d, l, r, d);
  nest.reset();
  builder.setInsertionPointToEnd(current);
  stored[op.getD()] = sum;
  return success();
}

LogicalResult KernelLowering::lowerScalarDot(tt::DotOp op) {
  LinearLayout a = *ttm::getLayout(op.getA()), b = *ttm::getLayout(op.getB()), c = *ttm::getLayout(op.getC());
  closeNest();
  auto arrayOf = [&](Value operand) -> std::optional<Storage> {
    if (registersOf(operand) == 1)
      return std::nullopt;
    if (auto it = stored.find(operand); it != stored.end())
      return it->second;
    setScalarPoint();
    Storage storage = makeStorage(operand, /*matrix=*/false);
    copyInto(storage, operand);
    stored[operand] = storage;
    return storage;
  };
  arrayOf(op.getA());
  arrayOf(op.getB());
  unsigned rank = c.getRank();
  Type from = tt::getElementOf(op.getA().getType()), to = tt::getElementOf(op.getD().getType());
  unsigned kBits = a.getDimBits(rank - 1);

  nestFor(op.getD().getType());
  Located start = evaluate(op.getC(), nest->identity);
  setLevel(nest->depth());
  bool inFloat = isa<FloatType>(to);
  Type wide = inFloat ? builder.getF32Type() : to;
  auto widen = [&](Value value, bool extendSign) -> Value {
    if (value.getType() == wide)
      return value;
    if (inFloat)
      return arith::ExtFOp::create(builder, loc, wide, value);
    return arith::ExtSIOp::create(builder, loc, wide, value);
  };
  (void)from;
  auto variable = msl::VarOp::create(builder, loc, msl::PointerType::get(wide, msl::AddressSpace::Thread), widen(start.value, true));
  variable->setAttr(msl::kNameAttr, builder.getStringAttr("sum"));
  unsigned depth = nest->depth();
  View kView;
  if (kBits)
    enterLoop(kBits, 0);
  auto kBit = [&](unsigned bit) -> BitSource { return {BitSource::Kind::Counter, uint8_t(nest->depth()), uint8_t(bit)}; };
  View left(a.getNumElementBits()), right(b.getNumElementBits());
  for (unsigned dim = 0; dim < rank; ++dim)
    for (unsigned bit = 0; bit < c.getDimBits(dim); ++bit) {
      BitSource own = nest->identity[c.getDimShift(dim) + bit];
      if (dim != rank - 1)
        left[a.getDimShift(dim) + bit] = own;
      if (dim != rank - 2)
        right[b.getDimShift(dim) + bit] = own;
    }
  for (unsigned bit = 0; bit < kBits; ++bit)
    left[a.getDimShift(rank - 1) + bit] = right[b.getDimShift(rank - 2) + bit] = kBit(bit);
  Located x = evaluate(op.getA(), left), y = evaluate(op.getB(), right);
  setLevel(nest->depth());
  Value sum = msl::LoadOp::create(builder, loc, variable);
  if (inFloat) {
    Value product = arith::MulFOp::create(builder, loc, widen(x.value, true), widen(y.value, true));
    sum = arith::AddFOp::create(builder, loc, sum, product);
  } else {
    Value product = arith::MulIOp::create(builder, loc, widen(x.value, true), widen(y.value, true));
    sum = arith::AddIOp::create(builder, loc, sum, product);
  }
  msl::StoreOp::create(builder, loc, sum, variable);
  if (kBits)
    leaveLoop();
  setLevel(depth);
  Value result = msl::LoadOp::create(builder, loc, variable);
  if (result.getType() != to)
    result = arith::TruncFOp::create(builder, loc, to, result);
  define(op.getD(), {result, depth});
  nest->sealed = true;
  return success();
}
