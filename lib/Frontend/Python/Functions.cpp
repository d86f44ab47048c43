//===- Functions.cpp - kernels, calls of jit functions, their arguments ------------===//
#include "Walker.h"


using namespace triton_metal::frontend;

/// Calls nest at most this deep; a function that calls itself would never end.
static constexpr size_t kMaxCallDepth = 64;

//===----------------------------------------------------------------------===//
// Trees
//===----------------------------------------------------------------------===//

namespace {
struct CachedAst {
  nb::object source; ///< the text that the tree was read from: replacing it makes another tree
  std::unique_ptr<FunctionAst> ast;
};
} // namespace

static std::unordered_map<PyObject *, CachedAst> &astCache() {
  static auto *cache = new std::unordered_map<PyObject *, CachedAst>();
  return *cache;
}

FunctionAst &Walker::astOf(nb::handle function) {
  CachedAst &entry = astCache()[function.ptr()];
  nb::object source = function.attr("src");
  if (entry.ast && entry.source.is(source))
    return *entry.ast;
  bool isNew = !entry.ast;
  auto ast = std::make_unique<FunctionAst>(nb::object(function.attr("parse")()));
  nb::dict annotations = nb::cast<nb::dict>(nb::getattr(function.attr("fn"), "__annotations__", nb::dict()));
  for (Parameter &parameter : ast->parameters) {
    nb::object annotation = nb::getattr(parameter.node->source, "annotation");
    if (!annotation.is_none()) {
      nb::object text = nb::module_::import_("ast").attr("unparse")(annotation);
      parameter.isConstexpr = nb::cast<std::string>(text).find("constexpr") != std::string::npos;
    }
  }
  CachedAst &slot = astCache()[function.ptr()];
  slot.source = std::move(source);
  slot.ast = std::move(ast);
  if (isNew) {
    PyObject *key = function.ptr();
    nb::object drop = nb::cpp_function([key](nb::handle reference) {
      astCache().erase(key);
      reference.dec_ref();
    });
    // The reference object is kept until the callback drops it, else Python would never call it.
    PyObject *reference = PyWeakref_NewRef(key, drop.ptr());
    if (!reference)
      throw nb::python_error();
  }
  return *slot.ast;
}

//===----------------------------------------------------------------------===//
// Frames
//===----------------------------------------------------------------------===//

/// The line of the `def` in its file; the recorded source starts at the first decorator.
static int definitionLine(nb::handle function) {
  nb::object known = nb::getattr(function, "def_file_line_number", nb::none());
  if (!known.is_none())
    return nb::cast<int>(known);
  int line = nb::cast<int>(function.attr("starting_line_number"));
  for (nb::handle text : nb::getattr(function, "raw_src", nb::list())) {
    std::string content = nb::cast<std::string>(text);
    size_t start = content.find_first_not_of(" \t");
    if (start != std::string::npos && content.compare(start, 4, "def ") == 0)
      break;
    ++line;
  }
  return line;
}

void Walker::enter(nb::handle function, FunctionAst &ast) {
  auto next = std::make_unique<Frame>();
  next->ast = &ast;
  next->function = nb::borrow(function);
  nb::object python = function.attr("fn");
  next->globals = nb::getattr(python, "__globals__", nb::dict());
  next->closure = nb::getattr(python, "__closure__", nb::none());
  if (!next->closure.is_none())
    next->freeNames = python.attr("__code__").attr("co_freevars");
  next->file = nb::cast<std::string>(nb::getattr(function, "file_name", python.attr("__code__").attr("co_filename")));
  next->firstLine = definitionLine(function) - 1;
  next->firstColumn = nb::cast<int>(nb::getattr(function, "def_file_col_number", nb::int_(1)));
  next->scope.values.resize(ast.names.size());
  sem.enterFile(next->file);
  frames.push_back(std::move(next));
  sem.setPlace(frame().firstLine + 1, frame().firstColumn);
}

void Walker::leave() {
  frames.pop_back();
  sem.leaveFile();
}

std::string Walker::functionName() { return nb::cast<std::string>(frame().function.attr("__name__")); }

