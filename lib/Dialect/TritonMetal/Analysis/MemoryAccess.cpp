//===- MemoryAccess.cpp - the report on loads, stores and atomics ------------------===//
//
// One record an access: what it is, how its lanes go through memory, what it moves, why it is not better.
//
//===----------------------------------------------------------------------===//
#include "AccessReasons.h"
#include "triton_metal/Dialect/Triton/IR/MemoryLayout.h"
#include "triton_metal/Dialect/Triton/IR/TypeNames.h"
#include "triton_metal/Support/SourcePosition.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

/// Of one access, in units of countTraffic: about half a second.
static constexpr int64_t kTrafficEffort = 8'000'000;

/// Puts the value before it in the place of each that was converted, so that pointers and masks can be followed. The types then no longer
/// fit, which the evaluation does not look at.
static void lookThroughConversions(tt::FuncOp kernel) {
  kernel.walk([](Operation *op) {
    if (auto convert = dyn_cast<ConvertLayoutOp>(op))
      convert.getResult().replaceAllUsesWith(convert.getSrc());
    auto read = dyn_cast<ReadOp>(op);
    if (!read)
      return;
    for (Operation *user : read.getMemory().getUsers())
      if (auto write = dyn_cast<WriteOp>(user))
        read.getResult().replaceAllUsesWith(write.getValue());
  });
}

/// Whether some elements may be left out; atomics have a mask of ones where the kernel gives none.
static bool isMasked(Operation *op) {
  Value mask = TypeSwitch<Operation *, Value>(op)
                   .Case<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp>([](auto access) { return access.getMask(); })
                   .Default([](Operation *) { return Value(); });
  while (mask && isa_and_nonnull<tt::SplatOp>(mask.getDefiningOp()))
    mask = mask.getDefiningOp()->getOperand(0);
  return mask && !matchPattern(mask, m_One());
}

/// Whether several SIMD-groups hold the same elements.
static bool isCopied(Type type) {
  std::optional<LinearLayout> layout = getLayout(type);
  return !layout || layout->getFreeSimdgroupMask();
}

/// Whether all that comes of `value` is stored by one of the SIMD-groups that hold copies of it: Metal's compiler may then let it alone
/// load.
static bool servesOneCopy(Value value) {
  return llvm::all_of(value.getUsers(), [](Operation *user) {
    if (isa<tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp, WriteOp>(user))
      return isCopied(user->getOperand(0).getType());
    bool isLocal = user->getNumRegions() == 0 && isMemoryEffectFree(user) && !user->hasTrait<OpTrait::IsTerminator>();
    if (isa<tt::ReduceOp, tt::ScanOp>(user)) { // without lanes along the axis, a lane works alone
      std::optional<LinearLayout> layout = getLayout(user->getOperand(0));
      unsigned axis = isa<tt::ReduceOp>(user) ? cast<tt::ReduceOp>(user).getAxis() : cast<tt::ScanOp>(user).getAxis();
      isLocal = llvm::none_of(layout->getLaneBases(), [&](uint32_t basis) { return layout->getCoordinate(basis, axis) != 0; });
    }
    return isLocal &&
           llvm::all_of(user->getResults(), [](Value result) { return servesOneCopy(result); });
  });
}

/// How the elements lie in memory, in words.
static std::string patternOf(const AccessFindings &findings) {
  const AccessShape &access = findings.access;
  if (!findings.first) {
    if (findings.origin.isLoaded)
      return access.isLoad ? "gather" : "scatter";
    return "not known";
  }
  std::optional<SmallVector<int64_t>> steps = findings.steps();
  if (!steps) {
    std::optional<unsigned> contiguous = findings.contiguousDim();
    return contiguous ? "rows of " + std::to_string(access.shape[*contiguous]) + " at irregular places" : "irregular";
  }
  SmallVector<unsigned> moving, still;
  for (unsigned dim = 0; dim < steps->size(); ++dim)
    if (access.shape[dim] > 1)
      ((*steps)[dim] ? moving : still).push_back(dim);
  if (moving.empty())
    return "uniform";
  llvm::stable_sort(moving, [&](unsigned a, unsigned b) { return std::abs((*steps)[a]) < std::abs((*steps)[b]); });
  unsigned fastest = moving[0];
  int64_t step = (*steps)[fastest], next = access.shape[fastest];
  std::string pattern;
  bool packed = true;
  for (unsigned dim : ArrayRef<unsigned>(moving).drop_front()) {
    packed &= (*steps)[dim] == next;
    next *= access.shape[dim];
  }
  if (step == -1)
    pattern = "reversed";
  else if (step != 1)
    pattern = "strided by " + std::to_string(step);
  else if (packed)
    pattern = "contiguous";
  else
    pattern = "rows of " + std::to_string(access.shape[fastest]) + ", " + std::to_string((*steps)[moving[1]]) + " apart";
  if (moving.size() > 1 && fastest + 1 != access.shape.size() && step == 1)
    pattern += ", along dimension " + std::to_string(fastest);
  for (unsigned dim : still)
    pattern += ", the same along dimension " + std::to_string(dim);
  return pattern;
}

static llvm::json::Array reasonsJson(const AccessFindings &findings) {
  llvm::json::Array list;
  for (const AccessReason &reason : reasonsOf(findings))
    list.push_back(llvm::json::Object{{"what", reason.what}, {"remedy", reason.remedy}, {"alignment", reason.isAlignment}});
  return list;
}

