// The C interface of libsoftmetal.so: all that a process which loads it by dlopen can call. No type of LLVM crosses it.
//
// Two ways in. softmetalMetalCalls() is the table of Metal calls that triton-metal's driver runs over. The other functions serve
// those who want to run kernels directly: a library from MSL text or a .metallib, a pipeline from one of its kernels, a dispatch with
// buffers. Functions that can fail return null or a status and, if `error` is not null, store a message there, to be freed with
// softmetalFree. All functions may be called from any thread; objects may be released while work of theirs has ended.
#ifndef SOFTMETAL_SOFTMETAL_H
#define SOFTMETAL_SOFTMETAL_H

#include "triton_metal/Runtime/Metal/MetalCalls.h"

#define SOFTMETAL_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

// "MAJOR.MINOR.PATCH" of triton-metal, of which this library is a part: both must be the same.
SOFTMETAL_API const char *softmetalVersion(void);

// The table of Metal calls, filled by the software Metal. Lives as long as the process.
SOFTMETAL_API const MetalCalls *softmetalMetalCalls(void);

SOFTMETAL_API void softmetalFree(void *);

typedef struct SoftmetalLibrary SoftmetalLibrary;
typedef struct SoftmetalPipeline SoftmetalPipeline;

// MSL text, compiled. A library may come with a message as well: warnings.
SOFTMETAL_API SoftmetalLibrary *softmetalLibraryFromText(const char *text, size_t length, const MetalCompileOptions *options,
                                                         char **error);
// A .metallib, or a single AIR module as bitcode or LLVM text. The bytes are copied.
SOFTMETAL_API SoftmetalLibrary *softmetalLibraryFromBytes(const void *bytes, size_t length, char **error);
// A .metallib file, mapped and not copied.
SOFTMETAL_API SoftmetalLibrary *softmetalLibraryFromFile(const char *path, char **error);
SOFTMETAL_API void softmetalLibraryRelease(SoftmetalLibrary *);
// Names of the kernels, one a line. To be freed.
SOFTMETAL_API char *softmetalLibraryFunctions(const SoftmetalLibrary *);
// One kernel's AIR as LLVM text. To be freed.
SOFTMETAL_API char *softmetalLibraryAIR(const SoftmetalLibrary *, const char *function, char **error);

typedef struct SoftmetalPipelineInfo {
  uint32_t maxThreads, threadgroupBytes, stackBytes, reserved;
  double loadMs, translateMs, codeMs;
} SoftmetalPipelineInfo;

// optLevel: 0, 2, or -1 for 0 now and 2 once the kernel has run long enough to pay for it.
SOFTMETAL_API SoftmetalPipeline *softmetalPipelineNew(SoftmetalLibrary *, const char *function, const MetalConstant *constants,
                                                      size_t constantCount, const MetalPipelineOptions *options, int32_t optLevel,
                                                      char **error);
SOFTMETAL_API void softmetalPipelineRelease(SoftmetalPipeline *);
SOFTMETAL_API void softmetalPipelineInfo(const SoftmetalPipeline *, SoftmetalPipelineInfo *);
// The IR that machine code is made of, for tests and debugging. To be freed.
SOFTMETAL_API char *softmetalPipelineIR(SoftmetalLibrary *, const char *function, const MetalConstant *constants,
                                        size_t constantCount, const MetalPipelineOptions *options, int32_t optLevel, char **error);

typedef struct SoftmetalBuffer {
  void *address;   // memory of the host, used in place; null where nothing is bound
  uint64_t bytes;
} SoftmetalBuffer;

typedef struct SoftmetalDispatch {
  const SoftmetalBuffer *buffers;      // by buffer index
  size_t bufferCount;
  const SoftmetalBuffer *resources;    // memory that kernels reach through addresses in other memory
  size_t resourceCount;
  const uint32_t *threadgroupBytes;    // lengths of threadgroup arguments, by index; multiples of 16
  size_t threadgroupCount;
  uint64_t threadgroups[3];
  uint32_t threads[3];                 // of a threadgroup
  uint64_t gridThreads[3];             // dispatchThreads: the grid may end within a threadgroup; 0: threadgroups times threads
  MetalRunOptions run;
} SoftmetalDispatch;

typedef MetalCounters SoftmetalCounters;

// Runs to the end. Returns MetalStatus...; *reports (may be null) gets what checks found, to be freed; *counters may be null.
SOFTMETAL_API uint32_t softmetalDispatch(SoftmetalPipeline *, const SoftmetalDispatch *, MetalReport **reports, size_t *reportCount,
                                         SoftmetalCounters *counters, char **error);
// Ends every dispatch that runs now. Safe in a signal handler.
SOFTMETAL_API void softmetalInterrupt(void);

#ifdef __cplusplus
}
#endif
#endif
