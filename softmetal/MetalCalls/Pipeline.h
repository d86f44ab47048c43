//===- Pipeline.h - a kernel that can be launched ------------------------------------------------------------------------===//
#pragma once

#include "softmetal/MetalCalls/Library.h"
#include "softmetal/Run/Jit.h"
#include <mutex>

namespace softmetal {

/// What one launch left behind.
struct LaunchResult {
  uint32_t status = MetalStatusCompleted;
  std::string message;              ///< why it failed, or the findings in words
  std::vector<MetalReport> reports;
  Counters counters;
};

/// Adds what launches counted to a table's counters.
void addTo(MetalCounters &sum, const Counters &counters);

/// Machine code of one kernel with its function constants and checks, made again at O2 once it has run long enough to pay for that.
class Pipeline {
public:
  static std::shared_ptr<Pipeline> make(std::shared_ptr<Library> library, llvm::StringRef function,
                                        llvm::ArrayRef<MetalConstant> constants, const MetalPipelineOptions &options, int optLevel,
                                        std::string &error);
  /// Runs a launch to its end on the calling thread and the pool. Refuses what Metal refuses.
  LaunchResult run(const LaunchArguments &arguments, const RunOptions &options, std::atomic<bool> *interrupt);

  const KernelCode &code() const { return *first; }
  MetalPipelineInfo info() const;
  bool counts() const { return request.translation.count; }

private:
  std::string refusal(const LaunchArguments &arguments) const;
  const KernelCode &codeFor(const RunOptions &options, std::string &error);

  std::shared_ptr<Library> library;
  CompileRequest request;
  uint32_t sample = 0;
  int optLevel = -1;
  std::mutex mutex;                   ///< guards what follows
  std::unique_ptr<KernelCode> first, optimised;
  double runMs = 0;
  bool optimiseFailed = false;
};

/// A request for `function` of `library`, without its level.
CompileRequest compileRequest(const Library &library, llvm::StringRef function, llvm::ArrayRef<MetalConstant> constants,
                              const MetalPipelineOptions &options);

} // namespace softmetal
