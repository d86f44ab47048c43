//===- Cost.cpp - boxes of programs, and the sample that stands for too many -------------------===//
#include "triton_metal/Analysis/Cost.h"
#include "CostEvaluator.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::cost;

namespace {

using Box = std::array<Interval, 3>;

uint64_t programsOf(const Box &box) { return uint64_t(box[0].size()) * uint64_t(box[1].size()) * uint64_t(box[2].size()); }

/// The program with this number in a box, as a box.
Box programOf(const Box &box, uint64_t number) {
  Box one;
  for (unsigned axis = 0; axis < 3; ++axis) {
    int64_t position = box[axis].begin + int64_t(number % uint64_t(box[axis].size()));
    one[axis] = {position, position + 1};
    number /= uint64_t(box[axis].size());
  }
  return one;
}

/// The cost of the programs of the boxes, by as many of them as the effort is enough for; `taken` says how many.
Cost sampled(Evaluator &evaluator, ArrayRef<Box> boxes, CostLimits limits, uint64_t &taken) {
  uint64_t programs = 0;
  for (const Box &box : boxes)
    programs += programsOf(box);
  uint64_t most = std::min<uint64_t>(limits.sample, programs);
  evaluator.effort = int64_t(limits.effort);
  Cost sum;
  double place = 0.5;
  for (taken = 0; taken < most; ++taken) {
    // Multiples of the golden ratio lie evenly, however many there are.
    auto number = std::min(uint64_t(place * double(programs)), programs - 1);
    place += 0.6180339887498949;
    place -= place >= 1;
    auto box = boxes.begin();
    for (; number >= programsOf(*box); ++box)
      number -= programsOf(*box);
    size_t reasons = evaluator.reasons.size();
    Split unused;
    std::optional<Cost> cost = evaluator.evaluate(programOf(*box, number), unused);
    assert(cost && "one program needs no split");
    if (evaluator.effort < 0 && taken > 0) { // its loops ended early
      evaluator.forgetReasons(reasons);
      break;
    }
    sum += *cost;
  }
  return sum.scaled(double(programs) / double(taken));
}

} // namespace

LaunchCost triton_metal::analyzeCost(tt::FuncOp kernel, ArrayRef<uint64_t> arguments, std::array<int32_t, 3> grid, CostLimits limits) {
  LaunchCost result;
  Box whole;
  for (unsigned axis = 0; axis < 3; ++axis)
    whole[axis] = {0, grid[axis]};
  uint64_t programs = programsOf(whole);
  Evaluator evaluator(kernel, arguments, grid);
  result.arguments = evaluator.usedArguments();
  if (programs == 0)
    return result;
  evaluator.effort = int64_t(limits.effort);
  SmallVector<Box> boxes{whole};
  uint64_t reached = 0;
  while (!boxes.empty() && evaluator.effort >= 0) {
    Box box = boxes.pop_back_val();
    Split split;
    size_t reasons = evaluator.reasons.size();
    std::optional<Cost> cost = evaluator.evaluate(box, split);
    if (evaluator.effort < 0) { // the sample says it better than loops that ended early
      evaluator.forgetReasons(reasons);
      boxes.push_back(box);
      break;
    }
    if (cost) {
      result += *cost * programsOf(box);
      reached += programsOf(box);
      continue;
    }
    Interval range = box[split.axis];
    if (split.intoPoints && range.size() <= int64_t(limits.effort)) {
      for (int64_t at = range.end; at-- > range.begin;) {
        box[split.axis] = {at, at + 1};
        boxes.push_back(box);
      }
      continue;
    }
    Box rest = box;
    box[split.axis].end = rest[split.axis].begin = split.at;
    boxes.push_back(rest);
    boxes.push_back(box);
  }
  if (!boxes.empty()) {
    uint64_t sample = 0;
    result += sampled(evaluator, boxes, limits, sample);
    if (sample < programs - reached)
      evaluator.explain(kernel.getLoc(), "too many different programs to evaluate: " + std::to_string(sample) + " of " +
                                             std::to_string(programs - reached) + " stand for the rest");
  }
  result.reasons = std::move(evaluator.reasons);
  return result;
}
