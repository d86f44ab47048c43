//===- Arguments.h - parameters of a kernel, and keys of what is passed for them ---===//
#pragma once
#include "Arrays.h"
#include "triton_metal/Launch/Specialization.h"

#include <Python.h>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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

/// A value inside a tuple, a named tuple or a tensor descriptor that was passed.
struct NestedValue {
  ArgumentValue value;
  PyObject *object = nullptr; ///< owned
  std::string name;           ///< "xs[1]", "desc.base", for messages
  size_t parameter = 0;       ///< the number of the parameter that it was passed for
};

/// What the compound arguments of one launch hold, in order.
struct NestedValues {
  std::vector<uint64_t> structure; ///< words that tell where tuples and descriptors begin, what they are, and how many they hold
  std::vector<NestedValue> values;

  NestedValues() = default;
  NestedValues(const NestedValues &) = delete;
  ~NestedValues();
};

/// Whether this is a triton.tools.tensor_descriptor.TensorDescriptor.
bool isDescriptor(PyObject *object);
/// Reads a tuple or a TensorDescriptor passed for `parameter`, the kernel's number `index`. False with a LaunchError set that names the
/// element at fault.
bool readNested(const Parameter &parameter, size_t index, PyObject *object, const char *kernel, NestedValues &nested);
using VisitNested = std::function<void(const std::vector<int> &path, const NestedValue &)>;
/// The entry of a compound in the front end's signature: a tuple of the same kind, or "tensordesc<fp32[8, 16]>". `visit` gets each value
/// with its path; `next` counts through nested.values. A new reference. Throws nanobind's exceptions.
PyObject *signatureOf(PyObject *object, const NestedValues &nested, size_t &next, std::vector<int> &path, const VisitNested &visit);

/// Key and value of `object` passed for `parameter`. False with a LaunchError set that names the argument.
bool readArgument(const Parameter &parameter, PyObject *object, const char *kernel, ArgumentValue &value);

/// The key of a compile-time constant: equal values of equal types have equal keys. False with an exception set.
bool internConstant(PyObject *object, ArgKey &key);

/// The value inside a tl.constexpr, else the object itself; a new reference.
PyObject *unwrapConstexpr(PyObject *object);

} // namespace triton_metal::python
