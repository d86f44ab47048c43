//===- FormStatements.cpp - which values become variables, and their names ----------===//
//
// A kernel's text should read as if written: expressions of a few operators, variables that are called as in the Python source.
//
// A value becomes part of an expression where it is used if that is the only use, lies in the same block, and evaluating it there
// gives the same: a load must not move over a write to what it reads. Reading a local variable may be repeated under the same
// condition. Constants, ids and places are always written where they are used. Everything else gets `msl.name`.
//
// SIMD functions and atomics are never moved: which lanes execute them, and in which order, is a part of their meaning. A SIMD function
// may stand in the next statement if nothing there makes its execution conditional.
//
//===----------------------------------------------------------------------===//
#include "ReservedNames.h"
#include "triton_metal/Dialect/MSL/Transforms/Passes.h"

#include "llvm/ADT/StringSet.h"

namespace triton_metal::msl {
#define GEN_PASS_DEF_FORMSTATEMENTS
#include "triton_metal/Dialect/MSL/Transforms/MSLPasses.h.inc"
} // namespace triton_metal::msl

using namespace mlir;
using namespace triton_metal::msl;

namespace {

/// Longest expression, counted in operations.
constexpr unsigned kLongestExpression = 9;

class StatementFormer {
public:
  explicit StatementFormer(KernelOp kernel) : kernel(kernel) {}
  void run();

private:
  void form(Block &block);
  void decide(Operation *op);
  bool mayInline(Operation *op);
  bool mayInlineSimd(SimdOp op);
  std::string hintFor(Operation *op);
  void collectNames();
  void chooseSigns();
  void nameBlock(Block &block);
  void name(Operation *op, StringRef hint);

  KernelOp kernel;
  /// Last statement of the operation's own block in which its text stands, for operations without a variable.
  DenseMap<Operation *, Operation *> lastPlace;
  DenseMap<Operation *, unsigned> size; ///< operations in the expression
  DenseSet<Operation *> named;
  llvm::StringSet<> dataNames, floatNames; ///< that the source gives to what is no condition, and to floats and pointers
  NameScopes scopes;
};

} // namespace

/// Written out at each use: constants, ids, and what only names a place or reinterprets it.
static bool isFree(Operation *op) {
  if (isa<arith::ConstantOp, BuiltinOp, ElementOp, FragmentOp, SplatOp, PtrCastOp>(op))
    return true;
  // One operation on an id, a loop's counter or a parameter: `lane & 3u`, `i * 8u`, `float(int(params.n))`.
  if (!isa<arith::MulIOp, arith::AndIOp, arith::ShRUIOp, arith::CmpIOp, arith::SIToFPOp, arith::UIToFPOp>(op))
    return false;
  auto isGiven = [](Value value) { return isa<BlockArgument>(value) || value.getDefiningOp<BuiltinOp>(); };
  auto isConstant = [](Value value) { return value.getDefiningOp<arith::ConstantOp>() != nullptr; };
  return isGiven(op->getOperand(0)) && (op->getNumOperands() == 1 || isConstant(op->getOperand(1)));
}

static VarOp variableOf(Value pointer) {
  while (Operation *op = pointer.getDefiningOp()) {
    if (!isa<ElementOp, FragmentOp>(op))
      return dyn_cast<VarOp>(op);
    pointer = op->getOperand(0);
  }
  return {};
}

/// Whether executing `op` may change what `load` reads.
static bool mayChange(Operation *op, LoadOp load) {
  VarOp variable = variableOf(load.getPtr());
  WalkResult result = op->walk([&](Operation *inner) {
    bool changes = llvm::TypeSwitch<Operation *, bool>(inner)
                       .Case([&](StoreOp store) { return variableOf(store.getPtr()) == variable; })
                       .Case([&](MatrixMultiplyOp multiply) { return variableOf(multiply.getD()) == variable; })
                       .Case<AtomicOp, BarrierOp>([&](auto) { return !variable; })
                       .Case([&](CallOp call) { return !variable && !isMemoryEffectFree(call); })
                       .Default(false);
    return changes ? WalkResult::interrupt() : WalkResult::advance();
  });
  return result.wasInterrupted();
}

/// Name that the Python source gives to the value at `location`; empty if none.
static StringRef nameIn(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName();
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return nameIn(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = nameIn(part); !name.empty())
        return name;
  return {};
}

