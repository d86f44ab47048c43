/* MetalCalls.h: the table of Metal calls, in plain C.
 *
 * The driver (Driver.h) runs over this table and nothing else, so the same driver serves a Mac's GPU and the software Metal:
 * the table is filled by MacMetal.cpp (dlopen and objc_msgSend) or by libsoftmetal (softmetal_metal_calls()).
 *
 * Contract of every entry:
 *  - Objects are reference counted. What a `new...` entry returns is owned by the caller, who gives it back by `release`.
 *    Command buffers and encoders are owned as well (the Mac's table retains them).
 *  - An entry that can fail returns null or 0 and stores a message in *error (null beforehand), which the caller frees with
 *    `freeMessage`. Entries without an error parameter cannot fail for arguments that obey Metal's rules; the software Metal
 *    remembers a violation in the command buffer and reports it by `status`.
 *  - Entries may be called from any thread, but one encoder only from one thread at a time, as in Metal.
 *  - `poolPush` and `poolPop` bracket every entry point of the driver on every thread.
 */
#ifndef TRITON_METAL_RUNTIME_METAL_METALCALLS_H
#define TRITON_METAL_RUNTIME_METAL_METALCALLS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define METAL_CALLS_VERSION 5

typedef struct MetalDeviceObject *MetalDevice;
typedef struct MetalQueueObject *MetalQueue;
typedef struct MetalBufferObject *MetalBuffer;
typedef struct MetalLibraryObject *MetalLibrary;
typedef struct MetalPipelineObject *MetalPipeline;
typedef struct MetalCommandBufferObject *MetalCommandBuffer;
typedef struct MetalEncoderObject *MetalEncoder;
typedef struct MetalEventObject *MetalEvent;

typedef struct MetalSize {
  uint64_t width, height, depth;
} MetalSize;

typedef struct MetalDeviceInfo {
  char name[128];
  char architecture[64];              /* "applegpu_g13g", or "softmetal" */
  uint64_t maxBufferLength;           /* bytes of one buffer */
  uint32_t maxThreadgroupMemory;      /* bytes */
  uint32_t maxThreadsPerThreadgroup;
  uint32_t threadExecutionWidth;      /* lanes of a SIMD-group */
  uint32_t languageVersion;           /* newest MSL version accepted, (major << 16) + minor */
  uint32_t hasGPUAddresses;           /* 1: bufferAddress works */
} MetalDeviceInfo;

typedef struct MetalPipelineInfo {
  uint32_t maxTotalThreadsPerThreadgroup;
  uint32_t threadExecutionWidth;
  uint32_t staticThreadgroupMemory;
} MetalPipelineInfo;

enum { MetalTypeBool, MetalTypeInt, MetalTypeUInt, MetalTypeShort, MetalTypeUShort, MetalTypeChar, MetalTypeUChar, MetalTypeFloat,
       MetalTypeHalf };
typedef struct MetalConstant {
  uint32_t index;   /* [[function_constant(index)]] */
  uint32_t type;    /* MetalType... */
  uint64_t bits;    /* the value, in the low bytes */
} MetalConstant;

enum { MetalMathSafe, MetalMathRelaxed, MetalMathFast };
typedef struct MetalCompileOptions {
  uint32_t languageVersion;   /* (major << 16) + minor; 0: the device's newest */
  uint32_t mathMode;          /* MetalMath... */
  uint32_t lineTables;        /* 1: keep the lines of the text for reports (software Metal; ignored on a Mac) */
} MetalCompileOptions;

/* Checks of the software Metal, as bits; a Mac ignores them. Array order is stricter than Metal and not among all: accesses to the
   threadgroup arrays that a kernel declares are ordered by threadgroup barriers alone, also those of one lane. */
enum { MetalCheckBounds = 1, MetalCheckRaces = 2, MetalCheckInitialisation = 4, MetalCheckDivergence = 8, MetalCheckUniform = 16,
       MetalCheckAll = 31, MetalCheckArrayOrder = 32 };

