//===- Walker.h - builds the body of a function from its tree ----------------------===//
//
// One walker builds one kernel. It visits nodes in the order of Python's evaluation, keeps what every name stands for, and asks
// Semantics for the operations. Functions that the kernel calls are visited where they are called, so that the module needs no
// inlining; only those marked noinline become functions of the module.
//
// Control flow stays structured: an early return turns what follows it into the other branch (Conditionals.cpp), so the module has
// scf.if, scf.for and scf.while and no branches.
//
// Errors: the language's own are LanguageError, Python's are nb::python_error; both become a CompilationError with the source, at
// the innermost node that was being visited (Errors.cpp).
//
//===----------------------------------------------------------------------===//
#pragma once
#include "Ast.h"
#include "Language.h"

#include <map>
#include <set>

namespace triton_metal::frontend {

class CallArguments;

struct WalkOptions {
  bool allowNonConstexprGlobals = false;
};

/// What a list of statements did: went on, returned, or returned if a value of the kernel says so.
struct Outcome {
  enum class Flow : uint8_t { Next, Returned, Maybe };
  Flow flow = Flow::Next;
  bool implicit = false; ///< returned by reaching the end of the function
  Value value;           ///< what was returned
  Tensor flag;           ///< of Maybe: whether it returned
};

/// What to do about an error with this message; null where there is no general answer (Remedies.cpp).
const char *remedyFor(std::string_view message);
/// That a module, which the source calls `path`, does not have `name`; and which of its public names may be meant.
std::string unknownName(const std::string &path, nb::handle module, nb::handle name);

class Walker {
public:
  Walker(Semantics &semantics, WalkOptions options) : sem(semantics), options(options), lang(Language::get()) {}

  /// Builds `function` as the kernel `name`. Every parameter has a type, or is a constant.
  void buildKernel(nb::object function, const std::string &name, const std::vector<Value> &prototypes,
                   const std::map<std::vector<int>, std::map<std::string, int64_t>> &attributes);

  //===--- for the handlers of builtins --------------------------------------===//
  Semantics &semantics() { return sem; }
  Language &language() { return lang; }
  Value visit(Node *node);
  /// Calls a jit function with values; for combine functions too.
  Value callJit(nb::handle function, const std::vector<Value> &arguments,
                const std::vector<std::pair<std::string, Value>> &keywords = {});
  Value call(nb::handle function, std::vector<Value> arguments, std::vector<std::pair<std::string, Value>> keywords, Node *node);
  [[noreturn]] void unsupported(Node *node, const std::string &message);
  /// Refuses a kind of syntax by the name of its node in Python's ast module, and says what to write instead.
  [[noreturn]] void unsupportedNode(Node *node);
  [[noreturn]] void raiseCompilationError(nb::handle cls, Node *node, nb::object message, nb::object cause = {});
  void warn(const std::string &message);
  Value applyBinary(Node *node, Operator op, const Value &left, const Value &right);
  Value applyCompare(Node *node, Operator op, const Value &left, const Value &right);
  /// Calls a function of scalars with whole tensors (tl.map_elementwise): it may not branch on their values.
  Value callMapped(nb::handle function, const std::vector<Value> &arguments);
  Value visitAttribute(Node *node);
  Value getAttribute(const Value &value, nb::handle name);
  Value subscript(const Value &value, const Value &index);
  /// The Python function that is being built, for messages.
  std::string functionName();

private:
  /// What every name of a function stands for at the current point.
  struct Scope {
    std::vector<Value> values; ///< by number of the name
    std::vector<int> order;    ///< names in order of their first definition
  };
  struct Frame {
    FunctionAst *ast;
    nb::object function, globals, closure, freeNames;
    std::string file;
    int firstLine = 0, firstColumn = 0; ///< what to add to the tree's positions
    Scope scope;
    std::vector<int> defined;           ///< names assigned in the current region
    std::map<int, bool> pending;        ///< names announced as constexpr by a bare annotation
    int loopDepth = 0;
    Node *current = nullptr;
    bool started = false;
  };
  /// A branch while it is open, and afterwards what it left.
  struct Region {
    void *block = nullptr;
    Scope scope;
    std::vector<int> defined;
    Outcome outcome;
    Semantics::InsertPoint end;
  };

  //===--- Functions.cpp -----------------------------------------------------===//
  FunctionAst &astOf(nb::handle function);
  void enter(nb::handle function, FunctionAst &ast);
  void leave();
  void bindArguments(nb::handle function, FunctionAst &ast, const std::vector<Value> &arguments,
                     const std::vector<std::pair<std::string, Value>> &keywords);
  Value callOutOfLine(nb::handle function, FunctionAst &ast, const std::vector<Value> &arguments,
                      const std::vector<std::pair<std::string, Value>> &keywords);
  Outcome visitFunctionBody();

