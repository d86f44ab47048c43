//===- Shadow.cpp - shadow memory: who touched each byte last ------------------------------------------------------------===//
#include "softmetal/Run/Shadow.h"
#include "softmetal/Abi.h"
#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <sys/mman.h>

namespace softmetal {

Conflict ThreadgroupShadow::access(size_t offset, size_t bytes, uint32_t kind, uint32_t site, const Accessor &who,
                                   bool strict) {
  Conflict conflict;
  bool write = kind & accessWrite, atomic = kind & accessAtomic;
  uint32_t laneBit = 1u << who.lane, groupBit = 1u << who.simdgroup;
  auto found = [&](uint32_t otherSite, bool otherWrote, uint32_t other) {
    if (!conflict.found)
      conflict = {true, otherSite, otherWrote, other, 0};
  };
  for (size_t at = offset >> shift, end = (offset + bytes - 1) >> shift; at <= end; ++at) {
    Cell &cell = cells[at];
    // Against the last write.
    bool isOrdered = cell.writer == who.thread || (cell.writer / 32u == who.simdgroup && cell.writeSubEpoch < who.subEpoch);
    if (cell.writeEpoch == who.epoch && (strict || !isOrdered) && !(atomic && cell.writeAtomic)) {
      found(cell.writeSite, true, cell.writer);
      cell.writeEpoch = who.epoch - 1;
    }
    if (write) {
      // Against the reads since.
      if (cell.readEpoch == who.epoch && !(atomic && cell.readAtomic)) {
        bool others = (cell.readGroups & ~groupBit) != 0;
        bool own = cell.readGroup == who.simdgroup && cell.readSubEpoch == who.subEpoch && (cell.readLanes & ~laneBit);
        if (strict || others || own) {
          found(cell.readSite, false, cell.readGroup * 32u);
          cell.readEpoch = 0;
        }
      }
      cell.writeEpoch = who.epoch;
      cell.writeSubEpoch = who.subEpoch;
      cell.writer = static_cast<uint16_t>(who.thread);
      cell.writeSite = site;
      cell.writeAtomic = atomic;
      continue;
    }
    if (cell.readEpoch != who.epoch) {
      cell.readEpoch = who.epoch;
      cell.readGroups = groupBit;
      cell.readLanes = 0;
      cell.readAtomic = atomic;
      cell.readGroup = static_cast<uint16_t>(who.simdgroup);
      cell.readSubEpoch = who.subEpoch;
    } else if (cell.readGroup != who.simdgroup || cell.readSubEpoch != who.subEpoch) {
      cell.readGroup = static_cast<uint16_t>(who.simdgroup);
      cell.readSubEpoch = who.subEpoch;
      cell.readLanes = 0;
    }
    cell.readGroups |= groupBit;
    cell.readLanes |= laneBit;
    cell.readAtomic &= atomic;
    cell.readSite = site;
  }
  return conflict;
}

void ThreadgroupShadow::written(size_t offset, size_t bytes, uint32_t launch) {
  for (size_t at = offset >> shift, end = (offset + bytes - 1) >> shift; at <= end; ++at)
    writtenIn[at] = launch;
}

uint32_t ThreadgroupShadow::unwritten(size_t offset, size_t bytes, uint32_t launch) const {
  uint32_t count = 0;
  for (size_t at = offset >> shift, end = (offset + bytes - 1) >> shift; at <= end; ++at)
    count += writtenIn[at] != launch;
  return count;
}

/// Memory for shadows, kept between launches: fresh pages cost more than most launches.
class ShadowMemory {
public:
  using Cell = DeviceShadow::Cell;
  static constexpr size_t kept = size_t(256) << 20; ///< bytes at most that wait for another launch
  static constexpr uint32_t lastSerial = 0xffffff;

