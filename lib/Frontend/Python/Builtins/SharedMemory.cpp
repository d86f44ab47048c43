//===- SharedMemory.cpp - tl.shared_memory, tl.barrier, and what an array can do ------------===//
//
// A shared array is a value of the front end: the pointer to its first element and its shape. A subscript, or the indices of a method,
// become pointers; what is done through them are the ordinary loads, stores and atomics.
//
//===----------------------------------------------------------------------===//
#include "Builtins.h"

#include <cstring>

using namespace triton_metal::frontend;

static Tensor baseOf(const Value &array) { return array.elements()[0].tensor; }

static std::vector<int64_t> shapeOf(const Value &array) {
  std::vector<int64_t> shape;
  for (const Value &size : array.elements()[1].elements())
    shape.push_back(nb::cast<int64_t>(size.object));
  return shape;
}

static Value sharedMemory(CallArguments &args) {
  std::vector<Value> single{args[0]};
  std::vector<int64_t> shape;
  std::vector<Value> sizes;
  for (const Value &size : args[0].isTuple() ? args[0].elements() : single) {
    if (!size.isConstant() || !PyLong_Check(size.object.ptr()) || PyBool_Check(size.object.ptr()))
      fail(ErrorKind::Type, "tl.shared_memory: the size of dimension " + std::to_string(shape.size()) +
                                " must be a constexpr integer, got " + valueStr(size));
    shape.push_back(args.integerOf(size, "a size"));
    sizes.push_back(size);
  }
  std::optional<Elem> elem = args[1].isConstant() ? args.lang.elemOf(args[1].object) : std::nullopt;
  if (!elem)
    fail(ErrorKind::Type, "the dtype of tl.shared_memory must be one of triton.language, got " + valueStr(args[1]));
  Tensor base = get(args.sem.sharedMemory(shape, *elem));
  return Value::compound(Value::Kind::SharedArray, {base, Value::fromTuple(std::move(sizes))});
}

static Value barrier(CallArguments &args) {
  get(args.sem.sharedBarrier());
  return Value::none();
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

static SharedIndex numberIndex(const Value &value, size_t dim, int64_t size) {
  std::optional<Number> number = numberOf(value.object);
  if (!number || number->kind != Kind::Integral)
    fail(ErrorKind::Type, "the index of dimension " + std::to_string(dim) + " is " + valueStr(value) + "; indices are integers");
  if (number->tooWide || number->integer < -__int128(size) || number->integer >= size)
    fail(ErrorKind::Index, "index " + number->str() + " is out of range for dimension " + std::to_string(dim) + " of size " +
                               std::to_string(size));
  SharedIndex index;
  index.kind = SharedIndex::Kind::Number;
  index.start = int64_t(number->integer) + (number->integer < 0 ? size : 0);
  return index;
}

static SharedIndex sliceIndex(const Value &slice, size_t dim, int64_t size) {
  nb::object parts[3];
  for (unsigned i = 0; i < 3; ++i) {
    const Value &part = slice.elements()[i];
    if (!part.isConstant())
      fail(ErrorKind::Type, "the bounds of the slice of dimension " + std::to_string(dim) +
                                " must be known at compile time; add a number to tl.arange instead, got " + valueStr(part));
    parts[i] = part.object;
  }
  nb::object object = nb::steal(PySlice_New(parts[0].ptr(), parts[1].ptr(), parts[2].ptr()));
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(object.ptr(), &start, &stop, &step) < 0)
    throw nb::python_error();
  SharedIndex index;
  index.count = PySlice_AdjustIndices(size, &start, &stop, step);
  index.start = start;
  index.step = step;
  return index;
}

Tensor triton_metal::frontend::sharedPlace(Semantics &sem, const Value &array, const std::vector<Value> &given,
                                           std::optional<Tensor> *mask) {
  std::vector<int64_t> shape = shapeOf(array);
  std::vector<Value> entries = given.size() == 1 && given[0].isTuple() ? given[0].elements() : given;
  auto isEllipsis = [](const Value &value) { return value.isConstant() && value.object.ptr() == Py_Ellipsis; };
  size_t ellipses = size_t(std::count_if(entries.begin(), entries.end(), isEllipsis));
  if (ellipses > 1 || entries.size() - ellipses > shape.size())
    fail(ErrorKind::Index, std::to_string(entries.size() - ellipses) + " indices for a shared array of " + std::to_string(shape.size()) +
                               (shape.size() == 1 ? " dimension, " : " dimensions, ") + shapeStr(shape));
  std::vector<SharedIndex> indices;
  auto wholeDimension = [&] {
    SharedIndex index;
    index.count = shape[indices.size()];
    indices.push_back(index);
  };
  for (const Value &entry : entries) {
    size_t dim = indices.size();
    if (isEllipsis(entry)) {
      for (size_t missing = shape.size() - (entries.size() - 1); missing; --missing)
        wholeDimension();
    } else if (entry.kind == Value::Kind::Slice) {
      indices.push_back(sliceIndex(entry, dim, shape[dim]));
    } else if (entry.isTensor()) {
      SharedIndex index;
      index.kind = SharedIndex::Kind::Tensor;
      index.tensor = entry.tensor;
      indices.push_back(index);
    } else if (entry.isConstant() && !entry.isNone()) {
      indices.push_back(numberIndex(entry, dim, shape[dim]));
    } else {
      fail(ErrorKind::Type, "the index of dimension " + std::to_string(dim) + " is " + valueStr(entry) + "; indices are integers");
    }
  }
  while (indices.size() < shape.size()) // as in NumPy: what is not said is all
    wholeDimension();
  return get(sem.sharedPointer(baseOf(array), shape, indices, mask));
}

