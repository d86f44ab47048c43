//===- Reductions.cpp - reductions and scans over registers and lanes ----------------------===//
//
// A reduction first combines the registers of a lane, in order, then the lanes that hold the axis: by one SIMD function where all 32
// lanes hold it and Metal has the function, else by a tree of exclusive-or shuffles, after which every lane has the result. SIMD-groups
// never take part: threadgroup memory stands between two reductions where they must.
//
// A scan walks the bits of the axis from the lowest: where the bit is set, the value is combined with the last of the lower half.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"
#include "triton_metal/Support/Unsupported.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

namespace {
/// A combine region that is one operation on its two arguments.
struct SimpleCombine {
  msl::SimdKind kind;
  TypedAttr identity; ///< neutral element
};
} // namespace

static std::optional<SimpleCombine> simpleCombine(Block &block) {
  if (block.getNumArguments() != 2 || block.getOperations().size() != 2)
    return std::nullopt;
  Operation *op = &block.front();
  bool direct = op->getNumOperands() == 2 && op->getNumResults() == 1 && block.getTerminator()->getOperand(0) == op->getResult(0) &&
                ((op->getOperand(0) == block.getArgument(0) && op->getOperand(1) == block.getArgument(1)) ||
                 (op->getOperand(0) == block.getArgument(1) && op->getOperand(1) == block.getArgument(0)));
  if (!direct)
    return std::nullopt;
  Type type = op->getResult(0).getType();
  Builder builder(op->getContext());
  if (type.isF32()) {
    auto value = [&](const APFloat &number) { return builder.getFloatAttr(type, number); };
    const llvm::fltSemantics &single = APFloat::IEEEsingle();
    if (isa<arith::AddFOp>(op)) // -0, so that a sum of negative zeros stays one
      return SimpleCombine{msl::SimdKind::Sum, value(APFloat::getZero(single, /*Negative=*/true))};
    if (isa<arith::MaxNumFOp>(op))
      return SimpleCombine{msl::SimdKind::Max, value(APFloat::getInf(single, /*Negative=*/true))};
    if (isa<arith::MinNumFOp>(op))
      return SimpleCombine{msl::SimdKind::Min, value(APFloat::getInf(single))};
    return std::nullopt;
  }
  if (!type.isInteger(32))
    return std::nullopt;
  auto value = [&](const APInt &number) { return builder.getIntegerAttr(type, number); };
  return llvm::TypeSwitch<Operation *, std::optional<SimpleCombine>>(op)
      .Case([&](arith::AddIOp) { return SimpleCombine{msl::SimdKind::Sum, value(APInt(32, 0))}; })
      .Case([&](arith::MaxSIOp) { return SimpleCombine{msl::SimdKind::SMax, value(APInt::getSignedMinValue(32))}; })
      .Case([&](arith::MinSIOp) { return SimpleCombine{msl::SimdKind::SMin, value(APInt::getSignedMaxValue(32))}; })
      .Case([&](arith::MaxUIOp) { return SimpleCombine{msl::SimdKind::Max, value(APInt(32, 0))}; })
      .Case([&](arith::MinUIOp) { return SimpleCombine{msl::SimdKind::Min, value(APInt::getAllOnes(32))}; })
      .Case([&](arith::AndIOp) { return SimpleCombine{msl::SimdKind::And, value(APInt::getAllOnes(32))}; })
      .Case([&](arith::OrIOp) { return SimpleCombine{msl::SimdKind::Or, value(APInt(32, 0))}; })
      .Case([&](arith::XOrIOp) { return SimpleCombine{msl::SimdKind::Xor, value(APInt(32, 0))}; })
      .Default(std::nullopt);
}

/// Mask of the bits of the row-major element index that belong to dimension `axis`.
static uint32_t axisBits(const LinearLayout &layout, unsigned axis) {
  return ((uint32_t(1) << layout.getDimBits(axis)) - 1) << layout.getDimShift(axis);
}

