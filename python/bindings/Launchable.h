//===- Launchable.h - compiled code that a launch can run -------------------------===//
#pragma once
#include "Arrays.h"
#include "triton_metal/Compiler/Compiler.h"
#include "triton_metal/Runtime/CPU/ThreadPool.h"

#include <Python.h>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace triton_metal::python {

class LaunchRecord;

enum class Device : uint8_t { CPU, Metal };
const char *nameOf(Device device);

/// The arguments of one launch that reach the kernel, in the order of its parameters.
struct RuntimeArgument {
  PyObject *object;
  uint64_t bits; ///< address, integer in two's complement, or the bits of a double
  bool isDouble; ///< `bits` are those of a double
  const char *name;
};

/// What one device needs to run one kernel. Made by compilation, kept by CompiledKernel, shared by all launches.
class Launchable {
public:
  Launchable(Device device, KernelSignature signature)
      : device(device), signature(std::move(signature)), layout(this->signature.layout()) {}
  virtual ~Launchable() = default;

  /// Makes the code runnable, which the first launch does else. Called with the GIL, which it releases; from several threads if need be.
  /// False with a Python exception set.
  virtual bool prepare() { return true; }
  /// Runs the kernel. Called with the GIL, which it releases while programs run. False with a Python exception set. `record`, where it
  /// is not null, gets the parameters and the times.
  virtual bool launch(std::span<const RuntimeArgument> arguments, const int32_t grid[3], LaunchRecord *record) = 0;

  /// Packs the arguments; `block` has layout.size bytes. False with an exception where a number does not fit its parameter.
  bool pack(std::span<const RuntimeArgument> arguments, char *block) const;

  const Device device;
  const KernelSignature signature;
  const ParamsLayout layout;
};

/// Code of the CPU device.
std::shared_ptr<Launchable> makeCPULaunchable(CPUCode code);
/// A kernel that somebody else compiled to the ABI of CPU kernels: for tests of the launcher.
std::shared_ptr<Launchable> makeNativeLaunchable(KernelSignature signature, CPUKernel entry, uint64_t arenaBytes);

/// A signature from spellings such as "*fp32" and "i32".
KernelSignature makeSignature(const std::string &name, const std::vector<std::string> &types);

/// The same from rows as the disk cache keeps them: name, type, divisibility, whether it may be written, and read.
using ParameterRow = std::tuple<std::string, std::string, uint32_t, bool, bool>;
KernelSignature makeSignature(const std::string &name, const std::vector<ParameterRow> &rows);

/// Sets a LaunchError (or the named subclass of it) about an argument of a kernel, or about none of them.
void setLaunchError(const std::string &message, PyObject *argument, const char *type = "LaunchError");

/// Sets a DeviceFault about what a program of kernel `kernel` found, at the fault's place in the source. Always false.
bool raiseFault(const std::string &kernel, const cpu::Fault &fault);

/// Limits of the CPU device that knobs set: milliseconds a launch may take, 0 for none.
extern uint32_t cpuTimeoutMilliseconds;

} // namespace triton_metal::python
