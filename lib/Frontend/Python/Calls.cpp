//===- Calls.cpp - what is called, and how --------------------------------------------------===//
#include "Builtins/Builtins.h"


#include <cstring>

using namespace triton_metal::frontend;

using Keywords = std::vector<std::pair<std::string, Value>>;

/// `static_assert` and `static_print` see what their arguments are before they are visited, or print what they are.
static Value staticAssert(Walker &walker, Language &lang, Node *node) {
  if (node->list.empty() || node->list.size() > 2 || !node->keywords.empty())
    fail(ErrorKind::Type, "`static_assert` requires one or two positional arguments only");
  Value condition = walker.visit(node->list[0]);
  if (!condition.isConstant() || !PyBool_Check(condition.object.ptr()))
    fail(ErrorKind::NotImplemented, "Assertion condition could not be determined at compile-time. Make sure that it depends only on "
                                    "`constexpr` values");
  if (condition.object.ptr() == Py_True)
    return Value::none();
  nb::object message = nb::str("");
  if (node->list.size() == 2)
    message = lang.unwrap(walker.visit(node->list[1]), "the message of static_assert");
  walker.raiseCompilationError(lang.assertionFailure, node, nb::str(message));
}

static nb::object printable(Language &lang, const Value &value) {
  if (value.isConstant())
    return value.object;
  return nb::str(valueStr(value).c_str());
}

static Value staticPrint(Walker &walker, Language &lang, Node *node) {
  nb::list positional;
  for (Node *argument : node->list)
    positional.append(printable(lang, walker.visit(argument)));
  nb::dict keywords;
  for (Node *keyword : node->keywords)
    keywords[nb::handle(keyword->object)] = printable(lang, walker.visit(keyword->a));
  nb::module_::import_("builtins").attr("print")(*positional, **keywords);
  return Value::none();
}

void Walker::checkUsed(nb::handle function, Node *node) {
  nb::object must = nb::getattr(function, "_must_use_result", nb::none());
  if (must.is_none() || must.is(nb::bool_(false)))
    return;
  std::string message =
      "The result of " + nb::cast<std::string>(nb::module_::import_("ast").attr("unparse")(nb::handle(node->a->source))) +
      " is not being used.";
  if (PyUnicode_Check(must.ptr()))
    message += std::string(" ") + PyUnicode_AsUTF8(must.ptr());
  raiseCompilationError(lang.compilationError, node, nb::str(message.c_str()));
}

Value Walker::visitCall(Node *node) {
  bool unused = std::exchange(unusedCall, nullptr) == node;
  Value function = visit(node->a);
  if (function.isConstant()) {
    if (function.object.is(lang.staticAssert))
      return staticAssert(*this, lang, node);
    if (function.object.is(lang.staticPrint))
      return staticPrint(*this, lang, node);
  }
  std::vector<Value> arguments;
  Keywords keywords;
  for (Node *argument : node->list) {
    if (argument->kind != NodeKind::Starred) {
      arguments.push_back(visit(argument));
      continue;
    }
    Value values = visit(argument->a);
    if (!values.isTuple())
      fail(ErrorKind::Type, "only tuples can be unpacked with `*`, got " + valueStr(values));
    arguments.insert(arguments.end(), values.elements().begin(), values.elements().end());
  }
  for (Node *keyword : node->keywords) {
    if (!keyword->object)
      unsupported(node, "`**` in a call is not supported");
    keywords.emplace_back(PyUnicode_AsUTF8(keyword->object), visit(keyword->a));
  }
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  if (unused && function.object.is_valid())
    checkUsed(function.object, node);
  if (function.kind == Value::Kind::Method)
    arguments.insert(arguments.begin(), function.elements()[0]);
  else if (!function.isConstant())
    fail(ErrorKind::Type, "'" + valueStr(function) + "' is not callable");
  return call(function.object, std::move(arguments), std::move(keywords), node);
}

