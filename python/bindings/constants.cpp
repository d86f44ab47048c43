//===- constants.cpp - numbers for compile-time constants -------------------------===//
//
// Small integers are their own number. Everything else is looked up: first by identity, for the strings, None, dtypes and
// functions that a call site passes again and again; then by type and value. Constants are kept for the life of the process, as
// are the kernels that were compiled for them.
//
//===----------------------------------------------------------------------===//
#include "Arguments.h"

#include <bit>
#include <cstring>
#include <unordered_map>

namespace triton_metal::python {

namespace {

struct IdentityRow {
  PyObject *object = nullptr; // owned
  uint64_t id = 0;
};

constexpr size_t kIdentityRows = 256; // direct-mapped
IdentityRow identityRows[kIdentityRows];
PyObject *byValue = nullptr; // dict: (type, value) -> number
uint64_t nextId = 0;

std::unordered_map<uint64_t, uint64_t> &floatIds() {
  static auto &table = *new std::unordered_map<uint64_t, uint64_t>;
  return table;
}

bool isConstexprObject(PyObject *object) {
  static PyTypeObject *known = nullptr;
  PyTypeObject *type = Py_TYPE(object);
  if (type == known)
    return true;
  if (std::strcmp(type->tp_name, "constexpr") != 0)
    return false;
  Py_INCREF(type);
  Py_XDECREF(known);
  known = type;
  return true;
}

/// The number of a key that can be hashed; false with an exception set.
bool lookUp(PyObject *key, uint64_t &id) {
  if (!byValue && !(byValue = PyDict_New()))
    return false;
  if (PyObject *found = PyDict_GetItemWithError(byValue, key)) {
    id = PyLong_AsUnsignedLongLong(found);
    return true;
  }
  if (PyErr_Occurred())
    return false;
  PyObject *number = PyLong_FromUnsignedLongLong(nextId);
  bool stored = number && PyDict_SetItem(byValue, key, number) == 0;
  Py_XDECREF(number);
  if (stored)
    id = nextId++;
  return stored;
}

/// What stands for a constant in `byValue`: equal only for constants of equal types, in tuples as well, where Python holds (1,), (1.0,)
/// and (True,) equal. A new reference, or null with an exception set.
PyObject *typedKey(PyObject *object) {
  auto *type = reinterpret_cast<PyObject *>(Py_TYPE(object));
  if (PyFloat_CheckExact(object)) // by bits, as below
    return Py_BuildValue("(OK)", type, std::bit_cast<unsigned long long>(PyFloat_AS_DOUBLE(object)));
  if (!PyTuple_Check(object))
    return PyTuple_Pack(2, type, object);
  Py_ssize_t size = PyTuple_GET_SIZE(object);
  PyObject *key = PyTuple_New(size + 1);
  if (!key)
    return nullptr;
  Py_INCREF(type);
  PyTuple_SET_ITEM(key, 0, type);
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject *inner = unwrapConstexpr(PyTuple_GET_ITEM(object, i));
    PyObject *element = inner ? typedKey(inner) : nullptr;
    Py_XDECREF(inner);
    if (!element) {
      Py_DECREF(key);
      return nullptr;
    }
    PyTuple_SET_ITEM(key, i + 1, element);
  }
  return key;
}

} // namespace

PyObject *unwrapConstexpr(PyObject *object) {
  if (isConstexprObject(object))
    return PyObject_GetAttrString(object, "value");
  Py_INCREF(object);
  return object;
}

bool internConstant(PyObject *object, ArgKey &key) {
  if (PyLong_CheckExact(object)) {
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (!overflow && value >= ArgKey::kInlineMin && value <= ArgKey::kInlineMax) {
      key = ArgKey::inlineConstant(value);
      return true;
    }
  }
  if (PyFloat_CheckExact(object)) { // by bits: -0.0 is not 0.0, and a NaN is itself
    auto [row, fresh] = floatIds().try_emplace(std::bit_cast<uint64_t>(PyFloat_AS_DOUBLE(object)), nextId);
    nextId += fresh;
    key = ArgKey::interned(row->second);
    return true;
  }
  IdentityRow &row = identityRows[(reinterpret_cast<uintptr_t>(object) >> 4) % kIdentityRows];
  if (row.object == object) {
    key = ArgKey::interned(row.id);
    return true;
  }
  if (isConstexprObject(object)) { // may be assigned to: never by identity
    PyObject *inner = unwrapConstexpr(object);
    bool known = inner && internConstant(inner, key);
    Py_XDECREF(inner);
    return known;
  }
  PyObject *pair = typedKey(object);
  if (!pair)
    return false;
  uint64_t id = 0;
  bool known = lookUp(pair, id);
  Py_DECREF(pair);
  if (known) {
    PyObject *old = row.object;
    Py_INCREF(object);
    row = {object, id};
    Py_XDECREF(old);
    key = ArgKey::interned(id);
    return true;
  }
  if (!PyErr_ExceptionMatches(PyExc_TypeError))
    return false;
  // Lists and their like: by what they look like, and never by identity, because they change.
  PyErr_Clear();
  PyObject *text = PyObject_Repr(object);
  PyObject *triple = text ? PyTuple_Pack(3, reinterpret_cast<PyObject *>(Py_TYPE(object)), Py_None, text) : nullptr;
  Py_XDECREF(text);
  known = triple && lookUp(triple, id);
  Py_XDECREF(triple);
  key = ArgKey::interned(id);
  return known;
}

} // namespace triton_metal::python