//===----------------------------------------------------------------------===//
// Methods: indices come first, as many values as the operation takes come last
//===----------------------------------------------------------------------===//

namespace {
struct Bound {
  Tensor place;
  std::vector<Value> values;
};
} // namespace

static const Value &arrayOf(CallArguments &args) {
  if (args[0].kind != Value::Kind::SharedArray)
    fail(ErrorKind::Type, "expected a shared array (made by tl.shared_memory), got " + valueStr(args[0]));
  return args[0];
}

static Bound bind(CallArguments &args, size_t values) {
  const Value &array = arrayOf(args);
  std::vector<Value> given = args[1].elements();
  if (given.size() <= values)
    fail(ErrorKind::Type, "needs indices" + std::string(values ? ", and after them " + std::to_string(values) +
                                                                     (values == 1 ? " value" : " values") : "") +
                              "; got " + std::to_string(given.size()) + " arguments");
  Bound bound;
  bound.values.assign(given.end() - std::ptrdiff_t(values), given.end());
  given.resize(given.size() - values);
  bound.place = sharedPlace(args.sem, array, given);
  return bound;
}

static Value pointer(CallArguments &args) { return bind(args, 0).place; }

static Value load(CallArguments &args) {
  return get(args.sem.load(bind(args, 0).place, args.optionalOperand(2), args.optionalOperand(3), {}));
}

static Value store(CallArguments &args) {
  Bound bound = bind(args, 1);
  get(args.sem.store(bound.place, toOperand(bound.values[0]), args.optionalOperand(2), {}));
  return Value::none();
}

template <AtomicOp op>
static Value atomic(CallArguments &args) {
  Bound bound = bind(args, 1);
  return get(args.sem.atomic(op, bound.place, toOperand(bound.values[0]), args.optionalOperand(2), "relaxed", "cta"));
}

static Value atomicCas(CallArguments &args) {
  Bound bound = bind(args, 2);
  Elem elem = bound.place.elem().pointee();
  std::vector<Tensor> operands;
  for (const Value &value : bound.values) { // numbers and scalars take the array's type and the indices' shape
    Tensor tensor = get(args.sem.cast(get(args.sem.toTensor(toOperand(value))), elem));
    if (bound.place.isBlock())
      tensor = get(args.sem.broadcastTo(tensor, bound.place.type.shape()));
    operands.push_back(tensor);
  }
  return get(args.sem.atomicCas(bound.place, operands[0], operands[1], "relaxed", "cta"));
}

Value triton_metal::frontend::sharedAttribute(Walker &walker, const Value &array, nb::handle name) {
  const char *text = PyUnicode_AsUTF8(name.ptr());
  auto is = [&](const char *other) { return !std::strcmp(text, other); };
  Language &lang = walker.language();
  if (is("shape"))
    return array.elements()[1];
  if (is("dtype"))
    return Value::constant(lang.dtype(baseOf(array).elem().pointee()));
  if (is("data_ptr"))
    return baseOf(array);
  if (is("numel")) {
    int64_t count = 1;
    for (int64_t size : shapeOf(array))
      count *= size;
    return Value::fromInt(count);
  }
  for (const char *method : {"load", "store", "ptr", "atomic_add", "atomic_max", "atomic_min", "atomic_and", "atomic_or", "atomic_xor",
                             "atomic_xchg", "atomic_cas"})
    if (is(method))
      return Value::compound(Value::Kind::Method, {array}, lang.core.attr(("_shared_" + std::string(method)).c_str()));
  fail(ErrorKind::Attribute, "a shared array has no attribute '" + std::string(text) +
                                 "'; it has shape, dtype, numel, data_ptr, ptr, load, store and atomic_add, _max, _min, _and, _or, "
                                 "_xor, _xchg, _cas");
}

std::span<const Builtin> triton_metal::frontend::sharedMemoryBuiltins() {
  static constexpr Builtin table[] = {
      {"shared_memory", "shape dtype", sharedMemory},
      {"barrier", "", barrier},
      {"_shared_ptr", "self *indices", pointer},
      {"_shared_load", "self *indices mask= other=", load},
      {"_shared_store", "self *arguments mask=", store},
      {"_shared_atomic_add", "self *arguments mask=", atomic<AtomicOp::Add>},
      {"_shared_atomic_max", "self *arguments mask=", atomic<AtomicOp::Max>},
      {"_shared_atomic_min", "self *arguments mask=", atomic<AtomicOp::Min>},
      {"_shared_atomic_and", "self *arguments mask=", atomic<AtomicOp::And>},
      {"_shared_atomic_or", "self *arguments mask=", atomic<AtomicOp::Or>},
      {"_shared_atomic_xor", "self *arguments mask=", atomic<AtomicOp::Xor>},
      {"_shared_atomic_xchg", "self *arguments mask=", atomic<AtomicOp::Xchg>},
      {"_shared_atomic_cas", "self *arguments", atomicCas},
  };
  return table;
}