  Cell *take(size_t bytes, size_t &mapped, uint32_t &madeIn) {
    std::lock_guard lock(mutex);
    madeIn = generation;
    mapped = std::bit_ceil(std::max<size_t>(bytes, 4096));
    if (auto it = free.find(mapped); it != free.end()) {
      void *memory = it->second;
      free.erase(it);
      waiting -= mapped;
      return static_cast<Cell *>(memory);
    }
    void *memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<Cell *>(memory);
  }
  void give(Cell *cells, size_t mapped, uint32_t madeIn) {
    std::lock_guard lock(mutex);
    if (madeIn != generation || waiting + mapped > kept) {
      munmap(static_cast<void *>(cells), mapped);
      return;
    }
    free.emplace(mapped, cells);
    waiting += mapped;
  }
  uint32_t serials(uint64_t count) {
    std::lock_guard lock(mutex);
    count = std::min<uint64_t>(count, lastSerial);
    if (next + count > uint64_t(lastSerial) + 1) { // numbers begin anew: what remembers old ones goes
      for (auto [bytes, memory] : free)
        munmap(memory, bytes);
      free.clear();
      waiting = 0;
      next = 1;
      ++generation;
    }
    uint32_t first = next;
    next += static_cast<uint32_t>(count);
    return first;
  }
  uint32_t current() const { return generation; }

private:
  std::mutex mutex;
  std::multimap<size_t, void *> free;
  size_t waiting = 0;
  uint32_t next = 1;
  std::atomic<uint32_t> generation{0};
};

static ShadowMemory &shadowMemory() {
  static auto *memory = new ShadowMemory; // workers may outlive static destructors
  return *memory;
}

DeviceShadow::DeviceShadow(uintptr_t base, uint64_t bytes, uint32_t shift) : base(base), length(bytes), shift(shift) {
  uint64_t count = ((base + bytes - 1) >> shift) - (base >> shift) + 1;
  cells = shadowMemory().take(count * sizeof(Cell), mapped, generation);
}

DeviceShadow::~DeviceShadow() {
  if (cells)
    shadowMemory().give(cells, mapped, generation);
}

uint32_t DeviceShadow::takeSerials(uint64_t threadgroups) { return shadowMemory().serials(threadgroups); }

void DeviceShadow::setSerials(uint32_t first, uint64_t threadgroups) {
  firstSerial = first;
  serials = static_cast<uint32_t>(std::min<uint64_t>(threadgroups, ShadowMemory::lastSerial));
  if (generation != shadowMemory().current()) { // numbers began anew after this memory was taken
    memset(static_cast<void *>(cells), 0, mapped);
    generation = shadowMemory().current();
  }
}

namespace {
struct Word {
  uint64_t bits;
  static Word make(uint32_t serial, bool atomic, uint32_t epoch, uint32_t thread, uint32_t site) {
    return {uint64_t(serial) << 40 | uint64_t(atomic) << 39 | uint64_t(epoch & epochMask) << 26 |
            uint64_t(thread & 0x3ff) << 16 | (site & 0xffff)};
  }
  uint32_t threadgroup() const { return uint32_t(bits >> 40); } ///< its serial number; 1 and up
  bool atomic() const { return bits >> 39 & 1; }
  bool several() const { return bits >> 38 & 1; } ///< lanes of this threadgroup and epoch
  bool foreign() const { return bits >> 37 & 1; } ///< another threadgroup as well
  uint32_t epoch() const { return uint32_t(bits >> 26) & epochMask; }
  uint32_t thread() const { return uint32_t(bits >> 16) & 0x3ff; }
  uint32_t site() const { return uint32_t(bits) & 0xffff; }
  static constexpr uint64_t atomicBit = uint64_t(1) << 39, severalBit = uint64_t(1) << 38, foreignBit = uint64_t(1) << 37;
  static constexpr uint32_t epochMask = 0x7ff;
};
} // namespace

Conflict DeviceShadow::access(uintptr_t address, uint64_t bytes, uint32_t kind, uint32_t site, uint32_t threadgroup,
                              const Accessor &who) {
  Conflict conflict;
  bool write = kind & accessWrite, atomic = kind & accessAtomic;
  Word mine = Word::make(firstSerial + threadgroup % serials, atomic, who.epoch, who.thread, site);
  // Older launches left their words behind: they mean nothing now.
  auto empty = [&](Word other) { return other.threadgroup() - firstSerial >= serials; };
  // Whether an earlier access and this one are unordered. A reader word may stand for several lanes of its epoch.
  auto unordered = [&](Word other) {
    if (empty(other) || (atomic && other.atomic()))
      return false;
    if (other.threadgroup() != mine.threadgroup() || other.foreign())
      return true;
    return other.epoch() == mine.epoch() && (other.thread() != who.thread || other.several()) &&
           !(who.subEpoch && other.thread() / 32 == who.simdgroup);
  };
  auto found = [&](Word other, bool wrote) {
    if (!conflict.found)
      conflict = {true, other.site(), wrote, other.thread(), other.threadgroup() - firstSerial};
  };
  uintptr_t zero = base >> shift;
  for (uint64_t at = (address >> shift) - zero, end = ((address + bytes - 1) >> shift) - zero; at <= end; ++at) {
    Cell &cell = cells[at];
    if (write) {
      Word last{cell.writer.exchange(mine.bits)};
      if (unordered(last))
        found(last, true);
      Word reader{cell.reader.load(std::memory_order_relaxed)}; // the exchange was a fence
      if (unordered(reader)) {
        found(reader, false);
        cell.reader.store(0, std::memory_order_relaxed);
      }
      continue;
    }
    // Set first, check then: of a reader and a writer that meet, at least one sees the other.
    Word last{cell.reader.load(std::memory_order_relaxed)};
    uint64_t next = mine.bits;
    if (!empty(last)) {
      bool same = last.threadgroup() == mine.threadgroup();
      if (!same || last.foreign())
        next |= Word::foreignBit;
      if (same && last.epoch() == mine.epoch() && (last.several() || last.thread() != who.thread))
        next |= Word::severalBit;
      if (!last.atomic() && (next & (Word::foreignBit | Word::severalBit)))
        next &= ~Word::atomicBit;
    }
    if (next != last.bits)
      cell.reader.exchange(next);
    Word writer{cell.writer.load(std::memory_order_relaxed)};
    if (unordered(writer))
      found(writer, true);
  }
  return conflict;
}

} // namespace softmetal
