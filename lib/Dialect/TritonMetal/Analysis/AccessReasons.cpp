//===- AccessReasons.cpp - why an access is not better -----------------------------===//
#include "AccessReasons.h"
#include "triton_metal/Dialect/Triton/IR/MemoryLayout.h"
#include "triton_metal/Support/Chips.h"
#include "triton_metal/Support/SourcePosition.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

//===----------------------------------------------------------------------===//
// Where pointers come from
//===----------------------------------------------------------------------===//

PointerOrigin ttm::originOf(Value pointers) {
  PointerOrigin origin;
  SmallVector<Value> list{pointers};
  DenseSet<Value> seen;
  while (!list.empty()) {
    Value value = list.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (isa<tt::FuncOp>(parent) && argument.getOwner()->isEntryBlock())
        origin.arguments.push_back(argument);
      else if (auto loop = dyn_cast<scf::ForOp>(parent); loop && argument != loop.getInductionVar()) {
        list.push_back(loop.getTiedLoopInit(argument)->get());
        list.push_back(loop.getTiedLoopYieldedValue(argument)->get());
      }
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (isa<tt::LoadOp, tt::AtomicRMWOp, tt::AtomicCASOp, ReadAtOp>(op)) {
      origin.isLoaded |= isa<RankedTensorType>(value.getType());
      continue;
    }
    origin.hasRemainder |= isa<arith::RemSIOp, arith::RemUIOp>(op);
    if (auto loop = dyn_cast<scf::ForOp>(op))
      list.push_back(loop.getRegionIterArg(cast<OpResult>(value).getResultNumber()));
    else
      llvm::append_range(list, op->getOperands());
  }
  llvm::sort(origin.arguments, [](BlockArgument a, BlockArgument b) { return a.getArgNumber() < b.getArgNumber(); });
  return origin;
}

bool ttm::isOfDevice(Operation *access) {
  return cast<tt::PointerType>(tt::getElementOf(access->getOperand(0).getType())).getAddressSpace() == "global";
}

std::string ttm::kindOf(Operation *op) { return isa<tt::LoadOp>(op) ? "load" : isa<tt::StoreOp>(op) ? "store" : "atomic"; }

std::string ttm::lineOf(Operation *op) {
  FileLineColLoc position = positionOf(op->getLoc());
  return position ? "line " + std::to_string(position.getLine()) : "an unknown line";
}

std::string AccessFindings::nameOf(BlockArgument argument) const {
  std::string name = launch.names[argument.getArgNumber()];
  if (auto type = dyn_cast<IntegerType>(argument.getType()))
    name += " = " + std::to_string(APInt(64, bitsOf(argument)).trunc(type.getWidth()).getSExtValue());
  return name;
}

std::optional<int64_t> AccessFindings::stepAlong(unsigned dim) const {
  if (!first || access.shape[dim] == 1)
    return first ? std::optional<int64_t>(0) : std::nullopt;
  uint32_t size = 1; // from one element to the next along the dimension, in the row-major order
  for (unsigned inner = dim + 1; inner < access.shape.size(); ++inner)
    size *= access.shape[inner];
  int64_t step = first->addressOf(access.shape, size) - first->addressOf(access.shape, 0);
  for (uint32_t element = size; first->addresses && element < first->addresses->size(); ++element)
    if (element / size % access.shape[dim] != 0 && (*first->addresses)[element] - (*first->addresses)[element - size] != step)
      return std::nullopt;
  return step % access.elementBytes ? std::nullopt : std::optional<int64_t>(step / access.elementBytes);
}

std::optional<SmallVector<int64_t>> AccessFindings::steps() const {
  SmallVector<int64_t> steps;
  for (unsigned dim = 0; dim < access.shape.size(); ++dim)
    if (std::optional<int64_t> step = stepAlong(dim))
      steps.push_back(*step);
  return steps.size() == access.shape.size() && first ? std::optional<SmallVector<int64_t>>(steps) : std::nullopt;
}

