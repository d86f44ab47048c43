//===- InsertBarriers.cpp - order accesses to threadgroup memory, and copies of device memory ---===//
//
// A forward walk carries the accesses since the last barrier. An access that meets an earlier one on the same bytes, one of them a
// write, needs a barrier before it: of the SIMD-group if both are of one array whose elements never leave their SIMD-group, else of
// the threadgroup. Loops are walked until nothing changes, so that an access also meets those of the iteration before; branches
// meet at their end. All control flow of a program is uniform, so a barrier may stand anywhere.
//
// Device memory: where a load gives several lanes copies of one element (a scalar, or a tensor smaller than the threadgroup), one of
// them alone writes what is stored through the same argument, and the copies of the others must be made before or after it. And where
// accesses through one argument have different layouts, one of them a write, another lane may have the element: layouts, which a hint
// may ask for, must not make a race where the kernel has none.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Dialect/TritonMetal/Transforms/Passes.h"

namespace triton_metal::ttm {
#define GEN_PASS_DEF_INSERTBARRIERS
#include "triton_metal/Dialect/TritonMetal/Transforms/TritonMetalPasses.h.inc"
} // namespace triton_metal::ttm

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

namespace {

/// An access since the last barrier of the threadgroup.
struct Pending {
  AllocOp array; ///< null: device memory
  bool isWrite;
  bool joined;  ///< a barrier of the SIMD-group came after it
  Value device; ///< the argument that the accessed device memory belongs to
  // Of device memory:
  bool hasCopies = false;      ///< a load, several lanes of which hold copies of one element
  LayoutAttr layout = nullptr; ///< null for a scalar

  bool operator==(const Pending &other) const {
    return array == other.array && isWrite == other.isWrite && joined == other.joined && device == other.device &&
           hasCopies == other.hasCopies && layout == other.layout;
  }
  /// Whether, of two accesses through one argument, one lane may write what another one accesses.
  bool mayCross(const Pending &other) const {
    bool copied = isWrite != other.isWrite && (hasCopies || other.hasCopies);
    return copied || ((isWrite || other.isWrite) && layout != other.layout);
  }
};
using State = SmallVector<Pending, 8>;

static void add(State &state, Pending access) {
  if (!llvm::is_contained(state, access))
    state.push_back(access);
}
static void merge(State &state, const State &other) {
  for (const Pending &access : other)
    add(state, access);
}

static bool overlap(AllocOp a, AllocOp b) {
  if (a == b)
    return true;
  int64_t aFirst = *a.getOffset(), bFirst = *b.getOffset();
  return aFirst < bFirst + b.getType().getNumBytes() && bFirst < aFirst + a.getType().getNumBytes();
}

/// The argument of the kernel that a pointer was made from, or null.
static Value rootOf(Value pointer) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(pointer)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (isa<tt::FuncOp>(parent))
        return pointer;
      auto loop = dyn_cast<scf::ForOp>(parent);
      if (!loop || argument == loop.getInductionVar())
        return {};
      pointer = loop.getTiedLoopInit(argument)->get();
    } else if (Operation *op = pointer.getDefiningOp();
               isa<tt::AddPtrOp, tt::SplatOp, tt::BroadcastOp, tt::ExpandDimsOp, tt::ReshapeOp, tt::TransOp, tt::BitcastOp,
                   ConvertLayoutOp>(op)) {
      pointer = op->getOperand(0);
    } else if (auto read = dyn_cast_or_null<ReadOp>(op)) { // a conversion
      auto writes = llvm::make_filter_range(read.getMemory().getUsers(), llvm::IsaPred<WriteOp>);
      if (writes.empty())
        return {};
      pointer = cast<WriteOp>(*writes.begin()).getValue();
    } else {
      return {};
    }
  }
}

/// Whether several lanes hold copies of one element.
static bool hasCopies(Value value) {
  if (!isa<RankedTensorType>(value.getType()))
    return true;
  std::optional<LinearLayout> layout = getLayout(value);
  return layout && (llvm::is_contained(layout->getLaneBases(), 0) || llvm::is_contained(layout->getSimdgroupBases(), 0));
}

