//===- ControlFlow.cpp - loops and branches -------------------------------------------------===//
//
// Carried values live in variables: numbers and tensors of one register in scalars, other tensors in arrays. The new value of an array
// is computed in place where nothing reads the old one any more (KernelLowering::targetFor), else it is copied at the end.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

void KernelLowering::declareCarried(ValueRange values, ValueRange initial) {
  for (auto [i, value] : llvm::enumerate(values)) {
    Location outer = loc;
    if (!sourceName(value.getLoc()).empty())
      loc = value.getLoc();
    if (isScalarLike(value.getType())) {
      setScalarPoint();
      Type type = convertType(tt::getElementOf(value.getType()));
      Value start;
      if (!initial.empty()) {
        if (isa<RankedTensorType>(value.getType())) {
          openNest(*ttm::getLayout(value));
          start = evaluate(initial[i], nest->identity).value;
          closeNest();
        } else {
          start = scalars.lookup(initial[i]);
        }
      }
      auto variable = msl::VarOp::create(builder, loc, msl::PointerType::get(type, msl::AddressSpace::Thread), start);
      StringRef name = sourceName(value.getLoc());
      variable->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "x" : name));
      carried[value] = variable;
    } else {
      setScalarPoint();
      Storage storage = makeStorage(value, fragments.contains(value));
      if (!initial.empty())
        copyInto(storage, initial[i]);
      stored[value] = storage;
    }
    loc = outer;
  }
}

/// Numbers are read once, where their block begins; the text reads the variable itself while it has not changed.
void KernelLowering::readCarried(ValueRange values) {
  for (Value value : values)
    if (Value variable = carried.lookup(value))
      scalars[value] = msl::LoadOp::create(builder, value.getLoc(), variable);
}

void KernelLowering::assignCarried(ValueRange targets, ValueRange values) {
  closeNest();
  // First all numbers are read, then all are written: a loop may exchange two of them.
  SmallVector<std::pair<Value, Value>> assignments;
  SmallVector<std::pair<Storage, Value>> copies;
  for (auto [target, value] : llvm::zip_equal(targets, values)) {
    if (Value variable = carried.lookup(target)) {
      Value number;
      if (isa<RankedTensorType>(value.getType())) {
        openNest(*ttm::getLayout(value));
        number = evaluate(value, nest->identity).value;
        closeNest();
      } else {
        number = scalars.lookup(value);
      }
      assignments.push_back({number, variable});
      continue;
    }
    auto it = stored.find(value);
    Storage storage = stored.lookup(target);
    if (it == stored.end() || it->second.variable != storage.variable)
      copies.push_back({storage, value});
  }
  // An array that is overwritten while another copy still reads it goes through a temporary, for as long as the copies take.
  SmallVector<std::pair<Value, Storage>> homes;
  for (auto &[storage, value] : copies) {
    auto it = stored.find(value);
    bool isTarget = it != stored.end() && llvm::any_of(copies, [&](auto &other) { return other.first.variable == it->second.variable; });
    if (!isTarget || copies.size() == 1)
      continue;
    Storage temporary = makeStorage(value, it->second.isMatrix);
    copyInto(temporary, value);
    homes.push_back({value, it->second});
    stored[value] = temporary;
  }
  for (auto &[storage, value] : copies)
    copyInto(storage, value);
  for (auto &[value, storage] : homes)
    stored[value] = storage;
  for (auto &[number, variable] : assignments)
    msl::StoreOp::create(builder, loc, number, variable);
}

