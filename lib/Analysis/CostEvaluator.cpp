//===- CostEvaluator.cpp - blocks, loops and memory operations of the cost analysis -----------===//
#include "CostEvaluator.h"
#include "triton_metal/Dialect/Triton/IR/ElementBytes.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::cost;

/// What one evaluated operation takes, in units of effort.
static constexpr int64_t kStepEffort = 40;
/// What one visit takes that is kept, besides its mask.
static constexpr int64_t kVisitEffort = 200;

//===----------------------------------------------------------------------===//
// The slice
//===----------------------------------------------------------------------===//

/// The pointer, the mask and whether it is one of the operations that the analysis counts.
static std::optional<std::pair<Value, Value>> memoryAccess(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<std::pair<Value, Value>>>(op)
      .Case<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp>([](auto access) { return std::pair(access.getPtr(), access.getMask()); })
      .Case([](tt::AtomicCASOp access) { return std::pair(access.getPtr(), Value()); })
      .Default([](Operation *) { return std::nullopt; });
}

llvm::DenseSet<Value> cost::findRelevant(tt::FuncOp kernel, bool withPointers) {
  llvm::DenseSet<Value> found;
  SmallVector<Value> work;
  auto need = [&](Value value) {
    if (value && found.insert(value).second)
      work.push_back(value);
  };
  kernel.walk([&](Operation *op) {
    if (auto access = memoryAccess(op)) {
      need(access->second);
      if (withPointers)
        need(access->first);
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      need(loop.getLowerBound());
      need(loop.getUpperBound());
      need(loop.getStep());
    } else if (auto branch = dyn_cast<scf::IfOp>(op))
      need(branch.getCondition());
    else if (auto condition = dyn_cast<scf::ConditionOp>(op))
      need(condition.getCondition());
  });
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (auto loop = dyn_cast<scf::ForOp>(parent); loop && argument.getArgNumber() > 0) {
        unsigned number = argument.getArgNumber() - 1;
        need(loop.getInitArgs()[number]);
        need(loop.getYieldedValues()[number]);
      } else if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
        if (argument.getOwner() == loop.getBeforeBody()) {
          need(loop.getInits()[argument.getArgNumber()]);
          need(loop.getYieldOp()->getOperand(argument.getArgNumber()));
        } else {
          need(loop.getConditionOp().getArgs()[argument.getArgNumber()]);
        }
      }
      continue;
    }
    Operation *op = value.getDefiningOp();
    unsigned number = cast<OpResult>(value).getResultNumber();
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      need(loop.getRegionIterArgs()[number]);
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      need(branch.thenYield()->getOperand(number));
      need(branch.elseYield()->getOperand(number));
    } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
      need(loop.getConditionOp().getArgs()[number]);
    } else if (!memoryAccess(op)) {
      for (Value operand : op->getOperands())
        need(operand);
    }
  }
  return found;
}

//===----------------------------------------------------------------------===//
// Set-up
//===----------------------------------------------------------------------===//

static Known knownArgument(Type type, uint64_t bits) {
  if (type.isInteger(1))
    return Known::mask(bits & 1, {});
  if (auto integer = dyn_cast<IntegerType>(type))
    return Known::constant(wrapTo(int64_t(bits), integer.getWidth()), {});
  if (isa<tt::PointerType>(type))
    return Known::constant(int64_t(bits), {});
  if (type.isF32())
    return Known::ofNumber(llvm::bit_cast<float>(uint32_t(bits)));
  if (type.isF64())
    return Known::ofNumber(llvm::bit_cast<double>(bits));
  return Known::unknown(nullptr);
}

Evaluator::Evaluator(tt::FuncOp kernel, ArrayRef<uint64_t> arguments, std::array<int32_t, 3> grid, std::vector<Visit> *visits)
    : kernel(kernel), grid(grid), relevant(findRelevant(kernel, /*withPointers=*/visits != nullptr)), visits(visits) {
  for (auto [argument, bits] : llvm::zip(kernel.getArguments(), arguments))
    set(argument, knownArgument(argument.getType(), bits));
}

SmallVector<unsigned> Evaluator::usedArguments() {
  SmallVector<unsigned> used;
  for (BlockArgument argument : kernel.getArguments())
    if (relevant.contains(argument))
      used.push_back(argument.getArgNumber());
  return used;
}

