//===- LayoutClasses.cpp - choosing layouts: classes and how decisions spread -----------------===//
#include "LayoutClasses.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

static bool isTensor(Value value) { return isa<RankedTensorType>(value.getType()); }

LayoutClasses::LayoutClasses(tt::FuncOp function, const AxisInfoAnalysis &axis, const Chip &chip, unsigned simdgroupBits)
    : axis(axis), chip(chip), simdgroupBits(simdgroupBits) {
  collect(function);
  function.walk([&](Operation *op) { connect(op); });
  sortAccesses();
  for (auto [i, edge] : llvm::enumerate(edges))
    edgesFrom[find(edge.from)].push_back(i);
  fixCoalesced();
  decideDots();
  decideHinted();
  decideAccesses();
  decideRest();
}

//===----------------------------------------------------------------------===//
// Anchored values
//===----------------------------------------------------------------------===//

bool LayoutClasses::isCheap(Operation *op) const {
  bool recomputable = isElementwise(op) || isa<arith::ConstantOp, ub::PoisonOp, tt::MakeRangeOp, tt::SplatOp, tt::ExpandDimsOp,
                                               tt::BroadcastOp, tt::ReshapeOp, tt::TransOp, tt::JoinOp, tt::SplitOp>(op);
  return recomputable && op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
         llvm::none_of(op->getOperands(), [&](Value operand) { return isAnchored(operand); });
}

void LayoutClasses::collect(Operation *root) {
  auto anchor = [&](Value value) {
    if (!isTensor(value))
      return;
    values[value] = makeNode();
    valueOrder.push_back(value);
  };
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isCheap(op))
      llvm::for_each(op->getResults(), anchor);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::for_each(block.getArguments(), anchor);
  });
}

void LayoutClasses::unite(unsigned a, unsigned b) {
  a = find(a), b = find(b);
  nodes[std::max(a, b)].parent = std::min(a, b);
}

void LayoutClasses::uniteValues(ValueRange list) {
  std::optional<unsigned> first;
  for (Value value : list) {
    if (!isAnchored(value))
      continue;
    if (first)
      unite(*first, values[value]);
    else
      first = values[value];
  }
}

//===----------------------------------------------------------------------===//
// Relations
//===----------------------------------------------------------------------===//

Value ttm::getPointers(Operation *access) {
  return TypeSwitch<Operation *, Value>(access)
      .Case<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>([](auto op) { return op.getPtr(); })
      .Default([](Operation *) { return Value(); });
}

/// The values that an access gives or takes, as opposed to where and whether.
static SmallVector<Value> valuesOf(Operation *access) {
  return TypeSwitch<Operation *, SmallVector<Value>>(access)
      .Case([](tt::StoreOp store) { return SmallVector<Value>{store.getValue()}; })
      .Case([](tt::AtomicRMWOp rmw) { return SmallVector<Value>{rmw.getVal(), rmw.getResult()}; })
      .Case([](tt::AtomicCASOp cas) { return SmallVector<Value>{cas.getCmp(), cas.getVal(), cas.getResult()}; })
      .Case([](tt::ScanOp scan) {
        SmallVector<Value> list(scan.getSrcs());
        llvm::append_range(list, scan.getResults());
        return list;
      })
      .Default([](Operation *op) { return SmallVector<Value>(op->getResults()); });
}

void LayoutClasses::connectAccess(Operation *op) {
  unsigned access = accesses[op] = makeNode();
  accessOrder.push_back(op);
  SmallVector<Value> list = valuesOf(op);
  for (Value value : list) {
    if (!isAnchored(value))
      continue;
    addEdge(Edge::ValueToAccess, values[value], access, op);
    addEdge(Edge::AccessToValue, access, values[value], op);
  }
  LayoutHint hint = getLayoutHint(op);
  if (hint != LayoutHint::None)
    hints[op] = hint;
  // Pointers, masks and indices serve this access; a gather's source may lie anywhere. What serves a hinted access may serve another
  // one with another hint.
  for (Value operand : op->getOperands()) {
    if (!isAnchored(operand) || llvm::is_contained(list, operand) || (isa<tt::GatherOp>(op) && operand == op->getOperand(0)))
      continue;
    if (hint == LayoutHint::None)
      unite(access, values[operand]);
    else
      addEdge(Edge::AccessToValue, access, values[operand], op);
  }
}

