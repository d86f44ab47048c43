// Crash recovery. Signal handlers are installed only while some thread is inside, so that those of the process (Python's, the
// executor's guard pages) stay what they are; LLVM's fatal-error handler is installed once, and outside of runGuarded leaves
// LLVM's behaviour as it is.
#include "softmetal/Compile/Guard.h"

#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"

#include <cstdio>
#include <mutex>

namespace softmetal {

namespace {

std::mutex mutex;
unsigned threadsInside = 0;
thread_local std::string *fatalReason = nullptr;

constexpr int FatalErrorCode = 70;

void onFatalError(void *, const char *reason, bool) {
  if (llvm::CrashRecoveryContext *recovery = llvm::CrashRecoveryContext::GetCurrent(); recovery && fatalReason) {
    *fatalReason = reason;
    recovery->HandleExit(FatalErrorCode);
  }
  std::fprintf(stderr, "LLVM ERROR: %s\n", reason);
}

void enter() {
  std::lock_guard lock(mutex);
  static std::once_flag once;
  std::call_once(once, [] { llvm::install_fatal_error_handler(onFatalError); });
  if (threadsInside++ == 0)
    llvm::CrashRecoveryContext::Enable();
}

void leave() {
  std::lock_guard lock(mutex);
  if (--threadsInside == 0)
    llvm::CrashRecoveryContext::Disable();
}

} // namespace

bool runGuarded(llvm::function_ref<void()> work, std::string &reason) {
  enter();
  std::string *outer = fatalReason;
  fatalReason = &reason;
  llvm::CrashRecoveryContext recovery;
  bool finished = recovery.RunSafely(work);
  fatalReason = outer;
  leave();
  if (!finished && reason.empty())
    reason = "crash (code " + std::to_string(recovery.RetCode) + ")";
  return finished;
}

} // namespace softmetal
