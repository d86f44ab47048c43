// softmetal-opt -PASS... [-constant=INDEX=VALUE] [-report] in.ll: single passes of the software Metal on AIR, for tests.
//   The module is loaded as a kernel's is (Load/Load.h), the passes run in the order in which they are named, the result goes to
//   standard output; behind it, as comments, what was learned: the sites that a report would name, arrays, stack.
//   -constant  a function constant's value        -report  code that reports: what private-memory and threadgroup-memory then do
//   A pass that the variable SOFTMETAL_OPT_WITHOUT names is left out (tools/empty_passes.py).
#include "softmetal/Load/Load.h"
#include "softmetal/Passes/Passes.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

#include <cstdlib>

using namespace llvm;
using namespace softmetal;

static int fail(const Twine &message) {
  errs() << "softmetal-opt: error: " << message << "\n";
  return 1;
}

template <class Pass> static void add(ModulePassManager &passes, Translation &translation) { passes.addPass(Pass(translation)); }

static const struct {
  const char *name;
  void (*add)(ModulePassManager &, Translation &);
} table[] = {
    {"specialise", add<SpecialisePass>},
    {"prepare", [](ModulePassManager &passes, Translation &) { addPreparePasses(passes); }},
    {"matrices", add<MatricesPass>},
    {"private-memory", add<PrivateMemoryPass>},
    {"array-order", add<ArrayOrderPass>},
    {"races", add<RacesPass>},
    {"initialisation", add<InitialisationPass>},
    {"bounds", add<BoundsPass>},
    {"uniform", add<UniformPass>},
    {"count", add<CountPass>},
    {"interrupts", add<InterruptsPass>},
    {"divisions", add<DivisionsPass>},
    {"lower", add<LowerPass>},
    {"threadgroup-memory", add<ThreadgroupMemoryPass>},
    {"entry", add<EntryPass>},
    {"stack-size", add<StackSizePass>},
};

int main(int count, char **arguments) {
  Translation translation;
  ModulePassManager passes;
  const char *without = getenv("SOFTMETAL_OPT_WITHOUT");
  std::string input = "-";
  for (int i = 1; i < count; ++i) {
    StringRef argument = arguments[i];
    if (!argument.consume_front("-") || argument.empty()) {
      input = arguments[i];
    } else if (argument == "report") {
      translation.bounds = true;
    } else if (argument.consume_front("constant=")) {
      ConstantValue value{};
      if (argument.split('=').first.getAsInteger(10, value.index) || argument.split('=').second.getAsInteger(0, value.bits))
        return fail("-constant=INDEX=VALUE, not " + argument);
      translation.constants.push_back(value);
    } else {
      auto *pass = find_if(table, [&](auto &entry) { return argument == entry.name; });
      if (pass == std::end(table))
        return fail("there is no pass " + argument);
      if (!without || argument != without)
        pass->add(passes, translation);
    }
  }

  auto buffer = MemoryBuffer::getFileOrSTDIN(input);
  if (!buffer)
    return fail(input + ": " + buffer.getError().message());
  LLVMContext context;
  std::string error;
  std::unique_ptr<Module> module = parseAir((*buffer)->getBuffer(), context, error);
  if (!module || !prepareModule(*module, "", Triple(sys::getProcessTriple()), module->getDataLayout(), error))
    return fail(error);
  PassBuilder builder;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  passes.run(*module, modules);
  if (!translation.error.empty())
    return fail(translation.error);
  if (verifyModule(*module, &errs()))
    return fail("the result is broken");
  module->print(outs(), nullptr);
  for (size_t i = 1; i < translation.sites.size(); ++i)
    outs() << "; site " << i << ": " << translation.sites[i].text << "\n";
  for (const ThreadgroupObject &object : translation.objects)
    outs() << "; array " << object.name << ": " << object.begin << " to " << object.end << "\n";
  if (translation.stackBytes)
    outs() << "; stack " << translation.stackBytes << "\n";
  return 0;
}
