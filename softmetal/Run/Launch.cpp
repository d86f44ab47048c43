//===- Launch.cpp - a launch, and how its threadgroups get to the workers ------------------------------------------------===//
#include "softmetal/Run/Launch.h"
#include "softmetal/Run/Machine.h"
#include "softmetal/Run/Pool.h"
#include "softmetal/Run/Trap.h"
#include <algorithm>
#include <cstring>
#include <numeric>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace softmetal {
namespace {

/// Flushes fp32 denormals, as Apple's GPUs do, while it lives.
class DenormalMode {
public:
  explicit DenormalMode(bool keep) {
#if defined(__x86_64__)
    saved = _mm_getcsr();
    _mm_setcsr(keep ? saved & ~0x8040u : saved | 0x8040u); // flush to zero, denormals are zero
#elif defined(__aarch64__)
    asm volatile("mrs %0, fpcr" : "=r"(saved));
    uint64_t mode = keep ? saved & ~(uint64_t(1) << 24) : saved | uint64_t(1) << 24;
    asm volatile("msr fpcr, %0" ::"r"(mode));
#endif
  }
  ~DenormalMode() {
#if defined(__x86_64__)
    _mm_setcsr(saved);
#elif defined(__aarch64__)
    asm volatile("msr fpcr, %0" ::"r"(saved));
#endif
  }

private:
#if defined(__x86_64__)
  unsigned saved;
#else
  uint64_t saved;
#endif
};

} // namespace

namespace {
constexpr uint64_t Counters::*counts[] = {
    &Counters::switches,         &Counters::collectives,        &Counters::barriers,            &Counters::lanes,
    &Counters::deviceAccesses,   &Counters::deviceBytes,        &Counters::deviceTransactions,  &Counters::threadgroupAccesses,
    &Counters::threadgroupBytes, &Counters::bankConflicts,      &Counters::matrixOperations,    &Counters::floatOperations,
    &Counters::deviceLines,      &Counters::distinctLoaded,     &Counters::distinctStored,      &Counters::distinctAtomic,
    &Counters::distinctFloat,    &Counters::distinctSpecial,    &Counters::distinctProducts,
};
static_assert(sizeof(counts) / sizeof(*counts) == sizeof(Counters) / sizeof(uint64_t), "every count is listed");
} // namespace

void Counters::add(const Counters &other) {
  for (auto count : counts)
    this->*count += other.*count;
}

Counters Counters::scaled(uint64_t all, uint64_t counted) const {
  Counters result = *this;
  if (all != counted && counted)
    for (auto count : counts)
      result.*count = static_cast<uint64_t>(static_cast<unsigned __int128>(result.*count) * all / counted);
  return result;
}

Launch::Launch(const CompiledKernel &kernel, const LaunchArguments &arguments, const RunOptions &options, std::atomic<bool> *interrupt)
    : kernel(kernel), arguments(arguments), options(options), interrupt(interrupt) {
  total = arguments.threadgroups[0] * arguments.threadgroups[1] * arguments.threadgroups[2];
  runs = arguments.sample ? std::min(arguments.sample, total) : total;
  deadline = options.timeoutMs ? std::chrono::steady_clock::now() + std::chrono::milliseconds(options.timeoutMs)
                               : std::chrono::steady_clock::time_point::max();
  // Apple's compiler hoists loads of references that only some function constants use. Where nothing is bound they read zeros, as on
  // the GPU, and not the process's page 0; the bounds check knows better and reports them.
  alignas(64) static char unbound[1 << 16];
  bufferPointers.assign(31, unbound);
  for (size_t i = 0; i < arguments.buffers.size() && i < bufferPointers.size(); ++i)
    if (arguments.buffers[i].address)
      bufferPointers[i] = arguments.buffers[i].address;
  if (kernel.checked) {
    for (const BufferRange &range : arguments.resources)
      if (range.address && range.bytes)
        ranges.push_back(range);
    for (const BufferRange &range : arguments.buffers)
      if (range.address && range.bytes &&
          std::none_of(ranges.begin(), ranges.end(), [&](const BufferRange &known) { return known.address == range.address; }))
        ranges.push_back(range);
  }
  if (kernel.checked)
    prepareChecks();
  if (options.seed && total > 2) {
    // A stride without a common divisor visits every threadgroup once.
    multiplier = (options.seed * 0x9e3779b97f4a7c15ull >> 16) % total | 1;
    while (std::gcd(multiplier, total) != 1)
      ++multiplier;
  }
}

