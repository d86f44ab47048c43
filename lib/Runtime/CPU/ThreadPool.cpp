//===- ThreadPool.cpp - runs the programs of a launch on all CPUs -----------------===//
//
// A launch is a Job on the caller's stack, in a list that the mutex guards. A worker takes part in a job by raising `active`
// under the mutex, so a worker that wakes too late finds no job and parks again; the caller leaves when its job is out of the
// list and nobody is active in it. Ranges of programs are claimed by one atomic counter, which gives the rising order.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Runtime/CPU/ThreadPool.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <pthread.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

namespace triton_metal::cpu {

namespace {

using Clock = std::chrono::steady_clock;

/// A wake-up of a parked thread takes some 20 to 50 microseconds; shorter launches stay in the caller's thread.
constexpr float kWorthWakingNs = 30e3f;
/// A claimed range shall take about so long: long enough to hide the atomic, short enough to balance.
constexpr float kRangeNs = 50e3f;
/// Looks at the last worker before the caller parks.
constexpr int kGlances = 32;
constexpr auto kPollInterval = std::chrono::milliseconds(20);

/// Some 100 nanoseconds in which the sibling thread of the core has the execution units.
void relax() {
  for (int i = 0; i < 8; ++i) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }
}

/// Scratch memory of this thread, grown on demand, freed with the thread.
class Arena {
public:
  ~Arena() { release(); }
  char *get(uint64_t bytes) {
    if (bytes > size) {
      release();
      memory = static_cast<char *>(::operator new(bytes, std::align_val_t(64), std::nothrow));
      size = memory ? bytes : 0;
    }
    return memory;
  }

private:
  void release() {
    if (memory)
      ::operator delete(memory, std::align_val_t(64));
    memory = nullptr;
    size = 0;
  }
  char *memory = nullptr;
  uint64_t size = 0;
};

struct Job {
  const LaunchRequest *request = nullptr;
  int64_t total = 0, range = 1;
  std::atomic<int64_t> next{0};
  std::atomic<bool> stop{false};
  Job *nextJob = nullptr; // list of jobs that want workers
  std::atomic<unsigned> active{0}; // workers inside; raised and lowered under the mutex

  std::mutex faultMutex;
  bool faulted = false;
  Fault fault;

  // Only the thread that launched touches these.
  Clock::time_point started, polled;
  LaunchStatus ended = LaunchStatus::Finished;
};

thread_local Job *currentJob = nullptr;
thread_local bool isLaunching = false; // this thread launched currentJob
thread_local Arena arena;
thread_local jmp_buf *wayOut = nullptr; // to the pool, from the program that runs
thread_local std::string printed;       // not yet written

/// So much text is kept before it is written.
constexpr size_t kPrintBytes = size_t(1) << 15;

void writePrinted() {
  const char *from = printed.data();
  size_t left = printed.size();
  while (left != 0) {
    ssize_t done = ::write(1, from, left);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      break; // nobody listens
    from += done;
    left -= size_t(done);
  }
  printed.clear();
}

/// Asks the interrupt callback and the time limit; on the caller's thread only.
void poll(Job &job) {
  const Interrupt &interrupt = job.request->interrupt;
  Clock::time_point now = Clock::now();
  if (job.started == Clock::time_point()) // a launch of one program takes no time at its start
    job.started = job.polled = now;
  if (now - job.polled < kPollInterval || job.ended != LaunchStatus::Finished)
    return;
  job.polled = now;
  if (interrupt.timeoutMilliseconds && now - job.started > std::chrono::milliseconds(interrupt.timeoutMilliseconds))
    job.ended = LaunchStatus::TimedOut;
  else if (interrupt.requested && interrupt.requested(interrupt.context))
    job.ended = LaunchStatus::Interrupted;
  if (job.ended != LaunchStatus::Finished)
    job.stop.store(true, std::memory_order_relaxed);
}

void recordFault(Job &job, Fault fault) {
  std::lock_guard lock(job.faultMutex);
  if (!job.faulted) {
    job.faulted = true;
    job.fault = std::move(fault);
  }
  job.stop.store(true, std::memory_order_relaxed);
}

/// Runs ranges of the job until there are none left, or until a program is left by leaveProgram. No object of this frame wants
/// destruction, and none changes between the two returns of setjmp that is read after the second.
void runRanges(Job &job, bool isCaller, char *memory) {
  const LaunchRequest &request = *job.request;
  jmp_buf here;
  wayOut = &here;
  if (_setjmp(here) != 0)
    return;
  while (!job.stop.load(std::memory_order_relaxed)) {
    int64_t begin = job.next.fetch_add(job.range, std::memory_order_relaxed);
    if (begin >= job.total)
      break;
    request.entry(request.params, request.grid, begin, std::min(begin + job.range, job.total), memory);
    if (!printed.empty())
      writePrinted();
    if (isCaller && job.total > 1)
      poll(job);
  }
}

/// One thread's part of the job.
void work(Job &job, bool isCaller) {
  const LaunchRequest &request = *job.request;
  char *memory = arena.get(request.arenaBytes);
  if (!memory && request.arenaBytes) {
    recordFault(
        job, {"out of memory: a program of this kernel needs " + std::to_string(request.arenaBytes) + " bytes of scratch", {}});
    return;
  }
  Job *outer = std::exchange(currentJob, &job);
  bool outerLaunching = std::exchange(isLaunching, isCaller);
  jmp_buf *outerWay = wayOut;
  runRanges(job, isCaller, memory);
  if (!printed.empty())
    writePrinted();
  wayOut = outerWay;
  currentJob = outer;
  isLaunching = outerLaunching;
}

unsigned threadsFromEnvironment() {
  if (const char *text = std::getenv("TRITON_METAL_NUM_THREADS")) {
    char *end = nullptr;
    long value = std::strtol(text, &end, 10);
    if (end != text && *end == 0 && value >= 1)
      return unsigned(std::min(value, 1024L));
  }
  return availableCPUs();
}

} // namespace

