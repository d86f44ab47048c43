//===- LaunchCost.h - bytes and operations of a launch, without MLIR in sight -------===//
//
// What the bindings ask for; see Analysis/Cost.h for what is counted and how.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Compiler/Error.h"

#include <array>
#include <cstdint>
#include <string_view>

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

/// The cost of a launch of the kernel in `ttir`; `params` is its packed block of parameters.
Result<CountedCost> countLaunch(std::string_view ttir, std::string_view params, std::array<int32_t, 3> grid);

} // namespace triton_metal
