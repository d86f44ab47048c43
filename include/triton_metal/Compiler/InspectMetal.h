//===- InspectMetal.h - what a user is told of a kernel for Metal, without MLIR in sight ---===//
#pragma once
#include "triton_metal/Compiler/CompileMetal.h"

#include <array>
#include <string_view>

namespace triton_metal {

/// Distributes the kernel in `ttir` as compileForMetal does, and reports on the result for a launch with the packed block `params`: a JSON
/// object of the accesses of the program at `program` of `grid` ("accesses", docs/reference/memory-access.md) and of layouts,
/// conversions, threadgroup memory, barriers and dots ("layouts", docs/reference/explain.md).
Result<std::string> inspectForMetal(std::string_view ttir, const MetalOptions &options, std::string_view params,
                                    std::array<int32_t, 3> grid, std::array<int32_t, 3> program);

} // namespace triton_metal
