//===- LaunchCost.h - bytes and operations of a launch, without MLIR in sight -------===//
//
// What the bindings ask for; see Analysis/Cost.h for what is counted and how.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Compiler/Error.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace triton_metal {

/// Counts of Analysis/Cost.h, and why they are not exact, where they are not.
struct CountedCost {
  uint64_t bytesLoaded = 0, bytesStored = 0, bytesAtomic = 0;
  uint64_t floatOperations = 0, specialOperations = 0, dotOperations = 0, integerOperations = 0;
  struct Reason {
    std::string what;
    SourceLocation where;
  };
  std::vector<Reason> reasons;
  std::vector<uint32_t> arguments; ///< the numbers of those that counts depend on
};

/// A launch of a kernel: its packed block of parameters, and its grid.
struct LaunchToCount {
  std::string_view params;
  std::array<int32_t, 3> grid;
};

/// The cost of each of these launches of the kernel in `ttir`. Reading the kernel takes most of the time of one, so many are counted
/// together.
Result<std::vector<CountedCost>> countLaunches(std::string_view ttir, std::span<const LaunchToCount> launches);

} // namespace triton_metal
