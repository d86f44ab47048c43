//===- Driver.cpp - the one Metal driver ---------------------------------------------------------------------------------===//
#include "triton_metal/Runtime/Metal/Driver.h"
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace triton_metal::metal {
namespace {

constexpr unsigned launchesPerCommit = 64;
constexpr uint64_t pollMs = 20;
constexpr size_t maxInlineBytes = 4096;
constexpr uint32_t threadgroupUnit = 16;

/// An autorelease pool round an entry point.
class Pool {
public:
  explicit Pool(const MetalCalls *calls) : calls(calls), pool(calls->poolPush()) {}
  ~Pool() { calls->poolPop(pool); }
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;

private:
  const MetalCalls *calls;
  void *pool;
};

/// The error out-parameter of a call, and its text.
class Message {
public:
  explicit Message(const MetalCalls *calls) : calls(calls) {}
  ~Message() {
    if (text)
      calls->freeMessage(text);
  }
  Message(const Message &) = delete;
  Message &operator=(const Message &) = delete;
  char **out() { return &text; }
  std::string str() const { return text ? text : ""; }

private:
  const MetalCalls *calls;
  char *text = nullptr;
};

Error fail(ErrorKind kind, std::string message) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  return error;
}

Error tooMuch(std::string resource, uint64_t required, uint64_t limit, std::string message) {
  Error error = fail(ErrorKind::OutOfResources, std::move(message));
  error.resource = std::move(resource);
  error.required = required;
  error.limit = limit;
  return error;
}

/// The cache key of a pipeline: its whole request but `threads`.
std::string keyOf(std::string_view library, const PipelineRequest &request) {
  std::string key;
  auto number = [&](uint64_t value) { key.append(reinterpret_cast<const char *>(&value), sizeof value); };
  number(request.languageVersion);
  number(request.mathMode);
  number(request.checks);
  number(request.count);
  number(request.sample);
  number(request.constants.size());
  for (const MetalConstant &constant : request.constants) {
    number(constant.index);
    number(constant.type);
    number(constant.bits);
  }
  number(request.function.size());
  key.append(request.function);
  key.append(library);
  return key;
}

std::string libraryKeyOf(std::string_view library, const PipelineRequest &request) {
  PipelineRequest only;
  only.languageVersion = request.languageVersion;
  only.mathMode = request.mathMode;
  only.checks = request.checks != 0; // line tables
  return keyOf(library, only);
}

} // namespace

Buffer::~Buffer() {
  if (!object)
    return;
  Pool pool(calls);
  calls->release(object);
}

struct Driver::State {
  mutable std::mutex mutex;
  std::mutex synchronizing;              ///< taken before `mutex`: who waits for buffers has taken them from `committed`
  MetalDevice device = nullptr;
  MetalQueue queue = nullptr;
  MetalEvent event = nullptr;
  uint64_t eventValue = 0;               ///< of the newest committed buffer
  MetalCommandBuffer commands = nullptr; ///< open, with `encoder`
  MetalEncoder encoder = nullptr;
  unsigned encoded = 0;                  ///< launches in `commands`
  std::vector<MetalBuffer> wrapped;      ///< host memory that `commands` uses
  LaunchTimes *times = nullptr;          ///< of the only launch in `commands`, where it is timed
  struct Committed {
    MetalCommandBuffer commands;
    uint64_t value;
    std::vector<MetalBuffer> wrapped;
    LaunchTimes *times;
  };
  std::vector<Committed> committed;
  std::unordered_map<std::string, MetalLibrary> libraries;
  std::unordered_map<std::string, std::string> warnings;
  std::unordered_map<std::string, std::unique_ptr<Pipeline>> pipelines;
  Statistics statistics;
  MetalCounters counters{};
};

Driver::Driver(const MetalCalls *calls) : calls(calls), state(std::make_unique<State>()) {}

Driver::~Driver() {
  synchronize();
  Pool pool(calls);
  for (auto &[key, pipeline] : state->pipelines)
    calls->release(pipeline->object);
  for (auto &[key, library] : state->libraries)
    calls->release(library);
  for (void *object : {static_cast<void *>(state->event), static_cast<void *>(state->queue), static_cast<void *>(state->device)})
    if (object)
      calls->release(object);
}

