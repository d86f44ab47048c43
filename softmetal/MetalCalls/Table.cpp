//===- Table.cpp - the table of Metal calls, filled by the software Metal ------------------------------------------------===//
//
// Buffers are host memory, a device address is the pointer itself. A queue has one thread that runs committed buffers in order. What
// Metal would refuse while encoding is remembered by the command buffer, which then fails as a whole.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/MetalCalls/Objects.h"
#include "softmetal/MetalCalls/Messages.h"
#include "softmetal/softmetal.h"
#include <cstdlib>
#include <cstring>

using namespace llvm;
using namespace softmetal;

namespace {

constexpr uint32_t maxBuffers = 31, maxInlineBytes = 4096;

template <class T> T *as(void *object) { return static_cast<T *>(static_cast<Object *>(object)); }
template <class Handle> Handle handle(Object *object) { return reinterpret_cast<Handle>(object); }

void setError(char **error, const std::string &message) {
  if (error)
    *error = message.empty() ? nullptr : newMessage(message);
}

void *poolPush() { return nullptr; }
void poolPop(void *) {}
void release(void *object) {
  if (object)
    static_cast<Object *>(object)->release();
}
void freeMessage(void *message) { free(message); }

MetalDevice newDevice(char **error) {
  setError(error, "");
  return handle<MetalDevice>(new DeviceObject);
}

void deviceInfo(MetalDevice, MetalDeviceInfo *info) {
  *info = {};
  strncpy(info->name, "Software Metal", sizeof info->name - 1);
  strncpy(info->architecture, "softmetal", sizeof info->architecture - 1);
  info->maxBufferLength = uint64_t(1) << 36;
  info->maxThreadgroupMemory = 32768;
  info->maxThreadsPerThreadgroup = 1024;
  info->threadExecutionWidth = 32;
  info->languageVersion = 3u << 16 | 1;
  info->hasGPUAddresses = 1;
}

MetalQueue newQueue(MetalDevice device, char **error) {
  setError(error, "");
  return handle<MetalQueue>(new QueueObject(as<DeviceObject>(device)));
}

MetalBuffer newBuffer(MetalDevice, uint64_t length, char **error) {
  void *memory = aligned_alloc(64, (length + 127) & ~uint64_t(63));
  if (!memory) {
    setError(error, "no memory for a buffer of " + std::to_string(length) + " bytes");
    return nullptr;
  }
  memset(memory, 0, length);
  setError(error, "");
  return handle<MetalBuffer>(new BufferObject(static_cast<char *>(memory), length, true));
}

MetalBuffer newBufferNoCopy(MetalDevice, void *pointer, uint64_t length, uint64_t *offset, char **error) {
  setError(error, "");
  *offset = 0;
  return handle<MetalBuffer>(new BufferObject(static_cast<char *>(pointer), length, false));
}

void *bufferContents(MetalBuffer buffer) { return as<BufferObject>(buffer)->memory; }
uint64_t bufferAddress(MetalBuffer buffer) { return reinterpret_cast<uint64_t>(as<BufferObject>(buffer)->memory); }

MetalLibrary newLibrary(MetalDevice, const char *text, size_t length, const MetalCompileOptions *options, char **error) {
  std::string message;
  std::shared_ptr<Library> library = Library::fromText(StringRef(text, length), *options, message);
  setError(error, message);
  return library ? handle<MetalLibrary>(new LibraryObject(std::move(library))) : nullptr;
}

MetalLibrary newLibraryFromData(MetalDevice, const void *bytes, size_t length, char **error) {
  std::string message;
  auto copy = MemoryBuffer::getMemBufferCopy(StringRef(static_cast<const char *>(bytes), length), "library");
  std::shared_ptr<Library> library = Library::fromBytes(std::move(copy), message);
  setError(error, message);
  return library ? handle<MetalLibrary>(new LibraryObject(std::move(library))) : nullptr;
}

char *functionNames(MetalLibrary library) {
  std::string list;
  for (const std::string &name : as<LibraryObject>(library)->library->functions())
    list += name + "\n";
  return newMessage(list);
}

MetalPipeline newPipeline(MetalDevice, MetalLibrary library, const char *function, const MetalConstant *constants,
                          size_t constantCount, const MetalPipelineOptions *options, char **error) {
  std::string message;
  MetalPipelineOptions none{};
  std::shared_ptr<Pipeline> pipeline = Pipeline::make(as<LibraryObject>(library)->library, function,
                                                      ArrayRef(constants, constantCount), options ? *options : none, -1, message);
  setError(error, message);
  return pipeline ? handle<MetalPipeline>(new PipelineObject(std::move(pipeline))) : nullptr;
}

void pipelineInfo(MetalPipeline pipeline, MetalPipelineInfo *info) { *info = as<PipelineObject>(pipeline)->pipeline->info(); }

MetalCommandBuffer newCommandBuffer(MetalQueue queue, char **error) {
  setError(error, "");
  return handle<MetalCommandBuffer>(new CommandsObject(as<QueueObject>(queue)));
}

MetalEncoder newEncoder(MetalCommandBuffer commands, char **error) {
  auto *buffer = as<CommandsObject>(commands);
  setError(error, "");
  if (buffer->encoderOpen) {
    setError(error, "the command buffer has an open encoder already");
    return nullptr;
  }
  buffer->encoderOpen = true;
  return handle<MetalEncoder>(new EncoderObject(buffer));
}

EncoderObject *encoderOf(MetalEncoder encoder) { return as<EncoderObject>(encoder); }

/// The encoder, if it still encodes.
EncoderObject *open(MetalEncoder encoder) {
  EncoderObject *object = encoderOf(encoder);
  if (object->ended)
    object->commands->fault("a call to an encoder that has ended");
  return object;
}

void setPipeline(MetalEncoder encoder, MetalPipeline pipeline) { open(encoder)->pipeline = as<PipelineObject>(pipeline)->pipeline; }

void setBuffer(MetalEncoder encoder, MetalBuffer buffer, uint64_t offset, uint32_t index) {
  EncoderObject *object = open(encoder);
  if (index >= maxBuffers)
    return object->commands->fault("buffer index " + std::to_string(index) + "; 30 is the highest");
  Ref<BufferObject> memory(as<BufferObject>(buffer));
  if (memory && offset > memory->length)
    return object->commands->fault("an offset of " + std::to_string(offset) + " in a buffer of " +
                                   std::to_string(memory->length) + " bytes");
  object->bind(index, memory ? BufferRange{memory->memory + offset, memory->length - offset} : BufferRange{});
  object->commands->keep(memory);
}

void setBytes(MetalEncoder encoder, const void *bytes, size_t length, uint32_t index) {
  EncoderObject *object = open(encoder);
  if (index >= maxBuffers)
    return object->commands->fault("buffer index " + std::to_string(index) + "; 30 is the highest");
  if (length == 0 || length > maxInlineBytes)
    return object->commands->fault("setBytes of " + std::to_string(length) + " bytes; 4096 is the most");
  auto copy = static_cast<char *>(aligned_alloc(64, (length + 63) & ~size_t(63)));
  memcpy(copy, bytes, length);
  Ref<BufferObject> memory(new BufferObject(copy, length, true), adopt);
  object->bind(index, {copy, length});
  object->commands->keep(memory);
}

void setThreadgroupMemoryLength(MetalEncoder encoder, uint64_t length, uint32_t index) {
  EncoderObject *object = open(encoder);
  if (index >= maxBuffers || length % 16 || length > 32768)
    return object->commands->fault("threadgroup memory " + std::to_string(index) + " of " + std::to_string(length) +
                                   " bytes; a multiple of 16, at most 32768, is allowed");
  if (object->arguments.threadgroupBytes.size() <= index)
    object->arguments.threadgroupBytes.resize(index + 1);
  object->arguments.threadgroupBytes[index] = static_cast<uint32_t>(length);
}

void useResource(MetalEncoder encoder, MetalBuffer buffer, uint32_t) {
  EncoderObject *object = open(encoder);
  Ref<BufferObject> memory(as<BufferObject>(buffer));
  object->arguments.resources.push_back({memory->memory, memory->length});
  object->commands->keep(memory);
}

void dispatchThreadgroups(MetalEncoder encoder, MetalSize groups, MetalSize threads) {
  EncoderObject *object = open(encoder);
  if (!object->pipeline)
    return object->commands->fault("a dispatch without a pipeline");
  Dispatch dispatch{object->pipeline, object->arguments};
  uint64_t sizes[3] = {groups.width, groups.height, groups.depth}, counts[3] = {threads.width, threads.height, threads.depth};
  for (int d = 0; d < 3; ++d) {
    if (counts[d] > 1024)
      return object->commands->fault(std::to_string(counts[d]) + " threads along a dimension of a threadgroup; 1024 is the most");
    dispatch.arguments.threadgroups[d] = sizes[d];
    dispatch.arguments.threads[d] = static_cast<uint32_t>(counts[d]);
  }
  object->commands->dispatches.push_back(std::move(dispatch));
}

void endEncoding(MetalEncoder encoder) {
  EncoderObject *object = encoderOf(encoder);
  object->ended = true;
  object->commands->encoderOpen = false;
}

MetalEvent newEvent(MetalDevice, char **error) {
  setError(error, "");
  return handle<MetalEvent>(new EventObject);
}

void encodeSignal(MetalCommandBuffer commands, MetalEvent event, uint64_t value) {
  as<CommandsObject>(commands)->signals.push_back({Ref<EventObject>(as<EventObject>(event)), value});
}

void commit(MetalCommandBuffer commands) {
  auto *buffer = as<CommandsObject>(commands);
  if (buffer->encoderOpen)
    buffer->fault("a commit with an open encoder");
  buffer->queue->commit(buffer);
}

int waitEvent(MetalEvent event, uint64_t value, uint64_t timeoutMs) { return as<EventObject>(event)->wait(value, timeoutMs); }

uint32_t status(MetalCommandBuffer commands, char **error) {
  auto *buffer = as<CommandsObject>(commands);
  std::lock_guard lock(buffer->mutex);
  setError(error, buffer->message);
  return buffer->state;
}

void times(MetalCommandBuffer commands, uint64_t *begin, uint64_t *end) {
  auto *buffer = as<CommandsObject>(commands);
  std::lock_guard lock(buffer->mutex);
  *begin = buffer->began;
  *end = buffer->ended;
}

void setRunOptions(MetalDevice device, const MetalRunOptions *options) {
  auto *object = as<DeviceObject>(device);
  std::lock_guard lock(object->mutex);
  object->options = {options->seed, options->workers, options->timeoutMs, options->keepDenormals != 0, options->optLevel};
}

void interrupt(MetalQueue queue) { as<QueueObject>(queue)->interrupt = true; }

size_t takeReports(MetalCommandBuffer commands, MetalReport **reports) {
  auto *buffer = as<CommandsObject>(commands);
  std::lock_guard lock(buffer->mutex);
  size_t count = buffer->reports.size();
  *reports = nullptr;
  if (count) {
    *reports = static_cast<MetalReport *>(malloc(count * sizeof(MetalReport)));
    memcpy(*reports, buffer->reports.data(), count * sizeof(MetalReport));
  }
  buffer->reports.clear();
  return count;
}

void addCounters(MetalCommandBuffer commands, MetalCounters *counters) {
  auto *buffer = as<CommandsObject>(commands);
  std::lock_guard lock(buffer->mutex);
  addTo(*counters, buffer->counters);
}

char *libraryAIR(MetalLibrary library, const char *function, char **error) {
  std::string text, message;
  bool ok = as<LibraryObject>(library)->library->print(function, text, message);
  setError(error, message);
  return ok ? newMessage(text) : nullptr;
}

} // namespace

const MetalCalls *softmetalMetalCalls(void) {
  static const MetalCalls table = {
      METAL_CALLS_VERSION, "softmetal",     poolPush,      poolPop,           release,           freeMessage,
      newDevice,           deviceInfo,      newQueue,      newBuffer,         newBufferNoCopy,   bufferContents,
      bufferAddress,       newLibrary,      newLibraryFromData, functionNames, newPipeline,      pipelineInfo,
      newCommandBuffer,    newEncoder,      setPipeline,   setBuffer,         setBytes,          setThreadgroupMemoryLength,
      useResource,         dispatchThreadgroups, endEncoding, newEvent,       encodeSignal,      commit,
      waitEvent,           status,          times,         setRunOptions,     interrupt,         takeReports,
      libraryAIR,          addCounters,
  };
  return &table;
}
