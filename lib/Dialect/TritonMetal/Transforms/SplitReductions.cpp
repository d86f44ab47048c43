//===- SplitReductions.cpp - reduce over SIMD-groups in two steps -----------------------------===//
#include "triton_metal/Dialect/TritonMetal/Transforms/Passes.h"

namespace triton_metal::ttm {
#define GEN_PASS_DEF_SPLITREDUCTIONS
#include "triton_metal/Dialect/TritonMetal/Transforms/TritonMetalPasses.h.inc"
} // namespace triton_metal::ttm

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

namespace {

/// A run of neighbouring bits of the axis that all are, or all are not, bits of the SIMD-group number.
struct Segment {
  int64_t size;
  bool inSimdgroups;
};

static SmallVector<Segment> segmentsOf(const LinearLayout &layout, unsigned axis) {
  uint32_t inSimdgroups = 0;
  for (uint32_t basis : layout.getSimdgroupBases())
    inSimdgroups |= layout.getCoordinate(basis, axis);
  SmallVector<Segment> segments; // from the highest bit
  for (unsigned bit = layout.getDimBits(axis); bit-- > 0;) {
    bool is = inSimdgroups >> bit & 1;
    if (segments.empty() || segments.back().inSimdgroups != is)
      segments.push_back({1, is});
    segments.back().size *= 2;
  }
  return segments;
}

/// The layout with the bits of `axis` taken from SIMD-groups to free lane bits, or to registers when there are none.
static LinearLayout bringIntoLanes(const LinearLayout &layout, unsigned axis) {
  LinearLayout::Bases registers(layout.getRegisterBases()), lanes(layout.getLaneBases()), groups(layout.getSimdgroupBases());
  for (uint32_t &basis : groups) {
    if (!layout.getCoordinate(basis, axis))
      continue;
    auto *free = llvm::find(lanes, 0u);
    if (free != lanes.end())
      *free = basis;
    else
      registers.push_back(basis);
    basis = 0;
  }
  return LinearLayout(layout.getShape(), registers, lanes, groups);
}

struct Splitter {
  tt::ReduceOp reduce;
  OpBuilder builder;

  explicit Splitter(tt::ReduceOp reduce) : reduce(reduce), builder(reduce) {}

  static LinearLayout layoutOf(ArrayRef<Value> values) { return *getLayout(values[0]); }

  void reshape(SmallVectorImpl<Value> &values, ArrayRef<int64_t> shape) {
    LinearLayout layout = layoutOf(values).reshape(shape);
    for (Value &value : values) {
      auto type = RankedTensorType::get(shape, tt::getElementOf(value.getType()), LayoutAttr::get(builder.getContext(), layout));
      value = tt::ReshapeOp::create(builder, reduce.getLoc(), type, value, UnitAttr(), UnitAttr());
    }
  }

  void reduceAxis(SmallVectorImpl<Value> &values, unsigned axis) {
    LinearLayout layout = layoutOf(values).slice(axis);
    SmallVector<Type> types;
    for (Value value : values) {
      Type element = tt::getElementOf(value.getType());
      types.push_back(layout.getRank() ? Type(RankedTensorType::get(layout.getShape(), element,
                                                                    LayoutAttr::get(builder.getContext(), layout)))
                                       : element);
    }
    auto step = tt::ReduceOp::create(builder, reduce.getLoc(), types, ValueRange(values), axis);
    IRMapping mapping;
    reduce.getCombineOp().cloneInto(&step.getCombineOp(), mapping);
    values.assign(step.getResults().begin(), step.getResults().end());
  }

  void run(ArrayRef<Segment> segments) {
    unsigned axis = reduce.getAxis();
    SmallVector<Value> values(reduce.getSrcs());
    SmallVector<int64_t> shape(reduce.getSourceShape());

    // The axis as its segments; what a SIMD-group has is reduced, the highest bits first, since they are registers.
    shape.erase(shape.begin() + axis);
    int64_t groups = 1;
    for (auto [i, segment] : llvm::enumerate(segments)) {
      shape.insert(shape.begin() + axis + i, segment.size);
      groups *= segment.inSimdgroups ? segment.size : 1;
    }
    if (segments.size() > 1)
      reshape(values, shape);
    unsigned position = axis;
    for (const Segment &segment : segments) {
      if (segment.inSimdgroups)
        ++position;
      else
        reduceAxis(values, position);
    }
    // The segments that are left are one dimension again: the partial results of the SIMD-groups.
    shape.assign(reduce.getSourceShape().begin(), reduce.getSourceShape().end());
    shape[axis] = groups;
    if (layoutOf(values).getShape() != ArrayRef<int64_t>(shape))
      reshape(values, shape);
    LinearLayout gathered = bringIntoLanes(layoutOf(values), axis);
    for (Value &value : values)
      value = ConvertLayoutOp::create(builder, reduce.getLoc(), withLayout(value.getType(), gathered), value);
    reduceAxis(values, axis);
    for (auto [old, value] : llvm::zip(reduce.getResults(), values)) {
      if (old.getType() != value.getType())
        value = ConvertLayoutOp::create(builder, reduce.getLoc(), old.getType(), value);
      old.replaceAllUsesWith(value);
    }
    reduce.erase();
  }
};

struct SplitReductions : public triton_metal::ttm::impl::SplitReductionsBase<SplitReductions> {
  void runOnOperation() override {
    SmallVector<tt::ReduceOp> reductions;
    getOperation().walk([&](tt::ReduceOp reduce) { reductions.push_back(reduce); });
    for (tt::ReduceOp reduce : reductions) {
      SmallVector<Segment> segments = segmentsOf(*getLayout(reduce.getSrcs()[0]), reduce.getAxis());
      if (llvm::any_of(segments, [](const Segment &segment) { return segment.inSimdgroups; }))
        Splitter(reduce).run(segments);
    }
  }
};

} // namespace
