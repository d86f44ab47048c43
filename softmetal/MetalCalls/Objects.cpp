//===- Objects.cpp - the objects behind the table of Metal calls ---------------------------------------------------------===//
#include "softmetal/MetalCalls/Objects.h"
#include "triton_metal/Runtime/Clock.h"
#include <chrono>
#include <thread>

namespace softmetal {

void EventObject::signal(uint64_t reached) {
  {
    std::lock_guard lock(mutex);
    value = std::max(value, reached);
  }
  changed.notify_all();
}

bool EventObject::wait(uint64_t wanted, uint64_t timeoutMs) {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, std::chrono::milliseconds(timeoutMs), [&] { return value >= wanted; });
}

void QueueObject::commit(CommandsObject *commands) {
  std::lock_guard lock(mutex);
  pending.emplace_back(commands);
  if (running)
    return;
  running = true;
  retain();
  std::thread([this] { loop(); }).detach();
}

void QueueObject::loop() {
  for (;;) {
    Ref<CommandsObject> commands;
    {
      std::lock_guard lock(mutex);
      if (pending.empty()) {
        running = false;
        break;
      }
      commands = std::move(pending.front());
      pending.pop_front();
    }
    commands->run();
  }
  release();
}

void CommandsObject::fault(const std::string &what) {
  std::lock_guard lock(mutex);
  if (state != MetalStatusPending)
    return;
  state = MetalStatusError;
  message = "Metal does not allow " + what;
}

void CommandsObject::run() {
  RunOptions options;
  {
    std::lock_guard lock(queue->device->mutex);
    options = queue->device->options;
  }
  uint64_t begin = triton_metal::hostNanoseconds();
  for (Dispatch &dispatch : dispatches) {
    {
      std::lock_guard lock(mutex);
      if (state != MetalStatusPending)
        break;
    }
    LaunchResult result = dispatch.pipeline->run(dispatch.arguments, options, &queue->interrupt);
    std::lock_guard lock(mutex);
    reports.insert(reports.end(), result.reports.begin(), result.reports.end());
    if (dispatch.pipeline->counts())
      counters.add(result.counters);
    if (result.status != MetalStatusCompleted) {
      state = result.status;
      message = result.message;
    }
  }
  uint64_t end = triton_metal::hostNanoseconds();
  queue->interrupt = false; // it was meant for what ran until now, whether that saw it or not
  dispatches.clear();
  kept.clear();
  {
    std::lock_guard lock(mutex);
    began = begin;
    ended = end;
    if (state == MetalStatusPending)
      state = MetalStatusCompleted;
  }
  for (auto &[event, value] : signals)
    event->signal(value);
}

} // namespace softmetal
