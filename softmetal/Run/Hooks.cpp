//===- Hooks.cpp - the functions that generated code calls ---------------------------------------------------------------===//
#include "softmetal/Run/Machine.h"
#include <algorithm>
#include <bit>
#include <cstring>

using namespace softmetal;

namespace softmetal {

Accessor Machine::accessor(bool device) const {
  const LaneIds &ids = current->ids;
  const SimdGroup &group = groups[ids.simdgroup];
  return {ids.threadIndex, ids.simdgroup, ids.lane, device ? deviceEpoch : epoch, device ? group.deviceEpoch : group.threadgroupEpoch};
}

constexpr uint32_t word = 4; ///< bytes of what atomics change

/// Zeros, in place of what an access outside everything would reach. An element of 16 bits lies in the same half of its word there.
void *Machine::nowhere(char *pointer, uint32_t bytes, uint32_t align) {
  if (bytes > sinkBytes - word) {
    launch->finish(Stop::Fault);
    abandon();
  }
  memset(sink.get(), 0, bytes + word);
  return sink.get() + (reinterpret_cast<uintptr_t>(pointer) % word & -align);
}

void *Machine::boundsDevice(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t buffer, uint32_t align) {
  const BufferRange *inside = nullptr;
  auto first = reinterpret_cast<uintptr_t>(pointer);
  auto holds = [&](const BufferRange &range) {
    auto begin = reinterpret_cast<uintptr_t>(range.address);
    return first >= begin && first - begin <= range.bytes && bytes <= range.bytes - (first - begin);
  };
  const auto &buffers = launch->arguments.buffers;
  FindingDetail detail{Finding::Bounds, site, 0};
  if (buffer != anyBuffer) {
    if (buffer < buffers.size() && holds(buffers[buffer]))
      inside = &buffers[buffer];
    detail.buffer = static_cast<int32_t>(buffer);
    if (buffer < buffers.size()) {
      detail.offset = pointer - buffers[buffer].address;
      detail.length = buffers[buffer].bytes;
    }
  } else {
    // Lanes walk along one array for a while, so the range of last time comes first.
    const auto &ranges = launch->ranges;
    if (lastRange < ranges.size() && holds(ranges[lastRange]))
      inside = &ranges[lastRange];
    for (uint32_t i = 0; !inside && i < ranges.size(); ++i)
      if (holds(ranges[i])) {
        inside = &ranges[i];
        lastRange = i;
      }
    if (!inside) {
      // The registered array that it is nearest to, if it is near.
      int64_t best = 1 << 20;
      for (uint32_t i = 0; i < ranges.size(); ++i) {
        int64_t offset = pointer - ranges[i].address;
        int64_t away = offset < 0 ? -offset : offset - static_cast<int64_t>(ranges[i].bytes);
        if (away < best) {
          best = away;
          detail.offset = offset;
          detail.length = ranges[i].bytes;
          detail.buffer = static_cast<int32_t>(i);
        }
      }
      detail.access = 4; // the buffer is a range's number, not an argument's
    }
  }
  if (!inside) {
    detail.bytes = bytes;
    detail.access |= access;
    detail.lane = current->ids.threadIndex;
    report(detail);
    return nowhere(pointer, bytes, align);
  }
  if (reinterpret_cast<uintptr_t>(pointer) & (align - 1)) {
    FindingDetail misaligned{Finding::Alignment, site, 0};
    misaligned.bytes = align;
    misaligned.offset = pointer - inside->address;
    misaligned.lane = current->ids.threadIndex;
    report(misaligned);
  }
  return pointer;
}

/// Whether an access stays within the array. An offset before all of threadgroup memory is a huge one, so nothing is added to it.
static bool holds(const ThreadgroupRange &range, uint64_t offset, uint64_t bytes) {
  return offset >= range.begin && offset <= range.end && bytes <= range.end - offset;
}

void *Machine::boundsThreadgroup(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t align) {
  auto offset = static_cast<uint64_t>(pointer - memory);
  for (const ThreadgroupRange &range : ranges)
    if (holds(range, offset, bytes)) {
      if (offset & (align - 1)) {
        FindingDetail misaligned{Finding::Alignment, site, 0};
        misaligned.bytes = align;
        misaligned.offset = static_cast<int64_t>(offset - range.begin);
        misaligned.lane = current->ids.threadIndex;
        report(misaligned);
      }
      return pointer;
    }
  FindingDetail detail{Finding::ThreadgroupBounds, site, 0};
  detail.offset = static_cast<int64_t>(offset);
  detail.bytes = bytes;
  detail.access = access;
  detail.lane = current->ids.threadIndex;
  for (const ThreadgroupRange &range : ranges) // red zones make the array before it the one that was meant
    if (offset >= range.begin && offset < uint64_t(range.end) + 64) {
      detail.offset = static_cast<int64_t>(offset - range.begin);
      detail.length = range.end - range.begin;
      detail.buffer = static_cast<int32_t>(&range - ranges.data());
    }
  report(detail);
  return nowhere(pointer, bytes, align);
}

void *Machine::boundsPrivate(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, char *object, uint32_t length) {
  FindingDetail detail{Finding::PrivateBounds, site, 0};
  detail.offset = pointer - object;
  detail.length = length;
  detail.bytes = bytes;
  detail.access = access;
  detail.lane = current->ids.threadIndex;
  report(detail);
  return nowhere(pointer, bytes, word);
}

const MemoryRange *Machine::deviceRange(char *pointer, uint32_t buffer) {
  static const MemoryRange nothing;
  if (buffer != anyBuffer)
    return buffer < launch->checkedBuffers.size() ? &launch->checkedBuffers[buffer] : &nothing;
  for (const MemoryRange &range : launch->checkedRanges)
    if (pointer >= range.begin && static_cast<uint64_t>(pointer - range.begin) < range.bytes)
      return &range;
  return &nothing;
}

const MemoryRange *Machine::threadgroupRange(char *pointer) const {
  static const MemoryRange nothing;
  for (const MemoryRange &range : threadgroupRanges)
    if (pointer >= range.begin && static_cast<uint64_t>(pointer - range.begin) < range.bytes)
      return &range;
  return &nothing;
}

/// Whether bytes of threadgroup memory lie within one array.
bool Machine::inArray(size_t offset, size_t bytes) const {
  return std::any_of(ranges.begin(), ranges.end(), [&](const ThreadgroupRange &range) { return holds(range, offset, bytes); });
}

/// Whether only barriers order accesses to this byte: it lies in an array of a kernel whose arrays are judged so.
bool Machine::isOrderedStrictly(size_t offset) const {
  const std::vector<ThreadgroupObject> &objects = kernel->facts.objects;
  return kernel->facts.arrayOrder && std::any_of(objects.begin(), objects.end(), [&](const ThreadgroupObject &object) {
           return offset >= object.begin && offset < object.end;
         });
}

void Machine::raceThreadgroup(char *pointer, uint32_t bytes, uint32_t access, uint32_t site) {
  auto offset = static_cast<size_t>(pointer - memory);
  if (!bytes || offset >= memoryBytes || bytes > memoryBytes - offset)
    return; // the bounds check reports it
  bool strict = isOrderedStrictly(offset);
  Conflict conflict = shadow.access(offset, bytes, access, site, accessor(false), strict);
  if (!conflict.found)
    return;
  if (!inArray(offset, bytes))
    return; // within a red zone: the bounds check reports it
  FindingDetail detail{Finding::Race, site, conflict.site};
  detail.offset = static_cast<int64_t>(offset);
  detail.bytes = bytes;
  detail.access = access;
  detail.otherAccess = conflict.otherWrote ? accessWrite : 0;
  detail.lane = current->ids.threadIndex;
  if (std::optional<FindingDetail> read = conflict.otherWrote ? std::nullopt : pendingReads.take(offset, bytes)) {
    bool isOwn = read->lane == detail.lane;
    detail = *read;
    if (!isOwn) { // else the lane reads first and writes then: no barrier would help
      detail.kind = Finding::Race;
      detail.otherSite = site;
      detail.otherAccess = access;
    }
  }
  report(detail);
}

void Machine::raceDevice(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, const MemoryRange *range) {
  auto address = reinterpret_cast<uintptr_t>(pointer);
  DeviceShadow *device = range ? range->shadow : nullptr;
  if (!device || !device->contains(address, bytes)) {
    device = nullptr;
    for (const auto &shadow : launch->shadows)
      if (shadow->contains(address, bytes))
        device = shadow.get();
  }
  if (!device || !bytes)
    return;
  Conflict conflict = device->access(address, bytes, access, site, static_cast<uint32_t>(threadgroupIndex), accessor(true));
  if (!conflict.found)
    return;
  FindingDetail detail{Finding::DeviceRace, site, conflict.site};
  for (const BufferRange &registered : launch->ranges)
    if (pointer >= registered.address && static_cast<uint64_t>(pointer - registered.address) < registered.bytes) {
      detail.buffer = static_cast<int32_t>(&registered - launch->ranges.data());
      detail.offset = pointer - registered.address;
      break;
    }
  detail.bytes = bytes;
  detail.access = access | 4;
  detail.otherAccess = conflict.otherWrote ? accessWrite : 0;
  detail.lane = current->ids.threadIndex;
  report(detail);
}

void Machine::readThreadgroup(char *pointer, uint32_t bytes, uint32_t site) {
  auto offset = static_cast<size_t>(pointer - memory);
  if (!bytes || offset >= memoryBytes || bytes > memoryBytes - offset)
    return;
  if (!shadow.unwritten(offset, bytes, launchNumber) || !inArray(offset, bytes))
    return;
  FindingDetail detail{Finding::Uninitialised, site, 0};
  detail.offset = static_cast<int64_t>(offset);
  detail.bytes = bytes;
  detail.lane = current->ids.threadIndex;
  if (isOrderedStrictly(offset))
    pendingReads.add(detail);
  else
    report(detail);
}

/// Reports the reads that no write followed in the interval that ends.
void Machine::settlePendingReads() {
  if (!pendingReads.empty())
    for (const FindingDetail &read : pendingReads.takeAll())
      report(read);
}

void Machine::writtenThreadgroup(char *pointer, uint32_t bytes) {
  auto offset = static_cast<size_t>(pointer - memory);
  if (bytes && offset < memoryBytes && bytes <= memoryBytes - offset)
    shadow.written(offset, bytes, launchNumber);
}

bool Machine::escape(int signal, uintptr_t address) {
  if (!escapable)
    return false;
  escapable = false;
  trapSignal = signal;
  trapAddress = address;
  siglongjmp(escapePoint, 1);
}

void Machine::poll(uint32_t site) {
  launch->poll();
  if (!stopping())
    return;
  if (launch->reason.load() == Stop::Timeout && kernel->facts.pollsEverywhere) // code that is to be fast has no lines
    report({Finding::Timeout, site, 0});
  abandon();
}

/// The logarithm of how many lanes do alike what depends on these bits of their position.
uint32_t Machine::sharedBy(uint32_t positions) const {
  uint32_t groupPositions = std::bit_ceil(groupCount) - 1;
  return std::popcount(~positions & 31) + std::popcount(~(positions >> 5) & groupPositions);
}

void Machine::countDistinct(int32_t arithmetic, uint32_t special, uint32_t products, uint32_t positions) {
  uint32_t shared = sharedBy(positions);
  static_assert(Counters::distinctUnits == 32 << 10, "at most 1024 lanes do the same, and a lane's part is counted in 32nds");
  counters.distinctFloat += uint64_t(int64_t(arithmetic) * 1024 >> shared); // of negative parts the complement: they add up
  counters.distinctSpecial += uint64_t(special) * Counters::distinctUnits >> shared;
  counters.distinctProducts += uint64_t(products) * Counters::distinctUnits >> shared;
}

void Machine::countDevice(char *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t positions) {
  ++counters.deviceAccesses;
  counters.deviceBytes += bytes;
  uint64_t &distinct = access & accessAtomic  ? counters.distinctAtomic
                       : access & accessWrite ? counters.distinctStored
                                              : counters.distinctLoaded;
  distinct += uint64_t(bytes) * Counters::distinctUnits >> sharedBy(positions);
  auto address = reinterpret_cast<uintptr_t>(pointer);
  countLines(deviceVisits, address, bytes, site, 128, counters.deviceTransactions);
  for (uintptr_t line = address / 128; line <= (address + std::max(bytes, 1u) - 1) / 128; ++line)
    counters.deviceLines += deviceLines.insert(line).second;
}

void Machine::countThreadgroup(char *pointer, uint32_t bytes, uint32_t site) {
  ++counters.threadgroupAccesses;
  counters.threadgroupBytes += bytes;
  countLines(threadgroupVisits, static_cast<uintptr_t>(pointer - memory), bytes, site, 4, counters.bankConflicts);
}

/// Lanes of a SIMD-group run one after another, so the n-th visit of a site by one lane belongs together with the n-th visits of the
/// others. Of device memory, each line that a visit touches is counted once; of threadgroup memory, each word that another lane of
/// the visit reached through the same bank by a different address.
void Machine::countLines(VisitTable &table, uintptr_t address, uint32_t bytes, uint32_t site, uint32_t line, uint64_t &count) {
  const LaneIds &ids = current->ids;
  uint32_t visit = table.visits[uint64_t(site) << 32 | ids.threadIndex]++;
  auto &seen = table.seen[uint64_t(site) << 40 | uint64_t(ids.simdgroup) << 32 | visit];
  for (uintptr_t at = address / line; at <= (address + std::max(bytes, 1u) - 1) / line; ++at) {
    if (std::find(seen.begin(), seen.end(), at) != seen.end())
      continue;
    bool conflict = line == 128 || std::any_of(seen.begin(), seen.end(), [&](uintptr_t other) { return other % 32 == at % 32; });
    count += conflict;
    seen.push_back(at);
  }
}

} // namespace softmetal