/// What to write instead of a function of the language that has no meaning here; empty where there is no general answer.
static std::string insteadOfFunction(const std::string &name) {
  if (name == "dot_scaled")
    return "; convert the operands to float16, multiply them by their scales and use tl.dot";
  if (name == "atomic_poll")
    return "; load the value in a `while` loop, by tl.atomic_add(pointer, 0)";
  return "";
}

Value Walker::call(nb::handle function, std::vector<Value> arguments, Keywords keywords, Node *node) {
  if (lang.isJit(function))
    return callJit(function, arguments, keywords);
  if (function.is(lang.aggregateReplace))
    return replaceFields(arguments, keywords);
  if (lang.isAggregate(function)) {
    try {
      return makeAggregate(function, arguments, keywords);
    } catch (...) {
      rethrowFromCall(node);
    }
  }
  if (const BoundBuiltin *builtin = findBuiltin(function)) {
    try {
      CallArguments bound(*this, node, bindBuiltin(*builtin, std::move(arguments), std::move(keywords)));
      return builtin->entry->handler(bound);
    } catch (...) {
      rethrowFromCall(node);
    }
  }
  if (nb::hasattr(function, "__triton_builtin__")) {
    std::string name = nb::cast<std::string>(nb::getattr(function, "__name__", nb::str("?")));
    unsupported(node, "'" + name + "' is not supported by this compiler" + insteadOfFunction(name));
  }
  if (lang.isConstexprFunction(function)) {
    try {
      return callPython(function.attr("fn"), arguments, keywords);
    } catch (...) {
      rethrowFromCall(node);
    }
  }
  return callPython(function, arguments, keywords);
}

//===----------------------------------------------------------------------===//
// Python's own functions
//===----------------------------------------------------------------------===//

/// The class that a value has for isinstance.
static nb::object classOf(Language &lang, const Value &value) {
  if (value.isTensor())
    return lang.tensorClass;
  if (value.isTuple())
    return lang.tupleClass;
  return {};
}

static Value isInstance(Language &lang, const Value &value, nb::handle cls) {
  if (PyTuple_Check(cls.ptr())) {
    for (nb::handle each : cls)
      if (isInstance(lang, value, each).object.ptr() == Py_True)
        return Value::fromBool(true);
    return Value::fromBool(false);
  }
  nb::object own = classOf(lang, value);
  if (own.is_valid()) {
    if (value.isTuple() && value.object.is_valid() && PyType_Check(cls.ptr()) &&
        PyType_IsSubtype(reinterpret_cast<PyTypeObject *>(value.object.ptr()), reinterpret_cast<PyTypeObject *>(cls.ptr())))
      return Value::fromBool(true);
    int result = PyObject_IsSubclass(own.ptr(), cls.ptr());
    if (result < 0)
      throw nb::python_error();
    return Value::fromBool(result);
  }
  if (!value.isConstant())
    return Value::fromBool(false);
  if (cls.is(lang.constexprClass))
    return Value::fromBool(true);
  int result = PyObject_IsInstance(value.object.ptr(), cls.ptr());
  if (result < 0)
    throw nb::python_error();
  return Value::fromBool(result);
}

/// A named tuple of values: arguments by position, by name, and defaults.
static Value makeNamedTuple(Language &lang, nb::handle cls, const std::vector<Value> &arguments, const Keywords &keywords) {
  nb::object fields = cls.attr("_fields");
  size_t count = nb::len(fields);
  std::vector<Value> values(count);
  if (arguments.size() > count)
    fail(ErrorKind::Type, "too many arguments for " + nb::cast<std::string>(cls.attr("__name__")));
  std::copy(arguments.begin(), arguments.end(), values.begin());
  nb::object defaults = nb::getattr(cls, "_field_defaults", nb::dict());
  for (size_t i = 0; i < count; ++i) {
    nb::object field = fields[i];
    for (const auto &[name, value] : keywords)
      if (name == PyUnicode_AsUTF8(field.ptr()))
        values[i] = value;
    if (!values[i].isDefined() && nb::cast<bool>(defaults.attr("__contains__")(field)))
      values[i] = lang.wrap(nb::object(defaults[field]));
    if (!values[i].isDefined())
      fail(ErrorKind::Type, nb::cast<std::string>(cls.attr("__name__")) + " is missing '" + PyUnicode_AsUTF8(field.ptr()) + "'");
  }
  return Value::fromTuple(std::move(values), nb::borrow(cls));
}

