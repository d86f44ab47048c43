//===- Log.cpp - what a kernel says while it runs --------------------------------------------------------------------------===//
#include "triton_metal/Runtime/Metal/Log.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <tuple>

namespace triton_metal::metal {

void initializeLog(void *log, uint32_t records) {
  memset(log, 0, logBytes(records));
  static_cast<uint32_t *>(log)[1] = records;
}

LogContents takeRecords(void *log) {
  auto *header = static_cast<uint32_t *>(log);
  auto *first = static_cast<LogRecord *>(log) + 1;
  uint32_t kept = std::min(header[0], header[1]);
  LogContents contents;
  contents.lost = header[0] - kept;
  contents.records.reserve(kept);
  std::copy_if(first, first + kept, std::back_inserter(contents.records), [](const LogRecord &record) { return record.site != 0; });
  std::sort(contents.records.begin(), contents.records.end(), [](const LogRecord &a, const LogRecord &b) {
    auto key = [](const LogRecord &r) { return std::tuple(r.program[2], r.program[1], r.program[0], r.step, r.site, r.element); };
    return key(a) < key(b);
  });
  memset(first, 0, size_t(kept) * sizeof(LogRecord));
  header[0] = 0;
  return contents;
}

} // namespace triton_metal::metal
