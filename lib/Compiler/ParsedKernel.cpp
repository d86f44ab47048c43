//===- ParsedKernel.cpp - a kernel out of its text, to be looked at rather than compiled --===//
#include "ParsedKernel.h"
#include "triton_metal/Pipelines/TritonPipeline.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace triton_metal {

Result<ParsedKernel> ParsedKernel::from(std::string_view ttir) {
  Result<Module> module = parse(ttir, "<ttir>");
  if (!module)
    return module.error();
  Result<KernelSignature> signature = kernelSignature(*module);
  if (!signature)
    return signature.error();
  return ParsedKernel{std::move(*module), std::move(*signature), std::string(ttir)};
}

std::optional<Error> ParsedKernel::run(StringRef doing, bool verifyEach,
                                       function_ref<std::optional<Error>(OwningOpRef<ModuleOp> &, DiagnosticCapture &)> work) {
  std::optional<Error> failure;
  DiagnosticCapture capture(getContext(module));
  std::optional<Crash> crash = runGuarded([&] {
    OwningOpRef<ModuleOp> copy = getModuleOp(module).clone();
    PassManager manager(getContext(module));
    manager.enableVerifier(verifyEach);
    buildTritonPipeline(manager);
    if (failed(manager.run(*copy)))
      failure = capture.take(Error::Kind::Internal, "the compiler failed to simplify the kernel");
    else
      failure = work(copy, capture);
  });
  if (!crash)
    return failure;
  module.state().context.abandon();
  Error error;
  error.message = (doing + " " + signature.name + ": " + crash->what).str();
  error.reproducer = writeReproducer(signature.name, "--triton-pipeline", text);
  return error;
}

} // namespace triton_metal
