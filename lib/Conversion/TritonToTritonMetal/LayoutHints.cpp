//===- LayoutHints.cpp - choosing layouts: what the user asks for -----------------------------===//
//
// `layout="COALESCED"|"BLOCK"` of a load or store. A hint that cannot be followed is reported at its line and removed.
//
//===----------------------------------------------------------------------===//
#include "LayoutClasses.h"
#include "triton_metal/Dialect/Triton/IR/MemoryLayout.h"
#include "triton_metal/Support/Chips.h"
#include "triton_metal/Support/Unsupported.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

/// Least extent of both sides of a tile of lanes.
static constexpr int64_t kTileSide = 4;

static StringAttr hintOf(Operation *op) { return op->getAttrOfType<StringAttr>(tt::kMemoryLayout); }

/// Whether `value` depends, element by element, on something that was loaded.
static bool isLoaded(Value value) {
  SmallVector<Value> list{value};
  DenseSet<Value> seen;
  while (!list.empty()) {
    Value next = list.pop_back_val();
    if (!seen.insert(next).second || !isa<RankedTensorType>(next.getType()))
      continue;
    Operation *op = next.getDefiningOp();
    if (isa_and_nonnull<tt::LoadOp, tt::AtomicRMWOp, tt::AtomicCASOp, tt::GatherOp>(op))
      return true;
    if (op)
      llvm::append_range(list, op->getOperands());
  }
  return false;
}

/// The dimensions of a tile of lanes: the fastest, and the next one that is long enough; none if there are no two.
static std::optional<SmallVector<unsigned>> tileOrder(ArrayRef<int64_t> shape, SmallVector<unsigned> order) {
  auto isLong = [&](unsigned dim) { return shape[dim] >= kTileSide; };
  if (order.empty() || !isLong(order[0]))
    return std::nullopt;
  auto second = std::find_if(order.begin() + 1, order.end(), isLong);
  if (second == order.end() || shape[order[0]] * shape[*second] < kSimdWidth)
    return std::nullopt;
  std::rotate(order.begin() + 1, second, second + 1);
  return order;
}

static std::string shapeText(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(shape, os, "x");
  return text;
}

/// Why a hint cannot be followed; empty if it can.
static std::string whyNot(StringRef hint, Value pointers, const AxisInfoAnalysis &axis) {
  auto type = dyn_cast<RankedTensorType>(pointers.getType());
  if (!type || type.getNumElements() == 1)
    return "one element is accessed, which lanes cannot share";
  if (hint == tt::kBlockLayout) {
    if (llvm::count_if(type.getShape(), [](int64_t size) { return size > 1; }) < 2)
      return "the tensor of shape " + shapeText(type.getShape()) + " has one dimension, and a tile has two";
    if (!tileOrder(type.getShape(), axis.getOrder(pointers)))
      return "the tensor of shape " + shapeText(type.getShape()) +
             " is too small: a tile of 32 lanes needs two dimensions of at least 4, the one that is contiguous among them";
    return {};
  }
  if (axis.get(pointers).contiguity[axis.getOrder(pointers)[0]] > 1)
    return {};
  if (isLoaded(pointers))
    return "no two neighbours in the tensor are known to be neighbours in memory, because the places come from memory (a gather)";
  return "no two neighbours in the tensor are known to be neighbours in memory: no dimension has a step that is 1 at compile time";
}

LayoutHint triton_metal::ttm::getLayoutHint(Operation *access) {
  StringAttr hint = hintOf(access);
  if (!hint || !getPointers(access))
    return LayoutHint::None;
  return hint == tt::kBlockLayout ? LayoutHint::Block : LayoutHint::Coalesced;
}

LogicalResult triton_metal::ttm::checkLayoutHints(tt::FuncOp function, const AxisInfoAnalysis &axis, int64_t neededBytes) {
  WalkResult result = function.walk([&](Operation *op) {
    StringAttr hint = hintOf(op);
    Value pointers = hint ? getPointers(op) : Value();
    if (!pointers)
      return WalkResult::advance();
    if (hint != tt::kCoalescedLayout && hint != tt::kBlockLayout) {
      (void)emitUnsupported(op, "metal", "it has the unknown memory layout '" + hint.getValue() + "'",
                            "known are 'coalesced' and 'block'");
      return WalkResult::interrupt();
    }
    std::string reason = whyNot(hint, pointers, axis);
    if (reason.empty() && neededBytes)
      reason = "with the kernel's hints, values change their layout through " + std::to_string(neededBytes) +
               " bytes of threadgroup memory, and there are " + std::to_string(kMaxThreadgroupBytes);
    if (!reason.empty()) {
      emitLayoutHintIgnored(op, hint.getValue().upper(), reason,
                            isa<tt::LoadOp>(op) ? "the load is compiled as without it" : "the store is compiled as without it");
      op->removeAttr(tt::kMemoryLayout);
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LinearLayout LayoutClasses::getTiled(Operation *access) const {
  Value pointers = getPointers(access);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(pointers.getType()).getShape();
  SmallVector<unsigned> order = *tileOrder(shape, axis.getOrder(pointers));
  // Vectors leave a side for lanes, and enough elements for all of them.
  int64_t longest = std::min(shape[order[0]] / kTileSide, shape[order[0]] * shape[order[1]] / kSimdWidth);
  return LinearLayout::tiled(shape, order, std::max<int64_t>(1, std::min(getVector(access), longest)), simdgroupBits);
}

bool LayoutClasses::isTileFor(Operation *access, const LinearLayout &layout, bool fromDot) const {
  LinearLayout own = getTiled(access);
  if (own == layout)
    return true;
  // Lanes along two dimensions, at least four along each.
  SmallVector<unsigned> along(layout.getRank(), 0);
  for (uint32_t basis : layout.getLaneBases())
    for (unsigned dim = 0; dim < layout.getRank(); ++dim)
      along[dim] += layout.getCoordinate(basis, dim) != 0;
  if (llvm::count_if(along, [](unsigned bits) { return bits >= 2; }) < 2)
    return false;
  unsigned fastest = axis.getOrder(getPointers(access))[0];
  return fromDot || layout.getContiguousRegisters(fastest) >= own.getContiguousRegisters(fastest);
}
