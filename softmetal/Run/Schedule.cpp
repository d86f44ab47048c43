//===- Schedule.cpp - which lane runs when -------------------------------------------------------------------------------===//
#include "softmetal/Run/Machine.h"
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace softmetal {

thread_local Machine *machine __attribute__((tls_model("initial-exec")));

/// The first function of every fibre: runs lanes one after another for as long as they meet nobody.
void laneMain() {
  for (;;) {
    Machine &m = *machine;
    Lane *lane = m.current;
    m.kernel->entry(&lane->ids);
    // A lane may have been resumed here after others ran; `machine` is the same, for a fibre never leaves its thread.
    lane->state = LaneState::Done;
    Lane *next = m.nextLane();
    if (next && next->state == LaneState::Fresh) {
      next->fibre = lane->fibre;
      next->state = LaneState::Ready;
      lane->fibre = -1;
      m.current = next;
      continue;
    }
    // Nobody uses this stack again before the switch below has left it.
    m.freeStacks.push_back(lane->fibre);
    lane->fibre = -1;
    m.current = next;
    softmetal_fibre_switch(&m.discarded, next ? next->stack : m.schedulerStack);
  }
}

Machine::Machine() : sink(new char[sinkBytes]()) {}

Machine::~Machine() { free(memory); }

/// The next lane of the pass that can run, or null.
Lane *Machine::nextLane() {
  while (passAt < passCount) {
    Lane &lane = passBase[(passStart + passAt++) % passCount];
    if (lane.state == LaneState::Ready || lane.state == LaneState::Fresh)
      return &lane;
  }
  return nullptr;
}

/// Gives a fresh lane a stack.
void Machine::enter(Lane &lane) {
  if (lane.state != LaneState::Fresh)
    return;
  if (!freeStacks.empty()) {
    lane.fibre = freeStacks.back();
    freeStacks.pop_back();
  } else
    lane.fibre = static_cast<int32_t>(stackCount++);
  lane.stack = newFibre(stacks.top(static_cast<uint32_t>(lane.fibre)), laneMain);
  lane.state = LaneState::Ready;
}

/// Parks the current lane, which has set its state, and runs another one.
void Machine::wait(Lane &lane) {
  ++counters.switches;
  Lane *next = nextLane();
  if (next)
    enter(*next);
  current = next;
  softmetal_fibre_switch(&lane.stack, next ? next->stack : schedulerStack);
}

/// Leaves the current lane for good. Its frames hold nothing that needs undoing.
void Machine::abandon() {
  current->state = LaneState::Done;
  launch->stop.store(true, std::memory_order_relaxed);
  softmetal_fibre_switch(&discarded, schedulerStack);
  __builtin_unreachable();
}

void Machine::runLanes(uint32_t group) {
  passBase = &lanes[group * 32];
  passCount = std::min(32u, threadCount - group * 32);
  passStart = launch->options.seed ? random() % passCount : 0;
  passAt = 0;
  Lane *first = nextLane();
  if (!first)
    return;
  enter(*first);
  current = first;
  softmetal_fibre_switch(&schedulerStack, first->stack);
}

/// Executes one collective of a SIMD-group in which no lane can run. False if none waits at one.
///
/// Of lanes at different sites, those at the site that comes first in the program go first: lanes still in a loop before lanes behind
/// it, which is where the hardware would make them meet again.
bool Machine::meet(uint32_t group) {
  uint32_t waiting = 0, live = 0, order = ~0u, site = 0;
  Lane *list[32];
  for (uint32_t i = 0; i < passCount; ++i)
    if (passBase[i].state == LaneState::Yielded)
      return false; // it comes first: it may reach the same operation
  for (uint32_t i = 0; i < passCount; ++i) {
    Lane &lane = passBase[i];
    list[i] = &lane;
    if (lane.state == LaneState::Done)
      continue;
    live |= 1u << i;
    if (lane.state != LaneState::AtCollective)
      continue;
    uint32_t place = kernel->facts.sites[lane.site].order;
    if (!waiting || place < order) {
      order = place;
      site = lane.site;
      waiting = 0;
    }
    if (lane.site == site)
      waiting |= 1u << i;
  }
  if (!waiting)
    return false;
  if (waiting != live && kernel->divergence) {
    FindingDetail detail{Finding::Divergence, site, 0};
    detail.lane = list[std::countr_zero(waiting)]->ids.threadIndex;
    report(detail);
  }
  ++counters.collectives;
  resolve(group, list, waiting);
  for (uint32_t i = 0; i < passCount; ++i)
    if (waiting >> i & 1)
      list[i]->state = LaneState::Ready;
  return true;
}

/// Opens the barrier if all live lanes wait at it. False if lanes are left that can neither run nor meet.
bool Machine::release() {
  const Lane *first = nullptr;
  uint32_t flags = 0;
  for (Lane &lane : lanes) {
    if (lane.state == LaneState::Done)
      continue;
    if (lane.state != LaneState::AtBarrier)
      return false;
    if (!first)
      first = &lane;
    flags |= lane.immediate;
    // Apple's optimiser duplicates barriers, so only in our own text does a barrier have an identity.
    if (lane.site != first->site && kernel->fromText) {
      FindingDetail detail{Finding::Divergence, first->site, lane.site};
      detail.lane = lane.ids.threadIndex;
      report(detail);
      launch->finish(Stop::Fault);
      return true;
    }
  }
  ++counters.barriers;
  if (flags & memThreadgroup) {
    settlePendingReads();
    ++epoch;
  }
  if (flags & memDevice) {
    ++deviceEpoch;
    for (SimdGroup &group : groups)
      group.deviceEpoch = 0;
  }
  for (Lane &lane : lanes)
    if (lane.state == LaneState::AtBarrier)
      lane.state = LaneState::Ready;
  return true;
}

/// Lets the lanes run again that gave up their turn. False if there were none.
bool Machine::wakeYielded() {
  bool any = false;
  for (Lane &lane : lanes)
    if (lane.state == LaneState::Yielded) {
      lane.state = LaneState::Ready;
      any = true;
    }
  return any;
}

/// After a jump out of a lane that the processor could not go on with.
void Machine::trapped() {
  settlePendingReads(); // what was read may be why
  FindingDetail detail{Finding::Trap, 0, 0};
  detail.access = static_cast<uint32_t>(trapSignal);
  detail.offset = static_cast<int64_t>(trapAddress);
  detail.lane = current ? current->ids.threadIndex : 0;
  if (int lane = stacks.guardAt(reinterpret_cast<void *>(trapAddress)); lane >= 0)
    detail.kind = Finding::StackOverflow;
  report(detail);
  launch->finish(Stop::Fault);
  stackCount = 0; // lanes that did not end are dropped, and their stacks with them
  freeStacks.clear();
}

void Machine::deadlock() {
  const Lane *one = nullptr, *other = nullptr;
  for (const Lane &lane : lanes)
    if (lane.state == LaneState::AtBarrier || lane.state == LaneState::AtCollective) {
      if (!one)
        one = &lane;
      else if (lane.site != one->site && !other)
        other = &lane;
    }
  FindingDetail detail{Finding::Deadlock, one ? one->site : 0, other ? other->site : 0};
  report(detail);
  launch->finish(Stop::Fault);
}

/// What stays the same for every threadgroup of the launch.
void Machine::prepare() {
  const LaunchArguments &arguments = launch->arguments;
  kernel = &launch->kernel;
  threadCount = arguments.threads[0] * arguments.threads[1] * arguments.threads[2];
  groupCount = (threadCount + 31) / 32;
  lanes.assign(threadCount, Lane());
  groups.assign(groupCount, SimdGroup());
  stackCount = 0;
  freeStacks.clear();

  memoryBytes = kernel->facts.threadgroupBytes;
  ranges.clear();
  for (const ThreadgroupObject &object : kernel->facts.objects)
    ranges.push_back({object.begin, object.end});
  threadgroupBuffers.assign(std::max<size_t>(1, arguments.threadgroupBytes.size()), nullptr);
  std::vector<size_t> offsets;
  for (uint32_t bytes : arguments.threadgroupBytes) {
    memoryBytes = (memoryBytes + 255) & ~size_t(255);
    offsets.push_back(memoryBytes);
    ranges.push_back({static_cast<uint32_t>(memoryBytes), static_cast<uint32_t>(memoryBytes + bytes)});
    memoryBytes += bytes + (kernel->checked ? 64 : 0);
  }
  memoryBytes = (memoryBytes + 255) & ~size_t(255);
  if (memoryBytes > memoryCapacity || !memory) {
    free(memory);
    memoryCapacity = std::max<size_t>(memoryBytes, 4096);
    memory = static_cast<char *>(aligned_alloc(256, memoryCapacity));
  }
  for (size_t i = 0; i < offsets.size(); ++i)
    threadgroupBuffers[i] = arguments.threadgroupBytes[i] ? memory + offsets[i] : nullptr;
  if (kernel->facts.races || kernel->facts.initialisation)
    shadow.resize(memoryBytes);
  shadow.setShift(kernel->facts.threadgroupShift);
  threadgroupRanges.clear();
  for (const ThreadgroupRange &range : ranges)
    threadgroupRanges.push_back({memory + range.begin, range.end - range.begin, nullptr});

  for (uint32_t i = 0; i < threadCount; ++i) {
    LaneIds &ids = lanes[i].ids;
    memset(&ids, 0, sizeof ids);
    const uint32_t *threads = arguments.threads;
    ids.threadInThreadgroup[0] = i % threads[0];
    ids.threadInThreadgroup[1] = i / threads[0] % threads[1];
    ids.threadInThreadgroup[2] = i / threads[0] / threads[1];
    for (int d = 0; d < 3; ++d) {
      ids.threadsPerThreadgroup[d] = threads[d];
      ids.threadsPerGrid[d] = static_cast<uint32_t>(arguments.gridThreads[d]);
      ids.threadgroupsPerGrid[d] = static_cast<uint32_t>(arguments.threadgroups[d]);
    }
    ids.lane = i & 31;
    ids.simdgroup = i >> 5;
    ids.threadIndex = i;
    ids.simdgroups = groupCount;
    ids.quadLane = i & 3;
    ids.quadgroup = i >> 2;
    ids.buffers = launch->bufferPointers.data();
    ids.threadgroupBuffers = threadgroupBuffers.data();
  }
}

bool Machine::runThreadgroup(uint64_t index) {
  const LaunchArguments &arguments = launch->arguments;
  threadgroupIndex = index;
  seed = launch->options.seed ? (launch->options.seed + index * 0x9e3779b97f4a7c15ull) * 2862933555777941757ull + 3037000493ull : 0;
  uint32_t place[3] = {static_cast<uint32_t>(index % arguments.threadgroups[0]),
                       static_cast<uint32_t>(index / arguments.threadgroups[0] % arguments.threadgroups[1]),
                       static_cast<uint32_t>(index / arguments.threadgroups[0] / arguments.threadgroups[1])};
  ++epoch;
  ++deviceEpoch;
  ++launchNumber;
  for (SimdGroup &group : groups)
    group = {};
  if (kernel->checked)
    memset(memory, 0xCB, memoryBytes);
  if (kernel->facts.count)
    deviceVisits = {}, threadgroupVisits = {}, deviceLines.clear();
  for (Lane &lane : lanes) {
    bool inside = true;
    for (int d = 0; d < 3; ++d) {
      lane.ids.threadgroupInGrid[d] = place[d];
      uint64_t position = uint64_t(place[d]) * arguments.threads[d] + lane.ids.threadInThreadgroup[d];
      lane.ids.threadInGrid[d] = static_cast<uint32_t>(position);
      inside &= position < arguments.gridThreads[d];
    }
    lane.state = inside ? LaneState::Fresh : LaneState::Done;
    counters.lanes += inside;
  }
  for (;;) {
    uint32_t firstGroup = launch->options.seed ? random() % groupCount : 0;
    for (uint32_t g = 0; g < groupCount; ++g) {
      uint32_t group = (g + firstGroup) % groupCount;
      do {
        if (stopping())
          return false;
        runLanes(group);
        if (stopping())
          return false;
      } while (meet(group));
    }
    launch->poll();
    if (wakeYielded())
      continue;
    if (std::all_of(lanes.begin(), lanes.end(), [](const Lane &lane) { return lane.state == LaneState::Done; }))
      return true;
    if (!release()) {
      deadlock();
      return false;
    }
    if (stopping())
      return false;
  }
}

void Machine::report(FindingDetail detail) {
  uint64_t across = launch->arguments.threadgroups[0], down = launch->arguments.threadgroups[1];
  detail.threadgroup[0] = static_cast<uint32_t>(threadgroupIndex % across);
  detail.threadgroup[1] = static_cast<uint32_t>(threadgroupIndex / across % down);
  detail.threadgroup[2] = static_cast<uint32_t>(threadgroupIndex / across / down);
  log.add(detail);
}

void Machine::run(Launch &work) {
  launch = &work;
  counters = {};
  log.clear();
  prepare();
  machine = this;
  if (sigsetjmp(escapePoint, 0)) {
    trapped();
    machine = nullptr;
    work.merge(log, counters);
    return;
  }
  escapable = true;
  if (!stacks.reserve(threadCount, kernel->facts.stackBytes)) {
    report({Finding::StackOverflow, 0, 0});
    launch->finish(Stop::Fault);
  }
  uint64_t begin = 0, end = 0;
  while (!stopping() && work.take(begin, end))
    for (uint64_t index = begin; index < end; ++index) {
      bool isComplete = runThreadgroup(work.place(index));
      settlePendingReads();
      if (!isComplete) {
        stackCount = 0; // lanes that did not end are dropped, and their stacks with them
        freeStacks.clear();
        break;
      }
    }
  escapable = false;
  machine = nullptr;
  work.merge(log, counters);
}

} // namespace softmetal
