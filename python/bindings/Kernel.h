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

/// What a tuner chose for one key.
struct TunedChoice {
  PyObject *config = nullptr;  ///< owned
  PyObject *preHook = nullptr; ///< called with the arguments before every launch; owned, or null
  struct Value {
    bool isOption;
    uint16_t index; ///< of the parameter, or of the option
    PyObject *value; ///< owned
  };
  std::vector<Value> values;

  TunedChoice() = default;
  TunedChoice(const TunedChoice &) = delete;
  ~TunedChoice();
};

/// Makes of a KernelBase something that chooses values for another kernel and launches that.
struct TunerData {
  struct KernelObject *kernel = nullptr; ///< owned
  bool chooses = false;                  ///< else there are only heuristics
  /// How values of keys are compared: as they are; integers by the power of two that is not less; only those, and no floats.
  enum class Keys : uint8_t { Exact, Rounded, SizesOnly } comparison = Keys::Exact;
  std::vector<uint16_t> keys;            ///< parameters whose values make another choice
  struct Heuristic {
    uint16_t parameter;
    PyObject *function; ///< owned
  };
  std::vector<Heuristic> heuristics;
  DispatchCache<TunedChoice> cache;
  std::vector<std::unique_ptr<TunedChoice>> choices; ///< all that were ever made: a launch may still use one
  PyObject *best = nullptr;                          ///< the configuration of the last launch, owned
  ~TunerData();
  void clear();
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
  std::unique_ptr<TunerData> tuner; ///< where this is a tuner; then it has no parameters of its own
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

/// Methods of KernelBase that make a tuner of it.
PyObject *tune(PyObject *self, PyObject *args);
PyObject *forgetChoices(PyObject *self, PyObject *);
PyObject *bestConfig(PyObject *self, void *);
int traverseTuner(TunerData &tuner, visitproc visit, void *arg);

/// The body of a Launcher's call.
PyObject *launchKernel(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names);
/// Launcher._bind(...): (CompiledKernel, the block of packed parameters, the grid) of this launch, which is not run.
PyObject *bindLaunch(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);

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