void LayoutClasses::connect(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    for (unsigned i = 0; i < loop.getNumResults(); ++i)
      uniteValues({loop.getInits()[i], loop.getRegionIterArg(i), yield.getOperand(i), loop.getResult(i)});
    return;
  }
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (unsigned i = 0; i < branch.getNumResults(); ++i)
      uniteValues({branch.getResult(i), branch.thenYield().getOperand(i), branch.elseYield().getOperand(i)});
    return;
  }
  if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    for (unsigned i = 0; i < loop.getInits().size(); ++i)
      uniteValues({loop.getInits()[i], loop.getBeforeArguments()[i], loop.getYieldOp().getOperand(i)});
    for (unsigned i = 0; i < loop.getNumResults(); ++i)
      uniteValues({loop.getConditionOp().getArgs()[i], loop.getAfterArguments()[i], loop.getResult(i)});
    return;
  }
  if (auto branch = dyn_cast<BranchOpInterface>(op)) {
    for (unsigned i = 0; i < op->getNumSuccessors(); ++i)
      for (auto [operand, argument] :
           llvm::zip(branch.getSuccessorOperands(i).getForwardedOperands(), op->getSuccessor(i)->getArguments()))
        uniteValues({operand, argument});
    return;
  }
  if (isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(op) ? isTensor(getPointers(op))
                                                                          : isa<tt::ScanOp, tt::GatherOp>(op))
    return connectAccess(op);
  if (auto dot = dyn_cast<tt::DotOp>(op)) {
    uniteValues({dot.getC(), dot.getD()});
    return;
  }
  if (isElementwise(op)) {
    SmallVector<Value> list(op->getOperands());
    llvm::append_range(list, op->getResults());
    uniteValues(list);
    return;
  }
  if (auto reduce = dyn_cast<tt::ReduceOp>(op)) {
    uniteValues(reduce.getSrcs());
    uniteValues(reduce.getResults());
  }
  if (auto join = dyn_cast<tt::JoinOp>(op))
    uniteValues(join->getOperands());
  if (auto split = dyn_cast<tt::SplitOp>(op))
    uniteValues(split->getResults());
  // Shape operations: each side may determine the other.
  if (op->getNumResults() == 0 || !isAnchored(op->getResult(0)))
    return;
  unsigned result = values[op->getResult(0)];
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (!isAnchored(operand))
      continue;
    if (isa<tt::ExpandDimsOp, tt::ReshapeOp, tt::TransOp, tt::JoinOp, tt::SplitOp, tt::ReduceOp>(op))
      addEdge(Edge::OperandToResult, values[operand], result, op, i);
    if (isa<tt::ExpandDimsOp, tt::ReshapeOp, tt::TransOp, tt::JoinOp, tt::SplitOp, tt::BroadcastOp>(op))
      addEdge(Edge::ResultToOperand, result, values[operand], op, i);
  }
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

std::optional<LinearLayout> LayoutClasses::follow(const Edge &edge, const LinearLayout &layout, bool fromDot) const {
  switch (edge.kind) {
  case Edge::OperandToResult:
    return inferResultLayout(edge.op, layout);
  case Edge::ResultToOperand:
    return inferOperandLayout(edge.op, edge.operand, layout);
  case Edge::AccessToValue:
    return layout;
  case Edge::ValueToAccess:
    if (hints.lookup(edge.op) == LayoutHint::Block)
      return isTileFor(edge.op, layout, fromDot) ? std::optional<LinearLayout>(layout) : std::nullopt;
    if (isa<tt::ScanOp>(edge.op) || !fromDot)
      return isGoodFor(edge.op, layout) ? std::optional<LinearLayout>(layout) : std::nullopt;
    return layout;
  }
  return std::nullopt;
}