LogicalResult KernelLowering::lowerFor(scf::ForOp op) {
  closeNest();
  declareCarried(op.getRegionIterArgs(), op.getInits());
  Operation *yield = op.getBody()->getTerminator();
  for (auto [argument, value] : llvm::zip_equal(op.getRegionIterArgs(), yield->getOperands()))
    if (stored.count(argument) && value.getDefiningOp() && value.getDefiningOp()->getBlock() == op.getBody() && !targets.count(value)) {
      targets[value] = stored[argument];
      carriedArg[value] = argument;
      // What a product accumulates on is made in the same place.
      auto dot = value.getDefiningOp<tt::DotOp>();
      Value start = dot ? Value(dot.getC()) : Value();
      bool passesOn = start && start.hasOneUse() && start.getDefiningOp() && start.getDefiningOp()->getBlock() == op.getBody() &&
                      fragments.contains(start) == stored[argument].isMatrix && !targets.count(start);
      if (passesOn) {
        targets[start] = stored[argument];
        carriedArg[start] = argument;
      }
    }
  auto loop = msl::ForOp::create(builder, loc, scalars.lookup(op.getLowerBound()), scalars.lookup(op.getUpperBound()),
                                 scalars.lookup(op.getStep()), /*unroll=*/false);
  StringRef name = sourceName(op.getInductionVar().getLoc());
  loop->setAttr(msl::kNameAttr, builder.getStringAttr(name.empty() ? "i" : name));
  scalars[op.getInductionVar()] = loop.getCounter();
  Block *outer = current;
  current = &loop.getBody().front();
  builder.setInsertionPointToEnd(current);
  readCarried(op.getRegionIterArgs());
  if (failed(lowerBlock(*op.getBody())))
    return failure();
  assignCarried(op.getRegionIterArgs(), yield->getOperands());
  current = outer;
  builder.setInsertionPointToEnd(current);
  for (auto [argument, result] : llvm::zip_equal(op.getRegionIterArgs(), op.getResults())) {
    if (Value variable = carried.lookup(argument))
      scalars[result] = msl::LoadOp::create(builder, loc, variable);
    else
      stored[result] = stored.lookup(argument);
  }
  return success();
}

LogicalResult KernelLowering::lowerIf(scf::IfOp op) {
  closeNest();
  declareCarried(op.getResults(), {});
  bool hasElse = !op.getElseRegion().empty() && (op.getNumResults() || op.elseBlock()->getOperations().size() > 1);
  auto branch = msl::IfOp::create(builder, loc, scalars.lookup(op.getCondition()), hasElse);
  Block *outer = current;
  auto lowerBranch = [&](Block *from, Block *to) -> LogicalResult {
    Operation *yield = from->getTerminator();
    for (auto [result, value] : llvm::zip_equal(op.getResults(), yield->getOperands()))
      if (stored.count(result) && value.getDefiningOp() && value.getDefiningOp()->getBlock() == from && !targets.count(value))
        targets[value] = stored[result];
    current = to;
    builder.setInsertionPointToEnd(current);
    if (failed(lowerBlock(*from)))
      return failure();
    assignCarried(op.getResults(), yield->getOperands());
    return success();
  };
  if (failed(lowerBranch(op.thenBlock(), &branch.getThen().front())))
    return failure();
  if (hasElse && failed(lowerBranch(op.elseBlock(), &branch.getOtherwise().front())))
    return failure();
  current = outer;
  builder.setInsertionPointToEnd(current);
  readCarried(op.getResults());
  return success();
}

LogicalResult KernelLowering::lowerWhile(scf::WhileOp op) {
  closeNest();
  // Variables for what goes into the condition, and for what goes from there into the body and out of the loop.
  declareCarried(op.getBeforeArguments(), op.getInits());
  declareCarried(op.getResults(), {});
  auto loop = msl::LoopOp::create(builder, loc);
  Block *outer = current;
  current = &loop.getBody().front();
  builder.setInsertionPointToEnd(current);
  readCarried(op.getBeforeArguments());
  scf::ConditionOp condition = op.getConditionOp();
  if (failed(lowerBlock(*op.getBeforeBody())))
    return failure();
  assignCarried(op.getResults(), condition.getArgs());
  msl::BreakUnlessOp::create(builder, loc, scalars.lookup(condition.getCondition()));
  for (auto [argument, result] : llvm::zip_equal(op.getAfterArguments(), op.getResults())) {
    if (Value variable = carried.lookup(result))
      scalars[argument] = msl::LoadOp::create(builder, loc, variable);
    else
      stored[argument] = stored.lookup(result);
  }
  if (failed(lowerBlock(*op.getAfterBody())))
    return failure();
  assignCarried(op.getBeforeArguments(), op.getAfterBody()->getTerminator()->getOperands());
  current = outer;
  builder.setInsertionPointToEnd(current);
  readCarried(op.getResults());
  return success();
}
