//===- Driver.h - the one Metal driver ----------------------------------------------------------------------------------===//
//
// Launches kernels over a table of Metal calls (MetalCalls.h), and does not know whether the table is a Mac's or the software
// Metal's. One device, one queue, one open serial encoder; committed at synchronise() or after 64 launches; completion by event.
//
// Thread-safe: a mutex guards the open encoder and the caches; it is not held while a text is compiled or the device waited for.
// No exceptions: every fallible call returns an Error, which is false when all went well.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "triton_metal/Runtime/Metal/MetalCalls.h"
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace triton_metal::metal {

/// What kind of trouble an Error is. The launch layer maps each kind to one Python exception.
enum class ErrorKind {
  None,
  NoDevice,         ///< no GPU, or libsoftmetal not found: UnsupportedOnDevice / RuntimeError
  CompileFailed,    ///< Metal refused the text: InternalCompilerError for our own text
  MissingFunction,  ///< the library has no such kernel
  OutOfResources,   ///< threads or threadgroup memory beyond a limit
  LaunchFailed,     ///< an argument breaks Metal's rules: LaunchError
  DeviceFault,      ///< a check of the software Metal found something, or the GPU reported an error
  Timeout,          ///< the time limit of RunOptions passed: DeviceFault
  Interrupted,      ///< the interrupt callback asked for it: KeyboardInterrupt
};

struct Error {
  ErrorKind kind = ErrorKind::None;
  std::string message;               ///< [where] what, why, remedy
  std::vector<MetalReport> reports;  ///< DeviceFault: each finding, with lines of the MSL text
  std::string resource;              ///< OutOfResources: what there is too little of,
  uint64_t required = 0, limit = 0;  ///< how much is wanted, and how much there is
  explicit operator bool() const { return kind != ErrorKind::None; }
};

/// Memory that the driver owns and both sides see: `contents` for the host, `address` for kernels.
class Buffer {
public:
  ~Buffer();
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  void *contents() const { return host; }
  uint64_t address() const { return gpu; }
  uint64_t size() const { return bytes; }

private:
  friend class Driver;
  Buffer() = default;
  const MetalCalls *calls = nullptr;
  MetalBuffer object = nullptr;
  void *host = nullptr;
  uint64_t gpu = 0, bytes = 0;
};

/// A compiled kernel. Owned by the driver's cache; lives as long as the driver.
class Pipeline {
public:
  const std::string &name() const { return function; }
  const MetalPipelineInfo &info() const { return facts; }
  const std::string &warnings() const { return compilerWarnings; }

private:
  friend class Driver;
  Pipeline() = default;
  MetalLibrary library = nullptr;
  MetalPipeline object = nullptr;
  MetalPipelineInfo facts{};
  std::string function, compilerWarnings;
};

struct PipelineRequest {
  std::string_view text;             ///< MSL; exactly these bytes are Apple's cache key, so no comments
  std::string_view function;         ///< name of the kernel in it
  uint32_t languageVersion = 0;      ///< (major << 16) + minor; 0: the device's newest
  uint32_t mathMode = MetalMathSafe;
  uint32_t checks = 0;               ///< MetalCheck... bits; they make another pipeline
  bool count = false;                ///< launches add to the driver's counters; only the software Metal does
  uint32_t sample = 0;               ///< with count: so many threadgroups run, spread over the grid, and counts are scaled; 0: all
  uint32_t threads = 0;              ///< threads a threadgroup that launches will use: more than the pipeline allows is OutOfResources
  std::vector<MetalConstant> constants;
};

/// One array among a kernel's parameters. The driver makes the memory visible to the device, keeps it resident while the launch
/// runs, and writes its device address into the parameter block at `paramsOffset`.
struct ArrayArgument {
  void *host = nullptr;              ///< memory of the host, used in place (zero copy), or null with `buffer`
  uint64_t bytes = 0;                ///< its whole extent: bounds are checked against it
  uint64_t addressOffset = 0;        ///< of its first element from the first byte: not 0 where a stride is negative
  const Buffer *buffer = nullptr;    ///< memory of the driver
  uint64_t bufferOffset = 0;
  uint32_t paramsOffset = 0;         ///< where the 8-byte address goes in the block
  bool written = true;
};

/// When the device ran a launch, in nanoseconds of hostNanoseconds() (Clock.h).
struct LaunchTimes {
  uint64_t begin = 0, end = 0;
};

struct LaunchRequest {
  const void *params = nullptr;      ///< the packed block of scalars and (still empty) addresses; copied before launch() returns
  size_t paramsBytes = 0;            ///< a multiple of 16
  const ArrayArgument *arrays = nullptr;
  size_t arrayCount = 0;
  uint32_t grid[3] = {1, 1, 1};      ///< threadgroups (programs)
  uint32_t threads = 32;             ///< threads of a threadgroup, in x
  uint32_t threadgroupBytes = 0;     ///< length of [[threadgroup(0)]]; rounded up to a multiple of 16
  /// Not null: synchronize() writes here. Metal times whole command buffers, so the launch gets one of its own.
  LaunchTimes *times = nullptr;
};

class Driver {
public:
  /// The driver of this process over `calls`; more than one may exist (tests do that).
  static Error create(const MetalCalls *calls, std::unique_ptr<Driver> &driver);
  /// The Mac's GPU where there is one, else the software Metal, which is loaded on first use: from `softmetalPath` if not empty,
  /// else from beside this library, else by the loader's search path. Made once a process and never destroyed.
  static Error shared(const std::string &softmetalPath, Driver *&driver);
  ~Driver();

  const MetalDeviceInfo &deviceInfo() const { return device; }
  bool isSoftware() const { return calls->setRunOptions != nullptr; }

  /// Finds or makes a pipeline. The cache key is the whole request but `threads`.
  Error pipeline(const PipelineRequest &request, const Pipeline *&result);
  /// The same from the bytes of a .metallib.
  Error pipelineFromLibrary(const void *bytes, size_t length, const PipelineRequest &request, const Pipeline *&result);

  /// Makes a pipeline past all caches and throws it away: to measure what a text costs. Without a function's name, of the first kernel.
  Error compileOnce(const PipelineRequest &request);

  /// Memory of `bytes` for both sides.
  Error allocate(uint64_t bytes, std::unique_ptr<Buffer> &result);

  /// Encodes one launch. It has run at the latest when synchronize() returns; host memory must stay until then.
  Error launch(const Pipeline &pipeline, const LaunchRequest &request);

  /// Commits what is open and waits for all of it. Errors of the device surface here.
  /// `interrupted` (may be empty) is asked about every 20 ms; when it says yes, the software Metal ends its kernel.
  Error synchronize(const std::function<bool()> &interrupted = {});

  /// What launches of counting pipelines have done since the last call, as far as synchronize() has waited for them.
  MetalCounters takeCounters();

  /// How the software Metal runs; no effect on a Mac.
  void setRunOptions(const MetalRunOptions &options);

  /// The AIR of a kernel as LLVM text; only the software Metal has it.
  Error air(const Pipeline &pipeline, std::string &text);

  /// For tests and tools: launches encoded and command buffers committed so far, and pipelines made.
  struct Statistics {
    uint64_t launches = 0, commits = 0, pipelinesMade = 0, librariesMade = 0;
  };
  Statistics statistics() const;

private:
  struct State;
  explicit Driver(const MetalCalls *calls);
  Error open();
  Error commitLocked();
  const MetalCalls *calls;
  MetalDeviceInfo device{};
  std::unique_ptr<State> state;
};

} // namespace triton_metal::metal
