//===- Build.cpp - reads a signature, and builds the kernel that it asks for ----------===//
#include "triton_metal/Frontend/Build.h"
#include "Builtins/Builtins.h"
#include "Walker.h"
#include "triton_metal/Frontend/Session.h"


using namespace triton_metal;
using namespace triton_metal::frontend;

using Path = std::vector<int>;

/// A path in any of its spellings: an index, a name, a tuple of indices.
static Path readPath(nb::handle key, nb::handle names) {
  if (PyTuple_Check(key.ptr())) {
    Path path;
    for (nb::handle element : key)
      for (int index : readPath(element, names))
        path.push_back(index);
    return path;
  }
  if (PyUnicode_Check(key.ptr()))
    return {nb::cast<int>(names.attr("index")(key))};
  return {nb::cast<int>(key)};
}

static Value readPrototype(Language &lang, nb::handle entry, Path path, const std::map<Path, nb::object> &constants) {
  if (auto found = constants.find(path); found != constants.end())
    return lang.wrap(found->second);
  if (PyTuple_Check(entry.ptr()) || PyList_Check(entry.ptr())) {
    std::vector<Value> elements;
    int index = 0;
    for (nb::handle element : entry) {
      path.push_back(index++);
      elements.push_back(readPrototype(lang, element, path, constants));
      path.pop_back();
    }
    bool isNamed = PyTuple_Check(entry.ptr()) && nb::hasattr(entry, "_fields");
    return Value::fromTuple(std::move(elements), isNamed ? nb::borrow(entry.type()) : nb::object());
  }
  std::string text = nb::cast<std::string>(nb::str(entry));
  if (text == "constexpr")
    throw nb::value_error(("parameter " + std::to_string(path[0]) + " is 'constexpr' in the signature but has no value").c_str());
  if (std::optional<Value> descriptor = descriptorPrototype(text))
    return *descriptor;
  std::optional<Type> type = typeFromSignature(text);
  if (!type || type->elem().isVoid())
    throw nb::value_error(("'" + text + "' is no type of a kernel's argument").c_str());
  return Tensor{nullptr, *type};
}

static std::map<std::string, int64_t> readAttributes(nb::handle object) {
  std::map<std::string, int64_t> attributes;
  if (PyDict_Check(object.ptr())) {
    for (auto [name, value] : nb::borrow<nb::dict>(object))
      attributes[nb::cast<std::string>(name)] = nb::cast<int64_t>(value);
    return attributes;
  }
  for (nb::handle pair : object)
    attributes[nb::cast<std::string>(nb::object(pair[0]))] = nb::cast<int64_t>(nb::object(pair[1]));
  return attributes;
}

static bool isIdentifier(const std::string &name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || !letter(name[0]))
    return false;
  for (char c : name)
    if (!letter(c) && !(c >= '0' && c <= '9'))
      return false;
  return true;
}

Module triton_metal::frontend::buildModule(nb::object function, nb::object signature, nb::dict constantDict, nb::dict attributeDict,
                                           nb::dict options) {
  Language &lang = Language::get();
  nb::object names = function.attr("arg_names");
  std::map<Path, nb::object> constants;
  for (auto [key, value] : constantDict)
    constants.emplace(readPath(key, names), nb::borrow(value));
  std::map<Path, std::map<std::string, int64_t>> attributes;
  for (auto [key, value] : attributeDict)
    attributes.emplace(readPath(key, names), readAttributes(value));

  std::vector<Value> prototypes;
  int index = 0;
  if (nb::isinstance<nb::dict>(signature)) {
    auto byName = nb::borrow<nb::dict>(signature);
    for (nb::handle name : names) {
      nb::object entry = byName.contains(name) ? nb::object(byName[name]) : nb::object(nb::str("constexpr"));
      prototypes.push_back(readPrototype(lang, entry, {index++}, constants));
    }
  } else {
    for (nb::handle entry : signature)
      prototypes.push_back(readPrototype(lang, entry, {index++}, constants));
  }

  auto option = [&](const char *name, nb::object otherwise) {
    return options.contains(name) ? nb::object(options[name]) : otherwise;
  };
  SemanticOptions semantic;
  semantic.debug = nb::cast<bool>(option("debug", nb::bool_(false)));
  semantic.sanitizeOverflow = nb::cast<bool>(option("sanitize_overflow", nb::bool_(false))) && semantic.debug;
  semantic.weakComparisons = nb::cast<std::string>(option("language_version", nb::str("3.8"))) == "3.9";
  semantic.defaultInputPrecision = nb::cast<std::string>(option("default_dot_input_precision", nb::str("ieee")));
  WalkOptions walk;
  walk.allowNonConstexprGlobals = nb::cast<bool>(option("allow_non_constexpr_globals", nb::bool_(false)));
  std::string name = nb::cast<std::string>(option("name", function.attr("__name__")));
  if (!isIdentifier(name))
    throw nb::value_error(("invalid function identifier: " + name).c_str());

  Module module;
  std::unique_ptr<Semantics> semantics = startBuilding(module, semantic);
  Walker walker(*semantics, walk);
  walker.buildKernel(function, name, prototypes, attributes);
  frontend::Result<Nothing> done = finishBuilding(module, *semantics);
  if (!done)
    throw std::runtime_error(done.error().message);
  return module;
}
