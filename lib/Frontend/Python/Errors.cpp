//===- Errors.cpp - errors of a build as CompilationErrors ---------------------------===//
#include "Walker.h"


using namespace triton_metal::frontend;

/// The Python exception of a kind, not raised.
static nb::object pythonException(ErrorKind kind, const std::string &message) {
  PyObject *type = nullptr;
  switch (kind) {
  case ErrorKind::Value: type = PyExc_ValueError; break;
  case ErrorKind::Type: type = PyExc_TypeError; break;
  case ErrorKind::Assertion: type = PyExc_AssertionError; break;
  case ErrorKind::Runtime: type = PyExc_RuntimeError; break;
  case ErrorKind::Overflow: type = PyExc_OverflowError; break;
  case ErrorKind::Name: type = PyExc_NameError; break;
  case ErrorKind::Attribute: type = PyExc_AttributeError; break;
  case ErrorKind::Index: type = PyExc_IndexError; break;
  case ErrorKind::NotImplemented: type = PyExc_NotImplementedError; break;
  }
  return nb::borrow(type)(nb::str(message.c_str(), message.size()));
}

/// The exception that is being handled, as a Python object; the error indicator is clear afterwards.
static nb::object currentException() {
  try {
    throw;
  } catch (nb::python_error &error) {
    return nb::borrow(error.value());
  } catch (const LanguageError &error) {
    return pythonException(error.kind, error.message);
  } catch (const nb::builtin_exception &error) {
    return pythonException(ErrorKind::Runtime, error.what());
  } catch (const std::exception &error) {
    return pythonException(ErrorKind::Runtime, error.what());
  }
}

[[noreturn]] static void raiseObject(nb::handle exception) {
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(exception.ptr())), exception.ptr());
  throw nb::python_error();
}

/// `file:line` of the node goes with the exception: as attributes, and as a note where Python shows notes.
static void addPlace(nb::object &exception, const std::string &file, int line, const std::string &function) {
  exception.attr("file") = file;
  exception.attr("line") = line;
  if (nb::hasattr(exception, "add_note"))
    exception.attr("add_note")("  File \"" + file + "\", line " + std::to_string(line) + ", in " + function);
}

void Walker::raiseCompilationError(nb::handle cls, Node *node, nb::object message, nb::object cause) {
  Frame &at = frame();
  nb::object where = node && node->source ? nb::borrow(node->source) : nb::none();
  if (const char *remedy = message.is_none() ? nullptr : remedyFor(nb::cast<std::string>(message)))
    message = nb::str("{}\nremedy: {}").attr("format")(message, remedy);
  nb::object exception = cls(at.function.attr("src"), where, message);
  addPlace(exception, at.file, at.firstLine + (node ? node->line : 1), functionName());
  if (cause.is_valid()) {
    PyException_SetCause(exception.ptr(), nb::object(cause).release().ptr());
  } else {
    exception.attr("__suppress_context__") = true;
  }
  raiseObject(exception);
}

void Walker::unsupported(Node *node, const std::string &message) {
  raiseCompilationError(lang.unsupportedConstruct, node, nb::str(message.c_str()));
}

/// What to write instead of syntax that kernels do not have; empty where there is no general answer.
static const char *insteadOf(std::string_view node) {
  static constexpr std::pair<std::string_view, const char *> table[] = {
      {"Lambda", "Write a function at module level and decorate it with @triton.jit."},
      {"ClassDef", "Define the class outside of the kernel."},
      {"Try", "A kernel raises nothing: test the condition with `if`, tl.where or a mask."},
      {"Raise", "Use tl.device_assert, or tl.static_assert for what is known at compile time."},
      {"Break", "Use `while` with the condition, or put the rest of the body under `if`."},
      {"Continue", "Put the rest of the body under `if`."},
      {"Global", "Pass the value as an argument, or make the global a tl.constexpr."},
      {"Nonlocal", "Pass the value as an argument and return it."},
      {"Dict", "Use a tuple, or a variable for each entry."},
      {"Set", "Use a tuple."},
      {"DictComp", "Use a tuple."},
      {"SetComp", "Use a tuple."},
      {"GeneratorExp", "Use a list comprehension over a tuple."},
      {"Yield", "Store the values through a pointer."},
      {"YieldFrom", "Store the values through a pointer."},
      {"Await", "A kernel runs from start to end."},
      {"AsyncFor", "A kernel runs from start to end: use `for`."},
      {"With", "A kernel has no context managers: write the statements without `with`."},
      {"AsyncWith", "A kernel has no context managers: write the statements without `with`."},
      {"Delete", "A variable ends with its last use."},
      {"Import", "Import at module level."},
      {"ImportFrom", "Import at module level."},
      {"Match", "Use `if` and `elif`."}};
  for (auto [name, remedy] : table)
    if (name == node)
      return remedy;
  return "";
}

void Walker::unsupportedNode(Node *node) {
  std::string_view type = Py_TYPE(node->source)->tp_name;
  type = type.substr(type.rfind('.') + 1); // npos + 1 is 0
  std::string message = "unsupported AST node type: " + std::string(type);
  if (const char *instead = insteadOf(type); *instead)
    message += std::string(". ") + instead;
  unsupported(node, message);
}

void Walker::raiseUnreadable(nb::handle function, const AstError &error) {
  nb::object where = error.node.is_valid() ? error.node : nb::none();
  nb::object exception = lang.unsupportedConstruct(function.attr("src"), where, nb::str(error.message.c_str()));
  raiseObject(exception);
}

void Walker::rethrowAtCurrentNode() {
  nb::object exception = currentException();
  if (nb::isinstance(exception, lang.compilationError) || !nb::isinstance(exception, nb::handle(PyExc_Exception)))
    raiseObject(exception);
  raiseCompilationError(lang.compilationError, frame().current, nb::object(nb::repr(exception)));
}

void Walker::rethrowFromCallee(size_t outerFrames) {
  // The callee's own error first, at its innermost node, then the place of the call on top of it.
  nb::object inner;
  try {
    rethrowAtCurrentNode();
  } catch (nb::python_error &error) {
    inner = nb::borrow(error.value());
  }
  while (frames.size() > outerFrames)
    leave();
  if (!nb::isinstance(inner, nb::handle(PyExc_Exception)))
    raiseObject(inner);
  raiseCompilationError(lang.compilationError, frame().current, nb::none(), inner);
}

void Walker::rethrowFromCall(Node *node) {
  nb::object exception = currentException();
  if (nb::isinstance(exception, lang.compilationError) || !nb::isinstance(exception, nb::handle(PyExc_Exception)))
    raiseObject(exception);
  nb::object text = nb::steal(PyObject_Str(exception.ptr()));
  raiseCompilationError(lang.compilationError, node, text, exception);
}

void Walker::warn(const std::string &message) {
  Frame &at = frame();
  int line = at.firstLine + (at.current ? at.current->line : 1);
  if (PyErr_WarnExplicit(PyExc_UserWarning, message.c_str(), at.file.c_str(), line, nullptr, nullptr) < 0)
    throw nb::python_error();
}