void Evaluator::explain(Location where, std::string what) {
  if (explained.insert({where.getAsOpaquePointer(), what}).second)
    reasons.push_back({std::move(what), where});
}

void Evaluator::forgetReasons(size_t kept) {
  while (reasons.size() > kept) {
    CostReason reason = reasons.pop_back_val();
    explained.erase({reason.where.getAsOpaquePointer(), reason.what});
  }
}

void Evaluator::explainUnknown(Operation *op, const char *what, Operation *origin, const char *consequence) {
  followsControl &= memoryAccess(op).has_value();
  std::string text = what;
  if (!origin)
    text += " is not followed";
  else if (origin->getDialect()->getNamespace() == "tt" && memoryAccess(origin))
    text += " depends on loaded data";
  else
    text += " depends on " + origin->getName().getStringRef().str() + ", which is not followed";
  explain(op->getLoc(), text + ": " + consequence);
}

const Known &Evaluator::get(Value value) {
  static const Known nothing;
  auto found = values.find(value);
  return found == values.end() ? nothing : found->second;
}

Known Evaluator::unknownResult(Operation *op) {
  for (Value operand : op->getOperands())
    if (const Known &known = get(operand); known.isUnknown() && known.origin)
      return Known::unknown(known.origin);
  return Known::unknown(op);
}

bool Evaluator::isSame(Operation *op) {
  auto known = same.find(op);
  if (known != same.end())
    return known->second;
  bool result = !isa<tt::GetProgramIdOp>(op) && !memoryAccess(op) && op->getNumRegions() == 0 && op->getNumResults() == 1;
  for (Value operand : op->getOperands()) {
    Operation *source = operand.getDefiningOp();
    result = result && (source ? isSame(source) : operand.getParentBlock()->getParentOp() == kernel);
  }
  return same[op] = result;
}

Evaluator::Plan &Evaluator::planOf(Block &block) {
  std::unique_ptr<Plan> &made = plans[&block];
  if (made)
    return *made;
  auto plan = std::make_unique<Plan>();
  for (Operation &op : block.without_terminator()) {
    auto access = memoryAccess(&op);
    bool isStep = access || isa<scf::ForOp, scf::IfOp, scf::WhileOp>(op);
    if (!isStep)
      plan->fixed += costOfOperation(&op);
    if (isStep || llvm::any_of(op.getResults(), [&](Value result) { return relevant.contains(result); }))
      plan->steps.push_back({&op, isSame(&op), false});
  }
  made = std::move(plan);
  return *made;
}

