//===- LaunchCost.cpp - from a kernel's text and its parameters to what a launch costs ---===//
#include "triton_metal/Compiler/LaunchCost.h"
#include "triton_metal/Analysis/Cost.h"
#include "triton_metal/Compiler/Guard.h"
#include "triton_metal/Pipelines/TritonPipeline.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace triton_metal {

Result<CountedCost> countLaunch(std::string_view ttir, std::string_view params, std::array<int32_t, 3> grid) {
  Result<Module> module = parse(ttir, "<ttir>");
  if (!module)
    return module.error();
  Result<KernelSignature> signature = kernelSignature(*module);
  if (!signature)
    return signature.error();
  Result<std::vector<uint64_t>> arguments = signature->unpack(params);
  if (!arguments)
    return arguments.error();
  CountedCost counted;
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
    for (auto function : getModuleOp(*module).getOps<tt::FuncOp>()) {
      if (!function.isKernel())
        continue;
      LaunchCost cost = analyzeCost(function, *arguments, grid);
      counted = {cost.bytesLoaded,       cost.bytesStored,   cost.bytesAtomic,       cost.floatOperations,
                 cost.specialOperations, cost.dotOperations, cost.integerOperations, {}, {}};
      counted.arguments.assign(cost.arguments.begin(), cost.arguments.end());
      for (const CostReason &reason : cost.reasons)
        counted.reasons.push_back({reason.what, toSourceLocation(reason.where)});
    }
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
