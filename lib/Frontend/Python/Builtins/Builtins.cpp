//===- Builtins.cpp - finding a builtin, binding and reading its arguments ------------===//
#include "Builtins.h"

#include <algorithm>
#include <cstring>
#include <sstream>

using namespace triton_metal::frontend;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static BoundBuiltin readParameters(const Builtin &builtin) {
  BoundBuiltin bound{&builtin, {}, {}};
  std::istringstream stream(builtin.parameters);
  bool keywordOnly = false;
  for (std::string word; stream >> word;) {
    if (word == ",") {
      keywordOnly = true;
      continue;
    }
    bool optional = word.back() == '=';
    if (optional)
      word.pop_back();
    if (word[0] == '*') {
      bound.rest = int(bound.names.size());
      word.erase(0, 1);
      keywordOnly = true;
      optional = true;
    } else if (!keywordOnly) {
      ++bound.positional;
    }
    bound.names.push_back(word);
    bound.required.push_back(!optional);
  }
  return bound;
}

static const std::unordered_map<std::string, BoundBuiltin> &builtinsByName() {
  static const auto *table = [] {
    auto *made = new std::unordered_map<std::string, BoundBuiltin>();
    for (std::span<const Builtin> family : {creationBuiltins(), shapeBuiltins(), mathBuiltins(), memoryBuiltins(),
                                            reductionBuiltins(), debugBuiltins(), blockPointerBuiltins(), descriptorBuiltins(),
                                            elementwiseBuiltins(), sharedMemoryBuiltins()})
      for (const Builtin &builtin : family)
        made->emplace(builtin.name, readParameters(builtin));
    return made;
  }();
  return *table;
}

const BoundBuiltin *triton_metal::frontend::findBuiltin(nb::handle function) {
  // The language's functions live as long as their module, so their addresses are theirs.
  static auto *known = new std::unordered_map<PyObject *, const BoundBuiltin *>();
  if (auto found = known->find(function.ptr()); found != known->end())
    return found->second;
  if (!PyFunction_Check(function.ptr()) || !nb::hasattr(function, "__triton_builtin__"))
    return nullptr;
  nb::object module = nb::getattr(function, "__module__", nb::none());
  if (!PyUnicode_Check(module.ptr()) || std::strncmp(PyUnicode_AsUTF8(module.ptr()), "triton_metal.language", 21))
    return nullptr;
  auto entry = builtinsByName().find(PyUnicode_AsUTF8(nb::object(function.attr("__name__")).ptr()));
  if (entry == builtinsByName().end())
    return nullptr;
  Py_INCREF(function.ptr());
  return (*known)[function.ptr()] = &entry->second;
}

//===----------------------------------------------------------------------===//
// Binding
//===----------------------------------------------------------------------===//

std::vector<Value> triton_metal::frontend::bindBuiltin(const BoundBuiltin &builtin, std::vector<Value> arguments,
                                                       std::vector<std::pair<std::string, Value>> keywords) {
  std::string name = builtin.entry->name;
  std::vector<Value> bound(builtin.names.size());
  size_t count = std::min(arguments.size(), builtin.positional);
  std::move(arguments.begin(), arguments.begin() + count, bound.begin());
  if (builtin.rest >= 0)
    bound[builtin.rest] = Value::fromTuple(
        std::vector<Value>(std::make_move_iterator(arguments.begin() + count), std::make_move_iterator(arguments.end())));
  else if (arguments.size() > builtin.positional)
    fail(ErrorKind::Type, name + "() takes at most " + std::to_string(builtin.positional) + " positional arguments but " +
                              std::to_string(arguments.size()) + " were given");
  for (auto &[keyword, value] : keywords) {
    size_t index = size_t(std::find(builtin.names.begin(), builtin.names.end(), keyword) - builtin.names.begin());
    if (index == builtin.names.size() || int(index) == builtin.rest)
      fail(ErrorKind::Type, name + "() got an unexpected keyword argument '" + keyword + "'");
    if (bound[index].isDefined())
      fail(ErrorKind::Type, name + "() got multiple values for argument '" + keyword + "'");
    bound[index] = std::move(value);
  }
  std::vector<std::string> missing;
  for (size_t i = 0; i < bound.size(); ++i)
    if (builtin.required[i] && !bound[i].isDefined())
      missing.push_back("'" + builtin.names[i] + "'");
  if (!missing.empty()) {
    std::string list = missing[0];
    for (size_t i = 1; i < missing.size(); ++i)
      list += (i + 1 == missing.size() ? missing.size() > 2 ? ", and " : " and " : ", ") + missing[i];
    fail(ErrorKind::Type, name + "() missing " + std::to_string(missing.size()) + " required positional argument" +
                              (missing.size() > 1 ? "s: " : ": ") + list);
  }
  return bound;
}