Error Driver::create(const MetalCalls *calls, std::unique_ptr<Driver> &driver) {
  if (!calls || calls->version != METAL_CALLS_VERSION)
    return fail(ErrorKind::NoDevice, "the table of Metal calls is of another version; rebuild libsoftmetal with this library");
  std::unique_ptr<Driver> made(new Driver(calls));
  Pool pool(calls);
  Message message(calls);
  made->state->device = calls->newDevice(message.out());
  if (!made->state->device)
    return fail(ErrorKind::NoDevice, "no Metal device: " + message.str());
  Message queueMessage(calls), eventMessage(calls);
  made->state->queue = calls->newQueue(made->state->device, queueMessage.out());
  made->state->event = calls->newEvent(made->state->device, eventMessage.out());
  if (!made->state->queue || !made->state->event)
    return fail(ErrorKind::NoDevice, "the Metal device gives no queue: " + queueMessage.str() + eventMessage.str());
  calls->deviceInfo(made->state->device, &made->device);
  if (!made->device.hasGPUAddresses)
    return fail(ErrorKind::NoDevice, "the GPU " + std::string(made->device.name) + " has no buffer addresses; Metal 3 is needed");
  driver = std::move(made);
  return {};
}

Error Driver::pipeline(const PipelineRequest &request, const Pipeline *&result) {
  return pipelineFromLibrary(nullptr, 0, request, result);
}

Error Driver::compileOnce(const PipelineRequest &request) {
  Pool pool(calls);
  Message message(calls);
  MetalCompileOptions options{request.languageVersion, request.mathMode, request.checks != 0};
  MetalLibrary library = calls->newLibrary(state->device, request.text.data(), request.text.size(), &options, message.out());
  if (!library)
    return fail(ErrorKind::CompileFailed, "Metal refused the text of " + std::string(request.function) + ":\n" + message.str());
  std::string function(request.function);
  if (char *names = function.empty() ? calls->functionNames(library) : nullptr) {
    function = std::string_view(names).substr(0, std::string_view(names).find('\n'));
    calls->freeMessage(names);
  }
  Message why(calls);
  MetalPipelineOptions checks{request.checks, request.count, request.sample};
  MetalPipeline pipeline = calls->newPipeline(state->device, library, function.c_str(), request.constants.data(),
                                              request.constants.size(), &checks, why.out());
  calls->release(library);
  if (!pipeline)
    return fail(ErrorKind::CompileFailed, "no pipeline for " + function + ": " + why.str());
  calls->release(pipeline);
  return {};
}

