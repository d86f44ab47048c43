//===- Language.h - the Python side of the language, as C++ sees it -----------------===//
//
// The objects of triton_metal.language and triton_metal.runtime that have a meaning for the front end: dtypes, the classes of jit
// functions and constexprs, the modules. Looked up once, when the first function is built.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "Value.h"

#include <string>
#include <unordered_map>

namespace triton_metal::frontend {

class Language {
public:
  static Language &get();

  nb::object core, math, standard, constexprClass, dtypeClass, pointerClass, blockClass, tensorClass, tupleClass, sliceClass;
  nb::object rangeClass, staticRangeClass, conditionClass, jitFunctionClass, constexprFunctionClass;
  nb::object memoryLayoutClass, staticAssert, staticPrint, aggregateReplace;
  nb::object compilationError, assertionFailure, unsupportedConstruct;

  /// The dtype object of an element type, of a type.
  nb::object dtype(Elem elem);
  nb::object typeObject(Type type);
  /// The element type of a dtype object; nothing for other objects. A block's dtype gives the block's element.
  std::optional<Elem> elemOf(nb::handle object);
  bool isDtype(nb::handle object) const;

  bool isConstexpr(nb::handle object) const { return Py_TYPE(object.ptr()) == constexprType; }
  bool isJit(nb::handle object);
  bool isConstexprFunction(nb::handle object) const;
  /// Whether this is a class that triton.aggregate made; null is none.
  bool isAggregate(nb::handle cls) const;
  /// A value of a Python object: constexprs unwrapped, tuples and lists element by element.
  Value wrap(nb::handle object);
  /// The Python object of a value known at build time; an error that names `what` for tensors.
  nb::object unwrap(const Value &value, const char *what);

private:
  Language();
  PyTypeObject *constexprType = nullptr;
  nb::object scalars[kNumScalars];
  std::unordered_map<PyObject *, Elem> known;       ///< dtypes that live as long as the module
  std::unordered_map<uint32_t, nb::object> pointers; ///< pointer dtypes, by packed element
  std::unordered_map<PyTypeObject *, bool> jitTypes;
};

/// A number of Python, or nothing.
std::optional<Number> numberOf(nb::handle object);

} // namespace triton_metal::frontend