//===----------------------------------------------------------------------===//
// Reading arguments
//===----------------------------------------------------------------------===//

int64_t CallArguments::integerOf(const Value &value, const char *what) const {
  std::optional<Number> number = value.isConstant() ? numberOf(value.object) : std::nullopt;
  if (!number || number->kind == Kind::Floating)
    fail(ErrorKind::Value, std::string(what) + " must be a constexpr integer, got " + valueStr(value));
  if (number->tooWide || number->integer != int64_t(number->integer))
    fail(ErrorKind::Value, std::string(what) + " is out of range: " + number->str());
  return int64_t(number->integer);
}

bool CallArguments::flag(size_t index, bool otherwise) const {
  const Value &value = values[index];
  if (!value.isDefined())
    return otherwise;
  if (!value.isConstant())
    fail(ErrorKind::Type, "argument " + std::to_string(index + 1) + " must be known at compile time, got " + valueStr(value));
  int truth = PyObject_IsTrue(value.object.ptr());
  if (truth < 0)
    throw nb::python_error();
  return truth;
}

std::string CallArguments::text(size_t index, const char *otherwise, const char *what) const {
  if (!has(index))
    return otherwise;
  const Value &value = values[index];
  if (!value.isConstant() || !PyUnicode_Check(value.object.ptr()))
    fail(ErrorKind::Type, std::string(what) + " must be a string, got " + valueStr(value));
  return PyUnicode_AsUTF8(value.object.ptr());
}

std::string CallArguments::memoryLayout(size_t index) const {
  if (has(index) && values[index].isConstant() && nb::isinstance(values[index].object, lang.memoryLayoutClass))
    return nb::cast<std::string>(values[index].object.attr("name"));
  if (has(index) && !(values[index].isConstant() && PyUnicode_Check(values[index].object.ptr())))
    fail(ErrorKind::Type, "layout must be a MemoryLayout, its name or None, got " + valueStr(values[index]));
  return text(index, "", "layout");
}

Elem CallArguments::elem(size_t index, const char *what) const {
  const Value &value = values[index];
  std::optional<Elem> elem = value.isConstant() ? lang.elemOf(value.object) : std::nullopt;
  if (!elem)
    fail(ErrorKind::Type, std::string(what) + " must be a dtype of triton.language, got " + valueStr(value));
  return *elem;
}

std::vector<int64_t> CallArguments::integers(const Value &value, const char *what) const {
  std::vector<int64_t> numbers;
  if (value.isTuple())
    for (const Value &element : value.elements())
      numbers.push_back(integerOf(element, what));
  else
    numbers.push_back(integerOf(value, what));
  return numbers;
}

std::vector<int64_t> CallArguments::variadicIntegers(size_t index, const char *what) const {
  const std::vector<Value> &given = values[index].elements();
  return integers(given.size() == 1 ? given[0] : values[index], what);
}

int64_t CallArguments::axis(const Value &value, int64_t rank) const {
  int64_t axis = integerOf(value, "axis");
  if (axis < -rank || axis >= rank)
    fail(ErrorKind::Value, "invalid axis " + std::to_string(axis) + ". Expected " + std::to_string(-rank) + " <= axis < " +
                               std::to_string(rank));
  return axis < 0 ? axis + rank : axis;
}

std::vector<Tensor> CallArguments::tensors(const Value &value) const {
  std::vector<Tensor> list;
  if (value.isTuple())
    for (const Value &element : value.elements())
      list.push_back(get(sem.toTensor(toOperand(element))));
  else
    list.push_back(get(sem.toTensor(toOperand(value))));
  return list;
}
