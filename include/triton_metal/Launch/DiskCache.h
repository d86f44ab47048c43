//===- DiskCache.h - compiled kernels on disk -------------------------------------===//
//
// An entry is a directory of files with a manifest of their sizes and checksums. It is written beside its place and renamed into
// it, so a reader sees all of it or nothing; an entry that does not agree with its manifest is removed and counts as a miss.
// Entries that were not used for longest go first when the limit is passed. Several processes may share a directory. An entry that is
// removed is renamed out of its place first, so that it never stands in the way of a writer.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace triton_metal {

/// Files of one entry: names without directories, and their bytes.
using CacheFiles = std::vector<std::pair<std::string, std::string>>;

class DiskCache {
public:
  /// `limitBytes` of 0 means no limit. Nothing is touched until the first load or store.
  DiskCache(std::string directory, uint64_t limitBytes) : directory(std::move(directory)), limit(limitBytes) {}

  /// All files of the entry, or nothing. `key` is a file name.
  std::optional<CacheFiles> load(std::string_view key);
  /// Writes an entry; an entry of the same key that is there already stays. Empty, or why it could not be written.
  std::string store(std::string_view key, const CacheFiles &files);
  /// Removes all entries; the bytes that they had. Entries that somebody is writing stay.
  uint64_t clear();
  /// Where the entry lies, whether it exists or not.
  std::string pathOf(std::string_view key) const;

private:
  void evict();
  std::string temporaryPath(std::string_view key) const;
  void discard(std::string_view key) const;
  std::string directory;
  uint64_t limit;
  std::mutex mutex;
  std::optional<uint64_t> total; // bytes of all entries, once they have been counted
};

/// A key for anything: SHA-256 in base 32 without padding, which is a file name on every system.
std::string cacheKey(std::string_view bytes);

} // namespace triton_metal
