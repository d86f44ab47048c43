//===- Pipeline.cpp - a kernel that can be launched ----------------------------------------------------------------------===//
#include "softmetal/MetalCalls/Pipeline.h"
#include "softmetal/MetalCalls/Messages.h"
#include <chrono>

using namespace llvm;

namespace softmetal {

/// Metal's limits, the same from Apple7 to Apple10.
constexpr uint32_t maxThreads = 1024, maxThreadgroupBytes = 32768, lengthUnit = 16;
/// O2 costs some 20 to 60 ms more than O0: from here on it is likely to be earned back.
constexpr double optimiseAfterMs = 200;

void addTo(MetalCounters &sum, const Counters &counters) {
  sum.switches += counters.switches;
  sum.collectives += counters.collectives;
  sum.barriers += counters.barriers;
  sum.lanes += counters.lanes;
  sum.deviceAccesses += counters.deviceAccesses;
  sum.deviceBytes += counters.deviceBytes;
  sum.deviceTransactions += counters.deviceTransactions;
  sum.threadgroupAccesses += counters.threadgroupAccesses;
  sum.threadgroupBytes += counters.threadgroupBytes;
  sum.bankConflicts += counters.bankConflicts;
  sum.matrixOperations += counters.matrixOperations;
  sum.floatOperations += counters.floatOperations;
  sum.deviceLines += counters.deviceLines;
  auto whole = [](uint64_t parts) { return (parts + Counters::distinctUnits / 2) / Counters::distinctUnits; };
  sum.distinctLoaded += whole(counters.distinctLoaded);
  sum.distinctStored += whole(counters.distinctStored);
  sum.distinctAtomic += whole(counters.distinctAtomic);
  sum.distinctFloat += whole(counters.distinctFloat);
  sum.distinctSpecial += whole(counters.distinctSpecial);
  sum.distinctProducts += whole(counters.distinctProducts);
}

CompileRequest compileRequest(const Library &library, StringRef function, ArrayRef<MetalConstant> constants,
                              const MetalPipelineOptions &options) {
  CompileRequest request;
  Translation &translation = request.translation;
  translation.kernel = function.str();
  for (const MetalConstant &constant : constants)
    translation.constants.push_back({constant.index, constant.bits});
  translation.bounds = options.checks & MetalCheckBounds;
  translation.races = options.checks & MetalCheckRaces;
  translation.arrayOrder = options.checks & MetalCheckArrayOrder;
  translation.initialisation = options.checks & MetalCheckInitialisation;
  translation.uniform = options.checks & MetalCheckUniform;
  translation.pollsEverywhere = options.checks != 0 || options.count;
  translation.count = options.count;
  request.divergence = options.checks & MetalCheckDivergence;
  request.fromText = library.isFromText();
  return request;
}

std::shared_ptr<Pipeline> Pipeline::make(std::shared_ptr<Library> library, StringRef function, ArrayRef<MetalConstant> constants,
                                         const MetalPipelineOptions &options, int optLevel, std::string &error) {
  StringRef air = library->air(function);
  if (air.empty()) {
    error = "the library has no kernel named " + function.str();
    return nullptr;
  }
  auto pipeline = std::make_shared<Pipeline>();
  pipeline->library = library;
  pipeline->request = compileRequest(*library, function, constants, options);
  pipeline->request.level = optLevel > 0 ? optLevel : 0;
  pipeline->optLevel = optLevel;
  pipeline->sample = options.count ? options.sample : 0;
  pipeline->first = compileKernel(air, pipeline->request, error);
  if (!pipeline->first)
    return nullptr;
  uint32_t bytes = pipeline->first->kernel.facts.staticThreadgroupBytes;
  if (bytes > maxThreadgroupBytes) {
    error = "the kernel " + function.str() + " declares " + std::to_string(bytes) + " bytes of threadgroup memory; 32768 is the most";
    return nullptr;
  }
  return pipeline;
}

MetalPipelineInfo Pipeline::info() const {
  const Translation &facts = first->kernel.facts;
  return {std::min(facts.maxThreads, maxThreads), 32, facts.staticThreadgroupBytes};
}

std::string Pipeline::refusal(const LaunchArguments &arguments) const {
  const Translation &facts = first->kernel.facts;
  uint64_t threads = uint64_t(arguments.threads[0]) * arguments.threads[1] * arguments.threads[2];
  uint32_t most = info().maxTotalThreadsPerThreadgroup;
  if (threads == 0 || threads > most)
    return std::to_string(threads) + " threads in a threadgroup; this pipeline allows 1 to " + std::to_string(most);
  uint64_t bytes = facts.staticThreadgroupBytes;
  for (size_t i = 0; i < arguments.threadgroupBytes.size(); ++i) {
    if (arguments.threadgroupBytes[i] % lengthUnit)
      return "the length of threadgroup memory " + std::to_string(i) + " is " + std::to_string(arguments.threadgroupBytes[i]) +
             ", not a multiple of 16";
    bytes += arguments.threadgroupBytes[i];
  }
  if (bytes > maxThreadgroupBytes)
    return std::to_string(bytes) + " bytes of threadgroup memory; 32768 is the most";
  for (uint32_t i = 0; i < 31; ++i)
    if (facts.threadgroupArguments >> i & 1 && (i >= arguments.threadgroupBytes.size() || !arguments.threadgroupBytes[i]))
      return "threadgroup argument " + std::to_string(i) + " has no length";
  for (int d = 0; d < 3; ++d)
    if (arguments.threadgroups[d] * arguments.threads[d] > UINT32_MAX)
      return "the grid has more than 2^32 - 1 threads along a dimension, which Metal wraps silently";
  return {};
}

/// The code to run now.
const KernelCode &Pipeline::codeFor(const RunOptions &options, std::string &error) {
  std::lock_guard lock(mutex);
  int level = options.optLevel < 0 ? optLevel : options.optLevel;
  bool wants = request.level == 0 && (level > 0 || (level < 0 && runMs > optimiseAfterMs));
  if (!wants || optimiseFailed)
    return *first;
  if (!optimised) {
    CompileRequest faster = request;
    faster.level = 2;
    optimised = compileKernel(library->air(request.translation.kernel), faster, error);
    optimiseFailed = !optimised;
  }
  return optimised ? *optimised : *first;
}

LaunchResult Pipeline::run(const LaunchArguments &given, const RunOptions &options, std::atomic<bool> *interrupt) {
  LaunchResult result;
  LaunchArguments arguments = given;
  arguments.sample = sample;
  for (int d = 0; d < 3; ++d)
    if (!arguments.gridThreads[d])
      arguments.gridThreads[d] = arguments.threadgroups[d] * arguments.threads[d];
  if (std::string why = refusal(arguments); !why.empty()) {
    result.status = MetalStatusError;
    result.message = "kernel " + first->kernel.name + ": " + why;
    return result;
  }
  std::string error;
  const KernelCode &code = codeFor(options, error);
  if (!error.empty()) {
    result.status = MetalStatusError;
    result.message = error;
    return result;
  }
  auto begin = std::chrono::steady_clock::now();
  Launch launch(code.kernel, arguments, options, interrupt);
  if (launch.total)
    launch.run();
  {
    std::lock_guard lock(mutex);
    runMs += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  }
  result.counters = launch.counters.scaled(launch.total, launch.runs);
  for (const FindingDetail &finding : launch.log.findings())
    result.reports.push_back(describe(finding, code.kernel, arguments, launch.ranges));
  switch (launch.reason.load()) {
  case Stop::Timeout:
    result.status = MetalStatusTimeout;
    result.message = "kernel " + first->kernel.name + " ran longer than the time limit of " + std::to_string(options.timeoutMs) + " ms";
    break;
  case Stop::Interrupted:
    result.status = MetalStatusInterrupted;
    result.message = "kernel " + first->kernel.name + " was interrupted";
    break;
  default:
    if (!result.reports.empty())
      result.status = MetalStatusFault;
    for (const MetalReport &report : result.reports)
      result.message += (result.message.empty() ? "" : "\n") + std::string(report.message);
    break;
  }
  return result;
}

} // namespace softmetal
