//===- Library.cpp - a library of kernels --------------------------------------------------------------------------------===//
#include "softmetal/MetalCalls/Library.h"
#include "softmetal/Compile/Compile.h"
#include "softmetal/Load/Load.h"
#include "llvm/Bitcode/BitcodeWriter.h"

using namespace llvm;

namespace softmetal {

std::shared_ptr<Library> Library::fromText(StringRef text, const MetalCompileOptions &options, std::string &message) {
  CompileOptions compileOptions;
  compileOptions.lineTables = options.lineTables;
  if (options.languageVersion)
    compileOptions.languageVersion = (options.languageVersion >> 16) * 100 + (options.languageVersion & 0xffff) * 10;
  LLVMContext context;
  CompileResult result = compile(text, compileOptions, context);
  message = result.log;
  if (!result.module)
    return nullptr;
  auto library = std::make_shared<Library>();
  library->ours = true;
  library->names = kernelNames(*result.module);
  raw_string_ostream out(library->module);
  WriteBitcodeToFile(*result.module, out);
  return library;
}

std::shared_ptr<Library> Library::fromBytes(std::unique_ptr<MemoryBuffer> bytes, std::string &error) {
  auto library = std::make_shared<Library>();
  library->bytes = std::move(bytes);
  StringRef data = library->bytes->getBuffer();
  if (data.starts_with("MTLB")) {
    library->isMetallib = true;
    if (!library->metallib.parse(data, error))
      return nullptr;
    for (const MetallibFunction &function : library->metallib.functions())
      if (function.type == Metallib::kernelType)
        library->names.push_back(function.name);
    return library;
  }
  LLVMContext context;
  std::unique_ptr<Module> module = parseAir(data, context, error);
  if (!module)
    return nullptr;
  library->names = kernelNames(*module);
  return library;
}

StringRef Library::air(StringRef name) const {
  if (isMetallib) {
    const MetallibFunction *function = metallib.find(name);
    return function ? function->bitcode : StringRef();
  }
  if (!is_contained(names, name))
    return {};
  return ours ? StringRef(module) : bytes->getBuffer();
}

bool Library::print(StringRef name, std::string &text, std::string &error) const {
  StringRef data = air(name);
  if (data.empty()) {
    error = "the library has no kernel named " + name.str();
    return false;
  }
  LLVMContext context;
  std::unique_ptr<Module> parsed = parseAir(data, context, error);
  if (!parsed)
    return false;
  raw_string_ostream out(text);
  parsed->print(out, nullptr);
  return true;
}

} // namespace softmetal
