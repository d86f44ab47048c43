//===- Machine.h - a worker that runs threadgroups lane by lane ---------------------------------------------------------===//
//
// Lanes are fibres on one thread. A lane runs until it must meet others: at a SIMD operation it waits for its SIMD-group, at a
// barrier for its threadgroup. A lane that meets nobody needs no fibre of its own: the next one runs on the same stack.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Abi.h"
#include "softmetal/Run/Fibre.h"
#include "softmetal/Run/Launch.h"
#include "softmetal/Run/PendingReads.h"
#include "softmetal/Run/Report.h"
#include "softmetal/Run/Shadow.h"
#include <csetjmp>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace softmetal {

/// Yielded: it runs again once every other lane of the threadgroup has had its turn.
enum class LaneState : uint8_t { Fresh, Ready, Yielded, AtCollective, AtBarrier, Done };

struct Lane {
  LaneIds ids;
  void *stack = nullptr;     ///< where to go on, once it has begun
  int32_t fibre = -1;        ///< number of the stack it runs on
  LaneState state = LaneState::Done;
  // What it waits for.
  Collective operation{};
  uint32_t types = 0, site = 0, immediate = 0, immediate2 = 0, bytes = 0;
  void *a = nullptr, *b = nullptr;
};

struct SimdGroup {
  uint32_t threadgroupEpoch = 1; ///< sub-epochs of simdgroup_barrier, by the memory they order
  uint32_t deviceEpoch = 0;
};

class Machine {
public:
  Machine();
  ~Machine();
  /// Runs threadgroups of `launch` until none is left or the launch stops.
  void run(Launch &launch);

  // The interface of the generated code (Hooks.cpp).
  void wait(Lane &lane);
  Lane &lane() { return *current; }
  char *threadgroupMemory() { return memory; }
  [[noreturn]] void abandon();
  bool stopping() const { return launch->stop.load(std::memory_order_relaxed); }
  void *boundsDevice(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t buffer, uint32_t align);
  void *boundsThreadgroup(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t align);
  void *boundsPrivate(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, char *object, uint32_t length);
  const MemoryRange *deviceRange(char *pointer, uint32_t buffer);
  const MemoryRange *threadgroupRange(char *pointer) const;
  void raceDevice(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, const MemoryRange *range);
  void raceThreadgroup(char *pointer, uint32_t bytes, uint32_t access, uint32_t site);
  void readThreadgroup(char *pointer, uint32_t bytes, uint32_t site);
  void writtenThreadgroup(char *pointer, uint32_t bytes);
  void countDevice(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t positions);
  void countDistinct(int32_t arithmetic, uint32_t special, uint32_t products, uint32_t positions);
  void countThreadgroup(char *pointer, uint32_t bytes, uint32_t site);
  void poll(uint32_t site);
  /// What a signal handler does when the processor refused an instruction of a lane: leaves it and its launch. False if no launch runs.
  bool escape(int signal, uintptr_t address);
  Counters counters;
  FindingLog log;

private:
  friend void laneMain();
  void prepare();
  bool runThreadgroup(uint64_t index);
  void runLanes(uint32_t group);
  bool meet(uint32_t group);
  bool release();
  bool wakeYielded();
  bool inArray(size_t offset, size_t bytes) const;
  void *nowhere(char *pointer, uint32_t bytes, uint32_t align);
  bool isOrderedStrictly(size_t offset) const;
  void settlePendingReads();
  void trapped();
  Lane *nextLane();
  void enter(Lane &lane);
  void resolve(uint32_t group, Lane **lanes, uint32_t mask);
  void resolveShuffle(Lane **lanes, uint32_t mask, const Lane &first);
  void deadlock();
  void report(FindingDetail detail);
  uint32_t random() {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<uint32_t>(seed >> 33);
  }
  Accessor accessor(bool device) const;
  /// Visits of sites by lanes, of one threadgroup; only when counting.
  struct VisitTable {
    std::unordered_map<uint64_t, uint32_t> visits;
    std::unordered_map<uint64_t, std::vector<uintptr_t>> seen;
  };
  uint32_t sharedBy(uint32_t positions) const;
  void countLines(VisitTable &table, uintptr_t address, uint32_t bytes, uint32_t site, uint32_t line, uint64_t &count);
  VisitTable deviceVisits, threadgroupVisits;
  std::unordered_set<uintptr_t> deviceLines; ///< touched by the threadgroup

  Launch *launch = nullptr;
  const CompiledKernel *kernel = nullptr;
  std::vector<Lane> lanes;
  std::vector<SimdGroup> groups;
  FibreStacks stacks;
  std::vector<int32_t> freeStacks;
  uint32_t stackCount = 0;
  void *schedulerStack = nullptr, *discarded = nullptr;
  Lane *current = nullptr;
  // The pass over one SIMD-group that is under way.
  Lane *passBase = nullptr;
  uint32_t passCount = 0, passAt = 0, passStart = 0;
  uint64_t seed = 0;
  uint32_t threadCount = 0, groupCount = 0;
  uint64_t threadgroupIndex = 0;
  // Threadgroup memory.
  char *memory = nullptr;
  size_t memoryBytes = 0, memoryCapacity = 0;
  std::vector<void *> threadgroupBuffers;
  std::vector<ThreadgroupRange> ranges;
  std::vector<MemoryRange> threadgroupRanges; ///< the same, as addresses
  // Checks.
  uint32_t epoch = 0, deviceEpoch = 0, launchNumber = 0;
  ThreadgroupShadow shadow;
  PendingReads pendingReads; ///< of declared arrays that are judged strictly, in this interval
  std::unique_ptr<char[]> sink;
  uint32_t lastRange = 0;
  // Where to go on after a trap, and what it was.
  sigjmp_buf escapePoint;
  bool escapable = false;
  int trapSignal = 0;
  uintptr_t trapAddress = 0;
};

/// The machine of the thread that runs generated code.
extern thread_local Machine *machine __attribute__((tls_model("initial-exec")));

/// Bytes that an access which went astray is given instead.
constexpr uint32_t sinkBytes = 1 << 16;

} // namespace softmetal
