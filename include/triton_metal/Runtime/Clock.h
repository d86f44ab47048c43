//===- Clock.h - the clock that times of launches are told by ---------------------===//
//
// Nanoseconds that rise while the machine is awake. On a Mac it is the time base of MTLCommandBuffer's GPUStartTime and GPUEndTime, so
// times of the host and of the GPU lie on one axis.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <time.h>

namespace triton_metal {

inline uint64_t hostNanoseconds() {
#ifdef __APPLE__
  constexpr clockid_t clock = CLOCK_UPTIME_RAW;
#else
  constexpr clockid_t clock = CLOCK_MONOTONIC;
#endif
  timespec now;
  clock_gettime(clock, &now);
  return uint64_t(now.tv_sec) * 1000000000u + uint64_t(now.tv_nsec);
}

} // namespace triton_metal
