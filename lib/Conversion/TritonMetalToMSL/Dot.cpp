//===- Dot.cpp - matrix products ------------------------------------------------------------===//
//
// Registers 2f and 2f + 1 of an operand are what the lane holds of 8x8 fragment f. The product is three short loops over fragments, K
// outermost, that accumulate in place where the old accumulator is not read any more.
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
  bool inPlace = it != stored.end() && it->second.isMatrix == matrix && !isReadLater(c, besides);
  if (inPlace)
    return it->second;
  Storage storage;
  auto target = targets.find(op.getD());
  Value argument = carriedArg.lookup(op.getD());
  if (target != targets.end() && target->second.isMatrix == matrix && argument != c && (!argument || !isReadLater(argument, besides)))
    storage = target->second;
  else {
    setScalarPoint();
    storage = makeStorage(op.getD(), matrix);
  }
  copyInto(storage, c);
  return storage;
}

LogicalResult KernelLowering::lowerDot(tt::DotOp op) {
  auto kind = op->getAttrOfType<StringAttr>(ttm::kDotKind);
  if (!kind || kind.getValue() != "simdgroup_matrix")
    return lowerScalarDot(op);
  LinearLayout a = *ttm::getLayout(op.getA()), b = *ttm::getLayout(op.getB()), c = *ttm::getLayout(op.getC());
  if (a.getNumRegisters() < 2 || b.getNumRegisters() < 2 || c.getNumRegisters() < 2 || a.getFreeLaneMask() || b.getFreeLaneMask() ||
      c.getFreeLaneMask())
    return emitUnsupported(op, "metal", "a dimension of the product is less than 8", "use blocks of at least 8, or device=\"cpu\"", "dot");
  closeNest();
  Storage left = fragmentsOf(op.getA()), right = fragmentsOf(op.getB()), sum = accumulatorOf(op, /*matrix=*/true);

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
  View leftView(a.getNumElementBits()), rightView(b.getNumElementBits()), sumView(c.getNumElementBits());
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
  walk(c, rank - 2, {{&leftView, a.getDimShift(rank - 2)}, {&sumView, c.getDimShift(rank - 2)}});
  walk(c, rank - 1, {{&rightView, b.getDimShift(rank - 1)}, {&sumView, c.getDimShift(rank - 1)}});
  auto fragment = [&](const Storage &storage, const View &view) -> Value {
    Located at = place(storage, view, /*whole=*/true);
    Value part = at.value;
    auto op = part.getDefiningOp<msl::FragmentOp>();
    part = op.getMatrix();
    op.erase();
    return part;
  };
  Value l = fragment(left, leftView), r = fragment(right, rightView), d = fragment(sum, sumView);
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
