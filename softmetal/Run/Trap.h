//===- Trap.h - what the processor refuses in a launch becomes a report --------------------------------------------------===//
#pragma once

namespace softmetal {

/// While it lives, an access of this thread to memory that is not there, or another instruction that the processor refuses, ends the
/// launch with a report instead of the process. Signals from elsewhere go to the handlers that were there before.
class TrapGuard {
public:
  TrapGuard();
  ~TrapGuard();
  TrapGuard(const TrapGuard &) = delete;
  TrapGuard &operator=(const TrapGuard &) = delete;
};

} // namespace softmetal
