// The library's declarations as a precompiled header in memory.
#ifndef SOFTMETAL_COMPILE_PRELUDE_H
#define SOFTMETAL_COMPILE_PRELUDE_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace softmetal {

// Made at build time, or empty in the tool that makes it.
llvm::StringRef embeddedPrelude();

// The bytes to use: those embedded, else those made on first use. Empty after an error, which is appended to `log`.
llvm::StringRef prelude(std::string &log);

} // namespace softmetal

#endif