struct InsertBarriers : public triton_metal::ttm::impl::InsertBarriersBase<InsertBarriers> {
  void runOnOperation() override {
    State state;
    bool placed = true;
    getOperation().walk([&](AllocOp alloc) { placed &= alloc.getOffset().has_value(); });
    if (!placed) {
      getOperation().emitError() << "ttm-insert-barriers needs the places of arrays: run ttm-allocate-memory before it";
      return signalPassFailure();
    }
    if (getOperation().getBody().hasOneBlock())
      return visit(getOperation().getBody().front(), state);
    // Unstructured control flow: any access may have come before a block.
    State any;
    getOperation().walk([&](AllocOp alloc) {
      add(any, {alloc, true, false, Value()});
      add(any, {alloc, false, false, Value()});
    });
    for (Block &block : getOperation().getBody()) {
      state = any;
      visit(block, state);
    }
  }

  void visit(Block &block, State &state) {
    for (Operation &op : llvm::make_early_inc_range(block))
      visit(&op, state);
  }

  void visit(Operation *op, State &state) {
    if (auto barrier = dyn_cast<BarrierOp>(op))
      return apply(barrier.getScope(), barrier.getDevice(), state);
    if (isa<tt::DebugBarrierOp>(op))
      return apply(Scope::Threadgroup, /*device=*/true, state);
    if (auto load = dyn_cast<tt::LoadOp>(op))
      return accessDevice(op, load.getPtr(), false, state);
    if (auto store = dyn_cast<tt::StoreOp>(op))
      return accessDevice(op, store.getPtr(), true, state);
    if (isa<tt::AtomicRMWOp, tt::AtomicCASOp>(op))
      return accessDevice(op, op->getOperand(0), true, state);
    if (auto write = dyn_cast<WriteOp>(op))
      return access(op, write.getMemory().getDefiningOp<AllocOp>(), true, state);
    if (auto read = dyn_cast<ReadOp>(op))
      return access(op, read.getMemory().getDefiningOp<AllocOp>(), false, state);
    if (auto read = dyn_cast<ReadAtOp>(op))
      return access(op, read.getMemory().getDefiningOp<AllocOp>(), false, state);
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      State before = state;
      visit(*branch.thenBlock(), state);
      if (branch.elseBlock())
        visit(*branch.elseBlock(), before);
      return merge(state, before);
    }
    if (isa<scf::ForOp, scf::WhileOp>(op)) {
      // The body may be skipped, and its end meets its start.
      for (size_t size = state.size() + 1; size != state.size();) {
        size = state.size();
        State body = state;
        for (Region &region : op->getRegions())
          visit(region.front(), body);
        merge(state, body);
      }
    }
  }

  static void apply(Scope scope, bool device, State &state) {
    if (scope == Scope::Threadgroup)
      return llvm::erase_if(state, [&](const Pending &access) { return device || access.array; });
    for (Pending &access : state)
      access.joined = true;
  }

  void accessDevice(Operation *op, Value pointer, bool isWrite, State &state) {
    Value root = rootOf(pointer);
    if (!root)
      return;
    Pending access{AllocOp(), isWrite, false, root};
    access.hasCopies = !isWrite && hasCopies(op->getResult(0));
    access.layout = getLayoutAttr(pointer.getType());
    if (llvm::any_of(state, [&](const Pending &earlier) { return earlier.device == root && earlier.mayCross(access); })) {
      OpBuilder builder(op);
      BarrierOp::create(builder, op->getLoc(), Scope::Threadgroup, /*device=*/true);
      apply(Scope::Threadgroup, /*device=*/true, state);
    }
    add(state, access);
  }

  void access(Operation *op, AllocOp array, bool isWrite, State &state) {
    bool threadgroup = false, simdgroup = false;
    for (const Pending &earlier : state) {
      if (!earlier.array || !(earlier.isWrite || isWrite) || !overlap(earlier.array, array))
        continue;
      if (earlier.array == array && array.getSimdgroup())
        simdgroup |= !earlier.joined;
      else
        threadgroup = true;
    }
    if (threadgroup || simdgroup) {
      Scope scope = threadgroup ? Scope::Threadgroup : Scope::Simdgroup;
      OpBuilder builder(op);
      BarrierOp::create(builder, op->getLoc(), scope, /*device=*/false);
      apply(scope, /*device=*/false, state);
    }
    add(state, {array, isWrite, false, Value()});
  }
};

} // namespace
