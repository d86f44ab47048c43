//===- Trap.cpp - what the processor refuses in a launch becomes a report ------------------------------------------------===//
//
// Unchecked code may read and write anywhere, as on a GPU. The handler runs on a stack of its own (a lane's may be the cause) and jumps
// back to Machine::run: the frames of lanes hold nothing that needs undoing.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Run/Trap.h"
#include "softmetal/Run/Machine.h"
#include <atomic>
#include <csignal>
#include <mutex>

namespace softmetal {
namespace {

constexpr int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
constexpr size_t signalCount = sizeof signals / sizeof *signals, handlerStackBytes = 64 * 1024;

std::mutex mutex;
uint32_t guards = 0;
struct sigaction previous[signalCount];
std::atomic<bool> forwarded{false};

void onSignal(int signal, siginfo_t *info, void *context) {
  if (machine && machine->escape(signal, reinterpret_cast<uintptr_t>(info->si_addr)))
    return; // never: it jumps
  size_t index = 0;
  while (index + 1 < signalCount && signals[index] != signal)
    ++index;
  const struct sigaction &old = previous[index];
  bool special = old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN;
  if (special || forwarded.exchange(true)) { // the instruction runs again and has its default effect
    ::signal(signal, SIG_DFL);
    return;
  }
  if (old.sa_flags & SA_SIGINFO)
    old.sa_sigaction(signal, info, context);
  else
    old.sa_handler(signal);
  forwarded = false; // whoever was there before us knew how to go on
}

/// A stack for the handler, a thread.
struct HandlerStack {
  std::unique_ptr<char[]> memory{new char[handlerStackBytes]};
  stack_t before{};
};
thread_local HandlerStack handlerStack;

} // namespace

TrapGuard::TrapGuard() {
  stack_t mine{};
  mine.ss_sp = handlerStack.memory.get();
  mine.ss_size = handlerStackBytes;
  sigaltstack(&mine, &handlerStack.before);
  std::lock_guard lock(mutex);
  if (guards++)
    return;
  struct sigaction action{};
  action.sa_sigaction = onSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER; // not deferred: the handler is left by a jump
  for (size_t i = 0; i < signalCount; ++i)
    sigaction(signals[i], &action, &previous[i]);
}

TrapGuard::~TrapGuard() {
  {
    std::lock_guard lock(mutex);
    if (--guards == 0)
      for (size_t i = 0; i < signalCount; ++i) {
        struct sigaction now;
        sigaction(signals[i], nullptr, &now);
        if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == onSignal) // else somebody came after us, and stays
          sigaction(signals[i], &previous[i], nullptr);
      }
  }
  sigaltstack(&handlerStack.before, nullptr);
}

} // namespace softmetal