typedef struct MetalPipelineOptions {
  uint32_t checks;            /* MetalCheck... */
  uint32_t count;             /* 1: count memory transactions and operations */
  uint32_t sample;            /* with count: run so many threadgroups, spread over the grid, and scale the counts; 0: all of them */
} MetalPipelineOptions;

/* What launches of counting pipelines did. Transactions are 128-byte lines that one SIMD-group's access touches, deviceLines those that a
   threadgroup touches at all; conflicts are the extra turns that 32 banks of 4 bytes would need. Of the distinct counts, what lanes of a
   threadgroup do alike is counted once: bytes of device memory that are loaded, stored and used by atomics; float operations, functions
   such as exp, and operations of 8x8x8 products. */
typedef struct MetalCounters {
  uint64_t switches, collectives, barriers, lanes;
  uint64_t deviceAccesses, deviceBytes, deviceTransactions;
  uint64_t threadgroupAccesses, threadgroupBytes, bankConflicts;
  uint64_t matrixOperations, floatOperations;
  uint64_t deviceLines;
  uint64_t distinctLoaded, distinctStored, distinctAtomic;
  uint64_t distinctFloat, distinctSpecial, distinctProducts;
} MetalCounters;

enum { MetalUsageRead = 1, MetalUsageWrite = 2 };

enum { MetalStatusPending, MetalStatusCompleted, MetalStatusError, MetalStatusFault, MetalStatusTimeout, MetalStatusInterrupted };

/* One finding of a checked launch. `line` and `otherLine` are lines of the MSL text, 0 where there is none. */
enum { MetalReportBounds, MetalReportThreadgroupBounds, MetalReportRace, MetalReportDeviceRace, MetalReportUninitialised,
       MetalReportDivergence, MetalReportInactiveLane, MetalReportUniform, MetalReportAlignment, MetalReportDeadlock,
       MetalReportTimeout, MetalReportStackOverflow, MetalReportPrivateBounds, MetalReportTrap };
typedef struct MetalReport {
  uint32_t kind;              /* MetalReport... */
  uint32_t line, column;      /* the access that was found */
  uint32_t otherLine, otherColumn; /* the other site of a race */
  uint64_t count;             /* how often */
  int32_t buffer;             /* index of the buffer, or -1; of races and uninitialised reads in threadgroup memory that of an
                                 array that the kernel declares */
  int64_t offset;             /* bytes from its start, where that is known */
  uint32_t threadgroup[3];    /* in which the first one was found */
  uint64_t address;           /* where the resident buffer begins that the message calls `array`, or 0 */
  char array[32];
  char kernel[64];
  char message[512];          /* one sentence that stands alone */
} MetalReport;

/* How the software Metal runs launches; set at any time, takes effect at the next launch. */
typedef struct MetalRunOptions {
  uint64_t seed;              /* 0: lanes in order; else a random schedule */
  uint32_t workers;           /* 0: the CPUs of the process */
  uint32_t timeoutMs;         /* 0: none */
  uint32_t keepDenormals;     /* 0: fp32 denormals are flushed, as on the GPU */
  int32_t optLevel;           /* -1: 0 first and 2 for kernels that run long; 0, 1, 2 */
} MetalRunOptions;

