//===- PendingReads.cpp - reads of what nobody has written yet ----------------------------------------------------------===//
#include "softmetal/Run/PendingReads.h"
#include <algorithm>

namespace softmetal {

void PendingReads::add(const FindingDetail &read) {
  auto [it, isNew] = reads.try_emplace(static_cast<size_t>(read.offset), Read{added, read});
  if (!isNew) {
    it->second.detail.count += read.count;
    return;
  }
  ++added;
  widest = std::max<size_t>(widest, read.bytes);
}

std::optional<FindingDetail> PendingReads::take(size_t offset, size_t bytes) {
  std::optional<Read> first;
  for (auto it = reads.lower_bound(offset - std::min(offset, widest)); it != reads.end() && it->first < offset + bytes;) {
    if (it->first + it->second.detail.bytes <= offset) {
      ++it;
      continue;
    }
    if (!first || it->second.number < first->number)
      first = it->second;
    it = reads.erase(it);
  }
  return first ? std::optional(first->detail) : std::nullopt;
}

std::vector<FindingDetail> PendingReads::takeAll() {
  std::vector<Read> inOrder;
  for (const auto &[offset, read] : reads)
    inOrder.push_back(read);
  std::sort(inOrder.begin(), inOrder.end(), [](const Read &a, const Read &b) { return a.number < b.number; });
  std::vector<FindingDetail> details;
  for (const Read &read : inOrder)
    details.push_back(read.detail);
  reads.clear();
  added = widest = 0;
  return details;
}

} // namespace softmetal
