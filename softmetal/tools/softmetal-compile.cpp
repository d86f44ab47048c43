// softmetal-compile [options] in.metal: MSL text to AIR, for tests.
//   -o FILE      .ll writes text, anything else bitcode; without it, text goes to standard output
//   -g           line tables        -I DIR   include directory        -D NAME=VALUE        -std=310   language version
//   -time        prints milliseconds to standard error (median of 20 further runs)
//   -no-contract a * b + c is two operations
#include "softmetal/Compile/Compile.h"

#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using llvm::StringRef;

static int fail(const llvm::Twine &message) {
  llvm::errs() << "softmetal-compile: " << message << "\n";
  return 2;
}

int main(int count, char **arguments) {
  softmetal::CompileOptions options;
  std::string input, output;
  bool timing = false;
  for (int i = 1; i < count; ++i) {
    StringRef argument = arguments[i];
    if (argument == "-o" && i + 1 < count)
      output = arguments[++i];
    else if (argument == "-g")
      options.lineTables = true;
    else if (argument == "-time")
      timing = true;
    else if (argument == "-no-contract")
      options.contractFloat = false;
    else if (argument.consume_front("-I"))
      options.includeDirs.push_back(argument.empty() && i + 1 < count ? arguments[++i] : argument.str());
    else if (argument.consume_front("-D"))
      options.macros.push_back({argument.split('=').first.str(), argument.split('=').second.str()});
    else if (argument.consume_front("-std="))
      argument.getAsInteger(10, options.languageVersion);
    else if (argument.starts_with("-") && argument != "-")
      return fail("unknown option " + argument);
    else
      input = argument.str();
  }

  std::error_code error;
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(input.empty() ? "-" : input);
  if (!buffer)
    return fail(input + ": " + buffer.getError().message());
  options.name = input.empty() || input == "-" ? "stdin.metal" : input;

  llvm::LLVMContext context;
  softmetal::CompileResult result = softmetal::compile((*buffer)->getBuffer(), options, context);
  llvm::errs() << result.log;
  if (timing) {
    std::vector<double> times;
    llvm::errs() << "first " << result.timings.total() * 1e3 << " ms\n";
    for (int i = 0; i < 20; ++i) {
      llvm::LLVMContext other;
      softmetal::CompileResult again = softmetal::compile((*buffer)->getBuffer(), options, other);
      times.push_back(again.timings.total() * 1e3);
      if (i == 19)
        llvm::errs() << "setup " << again.timings.setup * 1e3 << " parse " << again.timings.parse * 1e3 << " finish "
                     << again.timings.finish * 1e3 << "\n";
    }
    std::sort(times.begin(), times.end());
    llvm::errs() << "median " << times[10] << " ms\n";
  }
  if (!result.module)
    return 1;
  llvm::raw_fd_ostream stream(output.empty() ? "-" : output, error);
  if (error)
    return fail(output + ": " + error.message());
  if (output.empty() || StringRef(output).ends_with(".ll"))
    result.module->print(stream, nullptr);
  else
    llvm::WriteBitcodeToFile(*result.module, stream);
  return 0;
}
