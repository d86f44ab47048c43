//===- arrays.cpp - arrays of other libraries, read without their help ------------===//
#include "Arrays.h"

#include <cstring>
#include <string>

namespace triton_metal::python {

namespace {

/// What to do with an array of another kind of elements.
constexpr const char *kConvert = "convert it to booleans, integers, or floats of at most 64 bits";

//===----------------------------------------------------------------------===//
// The C structs of others, as far as we read them
//===----------------------------------------------------------------------===//

/// PyArrayObject_fields, the same in NumPy 1 and 2.
struct NumPyArray {
  PyObject_HEAD
  char *data;
  int nd;
  Py_ssize_t *dimensions;
  Py_ssize_t *strides;
  PyObject *base;
  struct NumPyDescr *descr;
  int flags;
};

/// The beginning of PyArray_Descr, the same in NumPy 1 and 2.
struct NumPyDescr {
  PyObject_HEAD
  PyTypeObject *typeobj;
  char kind;
  char type;
  char byteorder;
  char flags;
  int typeNumber;
};

constexpr int kNumPyWriteable = 0x0400;

struct DLDevice {
  int32_t type, id;
};
struct DLDataType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct DLTensor {
  void *data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  int64_t *strides;
  uint64_t byteOffset;
};
struct DLManagedTensor {
  DLTensor tensor;
  void *context;
  void (*deleter)(DLManagedTensor *);
};
struct DLVersion {
  uint32_t major, minor;
};
struct DLManagedTensorVersioned {
  DLVersion version;
  void *context;
  void (*deleter)(DLManagedTensorVersioned *);
  uint64_t flags; // bit 0: read only
  DLTensor tensor;
};
struct DLExchangeAPI {
  DLVersion version;
  DLExchangeAPI *older;
  void *managedTensorAllocator;
  void *managedTensorFromPyObject;
  void *managedTensorToPyObject;
  int (*tensorFromPyObject)(void *object, DLTensor *out);
};

enum { kDLCPU = 1, kDLCUDAHost = 3, kDLMetal = 8 };

Place placeOf(int32_t deviceType) {
  switch (deviceType) {
  case kDLCPU:
  case kDLCUDAHost:
    return Place::Host;
  case kDLMetal:
    return Place::Metal;
  default:
    return Place::Other;
  }
}

//===----------------------------------------------------------------------===//
// What is known of a Python type
//===----------------------------------------------------------------------===//

enum class Reader : uint8_t { None, NumPy, Exchange, DLPack, DataPointer };

/// One row a type, found by the type's address. Holds a reference to the type, so the address is not used again.
struct TypeRow {
  PyTypeObject *type = nullptr;
  Reader reader = Reader::None;
  const DLExchangeAPI *api = nullptr;
};

constexpr size_t kTypeRows = 64; // direct-mapped
TypeRow typeRows[kTypeRows];

bool isNumPyArray(PyTypeObject *type) {
  PyObject *bases = type->tp_mro;
  if (!bases || !PyTuple_Check(bases))
    return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); ++i)
    if (std::strcmp(reinterpret_cast<PyTypeObject *>(PyTuple_GET_ITEM(bases, i))->tp_name, "numpy.ndarray") == 0)
      return true;
  return false;
}

bool hasAttribute(PyTypeObject *type, const char *name) {
  PyObject *found = PyObject_GetAttrString(reinterpret_cast<PyObject *>(type), name);
  if (!found) {
    PyErr_Clear();
    return false;
  }
  Py_DECREF(found);
  return true;
}

TypeRow classify(PyTypeObject *type) {
  TypeRow row;
  row.type = type;
  if (isNumPyArray(type)) {
    row.reader = Reader::NumPy;
    return row;
  }
  if (PyObject *capsule = PyObject_GetAttrString(reinterpret_cast<PyObject *>(type), "__dlpack_c_exchange_api__")) {
    auto *api = static_cast<const DLExchangeAPI *>(PyCapsule_CheckExact(capsule)
                                                       ? PyCapsule_GetPointer(capsule, "dlpack_exchange_api")
                                                       : nullptr);
    Py_DECREF(capsule);
    PyErr_Clear();
    for (; api; api = api->older)
      if (api->version.major == 1 && api->tensorFromPyObject) {
        row.reader = Reader::Exchange;
        row.api = api;
        return row;
      }
  }
  PyErr_Clear();
  if (hasAttribute(type, "data_ptr"))
    row.reader = Reader::DataPointer;
  else if (hasAttribute(type, "__dlpack__"))
    row.reader = Reader::DLPack;
  return row;
}