std::optional<Cost> Evaluator::evaluate(const std::array<Interval, 3> &box, Split &wanted) {
  axes.assign(box.begin(), box.end());
  split.reset();
  Cost cost = evaluateBlock(kernel.getBody().front());
  if (!split)
    return cost;
  wanted = *split;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

Cost Evaluator::evaluateBlock(Block &block) {
  Plan &plan = planOf(block);
  Cost cost = plan.fixed;
  for (Plan::Step &step : plan.steps) {
    if (split)
      break;
    if (step.isDone)
      continue;
    Operation *op = step.op;
    effort -= kStepEffort;
    if (auto loop = dyn_cast<scf::ForOp>(op))
      cost += evaluateFor(loop);
    else if (auto branch = dyn_cast<scf::IfOp>(op))
      cost += evaluateIf(branch);
    else if (auto loop = dyn_cast<scf::WhileOp>(op))
      cost += evaluateWhile(loop);
    else if (memoryAccess(op))
      cost += evaluateMemory(op);
    else if (op->getNumResults() == 1) {
      set(op->getResult(0), transfer(op));
      step.isDone = step.isSame && !split;
    } else
      for (Value result : op->getResults())
        set(result, unknownResult(op));
  }
  return cost;
}

Cost Evaluator::evaluateMemory(Operation *op) {
  auto [pointer, mask] = *memoryAccess(op);
  auto type = cast<tt::PointerType>(tt::getElementOf(pointer.getType()));
  for (Value result : op->getResults())
    set(result, Known::unknown(op));
  if (type.getAddressSpace() != "global")
    return {};
  if (visits) {
    visits->push_back({op, get(pointer), mask ? std::optional<Known>(get(mask)) : std::nullopt, axes, repeats});
    effort -= kVisitEffort + (mask ? numElements(tt::getShapeOf(pointer.getType())) / 8 : 0);
  }
  auto bytes = uint64_t(tt::getElementBytes(type.getPointeeType()));
  auto elements = uint64_t(numElements(tt::getShapeOf(pointer.getType())));
  if (mask) {
    const Known &known = get(mask);
    if (known.isUnknown() || known.atMost)
      explainUnknown(op, isa<tt::LoadOp>(op)    ? "the mask of this load"
                         : isa<tt::StoreOp>(op) ? "the mask of this store"
                                                : "the mask of this atomic",
                     known.origin,
                     "what is not known of it counts as true");
    if (!known.isUnknown())
      elements = known.count();
  }
  Cost cost;
  (isa<tt::LoadOp>(op) ? cost.bytesLoaded : isa<tt::StoreOp>(op) ? cost.bytesStored : cost.bytesAtomic) = elements * bytes;
  return cost;
}

/// Gives the results of `op` what its terminator hands over, from operand `skip` on.
void Evaluator::setResults(Operation *op, Operation *terminator, unsigned skip) {
  for (OpResult result : op->getResults())
    if (relevant.contains(result))
      set(result, get(terminator->getOperand(skip + result.getResultNumber())));
}

Cost Evaluator::evaluateIf(scf::IfOp branch) {
  const Known &condition = get(branch.getCondition());
  std::optional<bool> holds = condition.asUniform({});
  Operation *origin = condition.origin;
  if (!holds)
    explainUnknown(branch, "this condition", origin, "counted as if it held");
  Block *block = holds.value_or(true) ? branch.thenBlock() : branch.elseBlock();
  if (!block)
    return {};
  Cost cost = evaluateBlock(*block);
  if (split)
    return cost;
  if (holds)
    setResults(branch, block->getTerminator());
  else
    for (Value result : branch.getResults())
      set(result, Known::unknown(origin));
  return cost;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Cost Evaluator::evaluateUnknownLoop(scf::ForOp loop, Operation *origin) {
  explainUnknown(loop, "the number of iterations", origin, "counted as one");
  for (Value argument : loop.getBody()->getArguments())
    set(argument, Known::unknown(origin));
  Cost cost = evaluateBlock(*loop.getBody());
  for (Value result : loop.getResults())
    set(result, Known::unknown(origin));
  return cost;
}

Cost Evaluator::evaluateFor(scf::ForOp loop) {
  Known first = get(loop.getLowerBound()), last = get(loop.getUpperBound());
  std::optional<int64_t> step = get(loop.getStep()).asConstant();
  if (!first.isIntegers() || !last.isIntegers() || !step || *step <= 0) {
    Operation *origin = !first.isIntegers() ? first.origin : !last.isIntegers() ? last.origin : get(loop.getStep()).origin;
    return evaluateUnknownLoop(loop, origin);
  }
  std::optional<Affine> distance = last.affine.plus(first.affine, -1, axes, {});
  if (!distance)
    return evaluateUnknownLoop(loop, nullptr);
  auto tripsOf = [&](int64_t value) { return value > 0 ? ceilDiv(value, *step) : 0; };
  if (!isSettled(*distance, tripsOf))
    return {};
  int64_t trips = tripsOf(distance->scalarExtremes(axes).begin);
  bool carries = llvm::any_of(loop.getRegionIterArgs(), [&](Value argument) { return relevant.contains(argument); });
  if (trips > 0 && carries)
    return evaluateCarried(loop, first, *step, trips);
  for (auto [result, init] : llvm::zip(loop.getResults(), loop.getInitArgs()))
    if (relevant.contains(result))
      set(result, get(init));
  if (trips == 0)
    return {};
  if (!relevant.contains(loop.getInductionVar())) {
    uint64_t outer = repeats;
    repeats *= uint64_t(trips);
    Cost cost = evaluateBlock(*loop.getBody()) * uint64_t(trips);
    repeats = outer;
    return cost;
  }
  return evaluateIterations(loop, first, *step, trips);
}

/// Iterations that depend on nothing but their number: an axis of the box, cut where they differ.
Cost Evaluator::evaluateIterations(scf::ForOp loop, const Known &first, int64_t step, int64_t trips) {
  unsigned axis = axes.size();
  Known iteration = first; // lies between the bounds, so that nothing overflows
  iteration.affine.perAxis.resize(axis + 1);
  iteration.affine.perAxis[axis] = step;
  Cost total;
  bool points = false;
  for (int64_t begin = 0, end; begin < trips; begin = end) {
    end = points ? begin + 1 : trips;
    size_t seen = visits ? visits->size() : 0;
    for (;;) {
      axes.resize(axis);
      axes.push_back({begin, end});
      set(loop.getInductionVar(), iteration);
      Cost cost = evaluateBlock(*loop.getBody());
      if (!split) {
        total += cost * uint64_t(end - begin);
        break;
      }
      if (split->axis != axis) {
        axes.resize(axis);
        return total;
      }
      if (visits) // they are met again
        visits->resize(seen, Visit{nullptr, {}, {}, {}, 0});
      points = split->intoPoints;
      end = points ? begin + 1 : split->at;
      split.reset();
    }
    if (effort < 0 && end < trips) {
      explain(loop.getLoc(), "too many different iterations to evaluate: the rest counts like those before");
      total = total.scaled(double(trips) / double(end));
      break;
    }
  }
  axes.resize(axis);
  return total;
}

/// Iterations that use what earlier ones computed: one after the other.
Cost Evaluator::evaluateCarried(scf::ForOp loop, const Known &first, int64_t step, int64_t trips) {
  Block &body = *loop.getBody();
  Known iteration = first;
  SmallVector<Known> carried = llvm::map_to_vector(loop.getInitArgs(), [&](Value init) { return get(init); });
  Cost total;
  for (int64_t trip = 0; trip < trips; ++trip) {
    set(loop.getInductionVar(), iteration);
    for (auto [argument, known] : llvm::zip(loop.getRegionIterArgs(), carried))
      set(argument, known);
    Cost cost = evaluateBlock(body);
    if (split)
      return {};
    total += cost;
    for (auto [known, yielded] : llvm::zip(carried, loop.getYieldedValues()))
      known = get(yielded);
    if (trip + 1 < trips)
      iteration.affine.base += step;
    if (effort < 0 && trip + 1 < trips) {
      explain(loop.getLoc(), "too many iterations to evaluate: the rest counts like the last one");
      total += cost * uint64_t(trips - trip - 1);
      for (Known &known : carried)
        known = Known::unknown(loop);
      break;
    }
  }
  for (auto [result, known] : llvm::zip(loop.getResults(), carried))
    set(result, known);
  return total;
}

Cost Evaluator::evaluateWhile(scf::WhileOp loop) {
  SmallVector<Known> carried = llvm::map_to_vector(loop.getInits(), [&](Value init) { return get(init); });
  Cost total;
  for (bool goes = true; goes;) {
    for (auto [argument, known] : llvm::zip(loop.getBeforeArguments(), carried))
      set(argument, known);
    total += evaluateBlock(*loop.getBeforeBody());
    if (split)
      return {};
    scf::ConditionOp condition = loop.getConditionOp();
    const Known &known = get(condition.getCondition());
    std::optional<bool> holds = known.asUniform({});
    Operation *origin = known.origin;
    if (!holds)
      explainUnknown(loop, "the number of iterations", origin, "counted as one");
    else if (*holds && effort < 0)
      explain(loop.getLoc(), "too many iterations to evaluate: the rest is not counted");
    goes = holds.value_or(false) && effort >= 0;
    setResults(loop, condition, /*skip=*/1);
    if (holds && !*holds)
      break;
    for (auto [argument, handed] : llvm::zip(loop.getAfterArguments(), condition.getArgs()))
      set(argument, get(handed));
    total += evaluateBlock(*loop.getAfterBody());
    if (split)
      return {};
    for (auto [known, yielded] : llvm::zip(carried, loop.getYieldOp()->getOperands()))
      known = get(yielded);
    if (!goes)
      for (Value result : loop.getResults())
        set(result, Known::unknown(origin ? origin : loop));
  }
  return total;
}
