//===- AccessTrace.cpp - where one program's loads, stores and atomics go ------------------===//
#include "triton_metal/Analysis/AccessTrace.h"
#include "CostEvaluator.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::cost;

/// In units of CostLimits.
static constexpr int64_t kEffort = 40'000'000;

int64_t AccessVisit::addressOf(ArrayRef<int64_t> shape, uint32_t element) const {
  if (addresses)
    return (*addresses)[element];
  int64_t address = base;
  for (size_t dim = shape.size(); dim-- > 0; element /= uint32_t(shape[dim]))
    address += strides[dim] * (element % shape[dim]);
  return address;
}

static void setMask(AccessVisit &visit, const Known &known, ArrayRef<int64_t> shape) {
  if (known.isUnknown() || known.atMost) {
    visit.maskIsKnown = false;
    visit.origin = known.origin;
    if (known.isUnknown())
      return;
  }
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  if (known.kind == Known::Kind::Elements) {
    visit.mask.assign(known.elements->begin(), known.elements->end());
    return;
  }
  if (known.isIntegers()) { // a scalar bit
    if (known.affine.base == 0)
      visit.mask.assign(size_t(count), false);
    return;
  }
  if (known.count() == uint64_t(count))
    return;
  visit.mask.assign(size_t(count), false);
  if (shape.empty() || known.count() == 0)
    return;
  Interval inside = known.box.back();
  for (int64_t row = 0; row < count; row += shape.back()) {
    int64_t rest = row / shape.back();
    bool isOn = true;
    for (size_t dim = shape.size() - 1; dim-- > 0; rest /= shape[dim])
      isOn &= rest % shape[dim] >= known.box[dim].begin && rest % shape[dim] < known.box[dim].end;
    if (isOn)
      std::fill(visit.mask.begin() + row + inside.begin, visit.mask.begin() + row + inside.end, true);
  }
}

static AccessVisit visitOf(const Visit &seen) {
  AccessVisit visit;
  visit.op = seen.op;
  visit.repeats = seen.repeats;
  ArrayRef<int64_t> shape = tt::getShapeOf(seen.op->getOperand(0).getType());
  if (seen.mask)
    setMask(visit, *seen.mask, shape);
  const Known &pointer = seen.pointer;
  visit.isKnown = pointer.isIntegers() || pointer.kind == Known::Kind::Elements;
  if (pointer.isUnknown())
    visit.origin = pointer.origin;
  if (pointer.kind == Known::Kind::Elements)
    visit.addresses = pointer.elements;
  if (pointer.isIntegers()) {
    visit.base = pointer.affine.base;
    visit.strides.assign(pointer.affine.perDim.begin(), pointer.affine.perDim.end());
    visit.strides.resize(shape.size(), 0);
  }
  for (auto [axis, range] : llvm::enumerate(seen.axes)) {
    int64_t step = pointer.isIntegers() && axis < pointer.affine.perAxis.size() ? pointer.affine.perAxis[axis] : 0;
    visit.base += step * range.begin;
    if (axis >= 3)
      visit.loops.push_back({range.begin, range.end, step});
  }
  return visit;
}

AccessTrace triton_metal::traceAccesses(tt::FuncOp kernel, ArrayRef<uint64_t> arguments, std::array<int32_t, 3> grid,
                                        std::array<int32_t, 3> program) {
  AccessTrace trace;
  std::vector<Visit> visits;
  Evaluator evaluator(kernel, arguments, grid, &visits);
  evaluator.effort = kEffort;
  std::array<Interval, 3> box;
  for (unsigned axis = 0; axis < 3; ++axis)
    box[axis] = {program[axis], program[axis] + 1};
  Split split;
  bool isEvaluated = evaluator.evaluate(box, split).has_value();
  trace.endedEarly = evaluator.effort < 0;
  trace.isWhole = isEvaluated && !trace.endedEarly && evaluator.followsControl;
  for (const Visit &visit : visits)
    trace.visits.push_back(visitOf(visit));
  return trace;
}