const TypeRow &rowOf(PyTypeObject *type) {
  TypeRow &row = typeRows[(reinterpret_cast<uintptr_t>(type) >> 5) % kTypeRows];
  if (row.type == type)
    return row;
  TypeRow fresh = classify(type);
  Py_INCREF(type);
  PyTypeObject *old = row.type;
  row = fresh;
  Py_XDECREF(old);
  return row;
}

//===----------------------------------------------------------------------===//
// Readers
//===----------------------------------------------------------------------===//

ArrayRead refuse(PyObject *exception, const std::string &message) {
  PyErr_SetString(exception, message.c_str());
  return ArrayRead::Failed;
}

ArrayRead readNumPy(PyObject *object, ArrayView &view) {
  auto *array = reinterpret_cast<NumPyArray *>(object);
  NumPyDescr *descr = array->descr;
  std::optional<DType> type = dtypeFromNumPy(descr->typeNumber);
  if (!type) {
    // bfloat16 and fp8 of ml_dtypes are types of their own; their scalars are named so.
    const char *name = std::strrchr(descr->typeobj->tp_name, '.');
    std::string_view scalar = name ? name + 1 : descr->typeobj->tp_name;
    if (scalar == "bfloat16")
      type = DType::BF16;
    else if (scalar == "float8_e4m3fn")
      type = DType::F8E4NV;
    else if (scalar == "float8_e5m2")
      type = DType::F8E5;
    else if (scalar == "float8_e4m3fnuz")
      type = DType::F8E4B8;
    else if (scalar == "float8_e5m2fnuz")
      type = DType::F8E5B16;
    else
      return refuse(PyExc_TypeError, "arrays of dtype " + std::string(scalar) + " cannot be passed to a kernel; " + kConvert);
  }
  constexpr char foreign = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '>' : '<';
  if (descr->byteorder == foreign)
    return refuse(PyExc_TypeError, "the array has the byte order of other machines; convert it with astype(dtype.newbyteorder('='))");
  view.data = array->data;
  view.type = *type;
  view.place = Place::Host;
  view.readOnly = !(array->flags & kNumPyWriteable);
  view.rank = array->nd;
  view.shape = reinterpret_cast<const int64_t *>(array->dimensions);
  view.strides = reinterpret_cast<const int64_t *>(array->strides);
  view.stridesInBytes = true;
  return ArrayRead::Ok;
}

ArrayRead fromDLTensor(const DLTensor &tensor, ArrayView &view) {
  std::optional<DType> type = tensor.dtype.lanes == 1 ? dtypeFromDLPack(tensor.dtype.code, tensor.dtype.bits) : std::nullopt;
  if (!type)
    return refuse(PyExc_TypeError, "arrays of DLPack type code " + std::to_string(tensor.dtype.code) + " with " +
                                       std::to_string(tensor.dtype.bits) + " bits cannot be passed to a kernel; " + kConvert);
  view.data = static_cast<char *>(tensor.data) + tensor.byteOffset;
  view.type = *type;
  view.place = placeOf(tensor.device.type);
  view.readOnly = false;
  view.rank = tensor.ndim;
  view.shape = tensor.shape;
  view.strides = tensor.strides;
  view.stridesInBytes = false;
  return ArrayRead::Ok;
}

ArrayRead readDLPack(PyObject *object, ArrayView &view) {
  // max_version asks for the form that says whether the memory may be written; older producers do not know the keyword.
  PyObject *method = PyObject_GetAttrString(object, "__dlpack__");
  if (!method)
    return ArrayRead::Failed;
  PyObject *arguments = PyTuple_New(0), *keywords = Py_BuildValue("{s:(ii)}", "max_version", 1, 0);
  PyObject *capsule = arguments && keywords ? PyObject_Call(method, arguments, keywords) : nullptr;
  if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) {
    PyErr_Clear();
    capsule = PyObject_CallNoArgs(method);
  }
  Py_XDECREF(arguments);
  Py_XDECREF(keywords);
  Py_DECREF(method);
  if (!capsule)
    return ArrayRead::Failed;
  // The memory belongs to `object`, which the caller holds for the launch: the capsule may go at once. Shape and strides are
  // the capsule's, so they are not kept.
  ArrayRead result = ArrayRead::Failed;
  if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
    auto *managed = static_cast<DLManagedTensorVersioned *>(PyCapsule_GetPointer(capsule, "dltensor_versioned"));
    result = fromDLTensor(managed->tensor, view);
    view.readOnly = managed->flags & 1;
  } else if (PyCapsule_IsValid(capsule, "dltensor")) {
    result = fromDLTensor(static_cast<DLManagedTensor *>(PyCapsule_GetPointer(capsule, "dltensor"))->tensor, view);
  } else {
    PyErr_SetString(PyExc_TypeError, "__dlpack__ returned no DLPack capsule");
  }
  view.shape = view.strides = nullptr;
  Py_DECREF(capsule);
  return result;
}

