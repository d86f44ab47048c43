//===- Compiler.h - the compiler without MLIR in sight ----------------------------===//
//
// What the bindings, the tools and embedders use. A Module is an opaque tt module in a pooled MLIR context of its own, so
// two modules may be compiled from two threads at once. Every function gives errors as values; a crash inside MLIR or LLVM
// becomes an Internal error with a reproducer.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Compiler/Error.h"
#include "triton_metal/Launch/ParamsLayout.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace triton_metal {

/// A tt module and the context that it lives in. Movable, not copyable; clone() copies within the same kind of context.
class Module {
public:
  /// An empty module in a fresh or recycled context. See ModuleAccess.h for the way in from code that knows MLIR.
  Module();
  ~Module();
  Module(Module &&) noexcept;
  Module &operator=(Module &&) noexcept;

  struct State;
  State &state() const { return *impl; }

private:
  std::unique_ptr<State> impl;
};

/// One argument of a kernel.
struct ParamInfo {
  std::string name; ///< from the source where the module says it, else "arg<i>"
  ParamType type = ParamType::Pointer;
  std::string spelling;     ///< as in signatures: "*fp32", "i32", "bf16"
  uint32_t divisibility = 1; ///< tt.divisibility
  bool mayBeWritten = true;  ///< pointers: some store or atomic may go through it
  bool mayBeRead = true;     ///< pointers: some load or atomic may go through it
};

/// What a launcher must know of a kernel.
struct KernelSignature {
  std::string name;
  std::vector<ParamInfo> params;
  ParamsLayout layout() const;
  /// The bits of each argument, out of the packed block; an error where it is too short.
  Result<std::vector<uint64_t>> unpack(std::string_view params) const;
};

/// Reads .ttir of upstream's 3.2 to 3.9 and our own. `name` stands for the file in messages.
Result<Module> parse(std::string_view text, std::string_view name);
/// The module as text in 3.8's form.
std::string print(const Module &module, bool locations = true);
/// The first complaint of MLIR's verifier, if there is one.
std::optional<Error> verify(const Module &module);
/// The one public kernel of the module.
Result<KernelSignature> kernelSignature(const Module &module);

/// What both devices' compilations take.
struct CommonOptions {
  bool verifyEach = false;  ///< verify the module after every pass
  std::string plantedFault; ///< for tests of the tests: a kind of deliberate miscompilation, see tt-plant-fault; empty: none
};

struct CPUOptions : CommonOptions {
  bool fpFusion = true;  ///< may contract a * b + c
  bool checked = false;  ///< bounds of the arrays passed; loops ask whether to end
  std::string processor; ///< a name that cpu::TargetSpec knows; empty: the host. Code that cannot run here is not loaded
};

using CPUKernel = void (*)(const void *params, const int32_t grid[3], int64_t begin, int64_t end, char *arena);

struct CPUCode {
  KernelSignature signature;
  std::string ttir, llir;
  std::string object; ///< bytes of the relocatable object, for the disk cache
  uint64_t arenaBytes = 0;
  bool checked = false; ///< wants the extents of its arrays
  std::string processor;        ///< what it was made for; empty: the host
  std::string whyNotHere;       ///< why it is not loaded, where it was made for another machine
  CPUKernel entry = nullptr;    ///< null where it is not loaded
  std::shared_ptr<void> code; ///< loaded code; unloaded with the last reference
};

/// Runs the CPU pipeline on a copy of the module and loads the code.
Result<CPUCode> compileForCPU(const Module &module, const CPUOptions &options);
/// Loads an object made by compileForCPU earlier, of which `code` holds everything but whyNotHere, entry and code.
std::optional<Error> loadForCPU(CPUCode &code);
/// Assembly of an object, for people.
Result<std::string> disassembleForCPU(const CPUCode &code);

/// What must be equal for an object to be run: processor, features, triple, by the name of a processor (empty: the host). A part of
/// cache keys.
std::string targetKey(const std::string &processor);

} // namespace triton_metal
