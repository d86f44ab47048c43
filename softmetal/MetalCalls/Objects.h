//===- Objects.h - the objects behind the table of Metal calls -----------------------------------------------------------===//
#pragma once

#include "softmetal/MetalCalls/Pipeline.h"
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace softmetal {

/// Reference counted, as Metal's objects are.
class Object {
public:
  virtual ~Object() = default;
  void retain() { ++references; }
  void release() {
    if (--references == 0)
      delete this;
  }

private:
  std::atomic<uint32_t> references{1};
};

enum Adopt { adopt };

template <class T> class Ref {
public:
  Ref() = default;
  explicit Ref(T *object) : object(object) {
    if (object)
      object->retain();
  }
  Ref(T *object, Adopt) : object(object) {}
  Ref(const Ref &other) : Ref(other.object) {}
  Ref(Ref &&other) noexcept : object(std::exchange(other.object, nullptr)) {}
  Ref &operator=(Ref other) noexcept {
    std::swap(object, other.object);
    return *this;
  }
  ~Ref() {
    if (object)
      object->release();
  }
  T *operator->() const { return object; }
  T *get() const { return object; }
  explicit operator bool() const { return object; }

private:
  T *object = nullptr;
};

class DeviceObject : public Object {
public:
  std::mutex mutex;
  RunOptions options;
};

class BufferObject : public Object {
public:
  BufferObject(char *memory, uint64_t length, bool owned) : memory(memory), length(length), owned(owned) {}
  ~BufferObject() override {
    if (owned)
      free(memory);
  }
  char *memory;
  uint64_t length;
  bool owned;
};

class LibraryObject : public Object {
public:
  explicit LibraryObject(std::shared_ptr<Library> library) : library(std::move(library)) {}
  std::shared_ptr<Library> library;
};

class PipelineObject : public Object {
public:
  explicit PipelineObject(std::shared_ptr<Pipeline> pipeline) : pipeline(std::move(pipeline)) {}
  std::shared_ptr<Pipeline> pipeline;
};

class EventObject : public Object {
public:
  void signal(uint64_t reached);
  /// Whether the value was reached within the time.
  bool wait(uint64_t wanted, uint64_t timeoutMs);

private:
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t value = 0;
};

struct Dispatch {
  std::shared_ptr<Pipeline> pipeline;
  LaunchArguments arguments;
};

class CommandsObject;

/// Runs committed buffers in order, on a thread of its own that sleeps while there are none.
class QueueObject : public Object {
public:
  explicit QueueObject(DeviceObject *device) : device(device) {}
  void commit(CommandsObject *commands);
  Ref<DeviceObject> device;
  std::atomic<bool> interrupt{false};

private:
  void loop();
  std::mutex mutex;
  std::deque<Ref<CommandsObject>> pending;
  bool running = false; ///< a thread drains `pending`; it holds a reference to the queue
};

class CommandsObject : public Object {
public:
  explicit CommandsObject(QueueObject *queue) : queue(queue) {}
  /// Remembers the first violation of Metal's rules.
  void fault(const std::string &what);
  void keep(const Ref<BufferObject> &buffer) { kept.push_back(buffer); }
  void run();

  Ref<QueueObject> queue;
  std::vector<Dispatch> dispatches;
  std::vector<std::pair<Ref<EventObject>, uint64_t>> signals;
  bool encoderOpen = false;
  std::mutex mutex; ///< guards what follows
  uint32_t state = MetalStatusPending;
  std::string message;
  std::vector<MetalReport> reports;
  Counters counters;
  uint64_t began = 0, ended = 0; ///< of the run, by hostNanoseconds()

private:
  std::vector<Ref<BufferObject>> kept;
};

class EncoderObject : public Object {
public:
  explicit EncoderObject(CommandsObject *commands) : commands(commands) {}
  void bind(uint32_t index, BufferRange range) {
    if (arguments.buffers.size() <= index)
      arguments.buffers.resize(index + 1);
    arguments.buffers[index] = range;
  }
  Ref<CommandsObject> commands;
  std::shared_ptr<Pipeline> pipeline;
  LaunchArguments arguments;
  bool ended = false;
};

} // namespace softmetal
