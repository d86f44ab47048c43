//===- DiskCache.cpp - compiled kernels on disk -----------------------------------===//
#include "triton_metal/Launch/DiskCache.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/xxhash.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <unistd.h>

namespace fs = std::filesystem;

namespace triton_metal {

namespace {

constexpr std::string_view kManifest = "manifest";
constexpr std::string_view kFormat = "triton-metal cache 1";
constexpr auto kAbandonedAfter = std::chrono::hours(1);

std::string checksum(std::string_view bytes) {
  llvm::XXH128_hash_t hash =
      llvm::xxh3_128bits(llvm::ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  return llvm::utohexstr(hash.high64, true, 16) + llvm::utohexstr(hash.low64, true, 16);
}

std::optional<std::string> readFile(const fs::path &path) {
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file)
    return std::nullopt;
  std::string bytes;
  char buffer[65536];
  size_t got;
  while ((got = std::fread(buffer, 1, sizeof(buffer), file)) > 0)
    bytes.append(buffer, got);
  bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed)
    return std::nullopt;
  return bytes;
}

bool writeFile(const fs::path &path, std::string_view bytes) {
  std::FILE *file = std::fopen(path.c_str(), "wb");
  if (!file)
    return false;
  bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return (std::fclose(file) == 0) && written;
}

/// "<size> <checksum> <name>" a line, between the format's name and a checksum of all that precedes it.
std::string makeManifest(const CacheFiles &files) {
  std::string text(kFormat);
  text += '\n';
  for (const auto &[name, bytes] : files)
    text += std::to_string(bytes.size()) + ' ' + checksum(bytes) + ' ' + name + '\n';
  return text + checksum(text) + '\n';
}

struct ManifestRow {
  uint64_t size;
  std::string_view checksum, name;
};

std::optional<std::vector<ManifestRow>> parseManifest(std::string_view text) {
  constexpr size_t sumLength = 33; // 32 digits and the end of the line
  if (text.size() < kFormat.size() + 1 + sumLength || !text.starts_with(kFormat) || text.back() != '\n')
    return std::nullopt;
  std::string_view body = text.substr(0, text.size() - sumLength);
  if (checksum(body) != text.substr(body.size(), sumLength - 1))
    return std::nullopt;
  body.remove_prefix(kFormat.size() + 1);
  std::vector<ManifestRow> rows;
  while (!body.empty()) {
    std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(line.size() + 1);
    ManifestRow row{};
    auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), row.size);
    if (error != std::errc() || line.data() + line.size() - rest < 35)
      return std::nullopt;
    row.checksum = std::string_view(rest + 1, 32);
    row.name = std::string_view(rest + 34, line.data() + line.size() - rest - 34);
    rows.push_back(row);
  }
  return rows;
}

uint64_t sizeOfDirectory(const fs::path &path) {
  uint64_t size = 0;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    uint64_t bytes = it->file_size(ignored);
    if (!ignored)
      size += bytes;
  }
  return size;
}

/// When an entry was used last: loads touch its manifest.
fs::file_time_type lastUse(const fs::path &entry) {
  std::error_code error;
  fs::file_time_type used = fs::last_write_time(entry / kManifest, error);
  return error ? fs::last_write_time(entry, error) : used;
}

/// Names with a dot are of entries that are written or removed just now, or were when their process died.
bool isTemporary(const fs::path &entry) { return entry.filename().string().starts_with("."); }
bool isAbandoned(const fs::path &entry) { return fs::file_time_type::clock::now() - lastUse(entry) > kAbandonedAfter; }

} // namespace

std::string cacheKey(std::string_view bytes) {
  llvm::SHA256 hash;
  hash.update(llvm::StringRef(bytes));
  std::array<uint8_t, 32> digest = hash.final();
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  unsigned buffer = 0, bits = 0;
  for (uint8_t byte : digest) {
    buffer = buffer << 8 | byte;
    for (bits += 8; bits >= 5; bits -= 5)
      text += alphabet[buffer >> (bits - 5) & 31];
    buffer &= 255;
  }
  if (bits)
    text += alphabet[buffer << (5 - bits) & 31];
  return text;
}

std::string DiskCache::pathOf(std::string_view key) const { return (fs::path(directory) / key).string(); }