/// Anything with data_ptr() and dtype, as upstream accepts: the dtype is known by its name.
ArrayRead readDataPointer(PyObject *object, ArrayView &view) {
  PyObject *address = PyObject_CallMethod(object, "data_ptr", nullptr);
  if (!address)
    return ArrayRead::Failed;
  view.data = PyLong_AsVoidPtr(address);
  Py_DECREF(address);
  if (PyErr_Occurred())
    return ArrayRead::Failed;
  PyObject *dtype = PyObject_GetAttrString(object, "dtype");
  PyObject *text = dtype ? PyObject_Str(dtype) : nullptr;
  Py_XDECREF(dtype);
  const char *name = text ? PyUnicode_AsUTF8(text) : nullptr;
  if (!name) {
    Py_XDECREF(text);
    return ArrayRead::Failed;
  }
  std::string_view spelled(name);
  if (size_t dot = spelled.rfind('.'); dot != std::string_view::npos) // "torch.float32"
    spelled.remove_prefix(dot + 1);
  constexpr std::pair<std::string_view, DType> names[] = {
      {"float32", DType::F32}, {"float16", DType::F16}, {"bfloat16", DType::BF16}, {"float64", DType::F64},
      {"int64", DType::I64},   {"int32", DType::I32},   {"int16", DType::I16},     {"int8", DType::I8},
      {"uint64", DType::U64},  {"uint32", DType::U32},  {"uint16", DType::U16},    {"uint8", DType::U8},
      {"bool", DType::I1},     {"float8_e4m3fn", DType::F8E4NV}, {"float8_e5m2", DType::F8E5},
  };
  std::optional<DType> type = dtypeNamed(spelled);
  for (const auto &[known, value] : names)
    if (spelled == known)
      type = value;
  if (type)
    view.type = *type;
  else
    PyErr_Format(PyExc_TypeError, "arrays of dtype %s cannot be passed to a kernel; %s", name, kConvert);
  Py_DECREF(text);
  view.place = Place::Host;
  view.shape = view.strides = nullptr;
  return type ? ArrayRead::Ok : ArrayRead::Failed;
}

} // namespace

ArrayRead readArray(PyObject *object, ArrayView &view) {
  const TypeRow &row = rowOf(Py_TYPE(object));
  switch (row.reader) {
  case Reader::NumPy:
    return readNumPy(object, view);
  case Reader::Exchange: {
    DLTensor tensor;
    if (row.api->tensorFromPyObject(object, &tensor) != 0) {
      if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "the tensor cannot be exchanged by DLPack");
      return ArrayRead::Failed;
    }
    return fromDLTensor(tensor, view);
  }
  case Reader::DLPack:
    return readDLPack(object, view);
  case Reader::DataPointer:
    return readDataPointer(object, view);
  case Reader::None:
    return ArrayRead::NotAnArray;
  }
  return ArrayRead::NotAnArray;
}

void extentOf(const ArrayView &view, char *&begin, uint64_t &bytes) {
  begin = static_cast<char *>(view.data);
  bytes = 0;
  if (!view.shape && view.rank)
    return;
  const int64_t element = bitWidth(view.type) / 8;
  int64_t low = 0, high = 0, contiguous = 1;
  for (int i = view.rank - 1; i >= 0; --i) {
    if (view.shape[i] == 0)
      return;
    int64_t stride = !view.strides ? contiguous * element : view.strides[i] * (view.stridesInBytes ? 1 : element);
    contiguous *= view.shape[i];
    (stride < 0 ? low : high) += stride * (view.shape[i] - 1);
  }
  begin += low;
  bytes = uint64_t(high - low + element);
}

} // namespace triton_metal::python
