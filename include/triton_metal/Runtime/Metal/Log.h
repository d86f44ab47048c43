//===- Log.h - what a kernel says while it runs ---------------------------------------------------------------------------===//
//
// A kernel that prints or asserts gets the address of a log as the last of its parameters. The log is a header of 8 words, the number
// of records appended so far and the number that it takes, and then that many records of 8 words. Lanes append by one atomic
// addition each (`append_record` of the prelude), in any order; `takeRecords` puts them into the program's.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace triton_metal::metal {

/// As it lies in the log.
struct LogRecord {
  uint32_t site;       ///< from 1; 0 where a lane was ended before the record was whole
  uint32_t step;       ///< number of the print in its program
  uint32_t program[3]; ///< x, y, z
  uint32_t element;    ///< row-major index
  uint32_t low, high;  ///< the number: an integer, an address, or the bits of a float

  uint64_t bits() const { return uint64_t(high) << 32 | low; }
};
static_assert(sizeof(LogRecord) == 32);

constexpr uint64_t logBytes(uint64_t records) { return (records + 1) * sizeof(LogRecord); }

/// Makes fresh memory of logBytes(records) bytes an empty log.
void initializeLog(void *log, uint32_t records);

struct LogContents {
  std::vector<LogRecord> records; ///< by program, step, site, element
  uint64_t lost = 0;              ///< appended when the log was full
};

/// What the log holds, which is empty afterwards.
LogContents takeRecords(void *log);

} // namespace triton_metal::metal