std::optional<unsigned> AccessFindings::contiguousDim() const {
  for (unsigned dim = access.shape.size(); dim-- > 0;)
    if (std::optional<int64_t> step = stepAlong(dim); step && std::abs(*step) == 1)
      return dim;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

/// The first dot that takes what a load gives, or that gives what a store takes; null if there is none.
static Operation *dotOf(Operation *access) {
  bool isForward = isa<tt::LoadOp>(access);
  SmallVector<Value> list{isForward ? access->getResult(0) : access->getOperand(1)};
  DenseSet<Value> seen;
  for (size_t next = 0; next < list.size(); ++next) {
    Value value = list[next];
    if (!seen.insert(value).second)
      continue;
    if (isForward) {
      for (Operation *user : value.getUsers()) {
        if (isa<tt::DotOp>(user))
          return user;
        if (user->getNumRegions() == 0)
          llvm::append_range(list, user->getResults());
      }
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<tt::DotOp>(op))
      return op;
    if (auto loop = dyn_cast_or_null<scf::ForOp>(op))
      list.push_back(loop.getYieldedValues()[cast<OpResult>(value).getResultNumber()]);
    else if (op && op->getNumRegions() == 0)
      llvm::append_range(list, op->getOperands());
  }
  return nullptr;
}

/// What gave an access a layout in which it is not at its best.
static AccessReason layoutReason(const AccessFindings &findings, const std::string &effect) {
  const AccessShape &access = findings.access;
  if (auto hint = access.op->getAttrOfType<StringAttr>(tt::kMemoryLayout); hint && hint == tt::kBlockLayout)
    return {effect + ", because layout=\"BLOCK\" asks for a tile", "drop the hint, or use \"COALESCED\""};
  LayoutAttr layout = getLayoutAttr(findings.pointers().getType());
  auto kernel = access.op->getParentOfType<tt::FuncOp>();
  // What a dot takes through tl.trans has its fragments transposed.
  auto swapped = llvm::to_vector(llvm::seq<int32_t>(0, access.layout->getRank()));
  if (swapped.size() >= 2)
    std::swap(swapped[swapped.size() - 2], swapped.back());
  LinearLayout transposed = access.layout->trans(swapped);
  for (const LinearLayout &fragment : {*access.layout, transposed}) {
    if (!isMatrixFragment(fragment))
      continue;
    Operation *dot = dotOf(access.op);
    return {effect + ", because the lanes hold " + (fragment == *access.layout ? "" : "transposed ") +
                "8x8 fragments of the matrix product" + (dot ? " of " + lineOf(dot) : ""),
            "nothing need be done: fragments need no threadgroup memory. layout=\"COALESCED\" accesses whole lines and takes that way"};
  }
  unsigned vector = std::min<int64_t>(getWidestVector(tt::getElementOf(tt::getPointeeLike(findings.pointers().getType()))),
                                      findings.axis.getVector(findings.pointers(), findings.fastest()));
  unsigned groups = access.layout->getSimdgroupBases().size();
  if (int64_t lanes = int64_t(kSimdWidth) << groups; (int64_t(1) << access.layout->getNumElementBits()) < lanes * vector)
    return {effect + ", because the tensor has fewer elements than " + std::to_string(lanes) + " lanes of " + std::to_string(vector),
            "use larger blocks, or fewer warps"};
  Operation *other = nullptr;
  kernel.walk([&](Operation *op) {
    if (op != access.op && isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp>(op) && getLayoutAttr(op->getOperand(0).getType()) == layout &&
        isOfDevice(op))
      other = other ? other : op;
  });
  return {effect + (other ? ", because it shares the layout of the " + kindOf(other) + " at " + lineOf(other)
                          : ", because of what its value is used for"),
          "layout=\"COALESCED\" gives it a layout of its own, and converts"};
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

static std::string count(int64_t number, StringRef what) {
  return (Twine(number) + " " + what + (number == 1 ? "" : "s")).str();
}

/// Neighbours are not known to be neighbours in memory.
static AccessReason contiguityReason(const AccessFindings &findings) {
  if (findings.origin.isLoaded)
    return {"the places come from memory (a gather)", "sort or group the indices, so that one access can serve several"};
  AccessReason wraps = {"the offsets go through `%`, after which nothing is known to be contiguous",
                        "mask what lies outside instead of wrapping around, or say tl.max_contiguous(tl.multiple_of(offsets, N), N)"};
  std::optional<SmallVector<int64_t>> steps = findings.steps();
  if (!steps && findings.origin.hasRemainder)
    return wraps;
  if (!steps)
    return {"the places follow no constant step", "split the access into parts that do"};
  int64_t least = INT64_MAX;
  for (int64_t step : *steps)
    if (step != 0)
      least = std::min(least, std::abs(step));
  if (least != 1) {
    std::string argument;
    for (BlockArgument candidate : findings.origin.arguments)
      if (isa<IntegerType>(candidate.getType()) && StringRef(findings.nameOf(candidate)).ends_with(" = " + std::to_string(least)))
        argument = " (" + findings.nameOf(candidate) + ")";
    return {"neighbours are " + count(least, "element") + " apart in memory" + argument,
            "lay the array out so that one dimension has step 1, or load a contiguous tile and use tl.trans"};
  }
  for (BlockArgument argument : findings.origin.arguments)
    if (isa<IntegerType>(argument.getType()) && !argument.getType().isInteger(1) && findings.bitsOf(argument) == 1)
      return {findings.nameOf(argument) + " is not known when the kernel is compiled",
              "let it be specialised (take it off do_not_specialize), or make it a tl.constexpr"};
  if (findings.origin.hasRemainder)
    return wraps;
  return {"the offsets are contiguous, but the compiler cannot prove it", "say tl.max_contiguous(tl.multiple_of(offsets, N), N)"};
}

/// The vector that would be proven if these arguments were multiples of 16.
static int64_t vectorIfAligned(const AccessFindings &findings, ArrayRef<BlockArgument> arguments) {
  constexpr StringLiteral name = "tt.divisibility";
  auto kernel = findings.access.op->getParentOfType<tt::FuncOp>();
  SmallVector<Attribute> before;
  for (BlockArgument argument : arguments) {
    before.push_back(kernel.getArgAttr(argument.getArgNumber(), name));
    kernel.setArgAttr(argument.getArgNumber(), name, Builder(kernel).getI32IntegerAttr(16));
  }
  int64_t vector = AxisInfoAnalysis(kernel).getVector(findings.pointers(), findings.fastest());
  for (auto [argument, attribute] : llvm::zip(arguments, before)) {
    if (attribute)
      kernel.setArgAttr(argument.getArgNumber(), name, attribute);
    else
      kernel.removeArgAttr(argument.getArgNumber(), name);
  }
  return vector;
}

static AccessReason reasonOfArgument(const AccessFindings &findings, BlockArgument argument) {
  std::string name = findings.nameOf(argument);
  bool isAligned = findings.bitsOf(argument) % 16 == 0;
  const char *specialise = "let it be specialised: take it off do_not_specialize and do_not_specialize_on_alignment";
  if (isa<tt::PointerType>(argument.getType())) {
    if (isAligned)
      return {"the alignment of " + name + " is not known when the kernel is compiled, although it is aligned here", specialise};
    return {name + " does not start at a multiple of 16 bytes", "pass an array that does: no view that begins inside of one"};
  }
  if (isAligned)
    return {"that " + name + " is a multiple of 16 is not known when the kernel is compiled", specialise};
  return {name + " is no multiple of 16, so the alignment of rows is not known",
          "pad rows to a multiple of 16 elements, or make it a tl.constexpr"};
}

/// Vectors of `wanted` elements are not known to be aligned: the arguments that would have to be multiples of 16.
static void explainAlignment(const AccessFindings &findings, int64_t wanted, SmallVectorImpl<AccessReason> &reasons) {
  auto kernel = findings.access.op->getParentOfType<tt::FuncOp>();
  SmallVector<BlockArgument> candidates;
  for (BlockArgument argument : findings.origin.arguments) {
    auto divisible = kernel.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(), "tt.divisibility");
    if ((!divisible || divisible.getInt() % 16) && !argument.getType().isInteger(1))
      candidates.push_back(argument);
  }
  if (vectorIfAligned(findings, candidates) >= wanted) {
    for (BlockArgument argument : candidates) {
      SmallVector<BlockArgument> others;
      llvm::copy_if(candidates, std::back_inserter(others), [&](BlockArgument other) { return other != argument; });
      if (vectorIfAligned(findings, others) < wanted)
        reasons.push_back(reasonOfArgument(findings, argument));
    }
    return;
  }
  int64_t proven = findings.axis.getVector(findings.pointers(), findings.fastest());
  reasons.push_back({"the offsets are multiples of " + count(proven, "element") + " only, as far as the compiler can prove",
                     "use block sizes and offsets that are multiples of " + std::to_string(wanted) + ", or say tl.multiple_of"});
}

/// Gives what the layout does to vectors, where it is the layout's fault; empty else.
static std::string explainVector(const AccessFindings &findings, SmallVectorImpl<AccessReason> &reasons) {
  const AccessShape &access = findings.access;
  Type element = tt::getElementOf(tt::getPointeeLike(findings.pointers().getType()));
  int64_t widest = getWidestVector(element), size = access.shape[findings.fastest()];
  if (access.vector >= widest) {
    if (widest * access.elementBytes < kMaxVectorBytes)
      reasons.push_back({"Metal's vectors have " + std::to_string(widest) + " elements at most, here " +
                             std::to_string(widest * access.elementBytes) + " of the 16 bytes that a lane can access",
                         "nothing need be done: several of them follow each other"});
    return {};
  }
  if (size < widest) {
    reasons.push_back({"the tensor has " + count(size, "element") + " along its contiguous dimension", "use a longer block there"});
    return {};
  }
  int64_t proven = findings.axis.getVector(findings.pointers(), findings.fastest());
  int64_t registers = access.layout->getContiguousRegisters(findings.fastest());
  if (auto load = dyn_cast<tt::LoadOp>(access.op); load && !hasOneOther(load)) {
    reasons.push_back({"other= is a tensor, so each element is looked at", "use a number, and tl.where afterwards"});
    return {};
  }
  if (access.dot) {
    reasons.push_back({"the product of " + lineOf(access.dot) +
                           " takes it renamed (tl.trans, a broadcast), and loads it element by element",
                       "load the tile as the product takes it: swap the indices of the pointers"});
    return {};
  }
  if (proven < widest) {
    int64_t contiguity = findings.axis.get(findings.pointers()).contiguity[findings.fastest()];
    if (contiguity < widest)
      reasons.push_back(contiguityReason(findings));
    else
      explainAlignment(findings, widest, reasons);
    if (registers >= proven)
      return {};
  }
  if (registers < std::min(widest, proven))
    return registers == 1 ? "a lane holds single elements" : "a lane holds " + count(registers, "neighbour");
  if (int64_t(getAccessVector(access.op)) != access.vector)
    reasons.push_back({"another access in the same layout has longer vectors, so this one goes element by element",
                       "use elements of one width together, or layout=\"COALESCED\""});
  return {};
}

//===----------------------------------------------------------------------===//
// Transactions
//===----------------------------------------------------------------------===//

/// Gives what the layout does to transactions, where it is the layout's fault; empty else.
static std::string explainTransactions(const AccessFindings &findings, SmallVectorImpl<AccessReason> &reasons) {
  const AccessShape &access = findings.access;
  if (!findings.traffic || findings.traffic->transactions <= findings.traffic->ideal)
    return {};
  std::optional<SmallVector<int64_t>> steps = findings.steps();
  std::optional<unsigned> fastest = findings.contiguousDim();
  if (!fastest && steps) {
    // Why vectors are short says what the step is; here what it costs.
    int64_t least = INT64_MAX;
    for (int64_t step : *steps)
      if (step != 0)
        least = std::min(least, std::abs(step));
    int64_t used = std::max<int64_t>(access.elementBytes, kLineBytes / least);
    reasons.push_back({"of each transaction of 128 bytes " + count(std::min(used, kLineBytes), "byte") + " are used",
                       "make the step between neighbours smaller"});
  }
  if (!fastest)
    return {};
  int64_t row = access.shape[*fastest] * access.elementBytes;
  int64_t run = std::min<int64_t>(row, (int64_t(1) << access.layout->getCoalescedBits(*fastest, llvm::Log2_32(access.vector))) *
                                           access.elementBytes);
  bool packed = steps.has_value(); // rows follow each other without gaps
  for (unsigned dim = 0; packed && dim < steps->size(); ++dim)
    packed = dim == *fastest || access.shape[dim] == 1 || std::abs((*steps)[dim]) == access.shape[*fastest];
  if (run < kLineBytes && run < row)
    return "one access has " + std::to_string(run) + " bytes in a row";
  if (run < kLineBytes && !packed) {
    reasons.push_back({"the rows of the tile have " + std::to_string(row) + " bytes, less than a transaction",
                       "use a block of " + std::to_string(kLineBytes / access.elementBytes) +
                           " elements or more along the contiguous dimension"});
    return {};
  }
  if (access.maskVector < access.vector && findings.traffic->elements < findings.traffic->accesses)
    return {};
  reasons.push_back({"accesses begin inside of a transaction of 128 bytes",
                     "let the array start, and its rows step, at multiples of 128 bytes", /*isAlignment=*/true});
  return {};
}

SmallVector<AccessReason> ttm::reasonsOf(const AccessFindings &findings) {
  SmallVector<AccessReason> reasons;
  const AccessShape &access = findings.access;
  if (!access.layout || access.shape.empty() || (int64_t(1) << access.layout->getNumElementBits()) == 1)
    return reasons;
  std::optional<SmallVector<int64_t>> steps = findings.steps();
  if (steps && llvm::all_of(*steps, [](int64_t step) { return step == 0; }))
    return reasons;
  SmallVector<std::string, 2> effects; // of the layout
  if (isa<tt::LoadOp, tt::StoreOp>(access.op)) {
    if (std::string effect = explainVector(findings, reasons); !effect.empty())
      effects.push_back(effect);
    bool isMasked = access.op->getNumOperands() > (isa<tt::LoadOp>(access.op) ? 1u : 2u);
    if (isMasked && access.vector > 1 && access.maskVector < access.vector)
      reasons.push_back({"the mask may end inside of a vector, so a test guards each, and the last one goes element by element",
                         "let the bound be a multiple of 16, which is specialised"});
  }
  if (std::string effect = explainTransactions(findings, reasons); !effect.empty())
    effects.push_back(effect);
  if (!effects.empty())
    reasons.push_back(layoutReason(findings, llvm::join(effects, " and ")));
  return reasons;
}