static StringRef reductionKind(tt::ReduceOp op) {
  Operation *combine = &op.getCombineBlock().front();
  return llvm::TypeSwitch<Operation *, StringRef>(combine)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return "sum"; })
      .Case<arith::MaxNumFOp, arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>([](auto) { return "max"; })
      .Case<arith::MinNumFOp, arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>([](auto) { return "min"; })
      .Default([](Operation *) { return "total"; });
}

std::string triton_metal::lane::reductionName(tt::ReduceOp op) {
  StringRef kind = reductionKind(op);
  if (StringRef own = sourceName(op.getLoc()); !own.empty())
    return own.str();
  // The operand as the source knows it, seen through threadgroup memory.
  Value operand = op.getSrcs()[0];
  while (Operation *definition = operand.getDefiningOp()) {
    if (isa<tt::ReshapeOp, tt::ExpandDimsOp, tt::BroadcastOp, tt::TransOp, ttm::ConvertLayoutOp, tt::ReduceOp>(definition)) {
      operand = definition->getOperand(0);
      continue;
    }
    auto read = dyn_cast<ttm::ReadOp>(definition);
    ttm::WriteOp write;
    if (read)
      for (Operation *user : read.getMemory().getUsers())
        if (auto candidate = dyn_cast<ttm::WriteOp>(user))
          write = candidate;
    if (!write)
      break;
    operand = write.getValue();
  }
  StringRef name = sourceName(operand.getLoc());
  return name.empty() ? kind.str() : (name + "_" + kind).str();
}

/// What the variable of a reduction is called.
static std::string variableName(tt::ReduceOp op) {
  Value result = op.getResult()[0];
  bool isPart = result.hasOneUse() && isa<ttm::WriteOp>(*result.user_begin()); // to be combined with those of other SIMD-groups
  return (isPart ? "partial_" : "") + reductionName(op);
}

LogicalResult KernelLowering::reduceLanes(Block &combine, SmallVectorImpl<Value> &values, unsigned laneMask) {
  if (!laneMask)
    return success();
  auto simple = simpleCombine(combine);
  // A number that was just read from its variable goes back there after each step.
  msl::VarOp home;
  if (auto load = values[0].getDefiningOp<msl::LoadOp>(); load && values.size() == 1)
    home = load.getPtr().getDefiningOp<msl::VarOp>();
  auto keep = [&] {
    if (!home)
      return;
    msl::StoreOp::create(builder, loc, values[0], home);
    values[0] = msl::LoadOp::create(builder, loc, home);
  };
  if (simple && laneMask == 31) {
    values[0] = msl::SimdOp::create(builder, loc, values[0].getType(), simple->kind, values[0], Value());
    keep();
    return success();
  }
  auto step = [&](Value distance) -> LogicalResult {
    SmallVector<Value> arguments(values.begin(), values.end());
    for (Value value : values)
      arguments.push_back(msl::SimdOp::create(builder, loc, value.getType(), msl::SimdKind::ShuffleXor, value, distance));
    auto combined = inlineRegion(combine, arguments);
    if (failed(combined))
      return failure();
    values.assign(combined->begin(), combined->end());
    keep();
    return success();
  };
  bool isRun = llvm::isShiftedMask_32(laneMask) && llvm::popcount(laneMask) > 2;
  if (!isRun) {
    for (unsigned bit = 0; bit < LinearLayout::kLaneBits; ++bit)
      if (laneMask >> bit & 1)
        if (failed(step(constant(int64_t(1) << bit))))
          return failure();
    return success();
  }
  // A run of lanes: a loop over the distances.
  home = {};
  SmallVector<Value> variables;
  for (Value value : values) {
    auto type = msl::PointerType::get(value.getType(), msl::AddressSpace::Thread);
    auto variable = msl::VarOp::create(builder, loc, type, value);
    variable->setAttr(msl::kNameAttr, builder.getStringAttr(sourceName(loc).empty() ? "x" : sourceName(loc)));
    variables.push_back(variable);
  }
  unsigned first = llvm::countr_zero(laneMask), count = llvm::popcount(laneMask);
  Value one = constant(1);
  auto loop = msl::ForOp::create(builder, loc, constant(first), constant(first + count), one, /*unroll=*/true);
  loop->setAttr(msl::kNameAttr, builder.getStringAttr("bit"));
  builder.setInsertionPointToEnd(&loop.getBody().front());
  for (auto [value, variable] : llvm::zip_equal(values, variables))
    value = msl::LoadOp::create(builder, loc, variable);
  Value distance = arith::ShLIOp::create(builder, loc, constant(1), loop.getCounter());
  if (failed(step(distance)))
    return failure();
  for (auto [value, variable] : llvm::zip_equal(values, variables))
    msl::StoreOp::create(builder, loc, value, variable);
  builder.setInsertionPointAfter(loop);
  for (auto [value, variable] : llvm::zip_equal(values, variables))
    value = msl::LoadOp::create(builder, loc, variable);
  return success();
}

