//===- LaunchCost.cpp - from a kernel's text and its parameters to what a launch costs ---===//
#include "triton_metal/Compiler/LaunchCost.h"
#include "ParsedKernel.h"
#include "triton_metal/Analysis/Cost.h"

using namespace mlir;

namespace triton_metal {

static CountedCost count(tt::FuncOp kernel, llvm::ArrayRef<uint64_t> arguments, std::array<int32_t, 3> grid) {
  LaunchCost cost = analyzeCost(kernel, arguments, grid);
  CountedCost counted = {cost.bytesLoaded,       cost.bytesStored,   cost.bytesAtomic,       cost.floatOperations,
                         cost.specialOperations, cost.dotOperations, cost.integerOperations, {}, {}};
  counted.arguments.assign(cost.arguments.begin(), cost.arguments.end());
  for (const CostReason &reason : cost.reasons)
    counted.reasons.push_back({reason.what, toSourceLocation(reason.where)});
  return counted;
}

Result<std::vector<CountedCost>> countLaunches(std::string_view ttir, std::span<const LaunchToCount> launches) {
  Result<ParsedKernel> parsed = ParsedKernel::from(ttir);
  if (!parsed)
    return parsed.error();
  std::vector<std::vector<uint64_t>> arguments;
  for (const LaunchToCount &launch : launches) {
    Result<std::vector<uint64_t>> unpacked = parsed->signature.unpack(launch.params);
    if (!unpacked)
      return unpacked.error();
    arguments.push_back(std::move(*unpacked));
  }
  std::vector<CountedCost> counted(launches.size());
  auto countAll = [&](OwningOpRef<ModuleOp> &module, DiagnosticCapture &) {
    auto kernel = module->lookupSymbol<tt::FuncOp>(parsed->signature.name);
    for (size_t i = 0; i < launches.size(); ++i)
      counted[i] = count(kernel, arguments[i], launches[i].grid);
    return std::optional<Error>();
  };
  if (std::optional<Error> failure = parsed->run("counting a launch of", /*verifyEach=*/false, countAll))
    return *failure;
  return counted;
}

} // namespace triton_metal
