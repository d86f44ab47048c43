//===- Translation.h - what the passes know and learn about one kernel ---------------------------------------------------===//
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/PassManager.h"
#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class Function;
class Instruction;
class Module;
} // namespace llvm

namespace softmetal {

/// A place in the source that a report names. Text that we compiled has lines; of Apple's bitcode there is the instruction.
struct Site {
  std::string file;
  unsigned line = 0, column = 0;
  std::string text;
  uint32_t order = 0; ///< of collectives: their order in the program
};

/// One array in threadgroup memory, as offsets from the threadgroup's base.
struct ThreadgroupObject {
  uint32_t begin, end;
  std::string name;
};

/// The value of one [[function_constant(index)]].
struct ConstantValue {
  unsigned index;
  uint64_t bits;
};

struct Translation {
  // What is asked for.
  std::string kernel;
  std::vector<ConstantValue> constants;
  bool arrayOrder = false; ///< races in declared threadgroup arrays are judged without regard to lanes
  bool bounds = false, races = false, initialisation = false, uniform = false, count = false;
  bool pollsEverywhere = false; ///< all loops poll, not only those whose number of rounds cannot be told before
  // What was learned.
  std::vector<Site> sites = std::vector<Site>(1);
  std::vector<ThreadgroupObject> objects;
  uint32_t threadgroupBytes = 0;       ///< of the arrays as they are laid out, red zones included
  uint32_t staticThreadgroupBytes = 0; ///< of the arrays alone: what counts against the limit
  uint32_t maxThreads = 1024;
  uint64_t buffers = 0;         ///< bit i: buffer i is an argument
  uint32_t threadgroupArguments = 0;
  uint32_t stackBytes = 0;
  uint32_t deviceShift = 4, threadgroupShift = 4; ///< shadow memory has a cell for every 1 << shift bytes: no access is finer
  uint64_t writtenBuffers = 0;                    ///< bit i: device memory is written through argument i
  std::vector<std::pair<uint32_t, uint64_t>> writtenSlots; ///< or through the pointer that lies at (buffer, offset)
  bool writesAnywhere = false;                    ///< or through a pointer of unknown origin
  std::string error;            ///< the first thing that could not be translated

  bool checked() const { return bounds || races || initialisation || uniform; }
  unsigned addSite(const llvm::Instruction &instruction);
  void fail(const std::string &why) {
    if (error.empty())
      error = why;
  }
};

/// An argument record of !air.kernel, read.
struct AirArgument {
  unsigned index = 0;        ///< of the function's argument
  std::string kind;          ///< "buffer", "thread_position_in_grid", ...
  int location = -1;         ///< buffer or threadgroup index
};
struct AirKernel {
  llvm::Function *function = nullptr;
  std::vector<AirArgument> arguments;
  uint32_t maxThreads = 1024;
};
/// Reads the module's only kernel.
bool readAirKernel(llvm::Module &module, AirKernel &record, std::string &error);

/// A pass over one kernel's module that shares the Translation.
template <class Derived> struct TranslationPass : llvm::PassInfoMixin<Derived> {
  explicit TranslationPass(Translation &translation) : translation(translation) {}
  static bool isRequired() { return true; }
  Translation &translation;
};

} // namespace softmetal
