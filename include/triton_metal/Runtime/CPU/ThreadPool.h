//===- ThreadPool.h - runs the programs of a launch on all CPUs -------------------===//
//
// Programs are started in rising order of their id, and a started program keeps its thread until it returns; so the lowest
// running program always advances, and a program may wait for one of lower id. The caller works as well. Workers park at
// once when there is nothing to do: a spinning pool slows whatever else runs. Launches may come from several threads.
//
// No LLVM and no Python. Never throws.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace triton_metal::cpu {

/// The entry of every kernel: runs the programs with linear ids [begin, end), x fastest, with 64-byte-aligned scratch `arena`.
using KernelEntry = void (*)(const void *params, const int32_t grid[3], int64_t begin, int64_t end, char *arena);

/// How long a program of a kernel takes, learnt from its launches and kept beside it. Decides whether waking a worker pays.
struct CostHint {
  std::atomic<float> nanosecondsPerProgram{0};
};

/// Asked now and then, on the thread that launched, whether the launch shall end.
struct Interrupt {
  bool (*requested)(void *context) = nullptr;
  void *context = nullptr;
  uint32_t timeoutMilliseconds = 0; ///< 0: none
};

/// The memory behind one argument, as checked code compares accesses with it.
struct ArrayExtent {
  enum class Kind : uint8_t {
    NotAnArray,
    Unknown, ///< an array that does not tell how long it is
    Known,
  };
  const char *name = "";
  uint64_t address = 0, bytes = 0; ///< lowest byte of the elements; 0 bytes for an array without elements
  Kind kind = Kind::NotAnArray;
};

struct LaunchRequest {
  KernelEntry entry = nullptr;
  const void *params = nullptr;
  int32_t grid[3] = {1, 1, 1};
  uint64_t arenaBytes = 0;
  CostHint *cost = nullptr;
  Interrupt interrupt;
  std::span<const ArrayExtent> arrays; ///< one a parameter of the kernel; only checked code needs them

  int64_t programs() const { return int64_t(grid[0]) * grid[1] * grid[2]; }
};

/// What a kernel did wrong, as the generated code said it.
struct Fault {
  std::string message;
  std::string file;
  uint32_t line = 0, column = 0; ///< from 1; 0: not known
  int32_t program[3] = {0, 0, 0};
};

enum class LaunchStatus : uint8_t {
  Finished,
  Interrupted, ///< the interrupt callback said so
  TimedOut,
  Faulted, ///< `fault` says what and where
};

struct LaunchOutcome {
  LaunchStatus status = LaunchStatus::Finished;
  Fault fault{};
};

class ThreadPool {
public:
  /// A pool in which `threads` threads work on a launch, the caller included.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// The pool of this process: as many threads as TRITON_METAL_NUM_THREADS says, else as there are CPUs for the process. Made
  /// anew in a forked child.
  static ThreadPool &shared();

  unsigned threads() const;

  /// Runs all programs and returns when they are done. One program, and programs that are known to be few and short, run in
  /// the calling thread.
  LaunchStatus run(const LaunchRequest &request, Fault &fault);

private:
  struct State;
  std::unique_ptr<State> state;
};

/// CPUs that this process may use: its affinity mask, cut by a quota of its control group.
unsigned availableCPUs();

//===----------------------------------------------------------------------===//
// For generated code, on the threads of a launch
//===----------------------------------------------------------------------===//

/// Records a fault of the launch that runs on this thread, and stops it: no further program is started. The first one counts.
void reportFault(Fault fault);

/// Whether the launch on this thread shall end. Back-edges of loops ask in checked mode; on the calling thread it asks the
/// interrupt callback from time to time.
bool shouldStop();

/// Ends the program that runs on this thread: goes back to the pool without returning through generated code. Between the pool
/// and here there may be no C++ object that wants destruction. Returns where no pool runs the program.
void leaveProgram();

/// The arrays of the launch on this thread.
std::span<const ArrayExtent> arraysOfLaunch();

/// Writes text of the launch on this thread to file descriptor 1; it is out at the latest when the launch is over.
void printText(std::string_view text);

} // namespace triton_metal::cpu
