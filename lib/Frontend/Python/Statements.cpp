//===- Statements.cpp - assignments and the statements around them ------------------===//
#include "Builtins/Builtins.h"
#include "RegionScope.h"

#include <cstring>

using namespace triton_metal::frontend;

/// Statements visited while one kernel is built: beyond this an unrolled loop is a mistake, and the module would not compile either.
static constexpr int64_t kMaxStatements = 1000000;

Outcome Walker::visitBody(const std::vector<Node *> &body, size_t from, bool tail) {
  for (size_t i = from; i < body.size(); ++i) {
    Node *node = body[i];
    if (node->kind == NodeKind::Return) {
      frame().current = node;
      sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
      if (frame().loopDepth)
        unsupported(node, "Cannot have `return` statements inside `while` or `for` statements in triton.");
      Outcome outcome;
      outcome.flow = Outcome::Flow::Returned;
      outcome.value = node->a ? visit(node->a) : Value::none();
      return outcome;
    }
    if (node->kind != NodeKind::If) {
      visitStatement(node);
      continue;
    }
    bool tookRest = false;
    Node *outer = std::exchange(frame().current, node);
    Outcome outcome = visitIf(node, body, i + 1, tail, tookRest);
    frame().current = outer;
    if (tookRest || outcome.flow == Outcome::Flow::Returned)
      return outcome;
    if (outcome.flow == Outcome::Flow::Maybe) {
      // What follows runs only where nothing was returned so far.
      Region returned = openRegion([&] {
        Outcome done = outcome;
        done.flow = Outcome::Flow::Returned;
        return done;
      });
      Region rest = openRegion([&] { return visitBody(body, i + 1, tail); });
      return mergeIf(outcome.flag, returned, rest, node);
    }
  }
  Outcome outcome;
  if (tail) {
    outcome.flow = Outcome::Flow::Returned;
    outcome.implicit = true;
    outcome.value = Value::none();
  }
  return outcome;
}

void Walker::visitStatement(Node *node) {
  if (++statements > kMaxStatements)
    fail(ErrorKind::Runtime, "the kernel has more than " + std::to_string(kMaxStatements) +
                                 " statements after unrolling; use `range` instead of `tl.static_range`");
  Node *outer = std::exchange(frame().current, node);
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  switch (node->kind) {
  case NodeKind::Assign:
    visitAssign(node, node->list, node->b);
    break;
  case NodeKind::AugAssign: {
    if (node->a->kind == NodeKind::Attribute)
      fail(ErrorKind::NotImplemented, "Attribute assignment is not supported in triton");
    if (node->a->kind != NodeKind::Name) {
      if (node->a->kind == NodeKind::Subscript && visit(node->a->a).kind == Value::Kind::SharedArray)
        unsupported(node, "an augmented assignment reads and writes elements of a shared array with no barrier between");
      fail(ErrorKind::NotImplemented, "__setitem__ is not supported in triton");
    }
    std::string previous = sem.swapName(frame().ast->nameText(node->a->name));
    Value left = lookUp(node->a), right = visit(node->b);
    Value result = sanitizeFor(node->a, applyBinary(node, node->op, left, right));
    sem.swapName(std::move(previous));
    assign(node->a, result);
    break;
  }
  case NodeKind::AnnAssign: {
    bool isConstexpr = isConstexprAnnotation(node->c);
    if (!node->b) {
      if (node->a->kind == NodeKind::Name)
        frame().pending[node->a->name] = isConstexpr;
      break;
    }
    if (!isConstexpr || node->a->kind != NodeKind::Name) {
      visitAssign(node, {node->a}, node->b);
      break;
    }
    Value value = visit(node->b);
    Scope &scope = frame().scope;
    if (scope.values[node->a->name].isDefined())
      fail(ErrorKind::Value, std::string(frame().ast->nameText(node->a->name)) + " is already defined. constexpr cannot be reassigned.");
    scope.values[node->a->name] = std::move(value);
    scope.order.push_back(node->a->name);
    break;
  }
  case NodeKind::Expr:
    if (node->a->kind == NodeKind::Call)
      unusedCall = node->a;
    visit(node->a);
    break;
  case NodeKind::For:
    visitFor(node);
    break;
  case NodeKind::While:
    visitWhile(node);
    break;
  case NodeKind::Pass:
    break;
  case NodeKind::Assert: {
    Value test = visit(node->a);
    Value message = node->b ? visit(node->b) : Value::constant(nb::str(""));
    call(lang.core.attr("device_assert"), {test, message}, {}, node);
    break;
  }
  case NodeKind::FunctionDef:
    unsupported(node, "nested function definitions are not allowed inside a @triton.jit kernel. Move the helper function to module "
                      "level and decorate it with @triton.jit.");
  default:
    unsupportedNode(node);
  }
  frame().current = outer;
}

//===----------------------------------------------------------------------===//
// Assignment
//===----------------------------------------------------------------------===//

bool Walker::isConstexprAnnotation(Node *annotation) {
  if (annotation->kind == NodeKind::Attribute)
    return !std::strcmp(PyUnicode_AsUTF8(annotation->object), "constexpr");
  if (annotation->kind == NodeKind::Name) {
    if (!std::strcmp(frame().ast->nameText(annotation->name), "constexpr"))
      return true;
    nb::object key = frame().ast->names[annotation->name];
    nb::object value = nb::steal(PyObject_CallMethod(frame().globals.ptr(), "get", "O", key.ptr()));
    return value.is_valid() && value.is(lang.constexprClass);
  }
  return annotation->kind == NodeKind::Constant && PyUnicode_Check(annotation->object) &&
         std::strstr(PyUnicode_AsUTF8(annotation->object), "constexpr");
}

