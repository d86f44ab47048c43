//===- Cost.cpp - boxes of programs, and the sample that stands for too many -------------------===//
#include "triton_metal/Analysis/Cost.h"
#include "CostEvaluator.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::cost;

namespace {

using Box = std::array<Interval, 3>;

/// Programs that are not evaluated yet.
struct Rest {
  Box box;
  std::optional<unsigned> pointsAlong = std::nullopt; ///< the axis whose positions are taken one by one
};

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
Cost sampled(Evaluator &evaluator, ArrayRef<Rest> rests, CostLimits limits, uint64_t &taken) {
  uint64_t programs = 0;
  for (const Rest &rest : rests)
    programs += programsOf(rest.box);
  uint64_t most = std::min<uint64_t>(limits.sample, programs);
  evaluator.effort = int64_t(limits.effort);
  Cost sum;
  double place = 0.5;
  for (taken = 0; taken < most; ++taken) {
    // Multiples of the golden ratio lie evenly, however many there are.
    auto number = std::min(uint64_t(place * double(programs)), programs - 1);
    place += 0.6180339887498949;
    place -= place >= 1;
    auto rest = rests.begin();
    for (; number >= programsOf(rest->box); ++rest)
      number -= programsOf(rest->box);
    size_t reasons = evaluator.reasons.size();
    Split unused;
    std::optional<Cost> cost = evaluator.evaluate(programOf(rest->box, number), unused);
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
  SmallVector<Rest> rests{{whole}};
  uint64_t reached = 0;
  while (!rests.empty() && evaluator.effort >= 0) {
    auto [box, pointsAlong] = rests.pop_back_val();
    if (pointsAlong && box[*pointsAlong].size() > 1) {
      Box others = box;
      box[*pointsAlong].end = ++others[*pointsAlong].begin;
      rests.push_back({others, pointsAlong});
    }
    Split split;
    size_t reasons = evaluator.reasons.size();
    std::optional<Cost> cost = evaluator.evaluate(box, split);
    if (evaluator.effort < 0) { // the sample says it better than loops that ended early
      evaluator.forgetReasons(reasons);
      rests.push_back({box});
      break;
    }
    if (cost) {
      result += *cost * programsOf(box);
      reached += programsOf(box);
      continue;
    }
    if (split.intoPoints) {
      rests.push_back({box, split.axis});
      continue;
    }
    Box others = box;
    box[split.axis].end = others[split.axis].begin = split.at;
    rests.push_back({others});
    rests.push_back({box});
  }
  if (!rests.empty()) {
    uint64_t sample = 0;
    result += sampled(evaluator, rests, limits, sample);
    if (sample < programs - reached)
      evaluator.explain(kernel.getLoc(), "too many different programs to evaluate: " + std::to_string(sample) + " of " +
                                             std::to_string(programs - reached) + " stand for the rest");
  }
  result.reasons = std::move(evaluator.reasons);
  return result;
}
