//===- Ast.cpp - reads Python's ast objects into nodes --------------------------------===//
#include "Ast.h"

#include <algorithm>
#include <utility>

using namespace triton_metal::frontend;

namespace {

/// Expressions nest at most this deep: each level is a few stack frames when it is walked.
constexpr int kMaxDepth = 500;

struct OperatorName {
  const char *name;
  Operator op;
};
constexpr OperatorName kOperators[] = {
    {"Add", Operator::Add},       {"Sub", Operator::Sub},       {"Mult", Operator::Mult},     {"Div", Operator::Div},
    {"FloorDiv", Operator::FloorDiv}, {"Mod", Operator::Mod},   {"Pow", Operator::Pow},       {"LShift", Operator::LShift},
    {"RShift", Operator::RShift}, {"BitAnd", Operator::BitAnd}, {"BitOr", Operator::BitOr},   {"BitXor", Operator::BitXor},
    {"MatMult", Operator::MatMult}, {"USub", Operator::USub},   {"UAdd", Operator::UAdd},     {"Not", Operator::Not},
    {"Invert", Operator::Invert}, {"And", Operator::And},       {"Or", Operator::Or},         {"Eq", Operator::Eq},
    {"NotEq", Operator::NotEq},   {"Lt", Operator::Lt},         {"LtE", Operator::LtE},       {"Gt", Operator::Gt},
    {"GtE", Operator::GtE},       {"Is", Operator::Is},         {"IsNot", Operator::IsNot},   {"In", Operator::In},
    {"NotIn", Operator::NotIn}};

struct KindName {
  const char *name;
  NodeKind kind;
};
constexpr KindName kKinds[] = {
    {"Name", NodeKind::Name},           {"Constant", NodeKind::Constant},     {"Attribute", NodeKind::Attribute},
    {"Call", NodeKind::Call},           {"BinOp", NodeKind::BinOp},           {"UnaryOp", NodeKind::UnaryOp},
    {"BoolOp", NodeKind::BoolOp},       {"Compare", NodeKind::Compare},       {"IfExp", NodeKind::IfExp},
    {"Subscript", NodeKind::Subscript}, {"Slice", NodeKind::Slice},           {"Tuple", NodeKind::Tuple},
    {"List", NodeKind::List},           {"ListComp", NodeKind::ListComp},     {"JoinedStr", NodeKind::JoinedStr},
    {"FormattedValue", NodeKind::FormattedValue}, {"NamedExpr", NodeKind::NamedExpr}, {"Starred", NodeKind::Starred},
    {"keyword", NodeKind::Keyword},     {"Assign", NodeKind::Assign},         {"AugAssign", NodeKind::AugAssign},
    {"AnnAssign", NodeKind::AnnAssign}, {"Expr", NodeKind::Expr},             {"If", NodeKind::If},
    {"For", NodeKind::For},             {"While", NodeKind::While},           {"Return", NodeKind::Return},
    {"Pass", NodeKind::Pass},           {"Assert", NodeKind::Assert},         {"With", NodeKind::With},
    {"FunctionDef", NodeKind::FunctionDef}};

/// Kinds and operators by the type object of Python's ast module; types are static there and live for ever.
struct TypeTables {
  std::unordered_map<PyTypeObject *, NodeKind> kinds;
  std::unordered_map<PyTypeObject *, Operator> operators;
  PyTypeObject *store, *functionDef;

  TypeTables() {
    nb::module_ ast = nb::module_::import_("ast");
    store = reinterpret_cast<PyTypeObject *>(nb::object(ast.attr("Store")).ptr());
    functionDef = reinterpret_cast<PyTypeObject *>(nb::object(ast.attr("FunctionDef")).ptr());
    for (const KindName &entry : kKinds)
      kinds[reinterpret_cast<PyTypeObject *>(nb::object(ast.attr(entry.name)).ptr())] = entry.kind;
    for (const OperatorName &entry : kOperators)
      operators[reinterpret_cast<PyTypeObject *>(nb::object(ast.attr(entry.name)).ptr())] = entry.op;
  }
};

TypeTables &tables() {
  static TypeTables *instance = new TypeTables();
  return *instance;
}

} // namespace

namespace triton_metal::frontend {

class AstReader {
public:
  explicit AstReader(FunctionAst &function) : function(function) {}

  void readFunction(nb::handle definition);

private:
  Node *read(nb::handle source);
  Node *readOptional(nb::handle source, const char *field);
  std::vector<Node *> readList(nb::handle source, const char *field);
  void readFields(Node &node, nb::handle source);
  void readParameters(nb::handle arguments);
  /// What statements assign and whether they return, from the nodes read last.
  void noteStore(int name);

