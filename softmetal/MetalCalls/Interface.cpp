//===- Interface.cpp - the C interface, but for the table of Metal calls -------------------------------------------------===//
#include "softmetal/MetalCalls/Messages.h"
#include "softmetal/MetalCalls/Pipeline.h"
#include "softmetal/softmetal.h"
#include <cstdlib>
#include <cstring>

using namespace llvm;
using namespace softmetal;

struct SoftmetalLibrary {
  std::shared_ptr<Library> library;
};
struct SoftmetalPipeline {
  std::shared_ptr<Pipeline> pipeline;
};

/// Set by softmetalInterrupt; cleared when a dispatch ends.
static std::atomic<bool> interruptRequested{false};

static void setError(char **error, const std::string &message) {
  if (error)
    *error = message.empty() ? nullptr : newMessage(message);
}

static SoftmetalLibrary *wrap(std::shared_ptr<Library> library, char **error, const std::string &message) {
  setError(error, message);
  return library ? new SoftmetalLibrary{std::move(library)} : nullptr;
}

void softmetalFree(void *memory) { free(memory); }

SoftmetalLibrary *softmetalLibraryFromText(const char *text, size_t length, const MetalCompileOptions *options, char **error) {
  std::string message;
  MetalCompileOptions defaults{};
  std::shared_ptr<Library> library = Library::fromText(StringRef(text, length), options ? *options : defaults, message);
  return wrap(std::move(library), error, message);
}

SoftmetalLibrary *softmetalLibraryFromBytes(const void *bytes, size_t length, char **error) {
  std::string message;
  auto copy = MemoryBuffer::getMemBufferCopy(StringRef(static_cast<const char *>(bytes), length), "library");
  std::shared_ptr<Library> library = Library::fromBytes(std::move(copy), message);
  return wrap(std::move(library), error, message);
}

SoftmetalLibrary *softmetalLibraryFromFile(const char *path, char **error) {
  std::string message;
  auto file = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file) {
    setError(error, std::string(path) + ": " + file.getError().message());
    return nullptr;
  }
  std::shared_ptr<Library> library = Library::fromBytes(std::move(*file), message);
  return wrap(std::move(library), error, message);
}

void softmetalLibraryRelease(SoftmetalLibrary *library) { delete library; }

char *softmetalLibraryFunctions(const SoftmetalLibrary *library) {
  std::string list;
  for (const std::string &name : library->library->functions())
    list += name + "\n";
  return newMessage(list);
}

char *softmetalLibraryAIR(const SoftmetalLibrary *library, const char *function, char **error) {
  std::string text, message;
  bool ok = library->library->print(function, text, message);
  setError(error, message);
  return ok ? newMessage(text) : nullptr;
}

SoftmetalPipeline *softmetalPipelineNew(SoftmetalLibrary *library, const char *function, const MetalConstant *constants,
                                        size_t constantCount, const MetalPipelineOptions *options, int32_t optLevel, char **error) {
  std::string message;
  MetalPipelineOptions defaults{};
  std::shared_ptr<Pipeline> pipeline = Pipeline::make(library->library, function, ArrayRef(constants, constantCount),
                                                      options ? *options : defaults, optLevel, message);
  setError(error, message);
  return pipeline ? new SoftmetalPipeline{std::move(pipeline)} : nullptr;
}

void softmetalPipelineRelease(SoftmetalPipeline *pipeline) { delete pipeline; }

void softmetalPipelineInfo(const SoftmetalPipeline *pipeline, SoftmetalPipelineInfo *info) {
  const KernelCode &code = pipeline->pipeline->code();
  MetalPipelineInfo facts = pipeline->pipeline->info();
  *info = {facts.maxTotalThreadsPerThreadgroup, facts.staticThreadgroupMemory, code.kernel.facts.stackBytes, 0,
           code.loadMs, code.translateMs, code.codeMs};
}

char *softmetalPipelineIR(SoftmetalLibrary *library, const char *function, const MetalConstant *constants, size_t constantCount,
                          const MetalPipelineOptions *options, int32_t optLevel, char **error) {
  MetalPipelineOptions defaults{};
  CompileRequest request =
      compileRequest(*library->library, function, ArrayRef(constants, constantCount), options ? *options : defaults);
  request.level = optLevel > 0 ? optLevel : 0;
  request.keepIR = request.translateOnly = true;
  std::string message;
  std::unique_ptr<KernelCode> code;
  if (StringRef air = library->library->air(function); !air.empty())
    code = compileKernel(air, request, message);
  else
    message = "the library has no kernel named " + std::string(function);
  setError(error, message);
  return code ? newMessage(code->ir) : nullptr;
}

uint32_t softmetalDispatch(SoftmetalPipeline *pipeline, const SoftmetalDispatch *dispatch, MetalReport **reports, size_t *reportCount,
                           SoftmetalCounters *counters, char **error) {
  LaunchArguments arguments;
  for (size_t i = 0; i < dispatch->bufferCount; ++i)
    arguments.buffers.push_back({static_cast<char *>(dispatch->buffers[i].address), dispatch->buffers[i].bytes});
  for (size_t i = 0; i < dispatch->resourceCount; ++i)
    arguments.resources.push_back({static_cast<char *>(dispatch->resources[i].address), dispatch->resources[i].bytes});
  arguments.threadgroupBytes.assign(dispatch->threadgroupBytes, dispatch->threadgroupBytes + dispatch->threadgroupCount);
  for (int d = 0; d < 3; ++d) {
    arguments.threadgroups[d] = dispatch->threadgroups[d];
    arguments.threads[d] = dispatch->threads[d];
    arguments.gridThreads[d] = dispatch->gridThreads[d];
  }
  const MetalRunOptions &run = dispatch->run;
  RunOptions options{run.seed, run.workers, run.timeoutMs, run.keepDenormals != 0, run.optLevel};
  LaunchResult result = pipeline->pipeline->run(arguments, options, &interruptRequested);
  interruptRequested = false; // it was meant for what ran until now
  if (reports) {
    *reports = nullptr;
    if (!result.reports.empty()) {
      *reports = static_cast<MetalReport *>(malloc(result.reports.size() * sizeof(MetalReport)));
      memcpy(*reports, result.reports.data(), result.reports.size() * sizeof(MetalReport));
    }
    *reportCount = result.reports.size();
  }
  if (counters) {
    *counters = {};
    addTo(*counters, result.counters);
  }
  setError(error, result.message);
  return result.status;
}

void softmetalInterrupt(void) { interruptRequested = true; }
