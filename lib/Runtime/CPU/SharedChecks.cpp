//===- SharedChecks.cpp - bounds, order and first writes of shared arrays in checked code ---===//
//
// The program runs in one thread, in the order of its text, so nothing goes wrong here that would on a GPU. A shadow of each array
// says what would: barriers divide the program into intervals, and of two accesses to an element in one interval, one of them a write
// and not both atomic, the second is reported, whichever lanes they come from. An element that nobody wrote may not be read.
//
//===----------------------------------------------------------------------------===//
#include "Reports.h"

#include <bit>
#include <span>
#include <vector>

namespace triton_metal::cpu {
namespace {

/// Who did something to an element last, and in which interval; 0 is none.
struct Last {
  uint32_t interval = 0;
  const Site *site = nullptr;
};

struct Element {
  Last write, atomic, read;
};

struct Array {
  const Site *site = nullptr; ///< of the array itself: its name and shape
  uint64_t address = 0, bytes = 0;
  std::vector<Element> elements;
};

struct Shadow {
  std::vector<Array> arrays; ///< those of the program first, then memory that another one left
  size_t used = 0;
  uint32_t interval = 1;

  std::span<Array> current() { return {arrays.data(), used}; }
};
thread_local Shadow shadow;

const char *nounOf(const Site &site) {
  static const char *const nouns[] = {"load", "store", "atomic access"};
  return nouns[unsigned(site.access)];
}

std::string placeOf(const Site &site) { return std::string(fileOf(site)) + ":" + std::to_string(site.line); }

/// `tile[3, 5]`
std::string elementName(const Array &array, uint64_t element) {
  std::string text;
  for (int dim = array.site->rank - 1; dim >= 0; --dim) {
    auto size = uint64_t(array.site->shape[dim]);
    text = std::to_string(dim ? element % size : element) + (text.empty() ? "" : ", ") + text;
    element /= size;
  }
  return std::string(textOf(*array.site)) + "[" + text + "]";
}

struct Program {
  const Site &site;
  int32_t x, y, z;

  /// The message is gone before the program is left.
  void report(std::string message) const { reportFault(faultAt(site, x, y, z, std::move(message))); }

  bool conflicts(const Array &array, uint64_t element, const Last &other) const {
    if (other.interval != shadow.interval)
      return false;
    std::string what = "race in shared memory: this " + std::string(nounOf(site)) + " of " + elementName(array, element);
    if (other.site == &site)
      what += " comes twice with no barrier between, from two elements of one tensor or in two rounds of a loop";
    else
      what += " and the " + std::string(nounOf(*other.site)) + " at " + placeOf(*other.site) + " have no barrier between them";
    report(what + "; put tl.barrier() between them");
    return true;
  }

  /// Whether the access may be done; notes it.
  bool allows(uint64_t address) const {
    Array *array = nullptr;
    if (site.argument >= 0)
      array = &shadow.arrays[size_t(site.argument)];
    for (Array &each : shadow.current())
      if (!array && address >= each.address && address - each.address < each.bytes)
        array = &each;
    if (!array || address < array->address || address - array->address >= array->bytes ||
        array->bytes - (address - array->address) < site.elementBytes) {
      std::string where = "every shared array";
      if (array)
        where = "shared array '" + std::string(textOf(*array->site)) + "': at byte offset " +
                std::to_string(int64_t(address - array->address)) + " of an array of " + std::to_string(array->bytes) + " bytes";
      report(std::string(nounOf(site)) + " of " + std::to_string(site.elementBytes) + (site.elementBytes == 1 ? " byte" : " bytes") +
             " outside " + where);
      return false;
    }
    uint64_t first = (address - array->address) / array->site->elementBytes;
    uint64_t last = (address - array->address + site.elementBytes - 1) / array->site->elementBytes;
    for (uint64_t index = first; index <= last; ++index)
      if (!allowsElement(*array, index))
        return false;
    return true;
  }

  bool allowsElement(Array &array, uint64_t index) const {
    Element &element = array.elements[index];
    bool loads = site.access == Site::Access::Load, isAtomic = site.access == Site::Access::Atomic;
    if (site.access != Site::Access::Store && !element.write.interval && !element.atomic.interval) {
      report("shared memory read before it is written: this " + std::string(nounOf(site)) + " of " + elementName(array, index) +
             "; store to it first, and put tl.barrier() between");
      return false;
    }
    if (conflicts(array, index, element.write) || (!isAtomic && conflicts(array, index, element.atomic)) ||
        (!loads && conflicts(array, index, element.read)))
      return false;
    (loads ? element.read : isAtomic ? element.atomic : element.write) = {shadow.interval, &site};
    return true;
  }
};

template <typename AddressOf>
void checkAll(const Program &program, uint64_t mask, AddressOf addressOf) {
  for (; mask; mask &= mask - 1)
    if (!program.allows(addressOf(std::countr_zero(mask))))
      leaveProgram();
}

} // namespace

void sharedBegin(const Site *site, int32_t, int32_t, int32_t, const char *address, int64_t count) {
  if (site->argument == 0)
    shadow.interval = 1;
  shadow.used = size_t(site->argument) + 1;
  shadow.arrays.resize(std::max(shadow.arrays.size(), shadow.used));
  Array &array = shadow.arrays[size_t(site->argument)];
  array.site = site;
  array.address = reinterpret_cast<uint64_t>(address);
  array.bytes = uint64_t(count) * site->elementBytes;
  array.elements.assign(size_t(count), Element());
}

void sharedAccess(const Site *site, int32_t x, int32_t y, int32_t z, const char *address, int64_t mask) {
  checkAll({*site, x, y, z}, uint64_t(mask),
           [&](int lane) { return reinterpret_cast<uint64_t>(address) + uint64_t(lane) * site->elementBytes; });
}

void sharedAccessLanes(const Site *site, int32_t x, int32_t y, int32_t z, const uint64_t *addresses, int64_t mask) {
  checkAll({*site, x, y, z}, uint64_t(mask), [&](int lane) { return addresses[lane]; });
}

void sharedBarrier(const Site *, int32_t, int32_t, int32_t) { ++shadow.interval; }

} // namespace triton_metal::cpu