/// Whether `op` computes a part of what the source gives a name to: its only user has the same name.
static bool isPart(Operation *op) {
  StringRef name = nameIn(op->getLoc());
  return !name.empty() && op->hasOneUse() && !isa<StoreOp, VarOp, LoadOp>(*op->user_begin()) && nameIn(op->user_begin()->getLoc()) == name;
}

bool StatementFormer::mayInlineSimd(SimdOp op) {
  Operation *part = op;
  while (true) {
    if (!part->hasOneUse())
      return false;
    Operation *user = *part->user_begin();
    if (user->getBlock() != op->getBlock() || isa<arith::SelectOp, LoadOp, SimdOp, CallOp>(user) || user->getNumRegions())
      return false;
    bool isLogic = isa<arith::AndIOp, arith::OrIOp>(user) && user->getResult(0).getType().isInteger(1);
    auto store = dyn_cast<StoreOp>(user);
    if (isLogic || (store && store.getMask()))
      return false;
    part = user;
    if (store || isa<VarOp>(user) || named.contains(user))
      break;
    if (user->getNumResults() != 1)
      return false;
  }
  for (Operation *between = op->getNextNode(); between != part; between = between->getNextNode())
    if (named.contains(between) || isa<SimdOp>(between) || !isMemoryEffectFree(between))
      return false;
  return true;
}

bool StatementFormer::mayInline(Operation *op) {
  auto load = dyn_cast<LoadOp>(op);
  bool readsVariable = load && variableOf(load.getPtr()) && !load.getMask();
  if (!op->hasOneUse() && !readsVariable)
    return false;
  for (Operation *user : op->getUsers())
    if (user->getBlock() != op->getBlock() && !readsVariable)
      return false;
  if (load) {
    Operation *last = lastPlace[op];
    for (Operation *between = op->getNextNode(); between != last; between = between->getNextNode())
      if (mayChange(between, load))
        return false;
    if (last->getNumRegions() && mayChange(last, load))
      return false;
    Operation *user = *op->user_begin();
    bool isCopy = isa<StoreOp, VarOp>(user);
    if (load.getMask() && !isCopy) // a conditional in the middle of an expression is hard to read
      return false;
    if (isa<VarOp>(user) || (isCopy && variableOf(cast<StoreOp>(user).getPtr())))
      return true;
    return readsVariable || nameIn(op->getLoc()).empty();
  }
  if (size[op] > kLongestExpression)
    return false;
  bool isTrivial = size[op] <= 1;
  return isTrivial || isPart(op) || nameIn(op->getLoc()).empty() || isa<StoreOp, VarOp>(*op->user_begin());
}

void StatementFormer::decide(Operation *op) {
  if (op->getNumResults() != 1 || op->use_empty())
    return;
  Operation *last = nullptr;
  for (Operation *user : op->getUsers()) {
    Operation *place = op->getBlock()->findAncestorOpInBlock(*user);
    if (place == user)
      if (Operation *further = lastPlace.lookup(user))
        place = further;
    if (!last || last->isBeforeInBlock(place))
      last = place;
  }
  lastPlace[op] = last;
  bool keeps = isFree(op) || ((isMemoryEffectFree(op) || isa<LoadOp>(op)) && mayInline(op));
  if (auto simd = dyn_cast<SimdOp>(op))
    keeps = mayInlineSimd(simd);
  if (keeps && !isa<VarOp>(op))
    return;
  lastPlace.erase(op);
  named.insert(op);
}

void StatementFormer::form(Block &block) {
  // Sizes grow from operands to users; whether a value has a variable is known only from its users. So sizes count every operand
  // with a single use, which is an upper bound.
  for (Operation &op : block) {
    unsigned sum = isFree(&op) ? 0 : 1;
    for (Value operand : op.getOperands())
      if (Operation *definition = operand.getDefiningOp(); definition && definition->getBlock() == &block && definition->hasOneUse())
        sum += std::min(size.lookup(definition), kLongestExpression);
    size[&op] = sum;
  }
  for (Operation &op : llvm::reverse(block))
    decide(&op);
  for (Operation &op : block)
    for (Region &region : op.getRegions())
      for (Block &inner : region)
        form(inner);
}

void StatementFormer::name(Operation *op, StringRef hint) {
  op->setAttr(kNameAttr, StringAttr::get(op->getContext(), scopes.declare(hint)));
}

/// What to call a value that has no name in the source.
static StringRef defaultName(Operation *op) {
  Type type = op->getResult(0).getType();
  if (isa<triton_metal::msl::PointerType>(type))
    return isa<PoolOp>(op) ? "shared" : "p";
  return type.isInteger(1) ? "test" : "t";
}

