//===- ThreadPoolTests.cpp - order, progress, faults and forks of the pool -----------===//
#include "triton_metal/Runtime/CPU/ThreadPool.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace triton_metal::cpu;

namespace {

struct Params {
  std::atomic<int> *counts;
  std::atomic<int64_t> *progress;
};

void countPrograms(const void *params, const int32_t *, int64_t begin, int64_t end, char *arena) {
  auto *p = static_cast<const Params *>(params);
  for (int64_t i = begin; i < end; ++i) {
    p->counts[i].fetch_add(1);
    if (arena)
      arena[63] = char(i);
  }
}

/// Each program waits for the one before it.
void waitForPredecessor(const void *params, const int32_t *, int64_t begin, int64_t end, char *) {
  auto *p = static_cast<const Params *>(params);
  for (int64_t i = begin; i < end; ++i) {
    while (p->progress->load() != i)
      std::this_thread::yield();
    p->progress->store(i + 1);
  }
}

void failInTheMiddle(const void *params, const int32_t *, int64_t begin, int64_t end, char *) {
  auto *p = static_cast<const Params *>(params);
  for (int64_t i = begin; i < end; ++i) {
    p->counts[0].fetch_add(1);
    if (i == 100)
      reportFault({"assertion failed", "kernel.py", 7, 1, {100, 0, 0}});
  }
}

/// Adds to a number after it has left the program, which cannot be.
void leaveAtOnce(const void *params, const int32_t *, int64_t, int64_t, char *) {
  reportFault({"gone", "kernel.py", 1, 1, {0, 0, 0}});
  leaveProgram();
  static_cast<const Params *>(params)->counts[0].fetch_add(1);
}

void countOne(const void *params, const int32_t *, int64_t begin, int64_t end, char *) {
  static_cast<const Params *>(params)->counts[0].fetch_add(int(end - begin));
}

void spin(const void *, const int32_t *, int64_t, int64_t, char *) {
  while (!shouldStop()) {
  }
}

LaunchRequest requestFor(KernelEntry entry, const Params &params, int32_t x, int32_t y = 1) {
  LaunchRequest request;
  request.entry = entry;
  request.params = &params;
  request.grid[0] = x;
  request.grid[1] = y;
  return request;
}

} // namespace

TEST(ThreadPool, RunsEveryProgramOnce) {
  for (unsigned threads : {1u, 2u, 5u}) {
    ThreadPool pool(threads);
    CostHint cost;
    std::vector<std::atomic<int>> counts(3000);
    Params params{counts.data(), nullptr};
    Fault fault;
    for (int round = 1; round <= 20; ++round) {
      LaunchRequest request = requestFor(countPrograms, params, 1000, 3);
      request.arenaBytes = 4096;
      request.cost = &cost;
      EXPECT_EQ(pool.run(request, fault), LaunchStatus::Finished);
      for (auto &count : counts)
        ASSERT_EQ(count.load(), round);
    }
  }
}

TEST(ThreadPool, AProgramMayWaitForOneOfLowerId) {
  ThreadPool pool(3);
  std::atomic<int64_t> progress{0};
  Params params{nullptr, &progress};
  Fault fault;
  EXPECT_EQ(pool.run(requestFor(waitForPredecessor, params, 2000), fault), LaunchStatus::Finished);
  EXPECT_EQ(progress.load(), 2000);
}

TEST(ThreadPool, LaunchesFromSeveralThreads) {
  ThreadPool pool(2);
  std::vector<std::thread> callers;
  std::atomic<int> failures{0};
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      std::vector<std::atomic<int>> counts(200);
      Params params{counts.data(), nullptr};
      Fault fault;
      for (int round = 0; round < 50; ++round)
        pool.run(requestFor(countPrograms, params, 200), fault);
      for (auto &count : counts)
        failures += count.load() != 50;
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(failures.load(), 0);
}

TEST(ThreadPool, AFaultEndsTheLaunch) {
  ThreadPool pool(2);
  std::vector<std::atomic<int>> counts(1);
  Params params{counts.data(), nullptr};
  Fault fault;
  EXPECT_EQ(pool.run(requestFor(failInTheMiddle, params, 1000000), fault), LaunchStatus::Faulted);
  EXPECT_EQ(fault.line, 7u);
  EXPECT_LT(counts[0].load(), 1000000);
}

TEST(ThreadPool, AProgramCanBeLeft) {
  ThreadPool pool(2);
  std::vector<std::atomic<int>> counts(1);
  Params params{counts.data(), nullptr};
  Fault fault;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(pool.run(requestFor(leaveAtOnce, params, 1), fault), LaunchStatus::Faulted);
    EXPECT_EQ(counts[0].load(), 0); // nothing behind the place was done
    EXPECT_EQ(pool.run(requestFor(countOne, params, 4), fault), LaunchStatus::Finished);
    EXPECT_EQ(counts[0].exchange(0), 4);
  }
  leaveProgram(); // nothing runs: nothing happens
}

TEST(ThreadPool, TimeLimitAndInterruptEndALaunchThatPolls) {
  ThreadPool pool(2);
  Params params{};
  Fault fault;
  LaunchRequest request = requestFor(spin, params, 2);
  request.interrupt.timeoutMilliseconds = 50;
  EXPECT_EQ(pool.run(request, fault), LaunchStatus::TimedOut);
  request.interrupt = {[](void *) { return true; }, nullptr, 0};
  EXPECT_EQ(pool.run(request, fault), LaunchStatus::Interrupted);
}

TEST(ThreadPool, AChildProcessHasAPoolOfItsOwn) {
  std::vector<std::atomic<int>> counts(500);
  Params params{counts.data(), nullptr};
  Fault fault;
  ThreadPool::shared().run(requestFor(countPrograms, params, 500), fault);
  pid_t child = fork();
  if (child == 0) {
    bool done = ThreadPool::shared().run(requestFor(countPrograms, params, 500), fault) == LaunchStatus::Finished;
    for (auto &count : counts)
      done = done && count.load() == 2;
    _exit(done ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