  nb::object field(nb::handle source, const char *name) { return nb::getattr(source, name); }
  static Operator operatorOf(nb::handle source) {
    auto found = tables().operators.find(Py_TYPE(source.ptr()));
    return found == tables().operators.end() ? Operator::None : found->second;
  }
  FunctionAst &function;
  int depth = 0;
  bool sawReturn = false;
  std::vector<int> stores; ///< in order of appearance, of the statement that is being read
};

int FunctionAst::nameNumber(nb::handle text) {
  PyObject *interned = Py_NewRef(text.ptr());
  PyUnicode_InternInPlace(&interned);
  nb::object owned = nb::steal(interned);
  auto [entry, isNew] = numbers.try_emplace(owned.ptr(), int(names.size()));
  if (isNew)
    names.push_back(std::move(owned));
  return entry->second;
}

void AstReader::noteStore(int name) { stores.push_back(name); }

Node *AstReader::readOptional(nb::handle source, const char *name) {
  nb::object child = field(source, name);
  return child.is_none() ? nullptr : read(child);
}

std::vector<Node *> AstReader::readList(nb::handle source, const char *name) {
  std::vector<Node *> nodes;
  for (nb::handle child : nb::list(field(source, name)))
    nodes.push_back(read(child));
  return nodes;
}

Node *AstReader::read(nb::handle source) {
  if (++depth > kMaxDepth)
    throw AstError{nb::borrow(source), "this is nested more than " + std::to_string(kMaxDepth) +
                                     " levels deep; split it into several statements or functions"};
  function.nodes.emplace_back();
  Node &node = function.nodes.back();
  node.source = source.ptr();
  auto found = tables().kinds.find(Py_TYPE(source.ptr()));
  node.kind = found == tables().kinds.end() ? NodeKind::Unsupported : found->second;
  nb::object line = nb::getattr(source, "lineno", nb::none());
  if (!line.is_none()) {
    node.line = nb::cast<int>(line);
    node.column = nb::cast<int>(field(source, "col_offset"));
  }
  readFields(node, source);
  --depth;
  return &node;
}

void AstReader::readFields(Node &node, nb::handle source) {
  auto isStoreContext = [&] { return Py_TYPE(field(source, "ctx").ptr()) == tables().store; };
  switch (node.kind) {
  case NodeKind::Name:
    node.name = function.nameNumber(field(source, "id"));
    node.isStore = isStoreContext();
    if (node.isStore)
      noteStore(node.name);
    return;
  case NodeKind::Constant:
    node.object = field(source, "value").ptr(); // the ast object holds it
    return;
  case NodeKind::Attribute:
    node.a = read(field(source, "value"));
    node.object = field(source, "attr").ptr();
    node.isStore = isStoreContext();
    return;
  case NodeKind::Call:
    node.a = read(field(source, "func"));
    node.list = readList(source, "args");
    node.keywords = readList(source, "keywords");
    return;
  case NodeKind::Keyword: {
    nb::object name = field(source, "arg");
    node.object = name.is_none() ? nullptr : name.ptr();
    node.a = read(field(source, "value"));
    return;
  }
  case NodeKind::BinOp:
    node.a = read(field(source, "left"));
    node.b = read(field(source, "right"));
    node.op = operatorOf(field(source, "op"));
    return;
  case NodeKind::UnaryOp:
    node.a = read(field(source, "operand"));
    node.op = operatorOf(field(source, "op"));
    return;
  case NodeKind::BoolOp:
    node.list = readList(source, "values");
    node.op = operatorOf(field(source, "op"));
    return;
  case NodeKind::Compare:
    node.a = read(field(source, "left"));
    node.list = readList(source, "comparators");
    for (nb::handle op : nb::list(field(source, "ops")))
      node.operators.push_back(operatorOf(op));
    return;
  case NodeKind::IfExp:
    node.a = read(field(source, "test"));
    node.b = read(field(source, "body"));
    node.c = read(field(source, "orelse"));
    return;
  case NodeKind::Subscript:
    node.a = read(field(source, "value"));
    node.b = read(field(source, "slice"));
    node.isStore = isStoreContext();
    return;
  case NodeKind::Slice:
    node.a = readOptional(source, "lower");
    node.b = readOptional(source, "upper");
    node.c = readOptional(source, "step");
    return;
  case NodeKind::Tuple:
  case NodeKind::List:
    node.list = readList(source, "elts");
    node.isStore = isStoreContext();
    return;
  case NodeKind::ListComp: {
    nb::list generators(field(source, "generators"));
    if (generators.size() == 1 && !nb::cast<int>(field(generators[0], "is_async"))) {
      nb::handle generator = generators[0];
      node.b = read(field(generator, "target"));
      node.c = read(field(generator, "iter"));
      node.orelse = readList(generator, "ifs");
    }
    node.a = read(field(source, "elt"));
    return;
  }
  case NodeKind::JoinedStr:
    node.list = readList(source, "values");
    return;
  case NodeKind::FormattedValue:
    node.a = read(field(source, "value"));
    node.conversion = nb::cast<int>(field(source, "conversion"));
    node.b = readOptional(source, "format_spec");
    return;
  case NodeKind::NamedExpr:
    node.b = read(field(source, "value"));
    node.a = read(field(source, "target"));
    return;
  case NodeKind::Starred:
    node.a = read(field(source, "value"));
    node.isStore = isStoreContext();
    return;
  case NodeKind::Assign:
    node.b = read(field(source, "value"));
    node.list = readList(source, "targets");
    return;
  case NodeKind::AugAssign:
    node.b = read(field(source, "value"));
    node.a = read(field(source, "target"));
    node.op = operatorOf(field(source, "op"));
    return;
  case NodeKind::AnnAssign:
    node.b = readOptional(source, "value");
    node.a = read(field(source, "target"));
    node.c = read(field(source, "annotation"));
    return;
  case NodeKind::Expr:
    node.a = read(field(source, "value"));
    return;
  case NodeKind::Assert:
    node.a = read(field(source, "test"));
    node.b = readOptional(source, "msg");
    return;
  case NodeKind::Return:
    sawReturn = true;
    node.containsReturn = true;
    node.a = readOptional(source, "value");
    return;
  case NodeKind::If: {
    bool outer = std::exchange(sawReturn, false);
    node.a = read(field(source, "test"));
    node.list = readList(source, "body");
    node.orelse = readList(source, "orelse");
    node.containsReturn = sawReturn;
    sawReturn |= outer;
    return;
  }
  case NodeKind::For:
  case NodeKind::While: {
    bool outer = std::exchange(sawReturn, false);
    std::vector<int> outerStores = std::exchange(stores, {});
    if (node.kind == NodeKind::For) {
      node.a = read(field(source, "iter"));
      node.b = read(field(source, "target"));
      stores.clear(); // the target is no carried value
    } else {
      node.a = read(field(source, "test"));
    }
    node.list = readList(source, "body");
    for (int name : stores)
      if (std::find(node.assigned.begin(), node.assigned.end(), name) == node.assigned.end())
        node.assigned.push_back(name);
    node.orelse = readList(source, "orelse");
    node.containsReturn = sawReturn;
    sawReturn |= outer;
    outerStores.insert(outerStores.end(), stores.begin(), stores.end());
    if (node.kind == NodeKind::For && node.b->kind == NodeKind::Name)
      outerStores.push_back(node.b->name);
    stores = std::move(outerStores);
    return;
  }
  case NodeKind::Pass:
  case NodeKind::With:
  case NodeKind::FunctionDef:
  case NodeKind::Unsupported:
    return;
  }
}

void AstReader::readParameters(nb::handle arguments) {
  auto add = [&](nb::handle argument, bool keywordOnly, bool isVarArgs) {
    function.nodes.emplace_back();
    Node &node = function.nodes.back();
    node.source = argument.ptr();
    node.line = nb::cast<int>(field(argument, "lineno"));
    node.column = nb::cast<int>(field(argument, "col_offset"));
    Parameter parameter;
    parameter.name = function.nameNumber(field(argument, "arg"));
    parameter.node = &node;
    parameter.keywordOnly = keywordOnly;
    parameter.isVarArgs = isVarArgs;
    function.parameters.push_back(parameter);
  };
  for (const char *group : {"posonlyargs", "args"})
    for (nb::handle argument : nb::list(field(arguments, group)))
      add(argument, false, false);
  nb::object vararg = field(arguments, "vararg");
  if (!vararg.is_none())
    add(vararg, false, true);
  for (nb::handle argument : nb::list(field(arguments, "kwonlyargs")))
    add(argument, true, false);
  nb::object kwarg = field(arguments, "kwarg");
  if (!kwarg.is_none())
    throw AstError{kwarg, "`**" + nb::cast<std::string>(field(kwarg, "arg")) +
                                    "` is not supported in functions decorated with @triton.jit; name the parameters"};
}

void AstReader::readFunction(nb::handle definition) {
  function.nodes.emplace_back();
  function.definition = &function.nodes.back();
  function.definition->kind = NodeKind::FunctionDef;
  function.definition->source = definition.ptr();
  function.definition->line = nb::cast<int>(field(definition, "lineno"));
  function.definition->column = nb::cast<int>(field(definition, "col_offset"));
  readParameters(field(definition, "args"));
  function.body = readList(definition, "body");
}

FunctionAst::FunctionAst(nb::object tree) : module(std::move(tree)) {
  nb::list statements(nb::getattr(module, "body"));
  if (statements.size() != 1 || Py_TYPE(nb::object(statements[0]).ptr()) != tables().functionDef)
    throw AstError{statements.size() ? nb::object(statements[0]) : nb::object(),
                   "@triton.jit needs the source of one `def`; this is something else"};
  AstReader(*this).readFunction(statements[0]);
}

} // namespace triton_metal::frontend
