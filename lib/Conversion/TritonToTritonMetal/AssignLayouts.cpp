//===- AssignLayouts.cpp - give every tensor a layout -------------------------------------===//
//
// LayoutClasses decides; here the function is rewritten in place. An anchored value gets its type changed. An operation asks for
// each operand in the layout that it needs: of a cheap value it gets a copy made for that layout, next to the original; an anchored
// value that has another layout is converted right after its definition. Both are made once per value and layout. The originals of
// cheap values die at the end.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h"

#include "LayoutClasses.h"
#include "triton_metal/Dialect/Triton/IR/ElementBytes.h"
#include "triton_metal/Support/Unsupported.h"

namespace triton_metal::ttm {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h.inc"
} // namespace triton_metal::ttm

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

namespace {

class Rewriter {
public:
  Rewriter(tt::FuncOp function, const LayoutClasses &classes) : function(function), classes(classes), builder(function) {}

  void run() {
    SmallVector<Operation *> ops;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops)
      setResultTypes(op);
    for (Operation *op : ops)
      rewriteOperands(op);
    eraseUnlaid(ops);
  }

private:
  using Key = std::pair<Value, Attribute>;

  LayoutAttr attr(const LinearLayout &layout) { return LayoutAttr::get(builder.getContext(), layout); }
  static bool isTensor(Value value) { return isa<RankedTensorType>(value.getType()); }

  /// The layout in which `op` gives its results, where that is not the layout of their class.
  std::optional<LinearLayout> getNatural(Operation *op) {
    if (isa<tt::LoadOp, tt::AtomicRMWOp, tt::AtomicCASOp, tt::ScanOp, tt::GatherOp>(op))
      return classes.get(op);
    if (auto dot = dyn_cast<tt::DotOp>(op))
      return classes.get(dot).c;
    if (isa<tt::ReduceOp>(op))
      return inferResultLayout(op, getSource(op));
    // A join in a layout that has no register for the minor dimension: the operands as they are.
    if (isa<tt::JoinOp>(op) && !inferOperandLayout(op, 0, classes.get(op->getResult(0))))
      return inferResultLayout(op, getSource(op));
    return std::nullopt;
  }

  /// The layout in which a reduction or a join takes its operands: that of the first that has one.
  LinearLayout getSource(Operation *op) {
    for (Value operand : op->getOperands())
      if (std::optional<LinearLayout> layout = getLayout(operand))
        return *layout;
    return classes.getDefault(op->getOperand(0).getType());
  }

  void setType(Value value, const LinearLayout &layout) { value.setType(withLayout(value.getType(), layout)); }

  void setResultTypes(Operation *op) {
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          if (classes.isAnchored(argument))
            setType(argument, classes.get(argument));
    for (Value result : op->getResults()) {
      if (!classes.isAnchored(result))
        continue;
      setType(result, classes.get(result));
      std::optional<LinearLayout> natural = getNatural(op);
      if (!natural || *natural == classes.get(result))
        continue;
      // The class has another layout than the operation gives: convert for all users.
      builder.setInsertionPointAfter(op);
      auto conversion = ConvertLayoutOp::create(builder, op->getLoc(), result.getType(), result);
      result.replaceAllUsesExcept(conversion, conversion);
      setType(result, *natural);
      conversions[{conversion, attr(*natural)}] = result;
      homes[conversion] = result;
    }
  }

  /// The layout in which operand `index` of `op` is needed; none if any will do.
  std::optional<LinearLayout> getWanted(Operation *op, unsigned index) {
    if (isa<tt::GatherOp>(op) && index == 0)
      return std::nullopt;
    if (isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp, tt::ScanOp, tt::GatherOp>(op))
      return classes.get(op);
    if (auto dot = dyn_cast<tt::DotOp>(op)) {
      const DotLayouts &layouts = classes.get(dot);
      return index == 0 ? layouts.a : index == 1 ? layouts.b : layouts.c;
    }
    if (isa<tt::ReduceOp>(op))
      return getSource(op);
    if (isa<RegionBranchOpInterface, RegionBranchTerminatorOpInterface, BranchOpInterface>(op))
      return getCarried(op, index);
    if (isa<tt::JoinOp>(op) && !inferOperandLayout(op, 0, classes.get(op->getResult(0))))
      return getSource(op);
    if (op->getNumResults() && classes.isAnchored(op->getResult(0)))
      return inferOperandLayout(op, index, classes.get(op->getResult(0)));
    return std::nullopt;
  }

