// Runs clang so that it cannot end the process.
#ifndef SOFTMETAL_COMPILE_GUARD_H
#define SOFTMETAL_COMPILE_GUARD_H

#include "llvm/ADT/STLFunctionalExtras.h"

#include <string>

namespace softmetal {

// Runs `work`. A crash or a fatal error of LLVM in it ends `work` only: the result is then false and `reason` says why; what `work` held
// is lost. May be called from any thread, several at once.
bool runGuarded(llvm::function_ref<void()> work, std::string &reason);

} // namespace softmetal

#endif
