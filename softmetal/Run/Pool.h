//===- Pool.h - worker threads that park when idle -----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <functional>

namespace softmetal {

/// Runs `work` on `workers` threads at once, the caller's among them, and returns when all have ended. Threads are made when first
/// needed, park on a condition when idle, and are made anew after a fork. Calls from several threads take turns.
void runOnWorkers(uint32_t workers, const std::function<void()> &work);

} // namespace softmetal
