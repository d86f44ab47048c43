//===- PendingReads.h - reads of what nobody has written yet ------------------------------------------------------------===//
//
// Lanes run one after another up to a barrier, so a lane may read an element of a shared array before the lane that writes it has had
// its turn. Only what follows tells which mistake that is: a write before the next barrier makes it a race, and without one the element
// is read uninitialised. Until then the first read of each place waits here.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Run/Report.h"
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace softmetal {

class PendingReads {
public:
  bool empty() const { return reads.empty(); }
  /// Of several reads at one offset the first stays, and counts the others.
  void add(const FindingDetail &read);
  /// Removes the reads of any of these bytes of threadgroup memory, and gives the first.
  std::optional<FindingDetail> take(size_t offset, size_t bytes);
  /// Removes all reads and gives them in the order in which they were done.
  std::vector<FindingDetail> takeAll();

private:
  struct Read {
    size_t number;
    FindingDetail detail;
  };
  std::map<size_t, Read> reads; ///< by offset
  size_t added = 0, widest = 0;
};

} // namespace softmetal