Value Walker::callPython(nb::handle function, const std::vector<Value> &arguments, const Keywords &keywords) {
  PyObject *raw = function.ptr();
  if (function.is(lang.constexprClass) && arguments.size() == 1 && keywords.empty()) {
    if (arguments[0].isTensor())
      fail(ErrorKind::Type, "constexpr() needs a value that is known at compile time, got " + valueStr(arguments[0]));
    return arguments[0];
  }
  if (PyType_Check(raw) && PyType_IsSubtype(reinterpret_cast<PyTypeObject *>(raw), &PyTuple_Type) && nb::hasattr(function, "_fields"))
    return makeNamedTuple(lang, function, arguments, keywords);
  if ((function.is(lang.tupleClass) || raw == reinterpret_cast<PyObject *>(&PyTuple_Type) ||
       raw == reinterpret_cast<PyObject *>(&PyList_Type)) && arguments.size() == 1 && arguments[0].isTuple())
    return Value::fromTuple(arguments[0].elements());
  if (PyCFunction_Check(raw) && keywords.empty()) {
    const char *name = reinterpret_cast<PyCFunctionObject *>(raw)->m_ml->ml_name;
    if (!std::strcmp(name, "isinstance") && arguments.size() == 2)
      return isInstance(lang, arguments[0], lang.unwrap(arguments[1], "isinstance"));
    if (!std::strcmp(name, "len") && arguments.size() == 1) {
      if (arguments[0].isTuple())
        return Value::fromInt(int64_t(arguments[0].elements().size()));
      if (arguments[0].isTensor() && arguments[0].tensor.isBlock())
        return Value::fromInt(arguments[0].tensor.type.shape()[0]);
    }
    if (!std::strcmp(name, "getattr") && (arguments.size() == 2 || arguments.size() == 3)) {
      nb::object attribute = lang.unwrap(arguments[1], "getattr");
      if (arguments.size() == 2)
        return getAttribute(arguments[0], attribute);
      try {
        return getAttribute(arguments[0], attribute);
      } catch (const LanguageError &) {
        return arguments[2];
      } catch (nb::python_error &error) {
        if (!error.matches(PyExc_AttributeError))
          throw;
        return arguments[2];
      }
    }
    if (!std::strcmp(name, "hasattr") && arguments.size() == 2) {
      nb::object attribute = lang.unwrap(arguments[1], "hasattr");
      try {
        getAttribute(arguments[0], attribute);
        return Value::fromBool(true);
      } catch (const LanguageError &) {
        return Value::fromBool(false);
      } catch (nb::python_error &error) {
        if (!error.matches(PyExc_AttributeError))
          throw;
        return Value::fromBool(false);
      }
    }
  }
  if (!PyCallable_Check(raw))
    fail(ErrorKind::Type, std::string("'") + Py_TYPE(raw)->tp_name + "' object is not callable");
  std::string name = nb::cast<std::string>(nb::getattr(function, "__name__", nb::str("this function")));
  nb::list positional;
  for (const Value &argument : arguments)
    positional.append(lang.unwrap(argument, name.c_str()));
  nb::dict named;
  for (const auto &[keyword, value] : keywords)
    named[nb::str(keyword.c_str())] = lang.unwrap(value, name.c_str());
  return lang.wrap(function(*positional, **named));
}