Value Walker::sanitize(const Value &value) {
  if (lang.isAggregate(value.object)) // whose fields are what their annotations say
    return value;
  if (value.isTuple()) {
    std::vector<Value> elements;
    for (const Value &element : value.elements())
      elements.push_back(sanitize(element));
    return Value::fromTuple(std::move(elements), value.object);
  }
  if (!value.isConstant() || value.isNone() || lang.isDtype(value.object))
    return value;
  if (std::optional<Number> number = numberOf(value.object))
    return get(sem.toTensor(*number));
  // Functions, modules and classes stay what they are; anything else has no meaning as a value of the kernel.
  if (PyCallable_Check(value.object.ptr()) || PyModule_Check(value.object.ptr()))
    return value;
  std::string text = valueStr(value);
  fail(ErrorKind::Type, "cannot convert " + text.substr(10, text.size() - 11) + " of type " +
                            nb::cast<std::string>(nb::str(value.object.type())) + " to tensor");
}

Value Walker::sanitizeFor(Node *target, const Value &value) {
  if (target->kind == NodeKind::Tuple && value.isTuple() && target->list.size() == value.elements().size()) {
    std::vector<Value> elements;
    for (size_t i = 0; i < target->list.size(); ++i)
      elements.push_back(sanitizeFor(target->list[i], value.elements()[i]));
    return Value::fromTuple(std::move(elements), value.object);
  }
  if (target->kind == NodeKind::Name) {
    auto pending = frame().pending.find(target->name);
    if (pending != frame().pending.end()) {
      bool isConstexpr = pending->second;
      frame().pending.erase(pending);
      if (isConstexpr)
        return value;
    }
  }
  return sanitize(value);
}

void Walker::visitAssign(Node *node, const std::vector<Node *> &targets, Node *valueNode) {
  if (targets.size() != 1)
    unsupported(node, "simultaneous multiple assignment is not supported.");
  Node *target = targets[0];
  if (target->kind == NodeKind::Name)
    return assignNamed(target, valueNode);
  Value value = visit(valueNode);
  if (target->kind == NodeKind::Tuple || target->kind == NodeKind::List) {
    if (!value.isTuple())
      fail(ErrorKind::Type, "cannot unpack non-iterable " + valueStr(value));
    size_t wanted = target->list.size(), given = value.elements().size();
    for (Node *element : target->list)
      if (element->kind == NodeKind::Starred)
        fail(ErrorKind::NotImplemented, "starred assignment is not supported");
    if (given > wanted)
      fail(ErrorKind::Value, "too many values to unpack (expected " + std::to_string(wanted) + ")");
    if (given < wanted)
      fail(ErrorKind::Value, "not enough values to unpack (expected " + std::to_string(wanted) + ", got " + std::to_string(given) + ")");
  }
  assign(target, sanitizeFor(target, value));
}

void Walker::assignNamed(Node *target, Node *valueNode) {
  const char *name = frame().ast->nameText(target->name);
  std::string previous = sem.swapName(name);
  Value value = sanitizeFor(target, visit(valueNode));
  sem.swapName(std::move(previous));
  assign(target, value);
}

void Walker::assign(Node *target, const Value &value) {
  switch (target->kind) {
  case NodeKind::Name:
    if (value.isTensor())
      sem.nameValue(value.tensor, frame().ast->nameText(target->name));
    return setValue(target->name, value);
  case NodeKind::Tuple:
  case NodeKind::List: {
    if (!value.isTuple() || value.elements().size() != target->list.size())
      fail(ErrorKind::Value, "cannot unpack " + valueStr(value) + " into " + std::to_string(target->list.size()) + " names");
    for (size_t i = 0; i < target->list.size(); ++i)
      assign(target->list[i], value.elements()[i]);
    return;
  }
  case NodeKind::Attribute:
    fail(ErrorKind::NotImplemented, "Attribute assignment is not supported in triton");
  case NodeKind::Subscript: {
    Value array = visit(target->a);
    return storeElements(target, array, visit(target->b), value);
  }
  default:
    fail(ErrorKind::NotImplemented, "__setitem__ is not supported in triton");
  }
}

void Walker::storeElements(Node *node, const Value &array, const Value &index, const Value &value) {
  if (array.kind != Value::Kind::SharedArray)
    fail(ErrorKind::NotImplemented, "__setitem__ is not supported in triton");
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  try {
    Operand operand = toOperand(value);
    // One number goes into any slice; what has a shape must have a tensor's.
    auto *tensor = std::get_if<Tensor>(&operand);
    std::optional<Tensor> mask;
    Tensor place = sharedPlace(sem, array, {index}, tensor && tensor->isBlock() ? nullptr : &mask);
    get(sem.store(place, operand, mask ? std::optional<Operand>(*mask) : std::nullopt, {}));
  } catch (...) {
    rethrowFromCall(node);
  }
}

void Walker::setValue(int name, Value value) {
  Scope &scope = frame().scope;
  if (!scope.values[name].isDefined())
    scope.order.push_back(name);
  scope.values[name] = std::move(value);
  frame().defined.push_back(name);
}