unsigned availableCPUs() {
  unsigned count = std::max(1u, std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0)
    count = std::max(1, CPU_COUNT(&mask));
  if (FILE *file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    long long quota = 0, period = 0;
    if (std::fscanf(file, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0)
      count = std::min<unsigned>(count, unsigned((quota + period - 1) / period));
    std::fclose(file);
  }
#endif
  return std::max(1u, count);
}

//===----------------------------------------------------------------------===//
// Workers
//===----------------------------------------------------------------------===//

struct ThreadPool::State {
  unsigned threads;
  std::mutex mutex;
  std::condition_variable wake; // workers wait for jobs
  std::condition_variable left; // callers wait for workers to leave their job
  Job *jobs = nullptr;          // with unclaimed programs, oldest first
  bool closing = false;
  std::vector<std::thread> workers;

  void start() {
    workers.reserve(threads - 1);
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back([this] { serve(); });
  }

  void append(Job *job) {
    Job **end = &jobs;
    while (*end)
      end = &(*end)->nextJob;
    *end = job;
  }

  void remove(Job *job) {
    for (Job **link = &jobs; *link; link = &(*link)->nextJob)
      if (*link == job) {
        *link = job->nextJob;
        return;
      }
  }

  void serve() {
    std::unique_lock lock(mutex);
    while (!closing) {
      Job *job = jobs;
      while (job && (job->stop.load(std::memory_order_relaxed) || job->next.load(std::memory_order_relaxed) >= job->total))
        job = job->nextJob;
      if (!job) {
        wake.wait(lock);
        continue;
      }
      job->active.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      work(*job, /*isCaller=*/false);
      lock.lock();
      if (job->active.fetch_sub(1, std::memory_order_release) == 1)
        left.notify_all();
    }
  }
};

ThreadPool::ThreadPool(unsigned threads) : state(std::make_unique<State>()) { state->threads = std::max(1u, threads); }

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state->mutex);
    state->closing = true;
  }
  state->wake.notify_all();
  for (std::thread &worker : state->workers)
    worker.join();
}

unsigned ThreadPool::threads() const { return state->threads; }

static std::atomic<ThreadPool *> sharedPool{nullptr};

