//===- InspectMetal.cpp - what a user is told of a kernel for Metal -----------------------===//
#include "triton_metal/Compiler/InspectMetal.h"
#include "triton_metal/Compiler/Guard.h"
#include "triton_metal/Conversion/TritonToTritonMetal/Passes.h"
#include "triton_metal/Dialect/TritonMetal/Analysis/Reports.h"
#include "triton_metal/Pipelines/TritonPipeline.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace triton_metal {

Result<std::string> inspectForMetal(std::string_view ttir, const MetalOptions &options, std::string_view params,
                                    std::array<int32_t, 3> grid, std::array<int32_t, 3> program) {
  Result<Module> module = parse(ttir, "<ttir>");
  if (!module)
    return module.error();
  Result<KernelSignature> signature = kernelSignature(*module);
  if (!signature)
    return signature.error();
  Result<std::vector<uint64_t>> arguments = signature->unpack(params);
  if (!arguments)
    return arguments.error();
  std::string text;
  std::optional<Error> failure;
  DiagnosticCapture capture(getContext(*module));
  std::optional<Crash> crash = runGuarded([&] {
    PassManager manager(getContext(*module));
    manager.enableVerifier(options.verifyEach);
    buildTritonPipeline(manager);
    ttm::AssignLayoutsOptions layouts;
    layouts.numWarps = options.numWarps;
    layouts.chip = options.chip;
    ttm::buildTritonMetalPasses(manager, layouts);
    if (failed(manager.run(getModuleOp(*module)))) {
      failure = capture.take(Error::Kind::Internal, "the compiler failed to distribute the kernel's tensors");
      return;
    }
    ttm::LaunchFacts launch{{}, *arguments, grid, program};
    for (const ParamInfo &param : signature->params)
      launch.names.push_back(param.name);
    auto kernel = getModuleOp(*module).lookupSymbol<tt::FuncOp>(signature->name);
    llvm::raw_string_ostream(text) << llvm::json::Value(llvm::json::Object{
        {"accesses", ttm::reportAccesses(kernel, launch)}, {"layouts", ttm::reportLayouts(kernel)}});
  });
  if (crash) {
    module->state().context.abandon();
    Error error;
    error.message = "inspecting " + signature->name + ": " + crash->what;
    error.reproducer = writeReproducer(signature->name, "--triton-pipeline", ttir);
    return error;
  }
  if (failure)
    return *failure;
  return text;
}

} // namespace triton_metal
