//===- Callbacks.cpp - what generated code asks of the runtime ------------------------===//
#include "Reports.h"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace triton_metal::cpu {
namespace {

[[gnu::format(printf, 2, 3)]] void append(std::string &text, const char *format, ...) {
  char small[512];
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = std::vsnprintf(small, sizeof(small), format, arguments);
  va_end(arguments);
  if (length >= int(sizeof(small))) {
    size_t before = text.size();
    text.resize(before + size_t(length) + 1);
    std::vsnprintf(text.data() + before, size_t(length) + 1, format, again);
    text.resize(before + size_t(length));
  } else if (length > 0) {
    text.append(small, size_t(length));
  }
  va_end(again);
}

int digits(int32_t number) {
  int count = 1;
  for (; number >= 10; number /= 10)
    ++count;
  return count;
}

void appendNumber(std::string &line, const Site &site, int64_t bits) {
  uint64_t mask = site.bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << site.bits) - 1;
  switch (site.value) {
  case Site::Value::Float: {
    double number = std::bit_cast<double>(bits);
    site.hex ? append(line, "%a", number) : append(line, "%f", number);
    break;
  }
  case Site::Value::Pointer:
    append(line, "0x%" PRIx64, uint64_t(bits));
    break;
  case Site::Value::Signed:
  case Site::Value::Unsigned:
    if (site.hex)
      append(line, "0x%0*" PRIx64, std::max(1, site.bits / 4), uint64_t(bits) & mask);
    else if (site.value == Site::Value::Signed)
      append(line, "%" PRId64, bits);
    else
      append(line, "%" PRIu64, uint64_t(bits) & mask);
    break;
  case Site::Value::None:
    break;
  }
}

void print(const Site *site, int32_t x, int32_t y, int32_t z, int64_t element, int64_t bits) {
  printText(printedLine(*site, x, y, z, element, bits));
}

void fail(const Site *site, int32_t x, int32_t y, int32_t z) {
  reportFault(failureOf(*site, x, y, z));
  leaveProgram(); // nothing stands in this frame that wants destruction
}

bool holds(const ArrayExtent &array, uint64_t address, uint64_t bytes) {
  return address >= array.address && bytes <= array.bytes && address - array.address <= array.bytes - bytes;
}

/// Whether the access may be done. What is not known counts as right: an array that does not tell its extent.
bool isAllowed(std::span<const ArrayExtent> arrays, const Site &site, uint64_t address) {
  if (site.argument >= 0) {
    const ArrayExtent *array = size_t(site.argument) < arrays.size() ? &arrays[size_t(site.argument)] : nullptr;
    return !array || array->kind != ArrayExtent::Kind::Known || holds(*array, address, site.elementBytes);
  }
  return std::any_of(arrays.begin(), arrays.end(), [&](const ArrayExtent &array) {
    return array.kind == ArrayExtent::Kind::Unknown || holds(array, address, site.elementBytes);
  });
}

void reportOutside(std::span<const ArrayExtent> arrays, const Site &site, int32_t x, int32_t y, int32_t z, uint64_t address) {
  static const char *const verbs[] = {"load", "store", "atomic access"};
  std::string message = verbs[unsigned(site.access)];
  append(message, " of %d byte%s outside ", int(site.elementBytes), site.elementBytes == 1 ? "" : "s");
  if (site.argument >= 0) {
    const ArrayExtent &array = arrays[size_t(site.argument)];
    append(message, "array '%s': at byte offset %" PRId64 " of an array of %" PRIu64 " bytes", array.name,
           int64_t(address - array.address), array.bytes);
  } else {
    append(message, "all arrays passed: at address 0x%" PRIx64, address);
    const ArrayExtent *nearest = nullptr;
    uint64_t best = 0;
    for (const ArrayExtent &array : arrays) {
      if (array.kind != ArrayExtent::Kind::Known)
        continue;
      uint64_t distance = address < array.address ? array.address - address : address - array.address;
      if (!nearest || distance < best) {
        nearest = &array;
        best = distance;
      }
    }
    if (nearest)
      append(message, ", byte offset %" PRId64 " from array '%s' of %" PRIu64 " bytes", int64_t(address - nearest->address),
             nearest->name, nearest->bytes);
  }
  reportFault(faultAt(site, x, y, z, std::move(message)));
}

