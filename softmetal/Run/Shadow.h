//===- Shadow.h - shadow memory: who touched each byte last --------------------------------------------------------------===//
//
// The rule for threadgroup memory is exact for barriers. The epoch of a threadgroup rises at a threadgroup_barrier that orders
// threadgroup memory; the sub-epoch of a SIMD-group at its simdgroup_barrier that does. SIMD operations order nothing. Two accesses
// of different lanes, one of them a write and not both atomic, are ordered only by an epoch between them or, within a SIMD-group,
// by a sub-epoch. The first access of a pair stays in the shadow; each pair of sites is reported once and counted. A strict access is
// ordered by epochs only, and one lane's accesses are not ordered by being its own: whoever writes for all layouts of lanes wants that.
//
// Epochs never fall while a worker lives, and the serial numbers of threadgroups never while the process does, so shadows need no
// clearing between threadgroups and launches. A cell stands for as many bytes as the kernel's finest access has (Translation.h).
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
  /// What follows takes offsets and lengths in bytes, and one cell is for 1 << shift of them.
  void setShift(uint32_t log) { shift = log; }
  size_t size() const { return cells.size(); }
  Conflict access(size_t offset, size_t bytes, uint32_t kind, uint32_t site, const Accessor &who, bool strict = false);

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
  uint32_t shift = 0;
};

/// Shadow of one buffer in device memory, shared by the workers of a launch. A barrier orders one threadgroup only, so accesses of
/// two threadgroups are never ordered. Within a threadgroup the rule is that of the epochs that order device memory.
class DeviceShadow {
public:
  /// Takes its memory from what earlier launches left. A cell is for 1 << shift bytes.
  DeviceShadow(uintptr_t base, uint64_t bytes, uint32_t shift);
  ~DeviceShadow();
  DeviceShadow(const DeviceShadow &) = delete;
  DeviceShadow &operator=(const DeviceShadow &) = delete;
  bool usable() const { return cells != nullptr; }
  /// Serial numbers for the threadgroups of a launch whose shadows have been made: those of older launches are less. Returns the first.
  static uint32_t takeSerials(uint64_t threadgroups);
  void setSerials(uint32_t first, uint64_t threadgroups);
  bool contains(uintptr_t address, uint64_t bytes) const {
    return address >= base && address - base <= length && bytes <= length - (address - base);
  }
  Conflict access(uintptr_t address, uint64_t bytes, uint32_t kind, uint32_t site, uint32_t threadgroup, const Accessor &who);

private:
  // A word names an access: threadgroup's serial number (24 bits), atomic, several lanes, several threadgroups, epoch (11), thread (10),
  // site (16).
  struct Cell {
    std::atomic<uint64_t> writer, reader;
  };
  friend class ShadowMemory;
  Cell *cells = nullptr;
  size_t mapped = 0;
  uint32_t generation = 0;
  uintptr_t base;
  uint64_t length;
  uint32_t shift, firstSerial = 1, serials = 1;
};

} // namespace softmetal
