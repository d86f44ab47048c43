//===- Value.h - what a name of a kernel stands for while it is built ----------------===//
//
// A tensor of the kernel, or a Python object that is known at build time and means what it means in Python, or a tuple of values.
// A constexpr is never seen here: it is unwrapped where it enters.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Frontend/Semantics.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <memory>
#include <vector>

namespace triton_metal::frontend {

namespace nb = nanobind;

struct TupleData;

struct Value {
  enum class Kind : uint8_t {
    Undefined, ///< no value: a name that has none, an argument that was not given
    Constant,  ///< `object`
    Tensor,    ///< `tensor`
    Tuple,     ///< `tuple`; `object` is the class of a named tuple or of an aggregate, or null
    Slice,     ///< `tuple` holds start, stop, step
    Method,    ///< `object` is a function, the only element of `tuple` its first argument
    BlockPointer, ///< `tuple`: base, shape, strides, offsets, block shape, order
    Descriptor,   ///< `tuple`: base, shape, strides, block shape, what lies outside
    SharedArray   ///< `tuple`: pointer to the first element, shape
  };
  Kind kind = Kind::Undefined;
  Tensor tensor;
  nb::object object;
  std::shared_ptr<TupleData> tuple;

  Value() = default;
  Value(Tensor tensor) : kind(Kind::Tensor), tensor(tensor) {}
  static Value constant(nb::object object) {
    Value value;
    value.kind = Kind::Constant;
    value.object = std::move(object);
    return value;
  }
  static Value none() { return constant(nb::none()); }
  static Value fromBool(bool value) { return constant(nb::bool_(value)); }
  static Value fromInt(int64_t value) { return constant(nb::int_(value)); }
  static Value fromTuple(std::vector<Value> values, nb::object cls = {});
  static Value compound(Kind kind, std::vector<Value> values, nb::object object = {});

  bool isDefined() const { return kind != Kind::Undefined; }
  bool isConstant() const { return kind == Kind::Constant; }
  bool isTensor() const { return kind == Kind::Tensor; }
  bool isTuple() const { return kind == Kind::Tuple; }
  bool isNone() const { return isConstant() && object.is_none(); }
  /// Whether an assignment in a branch or a loop must be merged: a tensor, or something that holds tensors.
  bool isTriton() const { return kind == Kind::Tensor || kind == Kind::Tuple || isPlace(); }
  /// A block pointer, a descriptor or a shared array: names places in memory, and is a value of the front end only.
  bool isPlace() const { return kind == Kind::BlockPointer || kind == Kind::Descriptor || kind == Kind::SharedArray; }
  const std::vector<Value> &elements() const;
};

struct TupleData {
  std::vector<Value> values;
};

inline const std::vector<Value> &Value::elements() const { return tuple->values; }
inline Value Value::compound(Kind kind, std::vector<Value> values, nb::object object) {
  Value value;
  value.kind = kind;
  value.object = std::move(object);
  value.tuple = std::make_shared<TupleData>(TupleData{std::move(values)});
  return value;
}
inline Value Value::fromTuple(std::vector<Value> values, nb::object cls) {
  return compound(Kind::Tuple, std::move(values), std::move(cls));
}

/// The tensors in a value, in order; and the value again with others in their place.
void flatten(const Value &value, std::vector<Tensor> &tensors);
Value unflatten(const Value &like, const std::vector<Tensor> &tensors, size_t &next);
/// Whether two values have equal types: of tensors, and of the elements of tuples; constants must be equal.
bool sameType(const Value &a, const Value &b);
/// As str() of the type, for messages.
std::string typeStr(const Value &value);
/// As str() of the value, for messages.
std::string valueStr(const Value &value);

/// An error of the language: raised as the Python exception of its kind where it is caught.
struct LanguageError {
  ErrorKind kind;
  std::string message;
};

[[noreturn]] inline void fail(ErrorKind kind, std::string message) { throw LanguageError{kind, std::move(message)}; }

/// The value of a result, or its error thrown.
template <typename T>
T get(Result<T> result) {
  if (!result)
    throw LanguageError{result.error().kind, result.error().message};
  return std::move(*result);
}

} // namespace triton_metal::frontend
