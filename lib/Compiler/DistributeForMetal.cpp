//===- DistributeForMetal.cpp - the layouts of a kernel's tensors on Metal ----------------===//
#include "DistributeForMetal.h"
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h"
#include "triton_metal/Dialect/Triton/IR/MemoryLayout.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace triton_metal {

static bool hasHints(ModuleOp module) {
  return module.walk([](Operation *op) { return op->hasAttr(tt::kMemoryLayout) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

std::optional<Error> distributeForMetal(OwningOpRef<ModuleOp> &module, const MetalOptions &options, DiagnosticCapture &capture) {
  ttm::AssignLayoutsOptions layouts;
  layouts.numWarps = options.numWarps;
  layouts.chip = options.chip;
  auto run = [&](ModuleOp target) -> std::optional<Error> {
    PassManager manager(target.getContext());
    manager.enableVerifier(options.verifyEach);
    ttm::buildTritonMetalPasses(manager, layouts);
    if (succeeded(manager.run(target)))
      return std::nullopt;
    return capture.take(Error::Kind::Internal, "the compiler failed to distribute the kernel's tensors");
  };
  OwningOpRef<ModuleOp> again = hasHints(*module) ? module->clone() : OwningOpRef<ModuleOp>();
  std::optional<Error> failure = run(*module);
  if (!failure || !again || failure->kind != Error::Kind::Resources || failure->resource != "threadgroup memory")
    return failure;
  (void)capture.takeHintRemarks(); // they are made again
  layouts.hintBytes = failure->required;
  if (run(*again))
    return failure;
  module = std::move(again);
  return std::nullopt;
}

} // namespace triton_metal
