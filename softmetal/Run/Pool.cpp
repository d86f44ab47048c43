//===- Pool.cpp - worker threads that park when idle ---------------------------------------------------------------------===//
#include "softmetal/Run/Pool.h"
#include "softmetal/Run/Launch.h"
#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif

namespace softmetal {
namespace {

class Pool {
public:
  void run(uint32_t workers, const std::function<void()> &work) {
    std::lock_guard turn(turns);
    {
      std::lock_guard lock(mutex);
      while (threads + 1 < workers) {
        // Detached: they live as long as the process, which must not wait for them at its end.
        std::thread(&Pool::loop, this, threads).detach();
        ++threads;
      }
      task = &work;
      wanted = workers - 1;
      running = wanted;
      ++generation;
    }
    wake.notify_all();
    work();
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return running == 0; });
    task = nullptr;
  }

private:
  void loop(uint32_t index) {
    uint64_t seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return generation != seen && task; });
      seen = generation;
      if (index >= wanted)
        continue;
      const std::function<void()> *mine = task;
      lock.unlock();
      (*mine)();
      lock.lock();
      if (--running == 0)
        done.notify_one();
    }
  }

  std::mutex turns, mutex;
  std::condition_variable wake, done;
  const std::function<void()> *task = nullptr;
  uint32_t threads = 0, wanted = 0, running = 0;
  uint64_t generation = 0;
};

Pool *pool = new Pool; // never destroyed: its threads outlive static destructors

/// The child of a fork has none of its parent's threads: it starts with a new pool.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });

} // namespace

void runOnWorkers(uint32_t workers, const std::function<void()> &work) {
  if (workers <= 1)
    return work();
  pool->run(workers, work);
}

uint32_t defaultWorkers() {
  if (const char *text = getenv("TRITON_METAL_NUM_THREADS"))
    if (long count = strtol(text, nullptr, 10); count > 0)
      return static_cast<uint32_t>(count);
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

} // namespace softmetal