typedef struct MetalCalls {
  uint32_t version;           /* METAL_CALLS_VERSION */
  const char *platform;       /* "metal" or "softmetal" */

  /* Autorelease pools. */
  void *(*poolPush)(void);
  void (*poolPop)(void *pool);
  /* Every object; freeMessage also frees reports. */
  void (*release)(void *object);
  void (*freeMessage)(void *message);

  /* Device and queue. */
  MetalDevice (*newDevice)(char **error);
  void (*deviceInfo)(MetalDevice device, MetalDeviceInfo *info);
  MetalQueue (*newQueue)(MetalDevice device, char **error);

  /* Buffers. newBufferNoCopy makes [pointer, pointer + length) visible to the device: *offset is where `pointer` lies in the
     buffer, which may begin earlier because a Mac wraps whole pages. */
  MetalBuffer (*newBuffer)(MetalDevice device, uint64_t length, char **error);
  MetalBuffer (*newBufferNoCopy)(MetalDevice device, void *pointer, uint64_t length, uint64_t *offset, char **error);
  void *(*bufferContents)(MetalBuffer buffer);
  uint64_t (*bufferAddress)(MetalBuffer buffer);

  /* Libraries and pipelines. A message may come with a library as well: the compiler's warnings. */
  MetalLibrary (*newLibrary)(MetalDevice device, const char *text, size_t length, const MetalCompileOptions *options, char **error);
  MetalLibrary (*newLibraryFromData)(MetalDevice device, const void *bytes, size_t length, char **error);
  /* Names of the library's kernels, one a line; freed with freeMessage. */
  char *(*functionNames)(MetalLibrary library);
  MetalPipeline (*newPipeline)(MetalDevice device, MetalLibrary library, const char *function, const MetalConstant *constants,
                               size_t constantCount, const MetalPipelineOptions *options, char **error);
  void (*pipelineInfo)(MetalPipeline pipeline, MetalPipelineInfo *info);

  /* Encoding. The encoder is serial: a dispatch sees what earlier ones wrote. */
  MetalCommandBuffer (*newCommandBuffer)(MetalQueue queue, char **error);
  MetalEncoder (*newEncoder)(MetalCommandBuffer commands, char **error);
  void (*setPipeline)(MetalEncoder encoder, MetalPipeline pipeline);
  void (*setBuffer)(MetalEncoder encoder, MetalBuffer buffer, uint64_t offset, uint32_t index);
  void (*setBytes)(MetalEncoder encoder, const void *bytes, size_t length, uint32_t index);
  void (*setThreadgroupMemoryLength)(MetalEncoder encoder, uint64_t length, uint32_t index);
  void (*useResource)(MetalEncoder encoder, MetalBuffer buffer, uint32_t usage);
  void (*dispatchThreadgroups)(MetalEncoder encoder, MetalSize threadgroups, MetalSize threadsPerThreadgroup);
  void (*endEncoding)(MetalEncoder encoder);

  /* Completion. waitEvent returns 1 when the event has reached the value, 0 after timeoutMs. */
  MetalEvent (*newEvent)(MetalDevice device, char **error);
  void (*encodeSignal)(MetalCommandBuffer commands, MetalEvent event, uint64_t value);
  void (*commit)(MetalCommandBuffer commands);
  int (*waitEvent)(MetalEvent event, uint64_t value, uint64_t timeoutMs);
  /* The state of a committed buffer: MetalStatus...; a message where it failed. */
  uint32_t (*status)(MetalCommandBuffer commands, char **error);
  /* When the device began and ended a buffer that did not fail: nanoseconds of hostNanoseconds() (Clock.h). The software Metal's are
     those of its own run on the CPU. */
  void (*times)(MetalCommandBuffer commands, uint64_t *begin, uint64_t *end);

  /* Only the software Metal; null on a Mac. */
  void (*setRunOptions)(MetalDevice device, const MetalRunOptions *options);
  void (*interrupt)(MetalQueue queue);  /* ends the kernel that runs; safe in a signal handler */
  size_t (*takeReports)(MetalCommandBuffer commands, MetalReport **reports);  /* freed with freeMessage */
  char *(*libraryAIR)(MetalLibrary library, const char *function, char **error);  /* LLVM IR as text; freed with freeMessage */
  void (*addCounters)(MetalCommandBuffer commands, MetalCounters *counters);  /* adds those of the buffer's launches */
} MetalCalls;

#ifdef __cplusplus
}
#endif
#endif
