//===- Shadow.cpp - shadow memory: who touched each byte last ------------------------------------------------------------===//
#include "softmetal/Run/Shadow.h"
#include "softmetal/Run/Abi.h"
#include <algorithm>
#include <sys/mman.h>

namespace softmetal {

Conflict ThreadgroupShadow::access(size_t offset, size_t bytes, uint32_t kind, uint32_t site, const Accessor &who) {
  Conflict conflict;
  bool write = kind & accessWrite, atomic = kind & accessAtomic;
  uint32_t laneBit = 1u << who.lane, groupBit = 1u << who.simdgroup;
  auto found = [&](uint32_t otherSite, bool otherWrote, uint32_t other) {
    if (!conflict.found)
      conflict = {true, otherSite, otherWrote, other, 0};
  };
  for (size_t at = offset; at < offset + bytes; ++at) {
    Cell &cell = cells[at];
    // Against the last write.
    if (cell.writeEpoch == who.epoch && cell.writer != who.thread && !(atomic && cell.writeAtomic) &&
        !(cell.writer / 32u == who.simdgroup && cell.writeSubEpoch < who.subEpoch)) {
      found(cell.writeSite, true, cell.writer);
      cell.writeEpoch = who.epoch - 1;
    }
    if (write) {
      // Against the reads since.
      if (cell.readEpoch == who.epoch && !(atomic && cell.readAtomic)) {
        bool others = (cell.readGroups & ~groupBit) != 0;
        bool own = cell.readGroup == who.simdgroup && cell.readSubEpoch == who.subEpoch && (cell.readLanes & ~laneBit);
        if (others || own) {
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
  std::fill_n(writtenIn.begin() + static_cast<ptrdiff_t>(offset), bytes, launch);
}

uint32_t ThreadgroupShadow::unwritten(size_t offset, size_t bytes, uint32_t launch) const {
  uint32_t count = 0;
  for (size_t at = offset; at < offset + bytes; ++at)
    count += writtenIn[at] != launch;
  return count;
}

DeviceShadow::DeviceShadow(uintptr_t base, uint64_t bytes) : base(base), length(bytes) {
  void *memory = mmap(nullptr, bytes * sizeof(Cell), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  cells = memory == MAP_FAILED ? nullptr : static_cast<Cell *>(memory);
}

DeviceShadow::~DeviceShadow() {
  if (cells)
    munmap(static_cast<void *>(cells), length * sizeof(Cell));
}

namespace {
struct Word {
  uint64_t bits;
  static Word make(uint32_t threadgroup, bool atomic, uint32_t epoch, uint32_t thread, uint32_t site) {
    return {uint64_t(threadgroup % 0xfffffe + 1) << 40 | uint64_t(atomic) << 39 | uint64_t(epoch & epochMask) << 26 |
            uint64_t(thread & 0x3ff) << 16 | (site & 0xffff)};
  }
  bool empty() const { return bits == 0; }
  uint64_t threadgroup() const { return bits >> 40; } ///< 1 and up
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
  Word mine = Word::make(threadgroup, atomic, who.epoch, who.thread, site);
  // Whether an earlier access and this one are unordered. A reader word may stand for several lanes of its epoch.
  auto unordered = [&](Word other) {
    if (other.empty() || (atomic && other.atomic()))
      return false;
    if (other.threadgroup() != mine.threadgroup() || other.foreign())
      return true;
    return other.epoch() == mine.epoch() && (other.thread() != who.thread || other.several()) &&
           !(who.subEpoch && other.thread() / 32 == who.simdgroup);
  };
  auto found = [&](Word other, bool wrote) {
    if (!conflict.found)
      conflict = {true, other.site(), wrote, other.thread(), uint32_t(other.threadgroup() - 1)};
  };
  for (uint64_t at = address - base; at < address - base + bytes; ++at) {
    Cell &cell = cells[at];
    if (write) {
      Word last{cell.writer.exchange(mine.bits)};
      if (unordered(last))
        found(last, true);
      Word reader{cell.reader.load()};
      if (unordered(reader)) {
        found(reader, false);
        cell.reader.store(0);
      }
      continue;
    }
    // Set first, check then: of a reader and a writer that meet, at least one sees the other.
    Word last{cell.reader.load(std::memory_order_relaxed)};
    uint64_t next = mine.bits;
    if (!last.empty()) {
      bool same = last.threadgroup() == mine.threadgroup();
      if (!same || last.foreign())
        next |= Word::foreignBit;
      if (same && last.epoch() == mine.epoch() && (last.several() || last.thread() != who.thread))
        next |= Word::severalBit;
      if (!last.atomic() && (next & (Word::foreignBit | Word::severalBit)))
        next &= ~Word::atomicBit;
    }
    cell.reader.store(next);
    Word writer{cell.writer.load()};
    if (unordered(writer))
      found(writer, true);
  }
  return conflict;
}

} // namespace softmetal
