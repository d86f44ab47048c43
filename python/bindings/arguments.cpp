//===- arguments.cpp - keys and values of what is passed to a kernel --------------===//
#include "Arguments.h"

#include "Launchable.h"

#include <bit>
#include <cstring>

namespace triton_metal::python {

bool readParameter(PyObject *row, Parameter &parameter) {
  const char *annotation = nullptr;
  PyObject *name = nullptr, *defaultValue = nullptr;
  int isConstexpr, isConst, hasDefault, noSpecialize, noAlignment;
  if (!PyArg_ParseTuple(row, "UppzpOpp", &name, &isConstexpr, &isConst, &annotation, &hasDefault, &defaultValue, &noSpecialize,
                        &noAlignment))
    return false;
  Py_INCREF(name);
  PyUnicode_InternInPlace(&name);
  parameter.name = name;
  if (hasDefault) {
    Py_INCREF(defaultValue);
    parameter.defaultValue = defaultValue;
  }
  parameter.isConstexpr = isConstexpr;
  parameter.isConst = isConst;
  parameter.specialize = !noSpecialize;
  parameter.specializeAlignment = !noSpecialize && !noAlignment;
  if (annotation && *annotation && !isConstexpr) {
    std::string_view text(annotation);
    parameter.annotatedPointer = text.starts_with('*');
    if (parameter.annotatedPointer)
      text.remove_prefix(1);
    if (parameter.annotatedPointer && text.starts_with('k')) {
      parameter.isConst = true;
      text.remove_prefix(1);
    }
    std::optional<DType> type = dtypeNamed(text);
    if (!type) {
      PyErr_Format(PyExc_TypeError, "parameter %U is annotated with '%s', which is no type of a kernel's argument", name, annotation);
      return false;
    }
    parameter.isAnnotated = true;
    parameter.annotatedType = *type;
  }
  return true;
}

namespace {

/// A LaunchError about this argument.
bool fail(const Parameter &parameter, const char *kernel, const std::string &what, const char *type = "LaunchError") {
  const char *name = PyUnicode_AsUTF8(parameter.name);
  setLaunchError(std::string(kernel) + ": argument '" + (name ? name : "?") + "' " + what, parameter.name, type);
  return false;
}

/// The text of the exception that is set, which is cleared: setLaunchError chains none.
std::string takeMessage() {
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyObject *text = value ? PyObject_Str(value) : nullptr;
  const char *utf8 = text ? PyUnicode_AsUTF8(text) : nullptr;
  std::string message = utf8 ? utf8 : "it cannot be read";
  Py_XDECREF(text);
  PyErr_Clear();
  PyErr_Restore(type, value, trace); // the cause of the error to come
  return message;
}

/// Whether the integer can be held by the annotated type, with either signedness for unsigned bit patterns.
bool fits(int64_t value, DType type) {
  unsigned bits = bitWidth(type);
  if (type == DType::I1)
    return value == 0 || value == 1;
  if (bits == 64)
    return isSignedInteger(type) || value >= 0;
  if (isSignedInteger(type))
    return value >= -(int64_t(1) << (bits - 1)) && value < (int64_t(1) << (bits - 1));
  return value >= 0 && value < (int64_t(1) << bits);
}

bool readInteger(const Parameter &parameter, PyObject *object, const char *kernel, ArgumentValue &value) {
  int overflow = 0;
  long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (number == -1 && !overflow && PyErr_Occurred())
    return false;
  if (overflow) { // beyond int64: an unsigned 64-bit number at most
    uint64_t wide = overflow > 0 ? PyLong_AsUnsignedLongLong(object) : 0;
    if (overflow < 0 || PyErr_Occurred()) {
      PyErr_Clear();
      return fail(parameter, kernel, "is an integer that does not fit into 64 bits; pass it as two integers, or in an array",
                  "ArgumentOverflow");
    }
    if (parameter.isAnnotated && parameter.annotatedType != DType::U64)
      return fail(parameter, kernel, "does not fit into " + std::string(scalarName(parameter.annotatedType)), "ArgumentOverflow");
    value.bits = wide;
    value.key = ArgKey::scalar(DType::U64, parameter.specializeAlignment && wide % 16 == 0);
    return true;
  }
  value.bits = uint64_t(number);
  if (!parameter.isAnnotated) {
    value.key = ArgKey::integer(number, parameter.specialize, parameter.specializeAlignment);
    return true;
  }
  DType type = parameter.annotatedType;
  if (parameter.annotatedPointer) // an address, as upstream takes it
    value.key = ArgKey::pointer(type, parameter.specializeAlignment && number % 16 == 0, parameter.isConst);
  else if (isFloat(type))
    value.key = ArgKey::scalar(type, false);
  else if (!fits(number, type))
    return fail(parameter, kernel, "is " + std::to_string(number) + ", which does not fit into " + std::string(scalarName(type)),
                "ArgumentOverflow");
  else
    value.key = ArgKey::scalar(type, type != DType::I1 && parameter.specializeAlignment && number % 16 == 0);
  return true;
}

bool readFloat(const Parameter &parameter, double number, const char *kernel, ArgumentValue &value) {
  DType type = parameter.isAnnotated ? parameter.annotatedType : DType::F32;
  if (!isFloat(type) || parameter.annotatedPointer)
    return fail(parameter, kernel, "is a float, but the parameter is annotated as " +
                                       std::string(parameter.annotatedPointer ? "*" : "") + std::string(scalarName(type)));
  value.bits = std::bit_cast<uint64_t>(number);
  value.isDouble = true;
  value.key = ArgKey::scalar(type, false);
  return true;
}

} // namespace

bool readArgument(const Parameter &parameter, PyObject *object, const char *kernel, ArgumentValue &value) {
  if (parameter.isConstexpr)
    return internConstant(object, value.key) || fail(parameter, kernel, "cannot be used as a compile-time constant");
  if (PyLong_CheckExact(object))
    return readInteger(parameter, object, kernel, value);
  if (PyFloat_CheckExact(object))
    return readFloat(parameter, PyFloat_AS_DOUBLE(object), kernel, value);
  if (PyBool_Check(object)) {
    if (parameter.isAnnotated)
      return readInteger(parameter, object, kernel, value);
    value.bits = object == Py_True;
    value.key = ArgKey::scalar(DType::I1, false);
    return true;
  }
  if (object == Py_None)
    return internConstant(object, value.key);

  if (PyTuple_Check(object)) { // no array; what it holds is read by readNested
    value.key = ArgKey::compound();
    return true;
  }

  ArrayView view;
  switch (readArray(object, view)) {
  case ArrayRead::Ok: {
    DType type = view.type;
    if (parameter.isAnnotated) {
      if (!parameter.annotatedPointer)
        return fail(parameter, kernel,
                    "is an array, but the parameter is annotated as " + std::string(scalarName(parameter.annotatedType)));
      // Same width, other type: NumPy has no bfloat16, so its bits come in uint16.
      if (bitWidth(parameter.annotatedType) != bitWidth(type))
        return fail(parameter, kernel, "is an array of " + std::string(pointeeName(type)) + ", but the parameter is annotated as *" +
                                           std::string(pointeeName(parameter.annotatedType)));
      type = parameter.annotatedType;
    }
    value.bits = uint64_t(reinterpret_cast<uintptr_t>(view.data));
    value.readOnly = view.readOnly;
    value.place = view.place;
    extentOf(view, value.begin, value.bytes);
    value.key = ArgKey::pointer(type, parameter.specializeAlignment && value.bits % 16 == 0, parameter.isConst);
    return true;
  }
  case ArrayRead::Failed:
    return fail(parameter, kernel, "cannot be passed as an array: " + takeMessage());
  case ArrayRead::NotAnArray:
    break;
  }

  if (isDescriptor(object)) {
    value.key = ArgKey::compound();
    return true;
  }
  if (PyLong_Check(object)) // enumerations and their like
    return readInteger(parameter, object, kernel, value);
  if (PyFloat_Check(object))
    return readFloat(parameter, PyFloat_AS_DOUBLE(object), kernel, value);
  // Functions of kernels and tl.constexpr are constants wherever they are passed.
  const char *type = Py_TYPE(object)->tp_name;
  if (std::strcmp(type, "constexpr") == 0 || PyObject_HasAttrString(object, "__triton_metal_kernel__"))
    return internConstant(object, value.key);
  return fail(parameter, kernel,
              std::string("has type ") + type + ", which cannot be passed to a kernel (failed to specialize argument of type: " + type +
                  "); pass an array, a tensor descriptor, an int, a float, a bool, None or a tuple of these, or annotate the parameter "
                  "as tl.constexpr",
              "ArgumentTypeError");
}

} // namespace triton_metal::python
