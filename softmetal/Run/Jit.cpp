//===- Jit.cpp - AIR to machine code -------------------------------------------------------------------------------------===//
#include "softmetal/Run/Jit.h"
#include "softmetal/Load/Load.h"
#include "softmetal/Passes/Passes.h"
#include "softmetal/Run/Symbols.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/IPO/GlobalOpt.h"
#include <chrono>
#include <mutex>

using namespace llvm;
using namespace llvm::orc;

namespace softmetal {
namespace {

/// The host, asked once: its features do not change, and asking costs as much as compiling a small kernel.
struct Host {
  std::optional<JITTargetMachineBuilder> builder;
  std::optional<DataLayout> layout;
  std::string error;
};

const Host &host() {
  static const Host facts = [] {
    Host h;
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
    Expected<JITTargetMachineBuilder> builder = JITTargetMachineBuilder::detectHost();
    if (!builder) {
      h.error = toString(builder.takeError());
      return h;
    }
    Expected<DataLayout> layout = builder->getDefaultDataLayoutForTarget();
    if (!layout) {
      h.error = toString(layout.takeError());
      return h;
    }
    h.builder = std::move(*builder);
    h.layout = std::move(*layout);
    return h;
  }();
  return facts;
}

/// The pass managers, and what they analyse.
class Passes {
public:
  explicit Passes(TargetMachine *target) : builder(target, options()) {
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(callGraph);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, callGraph, modules);
  }
  static PipelineTuningOptions options() {
    PipelineTuningOptions tuning;
    tuning.LoopVectorization = false; // the code is one lane's
    tuning.SLPVectorization = false;
    return tuning;
  }
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  PassBuilder builder;
};

class Clock {
public:
  double lap() {
    auto now = std::chrono::steady_clock::now();
    double ms = std::chrono::duration<double, std::milli>(now - last).count();
    last = now;
    return ms;
  }

private:
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
};

std::unique_ptr<LLJIT> makeJit(JITTargetMachineBuilder builder, std::string &error) {
  Expected<std::unique_ptr<LLJIT>> jit = LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create();
  if (!jit) {
    error = "no JIT for this host: " + toString(jit.takeError());
    return nullptr;
  }
  MangleAndInterner mangle((*jit)->getExecutionSession(), (*jit)->getDataLayout());
  SymbolMap symbols;
  for (const Symbol &symbol : runtimeSymbols())
    symbols[mangle(symbol.name)] = {ExecutorAddr::fromPtr(static_cast<char *>(symbol.address)),
                                    JITSymbolFlags::Exported | JITSymbolFlags::Callable};
  if (Error failure = (*jit)->getMainJITDylib().define(absoluteSymbols(std::move(symbols)))) {
    error = toString(std::move(failure));
    return nullptr;
  }
  return std::move(*jit);
}

} // namespace

KernelCode::KernelCode() = default;
KernelCode::~KernelCode() = default;

std::unique_ptr<KernelCode> compileKernel(StringRef air, const CompileRequest &request, std::string &error) {
  if (!host().error.empty()) {
    error = "this host is not supported: " + host().error;
    return nullptr;
  }
  Clock clock;
  auto code = std::make_unique<KernelCode>();
  CompiledKernel &kernel = code->kernel;
  Translation &facts = kernel.facts;
  facts = request.translation;
  kernel.name = facts.kernel;
  kernel.fromText = request.fromText;
  kernel.divergence = request.divergence;
  kernel.checked = facts.checked() || request.divergence;

  auto context = std::make_unique<LLVMContext>();
  std::unique_ptr<Module> module = parseAir(air, *context, error);
  if (!module)
    return nullptr;
  JITTargetMachineBuilder builder = *host().builder;
  builder.setCodeGenOptLevel(request.level ? CodeGenOptLevel::Default : CodeGenOptLevel::None);
  if (!prepareModule(*module, facts.kernel, builder.getTargetTriple(), *host().layout, error))
    return nullptr;
  code->loadMs = clock.lap();

  Passes passes(nullptr);
  ModulePassManager translate;
  addTranslationPasses(translate, facts, request.fromText);
  translate.run(*module, passes.modules);
  if (facts.error.empty()) {
    StripDebugInfo(*module); // the sites hold what reports need
    ModulePassManager optimise;
    optimise.addPass(GlobalOptPass());
    optimise.addPass(GlobalDCEPass());
    if (request.level)
      optimise.addPass(passes.builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2));
    else
      optimise.addPass(AlwaysInlinerPass());
    optimise.addPass(StackSizePass(facts));
    passes.modules.clear();
    passes.functions.clear();
    optimise.run(*module, passes.modules);
  }
  if (!facts.error.empty()) {
    error = "kernel " + kernel.name + ": " + facts.error;
    return nullptr;
  }
  std::string broken;
  raw_string_ostream out(broken);
  if (verifyModule(*module, &out)) {
    error = "kernel " + kernel.name + ": translation made a broken module: " + broken;
    return nullptr;
  }
  if (request.keepIR) {
    raw_string_ostream text(code->ir);
    module->print(text, nullptr);
  }
  code->translateMs = clock.lap();
  if (request.translateOnly)
    return code;

  code->jit = makeJit(std::move(builder), error);
  if (!code->jit)
    return nullptr;
  if (Error failure = code->jit->addIRModule(ThreadSafeModule(std::move(module), std::move(context)))) {
    error = toString(std::move(failure));
    return nullptr;
  }
  Expected<ExecutorAddr> entry = code->jit->lookup(entryName);
  if (!entry) {
    error = "kernel " + kernel.name + ": " + toString(entry.takeError());
    return nullptr;
  }
  kernel.entry = entry->toPtr<void (*)(const LaneIds *)>();
  code->codeMs = clock.lap();
  return code;
}

} // namespace softmetal