extern "C" {

void softmetal_rt_barrier(uint32_t flags, uint32_t site) {
  Lane &lane = machine->lane();
  lane.state = LaneState::AtBarrier;
  lane.immediate = flags;
  lane.site = site;
  machine->wait(lane);
}

void softmetal_rt_collective(uint32_t operation, uint32_t types, uint32_t site, void *a, void *b, uint32_t immediate,
                             uint32_t immediate2, uint32_t bytes) {
  Lane &lane = machine->lane();
  lane.operation = static_cast<Collective>(operation);
  lane.types = types;
  lane.site = site;
  lane.a = a;
  lane.b = b;
  lane.immediate = immediate;
  lane.immediate2 = immediate2;
  lane.bytes = bytes;
  lane.state = LaneState::AtCollective;
  machine->wait(lane);
}

char *softmetal_rt_threadgroup() { return machine->threadgroupMemory(); }
uint32_t softmetal_rt_lane() { return machine->lane().ids.lane; }
void softmetal_rt_poll(uint32_t site) { machine->poll(site); }
void softmetal_rt_yield() {
  Lane &lane = machine->lane();
  lane.state = LaneState::Yielded;
  machine->wait(lane);
}

void *softmetal_rt_bounds_device(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t buffer, uint32_t align) {
  return machine->boundsDevice(static_cast<char *>(pointer), bytes, access, site, buffer, align);
}
void *softmetal_rt_bounds_threadgroup(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t align) {
  return machine->boundsThreadgroup(static_cast<char *>(pointer), bytes, access, site, align);
}
void *softmetal_rt_bounds_private(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, void *object, uint32_t length) {
  return machine->boundsPrivate(static_cast<char *>(pointer), bytes, access, site, static_cast<char *>(object), length);
}
const MemoryRange *softmetal_rt_device_range(void *pointer, uint32_t buffer) {
  return machine->deviceRange(static_cast<char *>(pointer), buffer);
}
const MemoryRange *softmetal_rt_threadgroup_range(void *pointer) { return machine->threadgroupRange(static_cast<char *>(pointer)); }
void softmetal_rt_race_device(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, const MemoryRange *range) {
  machine->raceDevice(static_cast<char *>(pointer), bytes, access, site, range);
}
void softmetal_rt_race_threadgroup(void *pointer, uint32_t bytes, uint32_t access, uint32_t site) {
  machine->raceThreadgroup(static_cast<char *>(pointer), bytes, access, site);
}
void softmetal_rt_written_threadgroup(void *pointer, uint32_t bytes) {
  machine->writtenThreadgroup(static_cast<char *>(pointer), bytes);
}
void softmetal_rt_read_threadgroup(void *pointer, uint32_t bytes, uint32_t site) {
  machine->readThreadgroup(static_cast<char *>(pointer), bytes, site);
}
void softmetal_rt_count_device(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t positions) {
  machine->countDevice(static_cast<char *>(pointer), bytes, access, site, positions);
}
void softmetal_rt_count_threadgroup(void *pointer, uint32_t bytes, uint32_t, uint32_t site) {
  machine->countThreadgroup(static_cast<char *>(pointer), bytes, site);
}
void softmetal_rt_count_operations(uint32_t arithmetic) { machine->counters.floatOperations += arithmetic; }
void softmetal_rt_count_distinct(int32_t arithmetic, uint32_t special, uint32_t products, uint32_t positions) {
  machine->countDistinct(arithmetic, special, products, positions);
}
}