  /// Layout of the value that receives operand `index` of a loop, a branch or a terminator.
  std::optional<LinearLayout> getCarried(Operation *op, unsigned index) {
    Value receiver;
    if (auto loop = dyn_cast<scf::ForOp>(op))
      receiver = loop.getResult(index - loop.getNumControlOperands());
    else if (auto loop = dyn_cast<scf::WhileOp>(op))
      receiver = loop.getBeforeArguments()[index];
    else if (auto condition = dyn_cast<scf::ConditionOp>(op))
      receiver = op->getParentOp()->getResult(index - 1);
    else if (auto branch = dyn_cast<BranchOpInterface>(op))
      receiver = branch.getSuccessorBlockArgument(index).value_or(BlockArgument());
    else if (auto loop = dyn_cast<scf::WhileOp>(op->getParentOp()); loop && isa<scf::YieldOp>(op))
      receiver = loop.getBeforeArguments()[index];
    else if (isa<scf::YieldOp>(op))
      receiver = op->getParentOp()->getResult(index);
    return receiver && classes.isAnchored(receiver) ? std::optional<LinearLayout>(classes.get(receiver)) : std::nullopt;
  }

  void rewriteOperands(Operation *op) {
    if (isLeftOver(op))
      return;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isTensor(operand.get()))
        continue;
      std::optional<LinearLayout> wanted = getWanted(op, operand.getOperandNumber());
      if (!wanted)
        wanted = getLayout(operand.get());
      operand.set(demand(operand.get(), wanted ? *wanted : classes.getDefault(operand.get().getType())));
    }
  }

  /// An original of a cheap value: it will die.
  bool isLeftOver(Operation *op) {
    return op->getNumResults() && isTensor(op->getResult(0)) && !getLayout(op->getResult(0)) && !isa<ConvertLayoutOp>(op);
  }

  /// `value` in `layout`.
  Value demand(Value value, const LinearLayout &layout) {
    LayoutAttr wanted = attr(layout);
    if (getLayoutAttr(value.getType()) == wanted)
      return value;
    Value &known = conversions[{value, wanted}];
    if (known)
      return known;
    Operation *op = value.getDefiningOp();
    Value made;
    if (op && !getLayoutAttr(value.getType())) {
      made = recompute(op, cast<OpResult>(value).getResultNumber(), layout);
    } else {
      // From where the value is really made, if the class's layout was itself a conversion.
      Value source = homes.lookup(value) ? homes.lookup(value) : value;
      builder.setInsertionPointAfterValue(value);
      made = ConvertLayoutOp::create(builder, value.getLoc(), withLayout(value.getType(), layout), source);
    }
    return conversions[{value, wanted}] = made;
  }

  /// A copy of a cheap operation, beside it, whose result has `layout`.
  Value recompute(Operation *op, unsigned result, const LinearLayout &layout) {
    if (isa<tt::JoinOp>(op) && !inferOperandLayout(op, 0, layout)) {
      // No register holds the minor dimension: join in a layout that has one, then convert.
      auto half = cast<RankedTensorType>(op->getOperand(0).getType());
      Value joined = demand(op->getResult(0), classes.getDefault(half).join());
      builder.setInsertionPoint(op);
      return ConvertLayoutOp::create(builder, op->getLoc(), withLayout(joined.getType(), layout), joined);
    }
    SmallVector<Value> operands;
    for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
      std::optional<LinearLayout> wanted = isTensor(operand) ? inferOperandLayout(op, i, layout) : std::nullopt;
      operands.push_back(wanted ? demand(operand, *wanted) : operand);
    }
    builder.setInsertionPoint(op);
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto type = withLayout(constant.getType(), layout);
      auto elements = cast<DenseElementsAttr>(constant.getValue());
      return arith::ConstantOp::create(builder, op->getLoc(), type, elements.reshape(type));
    }
    Operation *copy = builder.clone(*op);
    copy->setOperands(operands);
    for (Value value : copy->getResults())
      setType(value, layout);
    return copy->getResult(result);
  }

  /// Erases the originals of cheap values.
  void eraseUnlaid(ArrayRef<Operation *> ops) {
    for (Operation *op : llvm::reverse(ops))
      if (op->use_empty() && isLeftOver(op))
        op->erase();
  }

  tt::FuncOp function;
  const LayoutClasses &classes;
  OpBuilder builder;
  DenseMap<Key, Value> conversions;
  DenseMap<Value, Value> homes; ///< conversion to the class's layout -> the value before it
};