Error Driver::pipelineFromLibrary(const void *bytes, size_t length, const PipelineRequest &request, const Pipeline *&result) {
  std::string_view source = bytes ? std::string_view(static_cast<const char *>(bytes), length) : request.text;
  auto limit = [&](const Pipeline &pipeline) -> Error {
    uint32_t most = pipeline.facts.maxTotalThreadsPerThreadgroup;
    if (request.threads <= most)
      return {};
    return tooMuch("threads of a threadgroup", request.threads, most,
                   "the kernel " + pipeline.function + " needs " + std::to_string(request.threads) +
                       " threads a threadgroup, its pipeline allows " + std::to_string(most) +
                       "; use fewer warps or smaller blocks");
  };
  std::string key = keyOf(source, request), libraryKey = libraryKeyOf(source, request);
  MetalLibrary library = nullptr;
  std::string warnings;
  {
    std::lock_guard lock(state->mutex);
    if (auto it = state->pipelines.find(key); it != state->pipelines.end()) {
      result = it->second.get();
      return limit(*result);
    }
    if (auto it = state->libraries.find(libraryKey); it != state->libraries.end()) {
      library = it->second;
      warnings = state->warnings[libraryKey];
    }
  }
  // Compiled without the lock: two threads may compile the same text, and the first to finish is kept.
  Pool pool(calls);
  if (!library) {
    Message message(calls);
    MetalCompileOptions options{request.languageVersion, request.mathMode, request.checks != 0};
    MetalLibrary made = bytes ? calls->newLibraryFromData(state->device, bytes, length, message.out())
                              : calls->newLibrary(state->device, source.data(), source.size(), &options, message.out());
    if (!made)
      return fail(ErrorKind::CompileFailed, "Metal refused the text of " + std::string(request.function) + ":\n" + message.str());
    warnings = message.str();
    std::lock_guard lock(state->mutex);
    auto [it, isNew] = state->libraries.try_emplace(libraryKey, made);
    if (isNew) {
      ++state->statistics.librariesMade;
      state->warnings[libraryKey] = warnings;
    } else
      calls->release(made);
    library = it->second;
  }
  Message message(calls);
  std::string function(request.function);
  MetalPipelineOptions options{request.checks, request.count, request.sample};
  MetalPipeline object = calls->newPipeline(state->device, library, function.c_str(), request.constants.data(),
                                            request.constants.size(), &options, message.out());
  if (!object) {
    char *list = calls->functionNames(library);
    std::string names = list ? list : "";
    calls->freeMessage(list);
    bool exists = ("\n" + names).find("\n" + function + "\n") != std::string::npos;
    if (!exists)
      return fail(ErrorKind::MissingFunction, "the library has no kernel " + function + "; it has:\n" + names.substr(0, 2000));
    bool memory = message.str().find("threadgroup memory") != std::string::npos;
    std::string text = "no pipeline for " + function + ": " + message.str();
    return memory ? tooMuch("threadgroup memory", 0, device.maxThreadgroupMemory, text) : fail(ErrorKind::CompileFailed, text);
  }
  std::unique_ptr<Pipeline> pipeline(new Pipeline);
  pipeline->library = library;
  pipeline->object = object;
  pipeline->function = function;
  pipeline->compilerWarnings = warnings;
  calls->pipelineInfo(object, &pipeline->facts);
  std::lock_guard lock(state->mutex);
  auto [it, isNew] = state->pipelines.try_emplace(std::move(key), std::move(pipeline));
  if (isNew)
    ++state->statistics.pipelinesMade;
  else
    calls->release(object);
  result = it->second.get();
  return limit(*result);
}

Error Driver::allocate(uint64_t bytes, std::unique_ptr<Buffer> &result) {
  if (bytes > device.maxBufferLength)
    return tooMuch("bytes of a buffer", bytes, device.maxBufferLength,
                   "a buffer of " + std::to_string(bytes) + " bytes; the device allows " +
                       std::to_string(device.maxBufferLength));
  Pool pool(calls);
  Message message(calls);
  std::unique_ptr<Buffer> buffer(new Buffer);
  buffer->calls = calls;
  buffer->object = calls->newBuffer(state->device, bytes ? bytes : threadgroupUnit, message.out());
  if (!buffer->object)
    return tooMuch("memory for buffers", bytes, 0, "no buffer of " + std::to_string(bytes) + " bytes: " + message.str());
  buffer->host = calls->bufferContents(buffer->object);
  buffer->gpu = calls->bufferAddress(buffer->object);
  buffer->bytes = bytes;
  result = std::move(buffer);
  return {};
}

/// Opens a command buffer and its encoder if none is open. The lock is held.
Error Driver::open() {
  if (state->encoder)
    return {};
  Message message(calls);
  state->commands = calls->newCommandBuffer(state->queue, message.out());
  if (state->commands) {
    Message encoderMessage(calls);
    state->encoder = calls->newEncoder(state->commands, encoderMessage.out());
    if (state->encoder)
      return {};
    calls->release(state->commands);
    state->commands = nullptr;
    return fail(ErrorKind::LaunchFailed, "no encoder: " + encoderMessage.str());
  }
  return fail(ErrorKind::LaunchFailed, "no command buffer: " + message.str());
}

