//===- LaunchCost.cpp - from a kernel's text and its parameters to what a launch costs ---===//
#include "triton_metal/Compiler/LaunchCost.h"
#include "triton_metal/Analysis/Cost.h"
#include "triton_metal/Compiler/Guard.h"
#include "triton_metal/Pipelines/TritonPipeline.h"

#include "mlir/Pass/PassManager.h"

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
  Result<Module> module = parse(ttir, "<ttir>");
  if (!module)
    return module.error();
  Result<KernelSignature> signature = kernelSignature(*module);
  if (!signature)
    return signature.error();
  std::vector<std::vector<uint64_t>> arguments;
  for (const LaunchToCount &launch : launches) {
    Result<std::vector<uint64_t>> unpacked = signature->unpack(launch.params);
    if (!unpacked)
      return unpacked.error();
    arguments.push_back(std::move(*unpacked));
  }
  std::vector<CountedCost> counted(launches.size());
  std::optional<Error> failure;
  DiagnosticCapture capture(getContext(*module));
  std::optional<Crash> crash = runGuarded([&] {
    // Counts are those of the code that runs: calls inlined, common parts computed once.
    PassManager manager(getContext(*module));
    manager.enableVerifier(false);
    buildTritonPipeline(manager);
    if (failed(manager.run(getModuleOp(*module)))) {
      failure = capture.take(Error::Kind::Internal, "the compiler failed to simplify the kernel");
      return;
    }
    for (auto function : getModuleOp(*module).getOps<tt::FuncOp>())
      for (size_t i = 0; function.isKernel() && i < launches.size(); ++i)
        counted[i] = count(function, arguments[i], launches[i].grid);
  });
  if (crash) {
    module->state().context.abandon();
    Error error;
    error.message = "counting a launch of " + signature->name + ": " + crash->what;
    error.reproducer = writeReproducer(signature->name, "--triton-pipeline", ttir);
    return error;
  }
  if (failure)
    return *failure;
  return counted;
}

} // namespace triton_metal