/// Shadows where races are possible, and the tables that generated code compares with.
void Launch::prepareChecks() {
  for (const BufferRange &range : ranges)
    checkedRanges.push_back({range.address, range.bytes, nullptr});
  // Arrays that overlap share a shadow.
  std::vector<BufferRange> merged;
  for (const BufferRange &range : ranges)
    if (kernel.facts.races)
      merged.push_back(range);
  std::sort(merged.begin(), merged.end(), [](const BufferRange &a, const BufferRange &b) { return a.address < b.address; });
  size_t count = 0;
  for (const BufferRange &range : merged) {
    BufferRange *last = count ? &merged[count - 1] : nullptr;
    if (last && range.address < last->address + last->bytes)
      last->bytes = std::max<uint64_t>(last->bytes, static_cast<uint64_t>(range.address - last->address) + range.bytes);
    else
      merged[count++] = range;
  }
  merged.resize(count);
  for (const BufferRange &range : merged)
    if (mayBeWritten(range))
      if (auto shadow = std::make_unique<DeviceShadow>(reinterpret_cast<uintptr_t>(range.address), range.bytes, kernel.facts.deviceShift);
          shadow->usable())
        shadows.push_back(std::move(shadow));
  if (!shadows.empty()) {
    uint32_t first = DeviceShadow::takeSerials(total);
    for (auto &shadow : shadows)
      shadow->setSerials(first, std::max<uint64_t>(total, 1));
  }
  auto shadowAt = [&](const char *address) -> DeviceShadow * {
    for (auto &shadow : shadows)
      if (shadow->contains(reinterpret_cast<uintptr_t>(address), 1))
        return shadow.get();
    return nullptr;
  };
  for (MemoryRange &range : checkedRanges)
    range.shadow = shadowAt(range.begin);
  checkedBuffers.resize(31);
  for (size_t i = 0; i < arguments.buffers.size() && i < checkedBuffers.size(); ++i)
    checkedBuffers[i] = {arguments.buffers[i].address, arguments.buffers[i].bytes, shadowAt(arguments.buffers[i].address)};
}

/// Whether the kernel has a pointer into the range through which it writes.
bool Launch::mayBeWritten(const BufferRange &range) const {
  const Translation &facts = kernel.facts;
  auto holds = [&](const char *pointer) { return pointer >= range.address && pointer < range.address + range.bytes; };
  auto meets = [&](const BufferRange &buffer) {
    return buffer.address < range.address + range.bytes && range.address < buffer.address + buffer.bytes;
  };
  if (facts.writesAnywhere)
    return true;
  for (size_t i = 0; i < arguments.buffers.size(); ++i)
    if (facts.writtenBuffers >> i & 1 && meets(arguments.buffers[i]))
      return true;
  for (auto [buffer, offset] : facts.writtenSlots) {
    char *pointer = nullptr;
    if (buffer < arguments.buffers.size() && offset + sizeof pointer <= arguments.buffers[buffer].bytes)
      memcpy(&pointer, arguments.buffers[buffer].address + offset, sizeof pointer);
    if (holds(pointer))
      return true;
  }
  return false;
}

Launch::~Launch() = default;

bool Launch::take(uint64_t &begin, uint64_t &end) {
  begin = next.fetch_add(chunk, std::memory_order_relaxed);
  end = std::min(begin + chunk, runs);
  return begin < runs;
}

uint64_t Launch::place(uint64_t index) const {
  if (runs != total) // the middles of equal parts of the grid
    return static_cast<uint64_t>((static_cast<unsigned __int128>(index) * 2 + 1) * total / (2 * runs));
  return multiplier == 1 ? index : static_cast<uint64_t>(static_cast<unsigned __int128>(index) * multiplier % total);
}

void Launch::finish(Stop why) {
  Stop none = Stop::No;
  reason.compare_exchange_strong(none, why);
  stop.store(true, std::memory_order_relaxed);
}

void Launch::poll() {
  if (interrupt && interrupt->load(std::memory_order_relaxed))
    finish(Stop::Interrupted);
  else if (options.timeoutMs && std::chrono::steady_clock::now() > deadline)
    finish(Stop::Timeout);
}

void Launch::merge(const FindingLog &findings, const Counters &counts) {
  std::lock_guard lock(mutex);
  log.merge(findings);
  counters.add(counts);
}

void Launch::run() {
  uint32_t workers = options.workers ? options.workers : defaultWorkers();
  workers = static_cast<uint32_t>(std::min<uint64_t>(workers, runs));
  // Small pieces, so that no worker ends long before the others; not single threadgroups of a few lanes.
  chunk = std::max<uint64_t>(1, std::min<uint64_t>(64, runs / (uint64_t(workers) * 8)));
  auto work = [this] {
    static thread_local Machine worker;
    DenormalMode mode(options.keepDenormals);
    TrapGuard traps;
    worker.run(*this);
  };
  uint64_t lanes = runs * arguments.threads[0] * arguments.threads[1] * arguments.threads[2];
  if (lanes <= 256) // a wake-up costs more than these
    workers = 1;
  runOnWorkers(workers, work);
}

} // namespace softmetal
