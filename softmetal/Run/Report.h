//===- Report.h - what checks find ---------------------------------------------------------------------------------------===//
//
// A finding is known by its kind, its two sites and its buffer; the first one keeps its details, later ones are counted.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace softmetal {

enum class Finding : uint32_t {
  Bounds, ThreadgroupBounds, Race, DeviceRace, Uninitialised, Divergence, InactiveLane, Uniform, Alignment, Deadlock, Timeout,
  StackOverflow, PrivateBounds, Trap,
};
const char *findingName(Finding kind);

struct FindingDetail {
  Finding kind;
  uint32_t site, otherSite;
  int32_t buffer = -1;
  int64_t offset = 0;
  uint32_t bytes = 0;
  uint32_t access = 0, otherAccess = 0;
  uint64_t length = 0;        ///< of the buffer
  uint32_t lane = 0;          ///< index of the thread in its threadgroup
  uint32_t threadgroup[3]{};
  uint64_t count = 1;
};

/// The findings of one worker, or of a whole launch after merging.
class FindingLog {
public:
  void add(const FindingDetail &detail) {
    auto [it, isNew] = index.try_emplace({detail.kind, detail.site, detail.otherSite, detail.buffer}, list.size());
    if (isNew)
      list.push_back(detail);
    else
      list[it->second].count += detail.count;
  }
  void merge(const FindingLog &other) {
    for (const FindingDetail &detail : other.list)
      add(detail);
  }
  bool empty() const { return list.empty(); }
  void clear() {
    list.clear();
    index.clear();
  }
  const std::vector<FindingDetail> &findings() const { return list; }

private:
  std::vector<FindingDetail> list;
  std::map<std::tuple<Finding, uint32_t, uint32_t, int32_t>, size_t> index;
};

} // namespace softmetal
