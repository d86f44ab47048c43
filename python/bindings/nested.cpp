//===- nested.cpp - tuples and tensor descriptors among the arguments of a launch --===//
//
// What a tuple holds is read as arguments of their own are; a descriptor is its base, the sizes of its dimensions (int32) and its strides
// (int64, the last of which is 1). The words of the structure and those of the values are a part of the key of the launch.
//
//===----------------------------------------------------------------------===//
#include "Arguments.h"

#include "Launchable.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstring>

namespace nb = nanobind;

namespace triton_metal::python {

namespace {

enum : uint64_t { kLeaf = 1, kTuple = 2, kDescriptor = 3 }; // low bits of a word of the structure

/// An attribute that is a sequence, as a tuple.
nb::tuple tupleOf(nb::handle object, const char *name) {
  PyObject *tuple = PySequence_Tuple(nb::object(object.attr(name)).ptr());
  if (!tuple)
    throw nb::python_error();
  return nb::steal<nb::tuple>(tuple);
}

struct Reader {
  const Parameter &parameter;
  size_t index;
  const char *kernel;
  NestedValues &nested;

  bool fail(const std::string &name, const std::string &what, const char *type = "LaunchError") {
    setLaunchError(std::string(kernel) + ": argument '" + name + "' " + what, parameter.name, type);
    return false;
  }

  /// A structure word for an object that is compared as constants are.
  bool begin(uint64_t kind, size_t size, nb::handle identity) {
    ArgKey key;
    if (!internConstant(identity.ptr(), key))
      return false;
    nested.structure.push_back(kind | uint64_t(size) << 8);
    nested.structure.push_back(key.word());
    return true;
  }

  bool read(nb::handle object, const std::string &name) {
    if (PyTuple_Check(object.ptr())) {
      size_t size = PyTuple_GET_SIZE(object.ptr());
      if (!begin(kTuple, size, object.type()))
        return false;
      for (size_t i = 0; i < size; ++i)
        if (!read(PyTuple_GET_ITEM(object.ptr(), i), name + "[" + std::to_string(i) + "]"))
          return false;
      return true;
    }
    if (isDescriptor(object.ptr()))
      return readDescriptor(object, name);
    Parameter element;
    element.isConst = parameter.isConst;
    element.specialize = parameter.specialize;
    element.specializeAlignment = parameter.specializeAlignment;
    return readLeaf(element, object, name);
  }

  bool readLeaf(Parameter &element, nb::handle object, const std::string &name) {
    nb::str spelled(name.c_str());
    element.name = spelled.ptr();
    NestedValue leaf;
    if (!readArgument(element, object.ptr(), kernel, leaf.value))
      return false;
    leaf.object = object.inc_ref().ptr();
    leaf.name = name;
    leaf.parameter = index;
    nested.structure.push_back(kLeaf);
    nested.values.push_back(std::move(leaf));
    return true;
  }

  bool readDescriptor(nb::handle object, const std::string &name) {
    nb::object base = object.attr("base");
    nb::tuple shape = tupleOf(object, "shape"), strides = tupleOf(object, "strides"), block = tupleOf(object, "block_shape");
    if (!begin(kDescriptor, shape.size(), nb::make_tuple(block, object.attr("padding"))))
      return false;
    Parameter element;
    if (!readLeaf(element, base, name + ".base"))
      return false;
    if (nested.values.back().value.key.kind() != ArgKey::Class::Pointer)
      return fail(name, "is a tensor descriptor of something that is no array", "ArgumentTypeError");
    element.specialize = false; // sizes and strides are run-time values, 1 among them; their alignment is known
    element.isAnnotated = true;
    element.annotatedType = DType::I32;
    for (size_t i = 0; i < shape.size(); ++i)
      if (!readLeaf(element, shape[i], name + ".shape[" + std::to_string(i) + "]"))
        return false;
    element.annotatedType = DType::I64;
    for (size_t i = 0; i + 1 < strides.size(); ++i)
      if (!readLeaf(element, strides[i], name + ".strides[" + std::to_string(i) + "]"))
        return false;
    return true;
  }
};

} // namespace

NestedValues::~NestedValues() {
  for (NestedValue &leaf : values)
    Py_XDECREF(leaf.object);
}

bool isDescriptor(PyObject *object) {
  static PyTypeObject *known = nullptr; // owned
  PyTypeObject *type = Py_TYPE(object);
  if (type == known)
    return true;
  if (std::strcmp(type->tp_name, "TensorDescriptor") != 0 || !PyObject_HasAttrString(object, "block_shape"))
    return false;
  Py_INCREF(type);
  Py_XDECREF(known);
  known = type;
  return true;
}

bool readNested(const Parameter &parameter, size_t index, PyObject *object, const char *kernel, NestedValues &nested) {
  Reader reader{parameter, index, kernel, nested};
  try {
    return reader.read(object, PyUnicode_AsUTF8(parameter.name));
  } catch (nb::python_error &error) {
    error.restore();
  } catch (const std::exception &error) {
    PyErr_SetString(PyExc_TypeError, error.what());
  }
  return false;
}

static nb::object entryOf(nb::handle object, const NestedValues &nested, size_t &next, std::vector<int> &path,
                          const VisitNested &visit) {
  auto leaf = [&](std::initializer_list<int> below) -> const NestedValue & {
    const NestedValue &value = nested.values[next++];
    std::vector<int> whole = path;
    whole.insert(whole.end(), below);
    visit(whole, value);
    return value;
  };
  if (PyTuple_Check(object.ptr())) {
    nb::list entries;
    for (size_t i = 0; i < size_t(PyTuple_GET_SIZE(object.ptr())); ++i) {
      path.push_back(int(i));
      entries.append(entryOf(PyTuple_GET_ITEM(object.ptr(), i), nested, next, path, visit));
      path.pop_back();
    }
    if (nb::hasattr(object, "_fields"))
      return object.type()(*nb::tuple(entries));
    return nb::tuple(entries);
  }
  if (!isDescriptor(object.ptr()))
    return nb::str(leaf({}).value.key.spelling().c_str());
  int rank = int(tupleOf(object, "shape").size());
  std::string element = leaf({0}).value.key.spelling(), block;
  for (int i = 0; i < rank; ++i)
    leaf({1, i});
  for (int i = 0; i + 1 < rank; ++i)
    leaf({2, i});
  for (nb::handle size : tupleOf(object, "block_shape"))
    block += (block.empty() ? "" : ", ") + nb::cast<std::string>(nb::str(size));
  std::string padding = nb::cast<std::string>(object.attr("padding"));
  std::string text = "tensordesc<" + element.substr(1) + "[" + block + "]" + (padding == "nan" ? ", nan" : "") + ">";
  return nb::str(text.c_str());
}

PyObject *signatureOf(PyObject *object, const NestedValues &nested, size_t &next, std::vector<int> &path, const VisitNested &visit) {
  return entryOf(object, nested, next, path, visit).release().ptr();
}

} // namespace triton_metal::python
