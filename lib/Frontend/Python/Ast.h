//===- Ast.h - a Python function as a tree that is quick to walk -------------------===//
//
// Python's `ast` objects are read once a function into plain nodes: fields are members instead of attribute look-ups, names are
// numbers, and what an analysis needs is known before a body is visited: which names a statement assigns, whether it returns. The
// tree lives as long as the function and is walked once a call, so a combine function or a helper costs its parse only once.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace triton_metal::frontend {

namespace nb = nanobind;

enum class NodeKind : uint8_t {
  // expressions
  Name, Constant, Attribute, Call, BinOp, UnaryOp, BoolOp, Compare, IfExp, Subscript, Slice, Tuple, List, ListComp, JoinedStr,
  FormattedValue, NamedExpr, Starred, Keyword,
  // statements
  Assign, AugAssign, AnnAssign, Expr, If, For, While, Return, Pass, Assert, With, FunctionDef,
  /// Anything that kernels may not use: an error when it is visited, and only then.
  Unsupported
};

enum class Operator : uint8_t {
  None, Add, Sub, Mult, Div, FloorDiv, Mod, Pow, LShift, RShift, BitAnd, BitOr, BitXor, MatMult,
  USub, UAdd, Not, Invert, And, Or, Eq, NotEq, Lt, LtE, Gt, GtE, Is, IsNot, In, NotIn
};

struct Node {
  NodeKind kind = NodeKind::Unsupported;
  Operator op = Operator::None;
  bool isStore = false;        ///< a name or a tuple that is assigned to
  bool containsReturn = false; ///< a statement: there is a `return` in it
  int conversion = -1;         ///< of a formatted value: the code of !r, !s or !a
  int line = 0, column = 0;
  int name = -1;               ///< number of a name: of a Name, of a loop's or a comprehension's target
  PyObject *source = nullptr;  ///< the ast object; the tree keeps it alive
  PyObject *object = nullptr;  ///< a constant's value; an attribute's or a keyword's name
  Node *a = nullptr, *b = nullptr, *c = nullptr;
  std::vector<Node *> list, orelse, keywords;
  std::vector<Operator> operators; ///< of a comparison
  std::vector<int> assigned;       ///< of a loop: the names that its body (and condition) assigns, each once
};

struct Parameter {
  int name = -1;
  Node *node = nullptr;
  bool isConstexpr = false;
  bool keywordOnly = false, isVarArgs = false;
};

/// One `def`, read.
class FunctionAst {
public:
  /// Reads the tree that `parse()` of a jit function gives.
  explicit FunctionAst(nb::object module);

  std::vector<Parameter> parameters;
  std::vector<Node *> body;
  Node *definition = nullptr;
  std::vector<nb::object> names; ///< interned strings, by number

  int nameNumber(nb::handle text);
  const char *nameText(int number) const { return PyUnicode_AsUTF8(names[number].ptr()); }

private:
  friend class AstReader;
  nb::object module;
  std::deque<Node> nodes;
  std::unordered_map<PyObject *, int> numbers;
};

/// Raised for a function that cannot be read: nesting beyond what is walked, no `def`, `**kwargs`.
struct AstError {
  nb::object node; ///< may be null; keeps its place readable when the tree is gone
  std::string message;
};

} // namespace triton_metal::frontend
