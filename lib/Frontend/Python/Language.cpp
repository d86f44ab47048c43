//===- Language.cpp - conversions between Python's objects and values -----------------===//
#include "Language.h"

using namespace triton_metal::frontend;

Language &Language::get() {
  static Language *instance = new Language(); // lives until the process ends: its objects must not outlive the interpreter
  return *instance;
}

Language::Language() {
  core = nb::module_::import_("triton_metal.language.core");
  math = nb::module_::import_("triton_metal.language.math");
  standard = nb::module_::import_("triton_metal.language.standard");
  nb::module_ jit = nb::module_::import_("triton_metal.runtime.jit");
  nb::module_ errors = nb::module_::import_("triton_metal.errors");
  constexprClass = core.attr("constexpr");
  constexprType = reinterpret_cast<PyTypeObject *>(constexprClass.ptr());
  dtypeClass = core.attr("dtype");
  pointerClass = core.attr("pointer_type");
  blockClass = core.attr("block_type");
  tensorClass = core.attr("tensor");
  tupleClass = core.attr("tuple");
  sliceClass = core.attr("slice");
  rangeClass = core.attr("range");
  staticRangeClass = core.attr("static_range");
  conditionClass = core.attr("condition");
  memoryLayoutClass = core.attr("MemoryLayout");
  staticAssert = core.attr("static_assert");
  staticPrint = core.attr("static_print");
  aggregateReplace = core.attr("aggregate_replace");
  jitFunctionClass = jit.attr("JITFunction");
  constexprFunctionClass = jit.attr("ConstexprFunction");
  compilationError = errors.attr("CompilationError");
  assertionFailure = errors.attr("CompileTimeAssertionFailure");
  unsupportedConstruct = errors.attr("UnsupportedLanguageConstruct");
  nb::dict byName(core.attr("_SCALARS"));
  for (unsigned i = 0; i < kNumScalars; ++i) {
    scalars[i] = byName[nb::str(scalarName(Scalar(i)).str().c_str())];
    known[scalars[i].ptr()] = Elem{Scalar(i)};
  }
}

//===----------------------------------------------------------------------===//
// dtypes
//===----------------------------------------------------------------------===//

/// pointer_type.address_space of a pointer into a shared array.
static constexpr int kSharedSpace = 3;

nb::object Language::dtype(Elem elem) {
  if (!elem.isPointer())
    return scalars[unsigned(elem.base)];
  nb::object &cached = pointers[uint32_t(elem.base) | uint32_t(elem.pointers) << 8 | uint32_t(elem.isConst) << 16 |
                                uint32_t(elem.isShared) << 17];
  if (!cached.is_valid()) {
    cached = pointerClass(dtype(elem.pointee()), nb::arg("address_space") = elem.isShared ? kSharedSpace : 1,
                          nb::arg("const") = elem.isConst);
    known[cached.ptr()] = elem;
  }
  return cached;
}

nb::object Language::typeObject(Type type) {
  if (!type.isBlock())
    return dtype(type.elem());
  nb::list shape;
  for (int64_t size : type.shape())
    shape.append(size);
  return blockClass(dtype(type.elem()), shape);
}

bool Language::isDtype(nb::handle object) const { return nb::isinstance(object, dtypeClass); }