Outcome Walker::visitFunctionBody() {
  frame().started = true;
  return visitBody(frame().ast->body, 0, /*tail=*/true);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// The types and names of the arguments that a prototype needs; a prototype's tensors have types and no handles.
static void collect(const Value &prototype, const std::string &name, std::vector<Type> &types, std::vector<std::string> &names) {
  if (prototype.isTensor()) {
    types.push_back(prototype.tensor.type);
    names.push_back(name);
  } else if (prototype.tuple) {
    static const char *const parts[] = {".base", ".shape", ".stride"}; // of a descriptor
    for (size_t i = 0; i < prototype.elements().size(); ++i) {
      bool isPart = prototype.kind == Value::Kind::Descriptor && i < 3;
      collect(prototype.elements()[i], name + (isPart ? parts[i] : "." + std::to_string(i)), types, names);
    }
  }
}

/// The attributes of the arguments, in the order of the arguments.
static void collectAttributes(const Value &prototype, std::vector<int> path,
                              const std::map<std::vector<int>, std::map<std::string, int64_t>> &attributes, unsigned &index,
                              Semantics &semantics) {
  if (prototype.isTensor()) {
    if (auto found = attributes.find(path); found != attributes.end())
      for (const auto &[name, value] : found->second)
        semantics.setArgumentAttr(index, name, value);
    ++index;
  } else if (prototype.tuple) {
    for (size_t i = 0; i < prototype.elements().size(); ++i) {
      path.push_back(int(i));
      collectAttributes(prototype.elements()[i], path, attributes, index, semantics);
      path.pop_back();
    }
  }
}

void Walker::buildKernel(nb::object function, const std::string &name, const std::vector<Value> &prototypes,
                         const std::map<std::vector<int>, std::map<std::string, int64_t>> &attributes) {
  FunctionAst *ast = nullptr;
  try {
    ast = &astOf(function);
  } catch (const AstError &error) {
    raiseUnreadable(function, error);
  }
  enter(function, *ast);
  try {
    frame().current = ast->definition;
    if (prototypes.size() != ast->parameters.size())
      fail(ErrorKind::Type, "the signature has " + std::to_string(prototypes.size()) + " entries for " +
                                std::to_string(ast->parameters.size()) + " parameters");
    std::vector<Type> types;
    std::vector<std::string> names;
    for (size_t i = 0; i < prototypes.size(); ++i)
      collect(prototypes[i], ast->nameText(ast->parameters[i].name), types, names);
    llvm::SmallVector<Tensor> arguments;
    sem.beginFunction(name, /*isPublic=*/true, /*noinlined=*/false, types, names, arguments);
    unsigned index = 0;
    for (size_t i = 0; i < prototypes.size(); ++i)
      collectAttributes(prototypes[i], {int(i)}, attributes, index, sem);
    std::vector<Tensor> tensors(arguments.begin(), arguments.end());
    size_t next = 0;
    for (size_t i = 0; i < prototypes.size(); ++i)
      setValue(ast->parameters[i].name, unflatten(prototypes[i], tensors, next));
    Outcome outcome = visitFunctionBody();
    std::vector<Tensor> returned;
    flatten(outcome.value, returned);
    frame().current = ast->definition;
    if (!returned.empty())
      fail(ErrorKind::Type, "a kernel returns nothing; store results through pointers");
    sem.endFunction({});
  } catch (...) {
    rethrowAtCurrentNode();
  }
  leave();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

void Walker::bindArguments(nb::handle function, FunctionAst &ast, const std::vector<Value> &arguments,
                           const std::vector<std::pair<std::string, Value>> &keywords) {
  std::string name = nb::cast<std::string>(function.attr("__name__"));
  std::vector<Value> bound(ast.parameters.size());
  size_t next = 0;
  for (size_t i = 0; i < ast.parameters.size() && !ast.parameters[i].keywordOnly; ++i) {
    if (ast.parameters[i].isVarArgs) {
      bound[i] = Value::fromTuple(std::vector<Value>(arguments.begin() + std::min(next, arguments.size()), arguments.end()));
      next = std::max(next, arguments.size());
      break;
    }
    if (next < arguments.size())
      bound[i] = arguments[next++];
  }
  if (next < arguments.size())
    fail(ErrorKind::Type, "too many positional arguments");
  for (const auto &[keyword, value] : keywords) {
    bool found = false;
    for (size_t i = 0; i < ast.parameters.size() && !found; ++i) {
      if (ast.parameters[i].isVarArgs || keyword != ast.nameText(ast.parameters[i].name))
        continue;
      if (bound[i].isDefined())
        fail(ErrorKind::Type, "multiple values for argument '" + keyword + "'");
      bound[i] = value;
      found = true;
    }
    if (!found)
      fail(ErrorKind::Type, "got an unexpected keyword argument '" + keyword + "'");
  }
  // Defaults are the objects that Python made when it ran the `def`.
  nb::object python = function.attr("fn");
  nb::object defaults = nb::getattr(python, "__defaults__", nb::none());
  nb::object keywordDefaults = nb::getattr(python, "__kwdefaults__", nb::none());
  size_t positional = 0;
  for (const Parameter &parameter : ast.parameters)
    positional += !parameter.keywordOnly && !parameter.isVarArgs;
  size_t firstDefault = positional - (defaults.is_none() ? 0 : nb::len(defaults));
  for (size_t i = 0; i < ast.parameters.size(); ++i) {
    const Parameter &parameter = ast.parameters[i];
    if (!bound[i].isDefined()) {
      if (parameter.keywordOnly && !keywordDefaults.is_none() && keywordDefaults.attr("__contains__")(ast.names[parameter.name]))
        bound[i] = lang.wrap(nb::object(keywordDefaults[ast.names[parameter.name]]));
      else if (!parameter.keywordOnly && !parameter.isVarArgs && i >= firstDefault && !defaults.is_none())
        bound[i] = lang.wrap(nb::object(defaults[i - firstDefault]));
      else
        fail(ErrorKind::Type, std::string("missing a required argument: '") + ast.nameText(parameter.name) + "'");
    }
    setValue(parameter.name, bound[i]);
  }
}

Value Walker::callJit(nb::handle function, const std::vector<Value> &arguments,
                      const std::vector<std::pair<std::string, Value>> &keywords) {
  if (frames.size() >= kMaxCallDepth)
    fail(ErrorKind::Runtime, "calls nest more than " + std::to_string(kMaxCallDepth) +
                                 " deep: functions that call themselves are not supported in triton kernels");
  FunctionAst *ast = nullptr;
  try {
    ast = &astOf(function);
  } catch (const AstError &error) {
    raiseUnreadable(function, error);
  }
  if (PyObject_IsTrue(nb::object(nb::getattr(function, "noinline", nb::none())).ptr()) == 1) // None is no
    return callOutOfLine(function, *ast, arguments, keywords);
  // Arguments that do not fit are an error of the caller; what goes wrong in the body is the callee's, told with the caller's place.
  size_t outer = frames.size();
  enter(function, *ast);
  try {
    bindArguments(function, *ast, arguments, keywords);
  } catch (...) {
    leave();
    throw;
  }
  Value result;
  try {
    result = visitFunctionBody().value;
  } catch (...) {
    rethrowFromCallee(outer);
  }
  leave();
  return result.isDefined() ? result : Value::none();
}

/// The name of a function for given arguments, as upstream mangles it.
static std::string mangle(const Value &value) {
  if (value.isTensor())
    return value.tensor.type.mangle();
  if (value.tuple) { // of the kinds of places each has a letter of its own
    const char *kind = value.kind == Value::Kind::BlockPointer  ? "B"
                       : value.kind == Value::Kind::Descriptor  ? "D"
                       : value.kind == Value::Kind::SharedArray ? "S"
                                                                : "T";
    std::string text = kind;
    for (size_t i = 0; i < value.elements().size(); ++i)
      text += (i ? "_" : "") + mangle(value.elements()[i]);
    return text + "T";
  }
  if (value.object.is_valid())
    return "c" + nb::cast<std::string>(nb::repr(value.object));
  return "c";
}

Value Walker::callOutOfLine(nb::handle function, FunctionAst &ast, const std::vector<Value> &arguments,
                            const std::vector<std::pair<std::string, Value>> &keywords) {
  size_t outer = frames.size();
  std::string base = nb::cast<std::string>(function.attr("__name__"));
  enter(function, ast);
  try {
    bindArguments(function, ast, arguments, keywords);
  } catch (...) {
    leave();
    throw;
  }
  std::vector<Tensor> passed;
  std::vector<Type> types;
  std::vector<std::string> names;
  nb::object home = nb::getattr(function, "__module__", nb::none()); // None where the source was executed without a module
  std::string mangled = (home.is_none() ? std::string() : nb::cast<std::string>(home)) + "." + base + "__";
  for (size_t i = 0; i < ast.parameters.size(); ++i) {
    const Value &value = frame().scope.values[ast.parameters[i].name];
    collect(value, ast.nameText(ast.parameters[i].name), types, names);
    flatten(value, passed);
    mangled += (i ? "_" : "") + mangle(value);
    if (value.isTensor() && value.tensor.type.numElements() != 1) {
      std::string parameter = ast.nameText(ast.parameters[i].name), text = valueStr(value);
      leave();
      unsupported(frame().current, "Function " + base + " is marked noinline, but was called with non-scalar argument " + parameter +
                                       ":" + text);
    }
  }
  for (char &character : mangled)
    if (character == '[' || character == ']')
      character = '_';
  auto known = outOfLine.find(mangled);
  if (known == outOfLine.end()) {
    llvm::SmallVector<Tensor> inner;
    sem.beginFunction(mangled, /*isPublic=*/false, /*noinlined=*/true, types, names, inner);
    std::vector<Tensor> tensors(inner.begin(), inner.end());
    size_t next = 0;
    for (const Parameter &parameter : ast.parameters)
      setValue(parameter.name, unflatten(frame().scope.values[parameter.name], tensors, next));
    Value result;
    try {
      result = visitFunctionBody().value;
      if (!result.isDefined())
        result = Value::none();
    } catch (...) {
      rethrowFromCallee(outer);
    }
    std::vector<Tensor> returned;
    flatten(result, returned);
    sem.endFunction(returned);
    known = outOfLine.emplace(mangled, result).first;
  }
  leave();
  std::vector<Tensor> like;
  flatten(known->second, like);
  std::vector<Type> resultTypes;
  for (const Tensor &tensor : like)
    resultTypes.push_back(tensor.type);
  llvm::SmallVector<Tensor> results;
  sem.call(mangled, passed, resultTypes, results);
  std::vector<Tensor> tensors(results.begin(), results.end());
  size_t next = 0;
  return unflatten(known->second, tensors, next);
}
