//===- Kernel.h - kernel[grid](...) without Python code ---------------------------===//
//
// Two CPython types: KernelBase, from which JITFunction is derived, and Launcher, which KernelBase's subscript gives. A launch whose
// key was seen before allocates nothing: the Launcher is recycled when nobody else holds it, keyword names are resolved once a call
// site, and the compiled kernel is found by the words of its arguments.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "Arguments.h"
#include "Launchable.h"
#include "triton_metal/Launch/DispatchCache.h"

#include <Python.h>
#include <memory>
#include <string>
#include <vector>

namespace triton_metal::python {

/// A specialisation that was compiled, as the dispatch cache finds it.
struct Specialization {
  PyObject *compiled = nullptr; ///< CompiledKernel, owned
  std::shared_ptr<Launchable> code;
  std::vector<uint16_t> sources; ///< for each parameter of the code, the index of the Python parameter
};

/// Where the keyword arguments of one call site go.
struct KeywordPlan {
  PyObject *names = nullptr; ///< the tuple of the call site, owned
  struct Target {
    bool isOption;
    uint16_t index; ///< of the parameter, or of the option
  };
  std::vector<Target> targets;
};

/// A global of Python whose value is a part of the code.
struct WatchedGlobal {
  PyObject *dictionary, *name, *value; ///< owned
};

/// What a KernelBase knows; the parameters do not change once they are set.
struct KernelData {
  std::string name = "kernel";
  std::vector<Parameter> parameters;
  DispatchCache<Specialization> cache;
  std::vector<std::unique_ptr<Specialization>> specializations;
  std::vector<std::unique_ptr<Specialization>> retired; ///< of cleared caches: a launch may still run one
  std::vector<KeywordPlan> plans;
  std::vector<WatchedGlobal> watched;
  uint64_t stamp = 0;              ///< changes when the source does
  PyObject *launcher = nullptr;    ///< one Launcher, owned, recycled while only we hold it
  PyObject *preRunHooks = nullptr; ///< list, owned
};

struct KernelObject {
  PyObject_HEAD
  KernelData *data;
};

struct LauncherObject {
  PyObject_HEAD
  vectorcallfunc call;
  KernelObject *kernel; ///< owned
  PyObject *gridFunction; ///< owned, or null: then `grid` holds
  int32_t grid[3];
};

/// Reads a grid of 1 to 3 integers. False with a LaunchError set.
bool readGrid(PyObject *object, const char *kernel, int32_t grid[3]);

/// Adds KernelBase and Launcher to the module. False with an exception set.
bool addKernelTypes(PyObject *module);

/// The body of a Launcher's call.
PyObject *launchKernel(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names);

/// The names of launch options that are accepted; those that steer nothing here are part of the key all the same.
constexpr size_t kMaxParameters = 256, kMaxOptions = 64;
size_t optionCount();
PyObject *optionName(size_t index); ///< borrowed, interned
int findOption(PyObject *name);     ///< -1 where it is no option
enum : uint16_t { kOptionDevice = 0, kOptionWarmup = 1 };

/// The device of launches that name none, and hooks around every launch; set by Python.
struct LaunchSettings {
  Device device = Device::CPU;
  uint64_t knobs = 0;          ///< stamp of the knobs that were assigned
  PyObject *enterHook = nullptr, *exitHook = nullptr;
};
LaunchSettings &launchSettings();

} // namespace triton_metal::python
