//===- Shadow.h - shadow memory: who touched each byte last --------------------------------------------------------------===//
//
// The rule for threadgroup memory is exact for barriers. The epoch of a threadgroup rises at a threadgroup_barrier that orders
// threadgroup memory; the sub-epoch of a SIMD-group at its simdgroup_barrier that does. SIMD operations order nothing. Two accesses
// of different lanes, one of them a write and not both atomic, are ordered only by an epoch between them or, within a SIMD-group,
// by a sub-epoch. The first access of a pair stays in the shadow; each pair of sites is reported once and counted.
//
// Epochs never fall while a worker lives, so the shadow needs no clearing between threadgroups.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace softmetal {

/// What an access conflicts with.
struct Conflict {
  bool found = false;
  uint32_t site = 0;
  bool otherWrote = false;
  uint32_t otherLane = 0, otherThreadgroup = 0;
};

/// Who accesses.
struct Accessor {
  uint32_t thread;     ///< index in the threadgroup
  uint32_t simdgroup, lane;
  uint32_t epoch;      ///< of the threadgroup, for the memory in question
  uint32_t subEpoch;   ///< of the SIMD-group
};

/// Shadow of a worker's threadgroup memory.
class ThreadgroupShadow {
public:
  void resize(size_t bytes) {
    if (cells.size() < bytes)
      cells.resize(bytes);
    if (writtenIn.size() < bytes)
      writtenIn.resize(bytes);
  }
  size_t size() const { return cells.size(); }
  Conflict access(size_t offset, size_t bytes, uint32_t kind, uint32_t site, const Accessor &who);

  /// Initialisation: `launch` names the threadgroup uniquely within the worker.
  void written(size_t offset, size_t bytes, uint32_t launch);
  /// The number of bytes read that nobody wrote.
  uint32_t unwritten(size_t offset, size_t bytes, uint32_t launch) const;

private:
  struct Cell {
    uint32_t writeEpoch = 0, writeSubEpoch = 0, writeSite = 0;
    uint32_t readEpoch = 0, readSubEpoch = 0, readSite = 0;
    uint32_t readGroups = 0;    ///< mask of SIMD-groups that read in this epoch
    uint32_t readLanes = 0;     ///< lanes of the latest SIMD-group that read
    uint16_t writer = 0, readGroup = 0;
    bool writeAtomic = false, readAtomic = false;
  };
  std::vector<Cell> cells;
  std::vector<uint32_t> writtenIn;
};

/// Shadow of one buffer in device memory, shared by the workers of a launch. A barrier orders one threadgroup only, so accesses of
/// two threadgroups are never ordered. Within a threadgroup the rule is that of the epochs that order device memory.
class DeviceShadow {
public:
  DeviceShadow(uintptr_t base, uint64_t bytes);
  ~DeviceShadow();
  DeviceShadow(const DeviceShadow &) = delete;
  DeviceShadow &operator=(const DeviceShadow &) = delete;
  bool usable() const { return cells != nullptr; }
  bool contains(uintptr_t address, uint64_t bytes) const { return address >= base && address + bytes <= base + length; }
  uint64_t offset(uintptr_t address) const { return address - base; }
  Conflict access(uintptr_t address, uint64_t bytes, uint32_t kind, uint32_t site, uint32_t threadgroup, const Accessor &who);

private:
  // A word names an access: threadgroup + 1 (24 bits), atomic, several lanes, several threadgroups, epoch (11), thread (10), site (16).
  struct Cell {
    std::atomic<uint64_t> writer, reader;
  };
  Cell *cells = nullptr;
  uintptr_t base;
  uint64_t length;
};

} // namespace softmetal
