//===- LaunchCall.h - the state of one launch, between the files that do it --------===//
#pragma once
#include "Bindings.h"
#include "Kernel.h"

#include <algorithm>
#include <cstddef>
#include <new>

namespace triton_metal::python {

constexpr size_t kMaxNestedWords = 1024;

/// The state of one call, on the stack. Arrays are initialised only as far as they are used: clearing them all would take longer than
/// the rest of a launch.
struct Call {
  Call(KernelObject *kernel, Device device) : kernel(kernel), data(*kernel->data), device(device) {
    std::fill_n(isRead, data.parameters.size(), false);
  }
  Call(const Call &) = delete;
  ~Call() {
    for (PyObject *object : computed)
      Py_DECREF(object);
  }

  KernelObject *kernel;
  KernelData &data;
  PyObject *bound[kMaxParameters]; ///< borrowed from the caller, the parameters, a tuner's choice or `computed`; null: not given
  bool isRead[kMaxParameters];     ///< `values` is there
  std::vector<PyObject *> computed; ///< owned: what heuristics gave
  alignas(ArgumentValue) std::byte valueStorage[kMaxParameters * sizeof(ArgumentValue)];
  ArgumentValue *const values = reinterpret_cast<ArgumentValue *>(valueStorage);
  uint16_t optionIndex[kMaxOptions];
  PyObject *optionValue[kMaxOptions];
  size_t options = 0;
  size_t positional = 0; ///< arguments that were given by position
  NestedValues nested; ///< what tuples and descriptors among the arguments hold
  uint64_t words[kMaxParameters + kMaxNestedWords + 2 * kMaxOptions + 2];
  size_t wordCount = 0;
  uint64_t settings = 0; ///< stands for everything outside of the call that changes its code: environment, knobs, the source
  Device device;
  bool warmup = false;
  size_t parameters() const { return data.parameters.size(); }
  const char *name() const { return data.name.c_str(); }

  // A value by its number: first those of the parameters, then those that lie in compounds.
  size_t valueCount() const { return parameters() + nested.values.size(); }
  ArgumentValue &value(size_t i) const {
    return i < parameters() ? values[i] : const_cast<ArgumentValue &>(nested.values[i - parameters()].value);
  }
  PyObject *object(size_t i) const { return i < parameters() ? bound[i] : nested.values[i - parameters()].object; }
  const char *valueName(size_t i) const {
    if (i >= parameters())
      return nested.values[i - parameters()].name.c_str();
    const char *utf8 = PyUnicode_AsUTF8(data.parameters[i].name);
    return utf8 ? utf8 : "?";
  }
};

/// UTF-8 of a string for messages.
const char *text(PyObject *unicode);

/// The arguments that have a value so far, by name.
nb::dict boundArguments(const Call &call);

/// Reads the argument of a parameter that has a value, once. False with an exception set.
bool read(Call &call, size_t parameter);

/// A tuner's part of a launch: looks up what was chosen for these arguments, or asks Python, and gives the values to the call. Then
/// heuristics compute theirs. False with an exception set.
bool choose(Call &call, LauncherObject *launcher);

} // namespace triton_metal::python
