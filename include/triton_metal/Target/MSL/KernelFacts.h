//===- KernelFacts.h - what is known of a printed Metal kernel --------------------===//
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace triton_metal::msl {

/// An array of tl.shared_memory.
struct SharedArray {
  std::string name, type; ///< `tile`, `(32, 33) x fp32`
  uint32_t bytes = 0;
};

/// Counts are of the text: a statement in a loop of known length counts as often as it runs, in another loop once.
struct KernelFacts {
  uint32_t threads = 0;            ///< of a threadgroup
  uint32_t threadgroupBytes = 0;   ///< of the pool and the shared arrays
  uint32_t poolBytes = 0;          ///< what the compiler needs itself
  std::vector<SharedArray> sharedArrays;
  uint32_t barriers = 0;           ///< threadgroup barriers
  uint32_t simdOperations = 0;     ///< SIMD reductions, scans and shuffles
  uint32_t matrixOperations = 0;   ///< 8x8 multiply-accumulates of a SIMD-group
  uint32_t deviceLoads = 0;        ///< load statements on device memory of a lane; a vector counts once
  uint32_t deviceStores = 0;       ///< likewise for stores
  uint32_t atomics = 0;            ///< atomic operations of a lane
  uint32_t estimatedRegisters = 0; ///< 32-bit registers of a lane: its local arrays and variables that live together
  std::optional<uint64_t> bytesPerProgram;      ///< device bytes moved, where no loop hides the count
  std::optional<uint64_t> operationsPerProgram; ///< arithmetic operations, a multiply-accumulate counts two
};

/// Where the text comes from, from a place in it up to the next one.
struct LineOrigin {
  uint32_t line = 0;   ///< of the text, 1-based
  uint32_t column = 0; ///< likewise; 0 where the origin is that of the statement
  std::string file;
  uint32_t sourceLine = 0, sourceColumn = 0;
};

/// A kernel as Metal Shading Language.
struct KernelText {
  std::string text;
  std::string entry;
  std::vector<LineOrigin> lines; ///< in the order of the text; what has no origin is absent
  uint32_t languageVersion = 31; ///< least version that the text needs: 31 is 3.1
  KernelFacts facts;
  std::vector<std::string> sites; ///< of prints and assertions (Runtime/Site.h), by their number in records. If not empty, the last
                                  ///< member of Params is the address of the log (Runtime/Metal/Log.h)
  uint64_t recordsPerProgram = 0; ///< appended where each loop runs once
};

} // namespace triton_metal::msl
