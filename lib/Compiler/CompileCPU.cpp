//===- CompileCPU.cpp - a tt module as machine code of this or another processor --------===//
#include "triton_metal/Compiler/Guard.h"
#include "triton_metal/Pipelines/CPUPipeline.h"
#include "triton_metal/Pipelines/TritonPipeline.h"
#include "triton_metal/Runtime/CPU/Callbacks.h"
#include "triton_metal/Target/CPU/CodeGen.h"
#include "triton_metal/Target/CPU/Loader.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace triton_metal {

/// The target that is called so; nothing for a processor that is not known.
static std::optional<cpu::TargetSpec> targetOf(const std::string &processor) {
  return processor.empty() ? cpu::TargetSpec::host() : cpu::TargetSpec::named(processor);
}

static std::string take(const SmallVectorImpl<char> &bytes) { return std::string(bytes.data(), bytes.size()); }

Result<CPUCode> compileForCPU(const Module &module, const CPUOptions &options) {
  Result<KernelSignature> signature = kernelSignature(module);
  if (!signature)
    return signature.error();
  std::optional<cpu::TargetSpec> target = targetOf(options.processor);
  if (!target)
    return Error{Error::Kind::Invalid, "there is no processor '" + options.processor +
                                           "'; there are host, x86-64-v3, x86-64-v4, sapphirerapids and aarch64, each also with the "
                                           "width of a vector behind it, as in host:16"};
  if (std::string reason = cpu::whyNotMade(*target); !reason.empty())
    return Error{Error::Kind::Invalid, reason};
  CPUCode code;
  code.signature = *signature;
  code.ttir = print(module);
  code.checked = options.checked;
  code.processor = options.processor;
  MLIRContext *context = getContext(module);
  std::optional<Error> failure;
  CPUPipelineOptions pipeline;
  pipeline.vectorBytes = target->vectorBytes;
  pipeline.vectorRegisters = target->vectorRegisters;
  pipeline.fpFusion = options.fpFusion;
  pipeline.checked = options.checked;
  std::optional<Crash> crash = runGuarded([&] {
    OwningOpRef<ModuleOp> copy = getModuleOp(module).clone();
    DiagnosticCapture capture(context);
    PassManager manager(context);
    manager.enableVerifier(options.verifyEach);
    buildTritonPipeline(manager, options.plantedFault);
    buildCPUPipeline(manager, pipeline);
    if (failed(manager.run(*copy))) {
      failure = capture.take(Error::Kind::Internal, "the CPU pipeline failed");
      return;
    }
    code.arenaBytes = uint64_t(arenaBytesOf(*copy, code.signature.name));
    SmallVector<char> text, object;
    if (failed(cpu::compileModule(*copy, *target, text, object))) {
      failure = capture.take(Error::Kind::Internal, "code generation failed");
      return;
    }
    code.llir = take(text);
    code.object = take(object);
  });
  if (crash || (failure && failure->kind == Error::Kind::Internal)) {
    Error error = failure.value_or(Error());
    error.kind = Error::Kind::Internal;
    if (crash) {
      error.message = crash->what;
      module.state().context.abandon();
    }
    error.reproducer = writeReproducer(code.signature.name, "--triton-pipeline " + commandLineOf(pipeline), code.ttir);
    return error;
  }
  if (failure)
    return *failure;
  if (std::optional<Error> error = loadForCPU(code))
    return *error;
  return code;
}

std::optional<Error> loadForCPU(CPUCode &code) {
  std::optional<cpu::TargetSpec> target = targetOf(code.processor);
  if (!target)
    return Error{Error::Kind::Invalid, "there is no processor '" + code.processor + "'"};
  code.whyNotHere = cpu::whyNotHere(*target);
  if (!code.whyNotHere.empty() && !code.processor.empty())
    return std::nullopt;
  std::string reason;
  std::vector<cpu::RuntimeSymbol> symbols;
  for (const auto &[name, address] : cpu::callbacks())
    symbols.push_back({name, address});
  std::shared_ptr<cpu::LoadedCode> loaded = cpu::LoadedCode::load(code.object, symbols, reason);
  if (!loaded)
    return Error{Error::Kind::Internal, "the object of kernel " + code.signature.name + " cannot be loaded: " + reason};
  code.entry = reinterpret_cast<CPUKernel>(loaded->symbol(code.signature.name));
  if (!code.entry)
    return Error{Error::Kind::Internal, "the object of kernel " + code.signature.name + " does not hold it"};
  code.code = std::move(loaded);
  return std::nullopt;
}

Result<std::string> disassembleForCPU(const CPUCode &code) {
  SmallVector<char> text;
  std::string reason;
  bool done = false;
  std::optional<Crash> crash = runGuarded([&] {
    done = cpu::compileLLVMIR(code.llir, *targetOf(code.processor), cpu::CodeKind::Assembly, /*optimise=*/false, text, reason);
  });
  if (crash || !done)
    return Error{Error::Kind::Internal, "no assembly of kernel " + code.signature.name + ": " + (crash ? crash->what : reason)};
  return take(text);
}

std::string targetKey(const std::string &processor) {
  std::optional<cpu::TargetSpec> target = targetOf(processor);
  return target ? target->key() : processor;
}

} // namespace triton_metal
