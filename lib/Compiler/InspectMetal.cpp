//===- InspectMetal.cpp - what a user is told of a kernel for Metal -----------------------===//
#include "triton_metal/Compiler/InspectMetal.h"
#include "DistributeForMetal.h"
#include "ParsedKernel.h"
#include "triton_metal/Dialect/TritonMetal/Analysis/Reports.h"

using namespace mlir;

namespace triton_metal {

Result<std::string> inspectForMetal(std::string_view ttir, const MetalOptions &options, std::string_view params,
                                    std::array<int32_t, 3> grid, std::array<int32_t, 3> program) {
  Result<ParsedKernel> parsed = ParsedKernel::from(ttir);
  if (!parsed)
    return parsed.error();
  Result<std::vector<uint64_t>> arguments = parsed->signature.unpack(params);
  if (!arguments)
    return arguments.error();
  std::string text;
  auto inspect = [&](OwningOpRef<ModuleOp> &module, DiagnosticCapture &capture) {
    std::optional<Error> failure = distributeForMetal(module, options, capture);
    if (failure)
      return failure;
    ttm::LaunchFacts launch{{}, *arguments, grid, program};
    for (const ParamInfo &param : parsed->signature.params)
      launch.names.push_back(param.name);
    auto kernel = module->lookupSymbol<tt::FuncOp>(parsed->signature.name);
    llvm::raw_string_ostream(text) << llvm::json::Value(llvm::json::Object{
        {"accesses", ttm::reportAccesses(kernel, launch)}, {"layouts", ttm::reportLayouts(kernel)}});
    return failure;
  };
  if (std::optional<Error> failure = parsed->run("inspecting", options.verifyEach, inspect))
    return *failure;
  return text;
}

} // namespace triton_metal
