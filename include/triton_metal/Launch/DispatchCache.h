//===- DispatchCache.h - from the words of a launch to what is launched -----------===//
//
// A hash table with open addressing whose keys are runs of 64-bit words. The entry of the last hit is compared first: most call
// sites launch one specialisation over and over. A lookup allocates nothing. Not thread-safe: callers hold the GIL or a lock.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace triton_metal {

template <typename Value> class DispatchCache {
public:
  /// The value stored for these words, or null.
  Value *find(const uint64_t *words, size_t count) {
    if (last && matches(*last, words, count))
      return last->value;
    if (slots.empty())
      return nullptr;
    for (size_t i = hash(words, count) & mask();; i = (i + 1) & mask()) {
      if (slots[i] == kEmpty)
        return nullptr;
      Entry &entry = entries[slots[i]];
      if (matches(entry, words, count)) {
        last = &entry;
        return entry.value;
      }
    }
  }

  /// Stores a value for words that are not in the table. The table does not own values.
  void insert(const uint64_t *words, size_t count, Value *value) {
    Entry entry;
    entry.begin = keys.size();
    entry.count = count;
    entry.value = value;
    keys.insert(keys.end(), words, words + count);
    entries.push_back(entry);
    last = nullptr;
    if (entries.size() * 2 > slots.size())
      grow();
    else
      place(entries.size() - 1);
  }

  void clear() {
    keys.clear();
    entries.clear();
    slots.clear();
    last = nullptr;
  }
  size_t size() const { return entries.size(); }
  template <typename Visitor> void forEach(Visitor visit) {
    for (Entry &entry : entries)
      visit(entry.value);
  }

private:
  struct Entry {
    size_t begin, count;
    Value *value;
  };
  static constexpr uint32_t kEmpty = UINT32_MAX;

  size_t mask() const { return slots.size() - 1; }
  bool matches(const Entry &entry, const uint64_t *words, size_t count) const {
    return entry.count == count && std::memcmp(keys.data() + entry.begin, words, count * sizeof(uint64_t)) == 0;
  }
  static uint64_t hash(const uint64_t *words, size_t count) {
    uint64_t h = 0x9e3779b97f4a7c15u + count;
    for (size_t i = 0; i < count; ++i) {
      h = (h ^ words[i]) * 0xff51afd7ed558ccdu;
      h ^= h >> 32;
    }
    return h;
  }
  void place(size_t index) {
    const Entry &entry = entries[index];
    size_t i = hash(keys.data() + entry.begin, entry.count) & mask();
    while (slots[i] != kEmpty)
      i = (i + 1) & mask();
    slots[i] = uint32_t(index);
  }
  void grow() {
    slots.assign(slots.empty() ? 16 : slots.size() * 2, kEmpty);
    for (size_t i = 0; i < entries.size(); ++i)
      place(i);
  }

  std::vector<uint64_t> keys;
  std::vector<Entry> entries;
  std::vector<uint32_t> slots;
  Entry *last = nullptr;
};

} // namespace triton_metal