std::optional<Elem> Language::elemOf(nb::handle object) {
  auto found = known.find(object.ptr());
  if (found != known.end())
    return found->second;
  if (!isDtype(object))
    return std::nullopt;
  if (nb::isinstance(object, blockClass))
    return elemOf(object.attr("element_ty"));
  if (nb::isinstance(object, pointerClass)) {
    std::optional<Elem> pointee = elemOf(object.attr("element_ty"));
    if (!pointee)
      return std::nullopt;
    Elem elem = pointee->pointer();
    elem.isConst = nb::cast<bool>(object.attr("const"));
    elem.isShared = nb::cast<int>(object.attr("address_space")) == kSharedSpace;
    return elem;
  }
  std::optional<Scalar> scalar = scalarFromName(nb::cast<const char *>(object.attr("name")));
  return scalar ? std::optional<Elem>(Elem{*scalar}) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

bool Language::isJit(nb::handle object) {
  auto [entry, isNew] = jitTypes.try_emplace(Py_TYPE(object.ptr()), false);
  if (isNew) {
    entry->second = nb::isinstance(object, jitFunctionClass);
    Py_INCREF(reinterpret_cast<PyObject *>(Py_TYPE(object.ptr()))); // the table must not meet another type at the address
  }
  return entry->second;
}

bool Language::isAggregate(nb::handle cls) const {
  return cls.is_valid() && PyType_Check(cls.ptr()) && nb::hasattr(cls, "__triton_aggregate__");
}

bool Language::isConstexprFunction(nb::handle object) const {
  return Py_TYPE(object.ptr()) == reinterpret_cast<PyTypeObject *>(constexprFunctionClass.ptr());
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value Language::wrap(nb::handle object) {
  PyObject *raw = object.ptr();
  if (isConstexpr(object))
    return wrap(nb::getattr(object, "value"));
  if (PyTuple_Check(raw) || PyList_Check(raw)) {
    std::vector<Value> values;
    for (nb::handle element : object)
      values.push_back(wrap(element));
    bool isNamed = PyTuple_Check(raw) && !PyTuple_CheckExact(raw) && nb::hasattr(object, "_fields");
    return Value::fromTuple(std::move(values), isNamed ? nb::borrow(object.type()) : nb::object());
  }
  if (Py_TYPE(raw) == reinterpret_cast<PyTypeObject *>(tupleClass.ptr()))
    return wrap(nb::object(nb::getattr(object, "values")));
  return Value::constant(nb::borrow(object));
}

nb::object Language::unwrap(const Value &value, const char *what) {
  switch (value.kind) {
  case Value::Kind::Constant:
    return value.object;
  case Value::Kind::Tuple: {
    nb::list elements;
    for (const Value &element : value.elements())
      elements.append(unwrap(element, what));
    if (isAggregate(value.object))
      fail(ErrorKind::Type, std::string(what) + " cannot take an aggregate, got one of class " +
                                nb::cast<std::string>(value.object.attr("__name__")));
    return value.object.is_valid() ? value.object(*elements) : nb::object(nb::tuple(elements));
  }
  case Value::Kind::Slice: {
    nb::object parts[3];
    for (unsigned i = 0; i < 3; ++i)
      parts[i] = unwrap(value.elements()[i], what);
    return nb::steal(PySlice_New(parts[0].ptr(), parts[1].ptr(), parts[2].ptr()));
  }
  case Value::Kind::Method:
    return value.object;
  default:
    fail(ErrorKind::Type, std::string(what) + " needs a value that is known at compile time, got " + valueStr(value));
  }
}

std::optional<Number> triton_metal::frontend::numberOf(nb::handle object) {
  PyObject *raw = object.ptr();
  if (PyBool_Check(raw))
    return Number::boolean(raw == Py_True);
  if (PyFloat_Check(raw))
    return Number::fromFloat(PyFloat_AS_DOUBLE(raw));
  if (!PyLong_Check(raw))
    return std::nullopt;
  int overflow = 0;
  long long small = PyLong_AsLongLongAndOverflow(raw, &overflow);
  if (!overflow)
    return Number::fromInt(small);
  Number number;
  number.real = overflow > 0 ? 0x1p64 : -0x1p64;
  if (overflow > 0) {
    unsigned long long big = PyLong_AsUnsignedLongLong(raw);
    if (!PyErr_Occurred()) {
      number.integer = __int128(big);
      number.real = double(big);
      return number;
    }
    PyErr_Clear();
  }
  number.real = PyLong_AsDouble(raw);
  PyErr_Clear(); // beyond double: only the sign matters, and the conversion of the number is an error anyway
  number.integer = overflow;
  number.tooWide = true;
  nb::object text = nb::steal(PyObject_Str(raw));
  if (!text.is_valid())
    PyErr_Clear(); // integers of thousands of digits have no str()
  number.text = text.is_valid() ? PyUnicode_AsUTF8(text.ptr()) : "of thousands of digits";
  return number;
}

//===----------------------------------------------------------------------===//
// Parts and types of values
//===----------------------------------------------------------------------===//

void triton_metal::frontend::flatten(const Value &value, std::vector<Tensor> &tensors) {
  if (value.isTensor())
    tensors.push_back(value.tensor);
  else if (value.tuple)
    for (const Value &element : value.elements())
      flatten(element, tensors);
}

Value triton_metal::frontend::unflatten(const Value &like, const std::vector<Tensor> &tensors, size_t &next) {
  if (like.isTensor())
    return tensors[next++];
  if (!like.tuple)
    return like;
  std::vector<Value> elements;
  for (const Value &element : like.elements())
    elements.push_back(unflatten(element, tensors, next));
  return Value::compound(like.kind, std::move(elements), like.object);
}

bool triton_metal::frontend::sameType(const Value &a, const Value &b) {
  if (a.kind != b.kind)
    return false;
  if (a.isTensor())
    return a.tensor.type == b.tensor.type;
  if (a.isConstant()) {
    int equal = PyObject_RichCompareBool(a.object.ptr(), b.object.ptr(), Py_EQ);
    if (equal < 0)
      PyErr_Clear();
    return equal == 1;
  }
  if (!a.tuple)
    return true;
  if (a.elements().size() != b.elements().size())
    return false;
  for (size_t i = 0; i < a.elements().size(); ++i)
    if (!sameType(a.elements()[i], b.elements()[i]))
      return false;
  return true;
}

static std::string pythonStr(nb::handle object) {
  nb::object text = nb::steal(PyObject_Str(object.ptr()));
  if (!text.is_valid()) {
    PyErr_Clear();
    return "<no str()>";
  }
  const char *utf8 = PyUnicode_AsUTF8(text.ptr());
  if (!utf8) {
    PyErr_Clear();
    return "<no utf-8>";
  }
  return utf8;
}

/// `shared array (4, 8) of fp32`
static std::string sharedArrayStr(const Value &value) {
  std::vector<int64_t> shape;
  for (const Value &size : value.elements()[1].elements())
    shape.push_back(nb::cast<int64_t>(size.object));
  return "shared array " + shapeStr(shape) + " of " + value.elements()[0].tensor.elem().pointee().str();
}

std::string triton_metal::frontend::typeStr(const Value &value) {
  switch (value.kind) {
  case Value::Kind::Tensor: return value.tensor.type.str();
  case Value::Kind::Constant: return "constexpr_type[" + pythonStr(value.object) + "]";
  case Value::Kind::BlockPointer: return "block_ptr";
  case Value::Kind::Descriptor: return "tensor_descriptor";
  case Value::Kind::SharedArray: return sharedArrayStr(value);
  case Value::Kind::Tuple: {
    std::string text = "[";
    for (size_t i = 0; i < value.elements().size(); ++i)
      text += (i ? "," : "") + typeStr(value.elements()[i]);
    return text + "]";
  }
  default: return "nothing";
  }
}

std::string triton_metal::frontend::valueStr(const Value &value) {
  switch (value.kind) {
  case Value::Kind::Tensor: return value.tensor.type.valueStr();
  case Value::Kind::Constant: return "constexpr[" + pythonStr(value.object) + "]";
  case Value::Kind::BlockPointer: return "a block pointer";
  case Value::Kind::Descriptor: return "a tensor descriptor";
  case Value::Kind::SharedArray: return "a " + sharedArrayStr(value);
  case Value::Kind::Method: return "a method";
  case Value::Kind::Tuple: {
    std::string text = "[";
    for (size_t i = 0; i < value.elements().size(); ++i)
      text += (i ? ", '" : "'") + valueStr(value.elements()[i]) + "'";
    return text + "]";
  }
  default: return "nothing";
  }
}
