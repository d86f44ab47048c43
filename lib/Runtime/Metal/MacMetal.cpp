//===- MacMetal.cpp - the table of Metal calls of a Mac ------------------------------------------------------------------===//
//
// The one file that is only for Macs, and it includes no header of Apple's: Metal is loaded by dlopen and called by objc_msgSend,
// cast each time to the exact type of the method (arm64 passes variadic arguments elsewhere). So it can be cross-compiled and linked
// on any machine, which a test does. Freestanding C++: no C++ library.
//
// Nothing in this file has run on a Mac yet.
//
// Completion is by MTLSharedEvent, so no blocks are needed. `new...` and `alloc` give an owned object; command buffers and encoders
// are autoreleased, hence retained here.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "triton_metal/Runtime/Metal/MacMetal.h"

extern "C" {
void *dlopen(const char *path, int mode);
void *dlsym(void *handle, const char *symbol);
void *malloc(size_t bytes);
void free(void *memory);
size_t strlen(const char *text);
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int usleep(unsigned microseconds);
}

namespace {

using Id = void *;
using Sel = void *;
using Unsigned = unsigned long;

constexpr int rtldNow = 2, rtldGlobal = 8;
constexpr Unsigned pageBytes = 16384;
constexpr Unsigned utf8 = 4;

/// What is loaded once.
struct Runtime {
  void (*send)(void) = nullptr; // objc_msgSend: cast before every call
  Id (*getClass)(const char *) = nullptr;
  Sel (*selector)(const char *) = nullptr;
  void *(*poolPush)(void) = nullptr;
  void (*poolPop)(void *) = nullptr;
  Id (*createDevice)(void) = nullptr;
  Id (*copyAllDevices)(void) = nullptr;
  bool loaded = false;
} objc;

/// One message. Every argument must have the exact type that the method declares.
template <class Result, class... Arguments> Result send(Id object, const char *name, Arguments... arguments) {
  return reinterpret_cast<Result (*)(Id, Sel, Arguments...)>(objc.send)(object, objc.selector(name), arguments...);
}

bool responds(Id object, const char *name) {
  return object && send<bool>(object, "respondsToSelector:", objc.selector(name));
}

char *copyText(const char *text) {
  if (!text)
    return nullptr;
  size_t bytes = strlen(text) + 1;
  auto copy = static_cast<char *>(malloc(bytes));
  if (copy)
    memcpy(copy, text, bytes);
  return copy;
}

void setError(char **error, const char *text) {
  if (error)
    *error = text && *text ? copyText(text) : nullptr;
}

/// The text of an NSError, or of nothing.
void setError(char **error, Id object) {
  Id description = object ? send<Id>(object, "localizedDescription") : nullptr;
  setError(error, description ? send<const char *>(description, "UTF8String") : "");
}

Id newString(const char *text, size_t length) {
  Id string = send<Id>(objc.getClass("NSString"), "alloc");
  return send<Id, const void *, Unsigned, Unsigned>(string, "initWithBytes:length:encoding:", text, length, utf8);
}

void copyString(char *to, size_t room, Id string) {
  const char *text = string ? send<const char *>(string, "UTF8String") : "";
  size_t bytes = strlen(text);
  if (bytes >= room)
    bytes = room - 1;
  memcpy(to, text, bytes);
  to[bytes] = 0;
}

void *poolPush() { return objc.poolPush(); }
void poolPop(void *pool) { objc.poolPop(pool); }
void release(void *object) {
  if (object)
    send<void>(object, "release");
}
void freeMessage(void *message) { free(message); }

MetalDevice newDevice(char **error) {
  setError(error, "");
  Id device = objc.createDevice();
  if (!device && objc.copyAllDevices) { // a command-line process may have no default device
    Id all = objc.copyAllDevices();
    if (all && send<Unsigned>(all, "count") > 0) {
      device = send<Id, Unsigned>(all, "objectAtIndex:", 0);
      send<Id>(device, "retain");
    }
    release(all);
  }
  if (!device)
    setError(error, "this system has no Metal GPU");
  return static_cast<MetalDevice>(device);
}

/// The newest language version whose compiler is there: an image of a system may lack the newest tool chain, so ask the compiler.
uint32_t newestLanguage(Id device) {
  static const uint32_t ladder[] = {4u << 16 | 1, 4u << 16, 3u << 16 | 2, 3u << 16 | 1, 3u << 16};
  for (uint32_t version : ladder) {
    Id options = send<Id>(send<Id>(objc.getClass("MTLCompileOptions"), "alloc"), "init");
    send<void, Unsigned>(options, "setLanguageVersion:", version);
    static const char probe[] = "kernel void probe() {}";
    Id text = newString(probe, sizeof probe - 1), problem = nullptr;
    Id library = send<Id, Id, Id, Id *>(device, "newLibraryWithSource:options:error:", text, options, &problem);
    release(text);
    release(options);
    if (library) {
      release(library);
      return version;
    }
  }
  return 3u << 16;
}

void deviceInfo(MetalDevice device, MetalDeviceInfo *info) {
  memset(info, 0, sizeof *info);
  copyString(info->name, sizeof info->name, send<Id>(device, "name"));
  if (responds(device, "architecture"))
    copyString(info->architecture, sizeof info->architecture, send<Id>(send<Id>(device, "architecture"), "name"));
  info->maxBufferLength = send<Unsigned>(device, "maxBufferLength");
  info->maxThreadgroupMemory = static_cast<uint32_t>(send<Unsigned>(device, "maxThreadgroupMemoryLength"));
  info->maxThreadsPerThreadgroup = static_cast<uint32_t>(send<MetalSize>(device, "maxThreadsPerThreadgroup").width);
  info->threadExecutionWidth = 32;
  info->languageVersion = newestLanguage(device);
  constexpr long familyMetal3 = 5001;
  info->hasGPUAddresses = send<bool, long>(device, "supportsFamily:", familyMetal3);
}

MetalQueue newQueue(MetalDevice device, char **error) {
  Id queue = send<Id>(device, "newCommandQueue");
  setError(error, queue ? "" : "the device gives no command queue");
  return static_cast<MetalQueue>(queue);
}

MetalBuffer newBuffer(MetalDevice device, uint64_t length, char **error) {
  Id buffer = send<Id, Unsigned, Unsigned>(device, "newBufferWithLength:options:", length, 0); // shared storage
  setError(error, buffer ? "" : "the device gives no memory");
  return static_cast<MetalBuffer>(buffer);
}

MetalBuffer newBufferNoCopy(MetalDevice device, void *pointer, uint64_t length, uint64_t *offset, char **error) {
  auto address = reinterpret_cast<Unsigned>(pointer), begin = address & ~(pageBytes - 1);
  Unsigned end = (address + length + pageBytes - 1) & ~(pageBytes - 1);
  *offset = address - begin;
  Id buffer = send<Id, void *, Unsigned, Unsigned, Id>(device, "newBufferWithBytesNoCopy:length:options:deallocator:",
                                                       reinterpret_cast<void *>(begin), end - begin, 0, nullptr);
  setError(error, buffer ? "" : "the pages that hold it cannot be wrapped");
  return static_cast<MetalBuffer>(buffer);
}

void *bufferContents(MetalBuffer buffer) { return send<void *>(buffer, "contents"); }
uint64_t bufferAddress(MetalBuffer buffer) { return send<uint64_t>(buffer, "gpuAddress"); }

MetalLibrary newLibrary(MetalDevice device, const char *text, size_t length, const MetalCompileOptions *options, char **error) {
  Id settings = send<Id>(send<Id>(objc.getClass("MTLCompileOptions"), "alloc"), "init");
  if (options->languageVersion)
    send<void, Unsigned>(settings, "setLanguageVersion:", options->languageVersion);
  if (responds(settings, "setMathMode:"))
    send<void, long>(settings, "setMathMode:", static_cast<long>(options->mathMode));
  else
    send<void, bool>(settings, "setFastMathEnabled:", options->mathMode != MetalMathSafe);
  Id source = newString(text, length), problem = nullptr;
  Id library = send<Id, Id, Id, Id *>(device, "newLibraryWithSource:options:error:", source, settings, &problem);
  setError(error, problem); // warnings come with a library
  release(source);
  release(settings);
  return static_cast<MetalLibrary>(library);
}

MetalLibrary newLibraryFromData(MetalDevice device, const void *bytes, size_t length, char **error) {
  auto create = reinterpret_cast<Id (*)(const void *, size_t, Id, Id)>(dlsym(reinterpret_cast<void *>(-2), "dispatch_data_create"));
  if (!create) {
    setError(error, "dispatch_data_create is missing");
    return nullptr;
  }
  Id data = create(bytes, length, nullptr, nullptr), problem = nullptr; // copies
  Id library = send<Id, Id, Id *>(device, "newLibraryWithData:error:", data, &problem);
  setError(error, library ? nullptr : problem);
  release(data);
  return static_cast<MetalLibrary>(library);
}

char *functionNames(MetalLibrary library) {
  Id names = send<Id>(library, "functionNames");
  Id newline = newString("\n", 1);
  Id joined = send<Id, Id>(names, "componentsJoinedByString:", newline);
  Id all = send<Id, Id>(joined, "stringByAppendingString:", newline);
  char *text = copyText(send<const char *>(all, "UTF8String"));
  release(newline);
  return text;
}

/// MTLDataType of a MetalType.
Unsigned dataType(uint32_t type) {
  switch (type) {
  case MetalTypeInt: return 29;
  case MetalTypeUInt: return 33;
  case MetalTypeShort: return 37;
  case MetalTypeUShort: return 41;
  case MetalTypeChar: return 45;
  case MetalTypeUChar: return 49;
  case MetalTypeFloat: return 3;
  case MetalTypeHalf: return 16;
  default: return 53; // bool
  }
}

MetalPipeline newPipeline(MetalDevice device, MetalLibrary library, const char *function, const MetalConstant *constants,
                          size_t constantCount, const MetalPipelineOptions *, char **error) {
  Id name = newString(function, strlen(function)), problem = nullptr, object = nullptr;
  if (constantCount) {
    Id values = send<Id>(send<Id>(objc.getClass("MTLFunctionConstantValues"), "alloc"), "init");
    for (size_t i = 0; i < constantCount; ++i)
      send<void, const void *, Unsigned, Unsigned>(values, "setConstantValue:type:atIndex:", &constants[i].bits,
                                                   dataType(constants[i].type), constants[i].index);
    object = send<Id, Id, Id, Id *>(library, "newFunctionWithName:constantValues:error:", name, values, &problem);
    release(values);
  } else
    object = send<Id, Id>(library, "newFunctionWithName:", name);
  release(name);
  if (!object) {
    if (problem)
      setError(error, problem);
    else
      setError(error, "the library has no such function");
    return nullptr;
  }
  Id pipeline = send<Id, Id, Id *>(device, "newComputePipelineStateWithFunction:error:", object, &problem);
  release(object);
  setError(error, pipeline ? nullptr : problem);
  return static_cast<MetalPipeline>(pipeline);
}

void pipelineInfo(MetalPipeline pipeline, MetalPipelineInfo *info) {
  info->maxTotalThreadsPerThreadgroup = static_cast<uint32_t>(send<Unsigned>(pipeline, "maxTotalThreadsPerThreadgroup"));
  info->threadExecutionWidth = static_cast<uint32_t>(send<Unsigned>(pipeline, "threadExecutionWidth"));
  info->staticThreadgroupMemory = static_cast<uint32_t>(send<Unsigned>(pipeline, "staticThreadgroupMemoryLength"));
}

MetalCommandBuffer newCommandBuffer(MetalQueue queue, char **error) {
  Id descriptor = send<Id>(send<Id>(objc.getClass("MTLCommandBufferDescriptor"), "alloc"), "init");
  send<void, Unsigned>(descriptor, "setErrorOptions:", 1); // an error then names the encoder that made it
  Id commands = send<Id, Id>(queue, "commandBufferWithDescriptor:", descriptor);
  release(descriptor);
  setError(error, commands ? "" : "the queue gives no command buffer");
  return static_cast<MetalCommandBuffer>(commands ? send<Id>(commands, "retain") : nullptr);
}

MetalEncoder newEncoder(MetalCommandBuffer commands, char **error) {
  Id encoder = send<Id>(commands, "computeCommandEncoder"); // serial
  setError(error, encoder ? "" : "the command buffer gives no encoder");
  return static_cast<MetalEncoder>(encoder ? send<Id>(encoder, "retain") : nullptr);
}

void setPipeline(MetalEncoder encoder, MetalPipeline pipeline) { send<void, Id>(encoder, "setComputePipelineState:", pipeline); }
void setBuffer(MetalEncoder encoder, MetalBuffer buffer, uint64_t offset, uint32_t index) {
  send<void, Id, Unsigned, Unsigned>(encoder, "setBuffer:offset:atIndex:", buffer, offset, index);
}
void setBytes(MetalEncoder encoder, const void *bytes, size_t length, uint32_t index) {
  send<void, const void *, Unsigned, Unsigned>(encoder, "setBytes:length:atIndex:", bytes, length, index);
}
void setThreadgroupMemoryLength(MetalEncoder encoder, uint64_t length, uint32_t index) {
  send<void, Unsigned, Unsigned>(encoder, "setThreadgroupMemoryLength:atIndex:", length, index);
}
void useResource(MetalEncoder encoder, MetalBuffer buffer, uint32_t usage) {
  send<void, Id, Unsigned>(encoder, "useResource:usage:", buffer, usage);
}
void dispatchThreadgroups(MetalEncoder encoder, MetalSize groups, MetalSize threads) {
  send<void, MetalSize, MetalSize>(encoder, "dispatchThreadgroups:threadsPerThreadgroup:", groups, threads);
}
void endEncoding(MetalEncoder encoder) { send<void>(encoder, "endEncoding"); }

MetalEvent newEvent(MetalDevice device, char **error) {
  Id event = send<Id>(device, "newSharedEvent");
  setError(error, event ? "" : "the device gives no event");
  return static_cast<MetalEvent>(event);
}
void encodeSignal(MetalCommandBuffer commands, MetalEvent event, uint64_t value) {
  send<void, Id, uint64_t>(commands, "encodeSignalEvent:value:", event, value);
}
void commit(MetalCommandBuffer commands) { send<void>(commands, "commit"); }

/// Spins first, because that is the fastest way to see a short kernel end, and then sleeps between looks.
int waitEvent(MetalEvent event, uint64_t value, uint64_t timeoutMs) {
  for (int i = 0; i < 2000; ++i)
    if (send<uint64_t>(event, "signaledValue") >= value)
      return 1;
  constexpr unsigned sleep = 100;
  for (uint64_t slept = 0; slept < timeoutMs * 1000; slept += sleep) {
    if (send<uint64_t>(event, "signaledValue") >= value)
      return 1;
    usleep(sleep);
  }
  return send<uint64_t>(event, "signaledValue") >= value;
}

uint32_t status(MetalCommandBuffer commands, char **error) {
  constexpr Unsigned completed = 4, failed = 5;
  Unsigned state = send<Unsigned>(commands, "status");
  setError(error, state == failed ? send<Id>(commands, "error") : nullptr);
  return state == completed ? MetalStatusCompleted : state == failed ? MetalStatusError : MetalStatusPending;
}

void times(MetalCommandBuffer commands, uint64_t *begin, uint64_t *end) {
  send<void>(commands, "waitUntilCompleted"); // the event is signalled before the buffer knows its times
  *begin = static_cast<uint64_t>(send<double>(commands, "GPUStartTime") * 1e9);
  *end = static_cast<uint64_t>(send<double>(commands, "GPUEndTime") * 1e9);
}

template <class Function> bool find(void *library, const char *name, Function *&function) {
  function = library ? reinterpret_cast<Function *>(dlsym(library, name)) : nullptr;
  return function != nullptr;
}

bool load() {
  // The libraries lie in the shared cache, so only dlopen knows whether they exist.
  void *runtime = dlopen("/usr/lib/libobjc.A.dylib", rtldNow | rtldGlobal);
  dlopen("/System/Library/Frameworks/Foundation.framework/Foundation", rtldNow | rtldGlobal);
  dlopen("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics", rtldNow | rtldGlobal); // else there may be no default device
  void *metal = dlopen("/System/Library/Frameworks/Metal.framework/Metal", rtldNow | rtldGlobal);
  find(metal, "MTLCopyAllDevices", objc.copyAllDevices);
  return find(runtime, "objc_msgSend", objc.send) && find(runtime, "objc_getClass", objc.getClass) &&
         find(runtime, "sel_registerName", objc.selector) && find(runtime, "objc_autoreleasePoolPush", objc.poolPush) &&
         find(runtime, "objc_autoreleasePoolPop", objc.poolPop) && find(metal, "MTLCreateSystemDefaultDevice", objc.createDevice);
}

} // namespace

// The driver calls this under its lock, once.
extern "C" const MetalCalls *macMetalCalls(void) {
  static const MetalCalls table = {
      METAL_CALLS_VERSION, "metal",         poolPush,      poolPop,           release,           freeMessage,
      newDevice,           deviceInfo,      newQueue,      newBuffer,         newBufferNoCopy,   bufferContents,
      bufferAddress,       newLibrary,      newLibraryFromData, functionNames, newPipeline,      pipelineInfo,
      newCommandBuffer,    newEncoder,      setPipeline,   setBuffer,         setBytes,          setThreadgroupMemoryLength,
      useResource,         dispatchThreadgroups, endEncoding, newEvent,       encodeSignal,      commit,
      waitEvent,           status,          times,         nullptr,           nullptr,           nullptr,
      nullptr,             nullptr,
  };
  if (!objc.loaded)
    objc.loaded = load();
  return objc.loaded ? &table : nullptr;
}