Error Driver::launch(const Pipeline &pipeline, const LaunchRequest &request) {
  const std::string where = "kernel " + pipeline.function + ": ";
  if (request.threads == 0 || request.threads > pipeline.facts.maxTotalThreadsPerThreadgroup)
    return tooMuch("threads of a threadgroup", request.threads, pipeline.facts.maxTotalThreadsPerThreadgroup,
                   where + std::to_string(request.threads) + " threads a threadgroup; its pipeline allows " +
                       std::to_string(pipeline.facts.maxTotalThreadsPerThreadgroup));
  uint32_t shared = (request.threadgroupBytes + threadgroupUnit - 1) / threadgroupUnit * threadgroupUnit;
  if (uint64_t(shared) + pipeline.facts.staticThreadgroupMemory > device.maxThreadgroupMemory)
    return tooMuch("threadgroup memory", shared + pipeline.facts.staticThreadgroupMemory, device.maxThreadgroupMemory,
                   where + std::to_string(shared + pipeline.facts.staticThreadgroupMemory) +
                       " bytes of threadgroup memory; the device has " + std::to_string(device.maxThreadgroupMemory) +
                       "; use smaller blocks");
  if (!request.params || request.paramsBytes == 0 || request.paramsBytes % 16)
    return fail(ErrorKind::LaunchFailed, where + "a parameter block of " + std::to_string(request.paramsBytes) +
                                             " bytes; a multiple of 16 is needed");
  for (size_t i = 0; i < request.arrayCount; ++i)
    if (request.arrays[i].paramsOffset + 8ull > request.paramsBytes)
      return fail(ErrorKind::LaunchFailed, where + "array " + std::to_string(i) + " lies outside the parameter block");
  for (int d = 0; d < 3; ++d) {
    if (request.grid[d] == 0)
      return {}; // nothing to do
    if (uint64_t(request.grid[d]) * (d == 0 ? request.threads : 1) > UINT32_MAX)
      return fail(ErrorKind::LaunchFailed, where + "the grid has more than 2^32 - 1 threads along a dimension");
  }

  Pool pool(calls);
  std::lock_guard lock(state->mutex);
  if (request.times)
    if (Error error = commitLocked())
      return error;
  if (Error error = open())
    return error;
  std::vector<char> params(static_cast<const char *>(request.params), static_cast<const char *>(request.params) + request.paramsBytes);
  calls->setPipeline(state->encoder, pipeline.object);
  for (size_t i = 0; i < request.arrayCount; ++i) {
    const ArrayArgument &array = request.arrays[i];
    uint64_t address = 0;
    MetalBuffer buffer = nullptr;
    if (array.buffer) {
      if (array.bufferOffset > array.buffer->bytes)
        return fail(ErrorKind::LaunchFailed, where + "array " + std::to_string(i) + " begins behind the end of its buffer");
      buffer = array.buffer->object;
      address = array.buffer->gpu + array.bufferOffset;
    } else if (array.host && array.bytes) {
      Message message(calls);
      uint64_t offset = 0;
      buffer = calls->newBufferNoCopy(state->device, array.host, array.bytes, &offset, message.out());
      if (!buffer)
        return fail(ErrorKind::LaunchFailed, where + "array " + std::to_string(i) + " cannot be made visible to the device: " +
                                                 message.str());
      state->wrapped.push_back(buffer);
      address = calls->bufferAddress(buffer) + offset + array.addressOffset;
    } // else an empty array: the address stays null, and nothing may be read through it
    if (buffer)
      calls->useResource(state->encoder, buffer, MetalUsageRead | (array.written ? MetalUsageWrite : 0));
    memcpy(params.data() + array.paramsOffset, &address, sizeof address);
  }
  if (params.size() <= maxInlineBytes) {
    calls->setBytes(state->encoder, params.data(), params.size(), 0);
  } else {
    Message message(calls);
    MetalBuffer staging = calls->newBuffer(state->device, params.size(), message.out());
    if (!staging)
      return tooMuch("memory for buffers", params.size(), 0, where + "no buffer for the parameters: " + message.str());
    memcpy(calls->bufferContents(staging), params.data(), params.size());
    calls->setBuffer(state->encoder, staging, 0, 0);
    state->wrapped.push_back(staging);
  }
  // The encoder keeps the length of the launch before; a kernel without the argument ignores it.
  calls->setThreadgroupMemoryLength(state->encoder, shared, 0);
  calls->dispatchThreadgroups(state->encoder, {request.grid[0], request.grid[1], request.grid[2]}, {request.threads, 1, 1});
  ++state->statistics.launches;
  state->times = request.times;
  if (++state->encoded >= launchesPerCommit || request.times)
    return commitLocked();
  return {};
}