/// Looks at the lanes whose bit is set. The message is gone before the program is left.
template <typename AddressOf>
void checkAll(const Site &site, int32_t x, int32_t y, int32_t z, uint64_t mask, AddressOf addressOf) {
  std::span<const ArrayExtent> arrays = arraysOfLaunch();
  for (; mask; mask &= mask - 1) {
    uint64_t address = addressOf(std::countr_zero(mask));
    if (isAllowed(arrays, site, address))
      continue;
    reportOutside(arrays, site, x, y, z, address);
    leaveProgram();
  }
}

void check(const Site *site, int32_t x, int32_t y, int32_t z, const char *address, int64_t mask) {
  checkAll(*site, x, y, z, uint64_t(mask),
           [&](int lane) { return reinterpret_cast<uint64_t>(address) + uint64_t(lane) * site->elementBytes; });
}

void checkLanes(const Site *site, int32_t x, int32_t y, int32_t z, const uint64_t *addresses, int64_t mask) {
  checkAll(*site, x, y, z, uint64_t(mask), [&](int lane) { return addresses[lane]; });
}

void pollLaunch(const Site *, int32_t, int32_t, int32_t) {
  if (shouldStop())
    leaveProgram();
}

template <typename F> const void *at(F *function) { return reinterpret_cast<const void *>(function); }

} // namespace

Fault faultAt(const Site &site, int32_t x, int32_t y, int32_t z, std::string message) {
  Fault fault;
  fault.message = std::move(message);
  fault.file = fileOf(site);
  fault.line = site.line;
  fault.column = site.column;
  fault.program[0] = x;
  fault.program[1] = y;
  fault.program[2] = z;
  return fault;
}

std::string printedLine(const Site &site, int32_t x, int32_t y, int32_t z, int64_t element, int64_t bits) {
  std::string line;
  append(line, "pid (%d, %d, %d)", x, y, z);
  if (site.operands != 0) {
    line += " idx (";
    int32_t index[kMaxPrintRank];
    for (int dim = site.rank - 1; dim >= 0; --dim) {
      index[dim] = int32_t(element % site.shape[dim]);
      element /= site.shape[dim];
    }
    for (int dim = 0; dim < site.rank; ++dim)
      append(line, "%s%*d", dim ? ", " : "", digits(site.shape[dim] - 1), index[dim]);
    line += ")";
  }
  line += textOf(site);
  if (site.operands > 1)
    append(line, "(operand %d) ", int(site.operand));
  appendNumber(line, site, bits);
  line += '\n';
  return line;
}

Fault failureOf(const Site &site, int32_t x, int32_t y, int32_t z) {
  std::string message = "device assertion failed";
  if (const char *text = textOf(site); *text)
    message.append(": ").append(text);
  return faultAt(site, x, y, z, std::move(message));
}

std::span<const std::pair<std::string_view, const void *>> callbacks() {
  static const std::pair<std::string_view, const void *> table[] = {
      {kPrintCallback, at(&print)},           {kFailCallback, at(&fail)},       {kCheckCallback, at(&check)},
      {kCheckLanesCallback, at(&checkLanes)}, {kPollCallback, at(&pollLaunch)},
      {kSharedBeginCallback, at(&sharedBegin)}, {kSharedAccessCallback, at(&sharedAccess)},
      {kSharedAccessLanesCallback, at(&sharedAccessLanes)}, {kSharedBarrierCallback, at(&sharedBarrier)},
  };
  return table;
}

} // namespace triton_metal::cpu
