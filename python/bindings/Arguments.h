//===- Arguments.h - parameters of a kernel, and keys of what is passed for them ---===//
#pragma once
#include "Arrays.h"
#include "triton_metal/Launch/Specialization.h"

#include <Python.h>
#include <cstdint>
#include <string>

namespace triton_metal::python {

/// One parameter of a kernel, as its signature in Python says.
struct Parameter {
  PyObject *name = nullptr;         ///< owned, interned
  PyObject *defaultValue = nullptr; ///< owned, or null
  bool isConstexpr = false;
  bool isConst = false;              ///< annotated tl.const
  bool specialize = true;            ///< value and alignment
  bool specializeAlignment = true;
  bool isAnnotated = false;          ///< the type below is fixed
  bool annotatedPointer = false;
  DType annotatedType = DType::I32;
};

/// Reads one `(name, is_constexpr, is_const, annotation, has_default, default, do_not_specialize, do_not_specialize_on_alignment)`.
/// False with an exception set.
bool readParameter(PyObject *row, Parameter &parameter);

/// What a launch must know of one argument.
struct ArgumentValue {
  ArgKey key;
  uint64_t bits = 0;     ///< see RuntimeArgument
  bool isDouble = false;
  bool readOnly = false; ///< an array that must not be written
  char *begin = nullptr; ///< arrays: the memory that they occupy
  uint64_t bytes = 0;    ///< 0 where it is not known
  Place place = Place::Host;
};

/// Key and value of `object` passed for `parameter`. False with a LaunchError set that names the argument.
bool readArgument(const Parameter &parameter, PyObject *object, const char *kernel, ArgumentValue &value);

/// The key of a compile-time constant: equal values of equal types have equal keys. False with an exception set.
bool internConstant(PyObject *object, ArgKey &key);

/// The value inside a tl.constexpr, else the object itself; a new reference.
PyObject *unwrapConstexpr(PyObject *object);

} // namespace triton_metal::python
