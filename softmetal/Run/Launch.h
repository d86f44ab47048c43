//===- Launch.h - a launch, and how its threadgroups get to the workers --------------------------------------------------===//
#pragma once

#include "softmetal/Abi.h"
#include "softmetal/Passes/Translation.h"
#include "softmetal/Run/Report.h"
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace softmetal {

class DeviceShadow;

/// What the code generator made of a kernel: the entry and what the runtime must know.
struct CompiledKernel {
  void (*entry)(const LaneIds *) = nullptr;
  std::string name;
  Translation facts;
  bool fromText = false;     ///< our own compilation: barriers have an identity
  bool divergence = false;   ///< SIMD operations in divergent code are reported
  bool checked = false;      ///< any check is on
};

/// A range of host memory that kernels may touch.
struct BufferRange {
  char *address = nullptr;
  uint64_t bytes = 0;
};

struct ThreadgroupRange {
  uint32_t begin, end;
};

/// What was counted. Transactions are 128-byte lines touched by one SIMD-group's access; conflicts are the extra turns that 32 banks
/// of 4 bytes would need.
struct Counters {
  uint64_t switches = 0, collectives = 0, barriers = 0, lanes = 0;
  uint64_t deviceAccesses = 0, deviceBytes = 0, deviceTransactions = 0;
  uint64_t threadgroupAccesses = 0, threadgroupBytes = 0, bankConflicts = 0;
  uint64_t matrixOperations = 0, floatOperations = 0;
  uint64_t deviceLines = 0; ///< different 128-byte lines of device memory that a threadgroup touches
  // What lanes do alike once, in parts of 1 / distinctUnits: bytes of device memory, and operations.
  static constexpr uint64_t distinctUnits = 1 << 15;
  uint64_t distinctLoaded = 0, distinctStored = 0, distinctAtomic = 0;
  uint64_t distinctFloat = 0, distinctSpecial = 0, distinctProducts = 0;
  void add(const Counters &other);
  /// All counts times `all` / `counted`.
  Counters scaled(uint64_t all, uint64_t counted) const;
};

/// How launches run.
struct RunOptions {
  uint64_t seed = 0;
  uint32_t workers = 0;
  uint32_t timeoutMs = 0;
  bool keepDenormals = false;
  int optLevel = -1;
};

/// Why a launch ended before its time.
enum class Stop : uint32_t { No, Fault, Timeout, Interrupted };

struct LaunchArguments {
  std::vector<BufferRange> buffers;      ///< by buffer index; null where unbound
  std::vector<BufferRange> resources;    ///< every other range that is registered
  std::vector<uint32_t> threadgroupBytes; ///< by threadgroup index
  uint64_t threadgroups[3] = {1, 1, 1};
  uint32_t threads[3] = {1, 1, 1};       ///< of a threadgroup
  uint64_t gridThreads[3] = {0, 0, 0};   ///< 0: threadgroups times threads
  uint64_t sample = 0;                   ///< run only so many threadgroups, spread over the grid; 0: all
};

class Launch {
public:
  Launch(const CompiledKernel &kernel, const LaunchArguments &arguments, const RunOptions &options, std::atomic<bool> *interrupt);
  ~Launch();

  /// Runs all of it on the calling thread and the pool's workers. The findings are in `log` after.
  void run();

  const CompiledKernel &kernel;
  const LaunchArguments &arguments;
  const RunOptions &options;
  std::vector<void *> bufferPointers;
  std::vector<BufferRange> ranges;       ///< all registered memory, sorted by address
  std::vector<std::unique_ptr<DeviceShadow>> shadows; ///< where races are checked and possible
  std::vector<MemoryRange> checkedRanges; ///< `ranges` as generated code reads them
  std::vector<MemoryRange> checkedBuffers; ///< the same by buffer index; empty where unbound
  uint64_t total = 0;
  uint64_t runs = 0;                     ///< threadgroups to run: all, or as many as the sample has
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stop{false};
  std::atomic<Stop> reason{Stop::No};
  FindingLog log;
  Counters counters;

  /// The next threadgroups to run: [begin, end). False when none is left.
  bool take(uint64_t &begin, uint64_t &end);
  /// The position in the grid of the `index`-th threadgroup to run: in order, or shuffled by the seed.
  uint64_t place(uint64_t index) const;
  /// Ends the launch; the first reason stays.
  void finish(Stop why);
  /// Sets `stop` if the time is over or an interrupt was asked for. Cheap; called at fibre switches and back-edges.
  void poll();
  void merge(const FindingLog &findings, const Counters &counts);

private:
  void prepareChecks();
  bool mayBeWritten(const BufferRange &range) const;
  std::atomic<bool> *interrupt;
  std::chrono::steady_clock::time_point deadline;
  uint64_t chunk = 1, multiplier = 1;
  std::mutex mutex;
};

/// The CPUs that this process may use, or TRITON_METAL_NUM_THREADS.
uint32_t defaultWorkers();

} // namespace softmetal