/// Commits what is open. The lock is held.
Error Driver::commitLocked() {
  if (!state->encoder)
    return {};
  calls->endEncoding(state->encoder);
  calls->release(state->encoder);
  state->encoder = nullptr;
  calls->encodeSignal(state->commands, state->event, ++state->eventValue);
  calls->commit(state->commands);
  state->committed.push_back({state->commands, state->eventValue, std::move(state->wrapped), state->times});
  state->wrapped.clear();
  state->times = nullptr;
  state->commands = nullptr;
  state->encoded = 0;
  ++state->statistics.commits;
  return {};
}

Error Driver::synchronize(const std::function<bool()> &interrupted) {
  // One thread at a time: another's buffers may be among those that this one waits for, and must be done when the other returns.
  std::lock_guard turn(state->synchronizing);
  Pool pool(calls);
  std::vector<State::Committed> waiting;
  {
    std::lock_guard lock(state->mutex);
    if (Error error = commitLocked())
      return error;
    waiting.swap(state->committed);
  }
  Error first;
  bool asked = false;
  for (State::Committed &one : waiting) {
    while (!calls->waitEvent(state->event, one.value, pollMs)) {
      // A buffer that failed may never signal its event.
      Message message(calls);
      uint32_t status = calls->status(one.commands, message.out());
      if (status != MetalStatusPending && status != MetalStatusCompleted)
        break;
      if (interrupted && !asked && interrupted()) {
        asked = true;
        if (calls->interrupt)
          calls->interrupt(state->queue);
      }
    }
    Message message(calls);
    uint32_t status = calls->status(one.commands, message.out());
    // A Mac's buffer signals the event itself, a moment before its status says that it has completed.
    bool succeeded = status == MetalStatusCompleted || status == MetalStatusPending;
    if (one.times && succeeded)
      calls->times(one.commands, &one.times->begin, &one.times->end);
    if (!succeeded && !first) {
      first.kind = status == MetalStatusTimeout       ? ErrorKind::Timeout
                   : status == MetalStatusInterrupted ? ErrorKind::Interrupted
                   : status == MetalStatusFault       ? ErrorKind::DeviceFault
                                                      : ErrorKind::LaunchFailed;
      if (status == MetalStatusError && !isSoftware())
        first.kind = ErrorKind::DeviceFault;
      first.message = message.str();
    }
    if (calls->takeReports) {
      MetalReport *reports = nullptr;
      size_t count = calls->takeReports(one.commands, &reports);
      first.reports.insert(first.reports.end(), reports, reports + count);
      calls->freeMessage(reports);
    }
    if (calls->addCounters) {
      std::lock_guard lock(state->mutex);
      calls->addCounters(one.commands, &state->counters);
    }
    calls->release(one.commands);
    for (MetalBuffer buffer : one.wrapped)
      calls->release(buffer);
  }
  if (asked && !first)
    first = fail(ErrorKind::Interrupted, "interrupted");
  return first;
}

MetalCounters Driver::takeCounters() {
  std::lock_guard lock(state->mutex);
  return std::exchange(state->counters, {});
}

void Driver::setRunOptions(const MetalRunOptions &options) {
  if (calls->setRunOptions)
    calls->setRunOptions(state->device, &options);
}

Error Driver::air(const Pipeline &pipeline, std::string &text) {
  if (!calls->libraryAIR)
    return fail(ErrorKind::LaunchFailed, "only the software Metal shows the AIR of a kernel");
  Message message(calls);
  char *air = calls->libraryAIR(pipeline.library, pipeline.function.c_str(), message.out());
  if (!air)
    return fail(ErrorKind::CompileFailed, message.str());
  text = air;
  calls->freeMessage(air);
  return {};
}

Driver::Statistics Driver::statistics() const {
  std::lock_guard lock(state->mutex);
  return state->statistics;
}

} // namespace triton_metal::metal