/// A path that nobody else uses.
std::string DiskCache::temporaryPath(std::string_view key) const {
  static std::atomic<unsigned> counter{0};
  return pathOf("." + std::string(key) + "." + std::to_string(getpid()) + "." + std::to_string(counter++));
}

void DiskCache::discard(std::string_view key) const {
  fs::path away = temporaryPath(key);
  std::error_code error;
  fs::rename(pathOf(key), away, error);
  if (!error)
    fs::remove_all(away, error);
}

std::optional<CacheFiles> DiskCache::load(std::string_view key) {
  fs::path entry = fs::path(directory) / key;
  std::optional<std::string> manifest = readFile(entry / kManifest);
  std::error_code error;
  if (!manifest) {
    // Without a manifest it is no entry of ours unless something damaged it; a directory in its place would block the next store.
    discard(key);
    return std::nullopt;
  }
  CacheFiles files;
  bool intact = false;
  if (std::optional<std::vector<ManifestRow>> rows = parseManifest(*manifest)) {
    intact = true;
    for (const ManifestRow &row : *rows) {
      std::optional<std::string> bytes = readFile(entry / row.name);
      intact = bytes && bytes->size() == row.size && checksum(*bytes) == row.checksum;
      if (!intact)
        break;
      files.emplace_back(std::string(row.name), std::move(*bytes));
    }
  }
  if (!intact) {
    discard(key);
    return std::nullopt;
  }
  fs::last_write_time(entry / kManifest, fs::file_time_type::clock::now(), error); // a read-only cache stays usable
  return files;
}

std::string DiskCache::store(std::string_view key, const CacheFiles &files) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    return directory + ": " + error.message();
  fs::path entry = fs::path(directory) / key;
  fs::path fresh = temporaryPath(key);
  fs::create_directory(fresh, error);
  if (error)
    return fresh.string() + ": " + error.message();
  std::string manifest = makeManifest(files);
  uint64_t size = manifest.size();
  bool written = true;
  for (const auto &[name, bytes] : files) {
    written = written && writeFile(fresh / name, bytes);
    size += bytes.size();
  }
  written = written && writeFile(fresh / kManifest, manifest);
  if (!written) {
    fs::remove_all(fresh, error);
    return directory + ": the entry could not be written (is the disk full?)";
  }
  fs::rename(fresh, entry, error);
  if (error) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    // Somebody else was faster, with the same contents; a damaged entry is removed when it is loaded.
    bool isThere = error == std::errc::directory_not_empty || error == std::errc::file_exists;
    return isThere ? std::string() : entry.string() + ": " + error.message();
  }
  std::lock_guard lock(mutex);
  if (limit) {
    if (total)
      *total += size;
    if (!total || *total > limit)
      evict();
  }
  return {};
}

/// Counts all entries and removes the least recently used ones until four fifths of the limit are left. Caller holds the mutex.
void DiskCache::evict() {
  struct Item {
    fs::file_time_type used;
    uint64_t size;
    std::string key;
  };
  std::vector<Item> items;
  uint64_t sum = 0;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored))
      continue;
    if (isTemporary(it->path())) {
      if (isAbandoned(it->path()))
        fs::remove_all(it->path(), ignored);
      continue;
    }
    uint64_t size = sizeOfDirectory(it->path());
    sum += size;
    items.push_back({lastUse(it->path()), size, it->path().filename().string()});
  }
  if (sum > limit) {
    std::sort(items.begin(), items.end(), [](const Item &a, const Item &b) { return a.used < b.used; });
    for (const Item &item : items) {
      if (sum <= limit / 5 * 4)
        break;
      discard(item.key);
      sum -= item.size;
    }
  }
  total = sum;
}

uint64_t DiskCache::clear() {
  std::lock_guard lock(mutex);
  uint64_t freed = 0;
  std::vector<fs::path> entries; // a directory that changes is not read on
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    entries.push_back(it->path());
  for (const fs::path &entry : entries) {
    std::error_code ignored;
    if (isTemporary(entry) && !isAbandoned(entry))
      continue;
    freed += sizeOfDirectory(entry);
    if (isTemporary(entry))
      fs::remove_all(entry, ignored);
    else
      discard(entry.filename().string());
  }
  total.reset();
  return freed;
}

} // namespace triton_metal