static llvm::json::Object describe(const AccessFindings &findings, ArrayRef<const AccessVisit *> visits) {
  const AccessShape &access = findings.access;
  Operation *op = access.op;
  llvm::json::Object record{{"kind", kindOf(op)}, {"vector", access.vector}, {"element_bytes", access.elementBytes},
                           {"masked", isMasked(op)}};
  if (FileLineColLoc position = positionOf(op->getLoc())) {
    record["file"] = position.getFilename().str();
    record["line"] = position.getLine();
    record["column"] = position.getColumn();
  }
  record["element"] = tt::nameOfType(tt::getElementOf(tt::getPointeeLike(op->getOperand(0).getType())));
  record["shape"] = llvm::json::Array(access.shape);
  record["pattern"] = patternOf(findings);
  if (auto hint = op->getAttrOfType<StringAttr>(tt::kMemoryLayout))
    record["hint"] = hint.getValue().upper();
  if (std::optional<SmallVector<int64_t>> steps = findings.steps())
    record["steps"] = llvm::json::Array(*steps);
  if (findings.first && access.layout) {
    // Of lanes that hold different elements.
    for (unsigned bit = 0; bit < LinearLayout::kLaneBits; ++bit)
      if (uint32_t basis = access.layout->getLaneBases()[bit]) {
        record["lane_stride"] = (findings.first->addressOf(access.shape, basis) - findings.first->addressOf(access.shape, 0)) /
                                access.elementBytes;
        break;
      }
  }
  uint64_t runs = 0;
  bool masksKnown = true;
  Operation *origin = nullptr;
  for (const AccessVisit *visit : visits) {
    uint64_t positions = visit->repeats;
    for (const AccessVisit::Loop &loop : visit->loops)
      positions *= uint64_t(loop.end - loop.begin);
    runs += positions;
    masksKnown &= visit->maskIsKnown;
    origin = origin ? origin : visit->origin;
  }
  record["runs"] = runs;
  if (findings.traffic) {
    record["accesses"] = findings.traffic->accesses;
    record["transactions"] = findings.traffic->transactions;
    record["ideal_transactions"] = findings.traffic->ideal;
    record["bytes"] = findings.traffic->elements * uint64_t(access.elementBytes);
  }
  if (!findings.traffic && !visits.empty())
    record["unknown"] = findings.first ? "its places and masks differ too often to be counted"
                        : findings.origin.isLoaded || isa_and_nonnull<tt::LoadOp, tt::AtomicRMWOp, tt::AtomicCASOp>(origin)
                            ? "the places depend on loaded data"
                            : "the places are not followed";
  else if (visits.empty())
    record["unknown"] = "it is not reached by this program";
  else if (access.dot)
    record["unknown"] = "it is loaded fragment by fragment, which may be more than once an element; counted as once";
  else if (!masksKnown)
    record["unknown"] = "the mask is not known, and counted as true";
  else if (access.isLoad && isCopied(op->getResult(0).getType()) && servesOneCopy(op->getResult(0)))
    record["unknown"] = "SIMD-groups that hold copies need not load them, because only one of them stores; counted as if they did";
  if (origin)
    record["origin"] = lineOf(origin);
  record["reasons"] = reasonsJson(findings);
  return record;
}

/// Those of device memory, in order.
static SmallVector<Operation *> accessesOf(tt::FuncOp kernel) {
  SmallVector<Operation *> list;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(op) && isOfDevice(op))
      list.push_back(op);
  });
  return list;
}

llvm::json::Array ttm::reportAccesses(tt::FuncOp kernel, const LaunchFacts &launch) {
  SmallVector<std::pair<LinearLayout, unsigned>> vectors = longestVectors(kernel);
  AxisInfoAnalysis axis(kernel);
  OwningOpRef<tt::FuncOp> copy = kernel.clone();
  SmallVector<Operation *> accesses = accessesOf(kernel), copies = accessesOf(*copy);
  lookThroughConversions(*copy);
  AccessTrace trace = traceAccesses(*copy, launch.arguments, launch.grid, launch.program);
  llvm::MapVector<Operation *, SmallVector<const AccessVisit *>> visits;
  for (Operation *op : accesses)
    visits[op];
  for (const AccessVisit &visit : trace.visits)
    visits[accesses[llvm::find(copies, visit.op) - copies.begin()]].push_back(&visit);
  llvm::json::Array records;
  for (auto &[op, list] : visits) {
    AccessShape access(op, vectors);
    AccessFindings findings{access, axis, launch, originOf(op->getOperand(0)), nullptr, std::nullopt};
    bool isKnown = !list.empty() && llvm::all_of(list, [](const AccessVisit *visit) { return visit->isKnown; });
    if (isKnown) {
      findings.first = list.front();
      findings.traffic = countTraffic(access, list, kTrafficEffort);
    }
    llvm::json::Object record = describe(findings, list);
    if (!trace.isWhole && !record.get("unknown"))
      record["unknown"] = trace.endedEarly ? "the program runs too long to be followed to its end; the rest is not counted"
                                           : "how often it runs depends on a loop or a condition that is not followed";
    record["exact"] = !record.get("unknown");
    records.push_back(std::move(record));
  }
  return records;
}