/// What axis info proves of a load or store, kept until its layout is known.
struct AccessFacts {
  Operation *op;
  unsigned fastest;
  int64_t vector, maskVector;
  bool masked;
};

static std::optional<AccessFacts> factsOf(Operation *op, const AxisInfoAnalysis &axis) {
  Value pointers, mask;
  if (auto load = dyn_cast<tt::LoadOp>(op))
    pointers = load.getPtr(), mask = load.getMask();
  else if (auto store = dyn_cast<tt::StoreOp>(op))
    pointers = store.getPtr(), mask = store.getMask();
  auto type = pointers ? dyn_cast<RankedTensorType>(pointers.getType()) : RankedTensorType();
  if (!type || type.getRank() == 0)
    return std::nullopt;
  int64_t bytes = tt::getPointeeBytes(type);
  unsigned fastest = axis.getOrder(pointers)[0];
  return AccessFacts{op, fastest, std::min(axis.getVector(pointers, fastest), int64_t(kMaxVectorBytes) / bytes),
                     axis.getMaskVector(mask, fastest), bool(mask)};
}

/// Writes ttm.vector and ttm.mask_vector.
static void annotate(const AccessFacts &facts) {
  int64_t registers = getLayout(getPointers(facts.op))->getContiguousRegisters(facts.fastest);
  int64_t vector = std::min(facts.vector, registers), masks = std::min(facts.maskVector, vector);
  Builder builder(facts.op->getContext());
  if (vector > 1)
    facts.op->setAttr(kVector, builder.getI32IntegerAttr(vector));
  if (masks > 1 && facts.masked)
    facts.op->setAttr(kMaskVector, builder.getI32IntegerAttr(masks));
}

struct AssignLayouts : public triton_metal::ttm::impl::AssignLayoutsBase<AssignLayouts> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const Chip *profile = findChip(chip);
    if (!profile) {
      InFlightDiagnostic error = module.emitError() << "unknown chip '" << chip.getValue() << "'; known are ";
      llvm::interleaveComma(getChips(), error, [&](const Chip &known) { error << known.name; });
      return signalPassFailure();
    }
    if (!llvm::isPowerOf2_32(numWarps)) {
      module.emitError() << "num_warps must be a power of two, got " << numWarps.getValue();
      return signalPassFailure();
    }
    if (numWarps * kSimdWidth > kMaxThreads) {
      (void)emitOutOfResources(module, "threads", numWarps * kSimdWidth, kMaxThreads, "use num_warps of at most 32");
      return signalPassFailure();
    }
    Builder builder(&getContext());
    module->setAttr(kNumSimdgroups, builder.getI32IntegerAttr(numWarps));
    module->setAttr(kChip, builder.getStringAttr(chip));
    for (auto function : module.getOps<tt::FuncOp>())
      if (!function.isExternal() && failed(assign(function, *profile)))
        return signalPassFailure();
  }

  LogicalResult assign(tt::FuncOp function, const Chip &profile) {
    AxisInfoAnalysis axis(function);
    if (failed(checkLayoutHints(function, axis, hintBytes)))
      return failure();
    LayoutClasses classes(function, axis, profile, llvm::Log2_32(numWarps));
    SmallVector<AccessFacts> accesses;
    function.walk([&](Operation *op) {
      if (std::optional<AccessFacts> facts = factsOf(op, axis))
        accesses.push_back(*facts);
    });
    Rewriter(function, classes).run();
    llvm::for_each(accesses, annotate);
    function.walk([](tt::DotOp dot) {
      dot->setAttr(kDotKind, StringAttr::get(dot.getContext(), isScalarDot(dot) ? "scalar" : "simdgroup_matrix"));
    });
    return success();
  }
};

} // namespace