void StatementFormer::collectNames() {
  kernel.walk([&](Operation *op) {
    StringRef name = nameIn(op->getLoc());
    if (name.empty() || op->getNumResults() != 1)
      return;
    Type type = op->getResult(0).getType();
    if (auto pointer = dyn_cast<triton_metal::msl::PointerType>(type); pointer && pointer.getSpace() == AddressSpace::Thread)
      type = pointer.getPointee(); // a variable
    if (!type.isInteger(1))
      dataNames.insert(name);
    if (!type.isInteger())
      floatNames.insert(name);
  });
}

/// The parameter that a pointer to device memory points into, as the source calls it without the `_ptr`.
static StringRef stemOf(Value pointer, KernelOp kernel) {
  while (Operation *definition = pointer.getDefiningOp()) {
    if (!isa<PtrAddOp, PtrCastOp>(definition))
      return {};
    pointer = definition->getOperand(0);
  }
  auto argument = dyn_cast<BlockArgument>(pointer);
  auto name = argument && argument.getOwner() == &kernel.getBodyBlock()
                  ? kernel.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr)
                  : StringAttr();
  StringRef stem = name ? name.getValue() : StringRef();
  if (!stem.consume_back("_ptrs"))
    stem.consume_back("_ptr");
  return stem;
}

/// What is read from device memory is called as where it comes from, if the source does not name it: `tl.load(x_ptr + i) + 1` loads x.
static StringRef stemOfLoad(Value value, KernelOp kernel) {
  auto load = value ? value.getDefiningOp<LoadOp>() : LoadOp();
  return load ? stemOf(load.getPtr(), kernel) : StringRef();
}

/// The named variable to which all readers of `op` add it; null if there is none.
static VarOp steppedBy(Operation *op) {
  VarOp variable;
  for (Operation *user : op->getUsers()) {
    auto store = isa<arith::AddIOp>(user) && user->hasOneUse() ? dyn_cast<StoreOp>(*user->user_begin()) : StoreOp();
    VarOp target = store ? variableOf(store.getPtr()) : VarOp();
    if (!target || (variable && variable != target) || nameIn(target.getLoc()).empty())
      return {};
    variable = target;
  }
  return variable;
}

/// What to call the variable of `op`: as the source does, where that means this value and not one that it leads to.
std::string StatementFormer::hintFor(Operation *op) {
  StringRef source = nameIn(op->getLoc());
  Type type = op->getResult(0).getType();
  if (auto pointer = dyn_cast<triton_metal::msl::PointerType>(type); pointer && pointer.getSpace() == AddressSpace::Device)
    if (StringRef stem = stemOf(op->getResult(0), kernel); !stem.empty()) {
      std::string base = (stem + "_base").str();
      bool isBase = llvm::any_of(op->getUsers(), llvm::IsaPred<PtrAddOp>);
      return !isBase ? (stem + "_at").str() : scopes.isTaken(base) ? (stem + "_row").str() : base;
    }
  if (source.empty()) {
    if (VarOp variable = steppedBy(op)) // by how much a loop moves on
      return (nameIn(variable.getLoc()) + "_step").str();
    StringRef loaded = stemOfLoad(op->getResult(0), kernel);
    return (loaded.empty() ? defaultName(op) : loaded).str();
  }
  if (type.isInteger(1)) {
    if (!dataNames.contains(source))
      return source.str();
    // The source names what the condition guards: `x = load(.., mask=rows < n)`.
    auto compare = dyn_cast<arith::CmpIOp>(op);
    StringRef place = compare ? nameIn(compare.getLhs().getLoc()) : StringRef();
    return ((place.empty() ? source : place) + "_inside").str();
  }
  if (type.isInteger()) { // a place or a bound of what has the name
    for (Operation *user : op->getUsers())
      if (user->getNumResults() == 1 && nameIn(user->getLoc()) == source && isa<arith::CmpIOp>(user))
        return "bound";
    if (floatNames.contains(source))
      return "offset";
    return source.str();
  }
  // The value of one element, and a step towards the value that the source means.
  for (Operation *user : op->getUsers())
    if (auto store = dyn_cast<StoreOp>(user))
      if (VarOp variable = variableOf(store.getPtr()); variable && nameIn(variable.getLoc()) == source)
        return variable.getResult() == store.getPtr() ? ("new_" + source).str() : (source + "_value").str();
  bool isStep = llvm::all_of(op->getUsers(), [&](Operation *user) { return user->getNumResults() && nameIn(user->getLoc()) == source; });
  if (isStep && llvm::all_of(op->getUsers(), llvm::IsaPred<arith::MulFOp>))
    return (source + "_factor").str();
  return source.str();
}

