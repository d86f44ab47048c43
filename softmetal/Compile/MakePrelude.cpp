// softmetal-prelude FILE: writes the precompiled library. A step of the build.
#include "softmetal/Compile/Compile.h"
#include "softmetal/Compile/Prelude.h"

#include "llvm/Support/raw_ostream.h"

// Nothing is embedded in the tool that makes it.
llvm::StringRef softmetal::embeddedPrelude() { return {}; }

int main(int count, char **arguments) {
  std::string log, bytes = softmetal::makePrelude(log);
  llvm::errs() << log;
  if (count != 2 || bytes.empty())
    return 1;
  std::error_code error;
  llvm::raw_fd_ostream stream(arguments[1], error);
  stream << bytes;
  return error ? 1 : 0;
}
