//===- Report.cpp - what checks find -------------------------------------------------------------------------------------===//
#include "softmetal/Run/Report.h"

namespace softmetal {

const char *findingName(Finding kind) {
  switch (kind) {
  case Finding::Bounds: return "out of bounds";
  case Finding::ThreadgroupBounds: return "out of bounds in threadgroup memory";
  case Finding::Race: return "race in threadgroup memory";
  case Finding::DeviceRace: return "race in device memory";
  case Finding::Uninitialised: return "threadgroup memory read before it is written";
  case Finding::Divergence: return "divergence";
  case Finding::InactiveLane: return "value of an inactive lane";
  case Finding::Uniform: return "a uniform value differs between lanes";
  case Finding::Alignment: return "misaligned access";
  case Finding::Deadlock: return "deadlock";
  case Finding::Timeout: return "time limit";
  case Finding::StackOverflow: return "stack overflow";
  case Finding::PrivateBounds: return "out of bounds in thread memory";
  case Finding::Trap: return "trap of the processor";
  }
  return "";
}

} // namespace softmetal