/// How a reader takes an integer: 1 with its sign, -1 as unsigned, 0 if it does not care.
static int signOf(OpOperand &use) {
  Operation *reader = use.getOwner();
  if (auto compare = dyn_cast<arith::CmpIOp>(reader)) {
    auto predicate = compare.getPredicate();
    bool equality = predicate == arith::CmpIPredicate::eq || predicate == arith::CmpIPredicate::ne;
    return equality ? 0 : predicate <= arith::CmpIPredicate::sge ? 1 : -1;
  }
  if (auto loop = dyn_cast<ForOp>(reader))
    return use.get() == loop.getUpper() && !loop.getUnroll() ? 1 : 0;
  if (isa<PtrAddOp, arith::SIToFPOp, arith::ExtSIOp, arith::DivSIOp, arith::MaxSIOp, arith::MinSIOp>(reader) ||
      (isa<arith::ShRSIOp>(reader) && use.getOperandNumber() == 0))
    return 1;
  return isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::SelectOp, StoreOp, VarOp>(
             reader)
             ? 0
             : -1;
}

/// Integers are unsigned in the text, so that they wrap. One that is read with its sign is declared with it, which saves the casts.
void StatementFormer::chooseSigns() {
  auto isSigned = [](Value value) {
    int votes = 0;
    for (OpOperand &use : value.getUses())
      votes += signOf(use);
    return (value.getType().isInteger(32) || value.getType().isInteger(64)) && votes > 0;
  };
  auto unit = UnitAttr::get(kernel.getContext());
  for (BlockArgument argument : kernel.getBodyBlock().getArguments())
    if (isSigned(argument))
      kernel.setArgAttr(argument.getArgNumber(), kSignedAttr, unit);
  for (Operation *op : named)
    if (!isa<VarOp>(op) && isSigned(op->getResult(0)))
      op->setAttr(kSignedAttr, unit);
}

void StatementFormer::nameBlock(Block &block) {
  scopes.push();
  for (Operation &op : block) {
    if (auto loop = dyn_cast<ForOp>(op)) {
      auto hint = op.getAttrOfType<StringAttr>(kNameAttr);
      StringRef source = nameIn(op.getLoc());
      scopes.push(); // the counter ends with its loop
      StringRef counter = hint ? hint.getValue() : source.empty() ? "i" : source;
      op.setAttr(kNameAttr, StringAttr::get(op.getContext(), scopes.declareCounter(counter)));
      nameBlock(loop.getBody().front());
      scopes.pop();
      continue;
    }
    if (auto variable = dyn_cast<VarOp>(op)) {
      auto hint = op.getAttrOfType<StringAttr>(kNameAttr);
      StringRef source = nameIn(op.getLoc());
      StringRef loaded = stemOfLoad(variable.getInit(), kernel);
      name(&op, hint ? hint.getValue() : !source.empty() ? source : !loaded.empty() ? loaded : "x");
    } else if (isa<ThreadgroupArrayOp>(op)) {
      name(&op, op.getAttrOfType<StringAttr>(kNameAttr).getValue());
    } else if (named.contains(&op)) {
      name(&op, hintFor(&op));
    }
    for (Region &region : op.getRegions())
      for (Block &inner : region)
        nameBlock(inner);
  }
  scopes.pop();
}

void StatementFormer::run() {
  kernel.setSymName(legalName(kernel.getSymName()));
  NameScopes members;
  members.push();
  for (unsigned index = 0; index < kernel.getNumArguments(); ++index) {
    auto hint = kernel.getArgAttrOfType<StringAttr>(index, kNameAttr);
    std::string name = hint ? hint.str() : "arg" + std::to_string(index);
    kernel.setArgAttr(index, kNameAttr, StringAttr::get(kernel.getContext(), members.declare(name)));
  }
  form(kernel.getBodyBlock());
  collectNames();
  chooseSigns();
  scopes.push();
  for (StringRef fixed : {StringRef("params"), StringRef("pool"), StringRef("program_id"), StringRef("num_programs"),
                          StringRef("thread_index"), StringRef("lane"), StringRef("simdgroup"), kernel.getSymName()})
    scopes.declare(fixed);
  nameBlock(kernel.getBodyBlock());
}

namespace {
struct FormStatements : public triton_metal::msl::impl::FormStatementsBase<FormStatements> {
  void runOnOperation() override { StatementFormer(getOperation()).run(); }
};
} // namespace