  //===--- Errors.cpp --------------------------------------------------------===//
  /// Turns the exception that is being handled into a CompilationError at the current node, and throws that.
  [[noreturn]] void rethrowAtCurrentNode();
  /// The same for an exception out of a builtin or an operator, at its call, with the exception as its cause.
  [[noreturn]] void rethrowFromCall(Node *node);
  /// The same for an exception out of a called function, with the place of the call on top; leaves frames beyond `outerFrames`.
  [[noreturn]] void rethrowFromCallee(size_t outerFrames);
  [[noreturn]] void raiseUnreadable(nb::handle function, const AstError &error);

  //===--- Statements.cpp ----------------------------------------------------===//
  Outcome visitBody(const std::vector<Node *> &statements, size_t from, bool tail);
  void visitStatement(Node *node);
  void assign(Node *target, const Value &value);
  /// `array[index] = value`; an error for values other than shared arrays.
  void storeElements(Node *node, const Value &array, const Value &index, const Value &value);
  void visitAssign(Node *node, const std::vector<Node *> &targets, Node *valueNode);
  void assignNamed(Node *target, Node *valueNode);
  Value sanitize(const Value &value);
  Value sanitizeFor(Node *target, const Value &value);
  bool isConstexprAnnotation(Node *annotation);
  void setValue(int name, Value value);

  //===--- Conditionals.cpp ---------------------------------------------------===//
  Outcome visitIf(Node *node, const std::vector<Node *> &rest, size_t from, bool tail, bool &tookRest);
  Value visitIfExp(Node *node);
  Outcome mergeIf(Tensor condition, Region &thenRegion, Region &elseRegion, Node *node);
  template <typename Body>
  Region openRegion(Body body);
  template <typename Body>
  void continueRegion(Region &region, Body body);
  Tensor asCondition(const Tensor &value, Node *node);
  bool isStaticallyTrue(const Value &value, Node *node);

  //===--- Loops.cpp -----------------------------------------------------------===//
  void visitFor(Node *node);
  void visitStaticFor(Node *node, const std::vector<Value> &bounds);
  void visitWhile(Node *node);
  struct Carried {
    std::vector<int> names;
    std::vector<Value> values;
    std::vector<Tensor> tensors;
    std::vector<std::string> labels;
  };
  Carried findCarried(Node *node, int except);
  void bindCarried(const Carried &carried, const std::vector<Tensor> &tensors);
  std::vector<Tensor> yieldedOf(const Carried &carried);

  //===--- Expressions.cpp ------------------------------------------------------===//
  Value visitNode(Node *node);
  Value lookUp(Node *node);
  Value visitBoolOp(Node *node);
  Value visitCompare(Node *node);
  Value visitUnary(Node *node);
  Value visitListComp(Node *node);
  Value visitJoinedStr(Node *node);
  Value tensorSubscript(const Tensor &tensor, const Value &index);
  Value foldBinary(Operator op, nb::handle left, nb::handle right);

  //===--- Calls.cpp ---------------------------------------------------------===//
  Value visitCall(Node *node);
  Value callPython(nb::handle function, const std::vector<Value> &arguments,
                   const std::vector<std::pair<std::string, Value>> &keywords);
  void checkUsed(nb::handle function, Node *node);

  //===--- Aggregates.cpp ------------------------------------------------------===//
  Value makeAggregate(nb::handle cls, const std::vector<Value> &arguments, const std::vector<std::pair<std::string, Value>> &keywords);
  Value replaceFields(const std::vector<Value> &arguments, const std::vector<std::pair<std::string, Value>> &keywords);
  /// The operator as a method of an operand that is an aggregate; undefined where no operand has it.
  Value applyMethod(Operator op, const Value &left, const Value &right);
  Value completeFields(nb::handle cls, std::vector<Value> values);

  Frame &frame() { return *frames.back(); }

  Semantics &sem;
  WalkOptions options;
  Language &lang;
  std::vector<std::unique_ptr<Frame>> frames;
  std::map<std::string, Value> outOfLine; ///< functions of the module by mangled name: what they return
  int depth = 0;                          ///< of visits
  int mapped = 0;                         ///< calls of callMapped that are open
  int64_t statements = 0;                 ///< visited in all
  Node *unusedCall = nullptr;             ///< the call whose result a statement drops
  friend class CallArguments;
};

/// An operand of Semantics: a tensor, or a number of Python. Other values are errors.
Operand toOperand(const Value &value);
bool isNumber(const Value &value);

} // namespace triton_metal::frontend