LogicalResult KernelLowering::lowerReduce(tt::ReduceOp op) {
  LinearLayout layout = *ttm::getLayout(op.getSrcs()[0]);
  uint32_t axis = axisBits(layout, op.getAxis());
  unsigned laneMask = 0, axisRegisters = 0;
  for (auto [i, basis] : llvm::enumerate(layout.getLaneBases()))
    laneMask |= (basis & axis) ? 1u << i : 0;
  for (uint32_t basis : layout.getRegisterBases())
    axisRegisters += (basis & axis) != 0;
  for (uint32_t basis : layout.getSimdgroupBases())
    if (basis & axis)
      return op.emitError("reduces over SIMD-groups, which ttm passes split in two");
  Block &combine = op.getCombineBlock();
  auto simple = simpleCombine(combine);
  bool allRegisters = axisRegisters == layout.getRegisterBases().size();
  SmallVector<Value> values;

  if (simple && allRegisters && axisRegisters) {
    // One result in the lane: the sum grows in the nest that makes the elements.
    nestFor(op.getSrcs()[0].getType());
    Located element = evaluate(op.getSrcs()[0], nest->identity);
    setLevel(0);
    Value start = arith::ConstantOp::create(builder, loc, simple->identity);
    auto type = msl::PointerType::get(start.getType(), msl::AddressSpace::Thread);
    auto variable = msl::VarOp::create(builder, loc, type, start);
    variable->setAttr(msl::kNameAttr, builder.getStringAttr(variableName(op)));
    setLevel(nest->depth());
    Value sum = msl::LoadOp::create(builder, loc, variable);
    auto combined = inlineRegion(combine, {sum, element.value});
    if (failed(combined))
      return failure();
    msl::StoreOp::create(builder, loc, combined->front(), variable);
    nest->inside.insert(op);
    closeNest();
    values.push_back(msl::LoadOp::create(builder, loc, variable));
    if (failed(reduceLanes(combine, values, laneMask)))
      return failure();
    scalars[op.getResult()[0]] = values[0];
    return success();
  }

  // Loops over the other dimensions; inside, the registers of the axis one after the other, the first of them being the start.
  openNest(layout, axis);
  unsigned depth = nest->depth();
  unsigned level = depth;
  for (Value source : op.getSrcs()) {
    Located first = evaluate(source, nest->identity);
    values.push_back(first.value);
  }
  setLevel(level);
  if (axisRegisters) {
    SmallVector<Value> variables;
    for (auto [value, result] : llvm::zip_equal(values, op.getResult())) {
      auto type = msl::PointerType::get(value.getType(), msl::AddressSpace::Thread);
      auto variable = msl::VarOp::create(builder, loc, type, value);
      variable->setAttr(msl::kNameAttr, builder.getStringAttr(depth ? reductionKind(op).str() : variableName(op)));
      variables.push_back(variable);
    }
    enterLoop(axisRegisters, /*first=*/1);
    View view = nest->identity;
    unsigned position = 0;
    for (uint32_t basis : layout.getRegisterBases())
      if (basis & axis)
        view[llvm::Log2_32(basis)] = {BitSource::Kind::Counter, uint8_t(nest->depth()), uint8_t(position++)};
    SmallVector<Value> elements;
    for (Value source : op.getSrcs())
      elements.push_back(evaluate(source, view).value);
    setLevel(nest->depth());
    SmallVector<Value> arguments;
    for (Value variable : variables)
      arguments.push_back(msl::LoadOp::create(builder, loc, variable));
    arguments.append(elements);
    auto combined = inlineRegion(combine, arguments);
    if (failed(combined))
      return failure();
    for (auto [value, variable] : llvm::zip_equal(*combined, variables))
      msl::StoreOp::create(builder, loc, value, variable);
    leaveLoop();
    setLevel(depth);
    for (auto [value, variable] : llvm::zip_equal(values, variables))
      value = msl::LoadOp::create(builder, loc, variable);
  }
  if (!axisRegisters && laneMask && values.size() == 1) {
    auto type = msl::PointerType::get(values[0].getType(), msl::AddressSpace::Thread);
    auto variable = msl::VarOp::create(builder, loc, type, values[0]);
    variable->setAttr(msl::kNameAttr, builder.getStringAttr(variableName(op)));
    values[0] = msl::LoadOp::create(builder, loc, variable);
  }
  if (failed(reduceLanes(combine, values, laneMask)))
    return failure();
  if (depth == 0) {
    nest.reset();
    builder.setInsertionPointToEnd(current);
    for (auto [result, value] : llvm::zip_equal(op.getResult(), values))
      scalars[result] = value;
    return success();
  }
  // The results are arrays over the other dimensions.
  View view;
  for (unsigned bit = 0; bit < layout.getNumElementBits(); ++bit)
    if (!(axis >> bit & 1))
      view.push_back(nest->identity[bit]);
  OpBuilder::InsertPoint inner = builder.saveInsertionPoint();
  SmallVector<Storage> results;
  for (Value result : op.getResult()) {
    setLevel(0);
    results.push_back(targetFor(result));
    if (sourceName(result.getLoc()).empty() && op.getResult().size() == 1 && !targets.count(result))
      results.back().variable.getDefiningOp()->setAttr(msl::kNameAttr, builder.getStringAttr(variableName(op)));
  }
  builder.restoreInsertionPoint(inner);
  for (auto [result, value, storage] : llvm::zip_equal(op.getResult(), values, results)) {
    Located at = place(storage, view);
    setLevel(depth);
    msl::StoreOp::create(builder, loc, value, at.value);
    stored[result] = storage;
  }
  closeNest();
  return success();
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::lowerScan(tt::ScanOp op) {
  LinearLayout layout = *ttm::getLayout(op.getSrcs()[0]);
  uint32_t axis = axisBits(layout, op.getAxis());
  unsigned shift = layout.getDimShift(op.getAxis()), bits = layout.getDimBits(op.getAxis());
  Block &combine = op.getCombineBlock();
  bool reverse = op.getReverse();
  for (uint32_t basis : layout.getSimdgroupBases())
    if (basis & axis)
      return op.emitError("scans over SIMD-groups, which ttm passes move into lanes");

  // The results start as copies of the operands and are combined in place.
  closeNest();
  bool single = layout.getNumRegisters() == 1;
  SmallVector<Storage> arrays;
  SmallVector<Value> values; // with one register
  for (auto [result, source] : llvm::zip_equal(op.getResult(), op.getSrcs())) {
    if (single) {
      openNest(layout);
      values.push_back(evaluate(source, nest->identity).value);
      closeNest();
      continue;
    }
    setScalarPoint();
    arrays.push_back(makeStorage(result, /*matrix=*/false));
    copyInto(arrays.back(), source);
  }

  // Where each bit of the axis lives.
  SmallVector<int> registerOf(bits, -1), laneOf(bits, -1);
  for (auto [i, basis] : llvm::enumerate(layout.getRegisterBases()))
    if (basis & axis)
      registerOf[llvm::Log2_32(basis) - shift] = i;
  for (auto [i, basis] : llvm::enumerate(layout.getLaneBases()))
    if (basis & axis)
      laneOf[llvm::Log2_32(basis) - shift] = i;

  // Bits below `bit` of the other half's end: all ones going up, all zeros going down.
  auto endBit = [&]() -> BitSource { return {reverse ? BitSource::Kind::Zero : BitSource::Kind::One, 0, 0}; };
  unsigned lowLanes = 0;
  for (unsigned bit = 0; bit < bits; ++bit) {
    bool inLane = laneOf[bit] >= 0;
    if (inLane && registerOf[bit] >= 0)
      return op.emitError("has an axis bit in two places");
    if (single) {
      nest.emplace();
      nest->domain = layout;
      nest->levels.push_back({current, nullptr, {}, 0});
    } else {
      // Loops over the registers on whose side the combination happens: the bit itself is fixed there.
      uint32_t fixed = inLane ? 0 : uint32_t(1) << (bit + shift);
      openNest(layout, fixed);
      if (!inLane)
        nest->identity[bit + shift] = {reverse ? BitSource::Kind::Zero : BitSource::Kind::One, 0, 0};
    }
    unsigned depth = nest->depth();
    View own = nest->identity, other = own;
    if (!single) {
      for (unsigned low = 0; low < bit; ++low)
        if (registerOf[low] >= 0)
          other[low + shift] = endBit();
      if (!inLane)
        other[bit + shift] = {reverse ? BitSource::Kind::One : BitSource::Kind::Zero, 0, 0};
    }
    setLevel(depth);
    // The lane that holds the end of the other half.
    Value lane = msl::BuiltinOp::create(builder, loc, msl::Builtin::Lane);
    unsigned toggled = inLane ? 1u << laneOf[bit] : 0;
    Value from;
    if (inLane || lowLanes) {
      Value cleared = arith::AndIOp::create(builder, loc, lane, constant(31 & ~(toggled | lowLanes)));
      unsigned ones = reverse ? toggled : lowLanes;
      from = ones ? arith::OrIOp::create(builder, loc, cleared, constant(ones)).getResult() : cleared;
    }
    SmallVector<Value> arguments, mine, theirs;
    for (unsigned i = 0; i < op.getSrcs().size(); ++i) {
      Value here, there;
      if (single) {
        here = there = values[i];
      } else {
        Located ownPlace = place(arrays[i], own), otherPlace = place(arrays[i], other);
        setLevel(depth);
        here = msl::LoadOp::create(builder, loc, ownPlace.value);
        there = msl::LoadOp::create(builder, loc, otherPlace.value);
      }
      if (from)
        there = msl::SimdOp::create(builder, loc, there.getType(), msl::SimdKind::Shuffle, there, from);
      mine.push_back(here);
      theirs.push_back(there);
    }
    // Always (what comes before, what comes after), in the direction of the scan.
    arguments.append(theirs);
    arguments.append(mine);
    auto combined = inlineRegion(combine, arguments);
    if (failed(combined))
      return failure();
    Value takes;
    if (inLane) {
      Value masked = arith::AndIOp::create(builder, loc, lane, constant(toggled));
      auto wanted = reverse ? arith::CmpIPredicate::eq : arith::CmpIPredicate::ne;
      takes = arith::CmpIOp::create(builder, loc, wanted, masked, constant(0));
    }
    for (unsigned i = 0; i < op.getSrcs().size(); ++i) {
      Value result = (*combined)[i];
      if (takes)
        result = arith::SelectOp::create(builder, loc, takes, result, mine[i]);
      if (single) {
        values[i] = result;
        continue;
      }
      Located ownPlace = place(arrays[i], own);
      setLevel(depth);
      msl::StoreOp::create(builder, loc, result, ownPlace.value);
    }
    if (single) {
      nest.reset();
      builder.setInsertionPointToEnd(current);
    } else {
      closeNest();
    }
    lowLanes |= toggled;
  }
  for (auto [i, result] : llvm::enumerate(op.getResult())) {
    if (single)
      scalars[result] = values[i];
    else
      stored[result] = arrays[i];
  }
  return success();
}
