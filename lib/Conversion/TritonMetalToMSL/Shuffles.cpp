//===- Shuffles.cpp - conversions of layout within a SIMD-group ----------------------------===//
//
// Each register of the result comes from one lane of the SIMD-group. Where the register that is wanted depends on the lane that asks,
// all candidates are shuffled and the lane picks.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

LogicalResult KernelLowering::lowerShuffle(ttm::ConvertLayoutOp op) {
  LinearLayout from = *ttm::getLayout(op.getSrc()), to = *ttm::getLayout(op.getResult());
  LayoutConversion conversion = LayoutConversion::get(from, to);
  if (conversion.kind != LayoutConversion::Kind::Shuffle)
    return op.emitError("crosses SIMD-groups, which ttm passes send through threadgroup memory");
  closeNest();
  // The source in registers that can be indexed.
  std::optional<Storage> array;
  Value single;
  if (from.getNumRegisters() == 1) {
    openNest(from);
    single = evaluate(op.getSrc(), nest->identity).value;
    closeNest();
  } else if (auto it = stored.find(op.getSrc()); it != stored.end()) {
    array = it->second;
  } else {
    setScalarPoint();
    array = makeStorage(op.getSrc(), /*matrix=*/false);
    copyInto(*array, op.getSrc());
  }
  openNest(to);
  unsigned depth = nest->depth();
  // The counter bit of each register bit of the result.
  auto sourceOf = [&](unsigned registerBit) { return nest->identity[llvm::Log2_32(to.getRegisterBases()[registerBit])]; };
  // Source lane: a linear function of the lane plus one of the register.
  SmallVector<uint32_t> laneBases = conversion.getSourceLaneBases();
  bool isXor = true;
  for (auto [bit, basis] : llvm::enumerate(laneBases))
    isXor &= basis == 1u << bit;
  Located distance{};
  {
    // Exclusive or over register bits, as bits that do not overlap are sums only where no two meet; so they are combined by xor.
    Value sum;
    unsigned level = 0;
    for (unsigned bit = 0; bit < to.getRegisterBases().size(); ++bit) {
      unsigned moved = conversion.getSourceLane(1u << bit, 0) ^ conversion.getSourceLane(0, 0);
      if (!moved)
        continue;
      Located one = linear({{sourceOf(bit), 1}});
      setLevel(std::max(level, one.level));
      Value part = arith::MulIOp::create(builder, loc, one.value, constant(moved));
      level = std::max(level, one.level);
      sum = sum ? arith::XOrIOp::create(builder, loc, sum, part).getResult() : part;
    }
    distance = {sum, level};
  }
  setLevel(depth);
  Value lane;
  if (isXor) {
    lane = distance.value ? distance.value : constant(0);
  } else {
    Value own = msl::BuiltinOp::create(builder, loc, msl::Builtin::Lane);
    for (auto [bit, basis] : llvm::enumerate(laneBases)) {
      if (!basis)
        continue;
      Value shifted = bit ? arith::ShRUIOp::create(builder, loc, own, constant(bit)).getResult() : own;
      Value one = arith::AndIOp::create(builder, loc, shifted, constant(1));
      Value part = basis == 1 ? one : arith::MulIOp::create(builder, loc, one, constant(basis)).getResult();
      lane = lane ? arith::XOrIOp::create(builder, loc, lane, part).getResult() : part;
    }
    if (!lane)
      lane = constant(0);
    if (distance.value)
      lane = arith::XOrIOp::create(builder, loc, lane, distance.value);
  }
  // Register bits of the source that the asking lane chooses.
  SmallVector<uint32_t> registerByLane = conversion.getSourceRegisterBasesByLane();
  uint32_t chosen = 0;
  for (uint32_t basis : registerByLane)
    chosen |= basis;
  SmallVector<unsigned> chosenBits;
  for (unsigned bit = 0; bit < conversion.sourceRegisterBits; ++bit)
    if (chosen >> bit & 1)
      chosenBits.push_back(bit);

  auto read = [&](uint32_t candidate) -> Value {
    if (single)
      return single;
    View view(from.getNumElementBits());
    for (unsigned bit = 0; bit < from.getRegisterBases().size(); ++bit) {
      BitSource source;
      for (unsigned r = 0; r < to.getRegisterBases().size(); ++r)
        if ((conversion.getSourceRegister(1u << r, 0) ^ conversion.getSourceRegister(0, 0)) >> bit & 1)
          source = sourceOf(r);
      if (candidate >> bit & 1)
        source = {BitSource::Kind::One, 0, 0};
      view[llvm::Log2_32(from.getRegisterBases()[bit])] = source;
    }
    Located at = place(*array, view);
    setLevel(depth);
    return msl::LoadOp::create(builder, loc, at.value);
  };
  Value result;
  for (unsigned number = 0; number < 1u << chosenBits.size(); ++number) {
    uint32_t candidate = 0;
    for (auto [i, bit] : llvm::enumerate(chosenBits))
      candidate |= (number >> i & 1) << bit;
    Value sent = read(candidate);
    setLevel(depth);
    Value received =
        msl::SimdOp::create(builder, loc, sent.getType(), isXor ? msl::SimdKind::ShuffleXor : msl::SimdKind::Shuffle, sent, lane);
    if (!result) {
      result = received;
      continue;
    }
    // Taken where every chosen bit has this candidate's value.
    Value test;
    for (auto [i, bit] : llvm::enumerate(chosenBits)) {
      uint32_t lanes = 0;
      for (auto [l, basis] : llvm::enumerate(registerByLane))
        lanes |= (basis >> bit & 1) << l;
      Value own = msl::BuiltinOp::create(builder, loc, msl::Builtin::Lane);
      Value parity = arith::AndIOp::create(builder, loc, own, constant(lanes));
      auto wanted = number >> i & 1 ? arith::CmpIPredicate::ne : arith::CmpIPredicate::eq;
      test = conjunction(test, arith::CmpIOp::create(builder, loc, wanted, parity, constant(0)));
    }
    result = arith::SelectOp::create(builder, loc, test, received, result);
  }
  define(op, {result, depth});
  return success();
}