ThreadPool &ThreadPool::shared() {
  if (ThreadPool *pool = sharedPool.load(std::memory_order_acquire))
    return *pool;
  // Never destroyed: a launch may come while static objects are being destroyed, and in a forked child the threads are gone.
  auto *fresh = new ThreadPool(threadsFromEnvironment());
  ThreadPool *expected = nullptr;
  if (!sharedPool.compare_exchange_strong(expected, fresh)) {
    delete fresh;
    return *expected;
  }
  static std::once_flag registered;
  std::call_once(registered, [] {
    pthread_atfork(nullptr, nullptr, [] { sharedPool.store(nullptr, std::memory_order_release); });
  });
  return *fresh;
}

LaunchStatus ThreadPool::run(const LaunchRequest &request, Fault &fault) {
  const int64_t total = request.programs();
  if (total <= 0)
    return LaunchStatus::Finished;
  const unsigned count = state->threads;
  const float known = request.cost ? request.cost->nanosecondsPerProgram.load(std::memory_order_relaxed) : 0;
  const bool alone = total == 1 || count == 1 || (known > 0 && known * float(total) < kWorthWakingNs);

  Job job;
  job.request = &request;
  job.total = total;
  job.range = total == 1 ? 1 : std::max<int64_t>(1, total / (int64_t(count) * 32));
  if (known > 0)
    job.range = std::clamp<int64_t>(int64_t(kRangeNs / known), 1, std::max<int64_t>(1, total / (int64_t(count) * 4)));
  if (alone && known > 0 && known * float(total) < kWorthWakingNs)
    job.range = total;

  if (total > 1)
    job.started = job.polled = Clock::now();

  if (alone) {
    work(job, /*isCaller=*/true);
  } else {
    int64_t helpers = std::min<int64_t>(count - 1, (total + job.range - 1) / job.range - 1);
    {
      std::lock_guard lock(state->mutex);
      if (state->workers.empty())
        state->start();
      state->append(&job);
    }
    if (helpers >= int64_t(count) - 1)
      state->wake.notify_all();
    else
      for (int64_t i = 0; i < helpers; ++i)
        state->wake.notify_one();
    work(job, /*isCaller=*/true);
    std::unique_lock lock(state->mutex);
    state->remove(&job);
    // The last range of a worker ends about when ours does: look for a few microseconds before parking.
    for (int i = 0; i < kGlances && job.active.load(std::memory_order_acquire) != 0; ++i) {
      lock.unlock();
      relax();
      lock.lock();
    }
    while (job.active.load(std::memory_order_acquire) != 0)
      if (state->left.wait_for(lock, kPollInterval) == std::cv_status::timeout) {
        // The callback may take the GIL, which some other launching thread holds while it waits for our mutex.
        lock.unlock();
        poll(job);
        lock.lock();
      }
  }

  if (job.faulted) {
    fault = std::move(job.fault);
    return LaunchStatus::Faulted;
  }
  if (job.ended == LaunchStatus::Finished && total > 1 && request.cost) {
    float elapsed = std::chrono::duration<float, std::nano>(Clock::now() - job.started).count();
    float measured = std::max(elapsed * (alone ? 1.0f : float(count)) / float(total), 0.1f);
    // A first launch touches cold memory: move towards what later ones show.
    request.cost->nanosecondsPerProgram.store(known > 0 ? 0.5f * (known + measured) : measured, std::memory_order_relaxed);
  }
  return job.ended;
}

//===----------------------------------------------------------------------===//
// For generated code
//===----------------------------------------------------------------------===//

void reportFault(Fault fault) {
  if (currentJob)
    recordFault(*currentJob, std::move(fault));
}

bool shouldStop() {
  Job *job = currentJob;
  if (!job)
    return false;
  if (isLaunching)
    poll(*job);
  return job->stop.load(std::memory_order_relaxed);
}

void leaveProgram() {
  if (wayOut)
    _longjmp(*wayOut, 1);
}

std::span<const ArrayExtent> arraysOfLaunch() {
  return currentJob ? currentJob->request->arrays : std::span<const ArrayExtent>();
}

void printText(std::string_view text) {
  printed += text;
  if (printed.size() >= kPrintBytes || !currentJob)
    writePrinted();
}

} // namespace triton_metal::cpu
