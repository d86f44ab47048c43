//===- Reports.h - what a user is told of a distributed kernel -----------------------===//
//
// Reports on a module as it leaves the passes of docs/design/ttm.md, as JSON: docs/reference/memory-access.md and explain.md say what the
// fields mean. Nothing is run.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "triton_metal/Dialect/Triton/IR/Dialect.h"

#include "llvm/Support/JSON.h"

#include <array>

namespace triton_metal::ttm {

/// A launch: each argument's name and bits, the grid, and the program that is looked at.
struct LaunchFacts {
  std::vector<std::string> names;
  std::vector<uint64_t> arguments;
  std::array<int32_t, 3> grid{1, 1, 1}, program{0, 0, 0};
};

/// Every load, store and atomic of device memory of one program.
llvm::json::Array reportAccesses(tt::FuncOp kernel, const LaunchFacts &launch);
/// Layouts, conversions, threadgroup memory, barriers and dots.
llvm::json::Object reportLayouts(tt::FuncOp kernel);

} // namespace triton_metal::ttm