void LayoutClasses::decide(unsigned node, const LinearLayout &layout, bool fromDot) {
  unsigned root = find(node);
  if (nodes[root].layout)
    return;
  nodes[root].layout = layout;
  nodes[root].fromDot = fromDot;
  spread(root);
}

void LayoutClasses::spread(unsigned root) {
  SmallVector<unsigned> queue{root};
  for (unsigned next = 0; next < queue.size(); ++next) {
    unsigned from = queue[next];
    for (unsigned index : edgesFrom.lookup(from)) {
      unsigned to = find(edges[index].to);
      if (nodes[to].layout)
        continue;
      nodes[to].layout = follow(edges[index], *nodes[from].layout, nodes[from].fromDot);
      nodes[to].fromDot = nodes[from].fromDot;
      if (nodes[to].layout)
        queue.push_back(to);
    }
  }
}

void LayoutClasses::sortAccesses() {
  auto weight = [](Operation *op) {
    Value value = getPointers(op) ? getPointers(op) : op->getResult(0);
    Type data = getPointers(op) ? tt::getPointeeLike(value.getType()) : value.getType();
    unsigned bits = isa<tt::PointerType>(tt::getElementOf(data)) ? 64 : tt::getElementOf(data).getIntOrFloatBitWidth();
    return cast<RankedTensorType>(value.getType()).getNumElements() * int64_t(bits);
  };
  // Accesses to shared arrays come last: any layout will do for them, so they take what their values have.
  auto isShared = [](Operation *op) { return getPointers(op) && tt::isSharedPointer(getPointers(op).getType()); };
  SmallVector<std::tuple<bool, int64_t, unsigned>> order;
  for (auto [i, op] : llvm::enumerate(accessOrder))
    order.push_back({isShared(op), -weight(op), i});
  llvm::sort(order);
  accessOrder = llvm::map_to_vector(order, [list = accessOrder](auto entry) { return list[std::get<2>(entry)]; });
}

void LayoutClasses::fixCoalesced() {
  // Not spread before dots have decided: what they carry through a loop must not be converted in it.
  for (Operation *op : accessOrder)
    if (hints.lookup(op) == LayoutHint::Coalesced)
      nodes[find(accesses[op])].layout = getCoalesced(op);
}

void LayoutClasses::decideHinted() {
  for (Operation *op : accessOrder)
    if (hints.lookup(op) == LayoutHint::Coalesced)
      spread(find(accesses[op]));
  for (Operation *op : accessOrder)
    if (hints.lookup(op) == LayoutHint::Block)
      decide(accesses[op], getTiled(op), false);
}

void LayoutClasses::decideAccesses() {
  // Memory first: a scan or gather in the middle takes what its operands have, if it can.
  for (bool memory : {true, false})
    for (Operation *op : accessOrder)
      if (memory == bool(getPointers(op)))
        decide(accesses[op], getCoalesced(op), false);
}

void LayoutClasses::decideRest() {
  for (Value value : valueOrder)
    decide(values[value], getDefault(value.getType()), false);
}

LinearLayout LayoutClasses::getDefault(Type type) const {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<unsigned> order;
  for (unsigned dim = tensor.getRank(); dim-- > 0;)
    order.push_back(dim);
  return LinearLayout::blocked(tensor.getShape(), order, 1, simdgroupBits);
}

LinearLayout LayoutClasses::getForScan(Type type, unsigned axis) const {
  // The axis is the fastest dimension; SIMD-group bits that would fall on it hold duplicates instead.
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<unsigned> order{axis};
  for (unsigned dim = tensor.getRank(); dim-- > 0;)
    if (dim != axis)
      order.push_back(dim);
  LinearLayout layout = LinearLayout::blocked(tensor.getShape(), order, 1, simdgroupBits);
  LinearLayout::Bases registers(layout.getRegisterBases()), simdgroups(layout.getSimdgroupBases());
  for (uint32_t &basis : simdgroups)
    if (layout.getCoordinate(basis, axis)) {
      registers.push_back(basis);
      basis = 0;
    }
  return LinearLayout(tensor.getShape(), registers, layout.getLaneBases(), simdgroups);
}
