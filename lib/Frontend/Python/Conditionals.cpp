//===- Conditionals.cpp - if, conditional expressions, early returns ----------------===//
//
// A branch is built in a block of its own, and becomes a region of the scf.if when both are known. A branch that returns gives the
// value that it returns; the other branch then takes in what follows the `if`, because only there it runs. So an early return needs
// no branch instruction. Only where both branches go on, and one of them may have returned further inside, a flag is carried.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"
#include "RegionScope.h"


#include <algorithm>

using namespace triton_metal::frontend;
using Flow = Outcome::Flow;

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

Tensor Walker::asCondition(const Tensor &value, Node *node) {
  if (mapped && value.isBlock())
    unsupported(node, "tl.map_elementwise: the function branches on the values of its arguments; it is applied to whole tensors here, "
                      "so write the choice with tl.where");
  if (value.type.numElements() != 1)
    unsupported(node, "Boolean value of Tensor with more than one value is ambiguous");
  Tensor scalar = value;
  if (value.isBlock()) {
    warn("If conditional called with multidimensional Tensor instead of scalar; please use \"if (cond).item()\" instead");
    scalar = get(sem.unsplat(value));
  }
  return get(sem.cast(scalar, {Scalar::Int1}));
}

bool Walker::isStaticallyTrue(const Value &value, Node *node) {
  PyObject *object = value.isConstant() ? value.object.ptr() : nullptr;
  if (object && (PyBool_Check(object) || PyLong_CheckExact(object) || object == Py_None))
    return PyObject_IsTrue(object);
  std::string type = object ? Py_TYPE(object)->tp_name : value.isTuple() ? "tuple" : "method";
  unsupported(node, "`if` conditionals can only accept values of type {bool, int, NoneType}, not objects of type " + type);
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

Outcome Walker::visitIf(Node *node, const std::vector<Node *> &rest, size_t from, bool tail, bool &tookRest) {
  Value test = visit(node->a);
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  // The last statement of a function's body may end the function in each branch by itself.
  bool last = tail && from == rest.size();
  if (!test.isTensor()) {
    Outcome outcome = visitBody(isStaticallyTrue(test, node) ? node->list : node->orelse, 0, last);
    tookRest = last;
    return outcome;
  }
  Tensor condition = asCondition(test.tensor, node);
  if (node->containsReturn && frame().loopDepth)
    unsupported(node, "Cannot have `return` statements inside `while` or `for` statements in triton.");
  if (last && node->containsReturn) {
    tookRest = true;
    Region thenRegion = openRegion([&] { return visitBody(node->list, 0, true); });
    Region elseRegion = openRegion([&] { return visitBody(node->orelse, 0, true); });
    return mergeIf(condition, thenRegion, elseRegion, node);
  }
  Region thenRegion = openRegion([&] { return visitBody(node->list, 0, false); });
  Region elseRegion = openRegion([&] {
    Outcome outcome = visitBody(node->orelse, 0, false);
    if (thenRegion.outcome.flow == Flow::Returned && outcome.flow == Flow::Next) {
      tookRest = true;
      return visitBody(rest, from, tail);
    }
    return outcome;
  });
  if (elseRegion.outcome.flow == Flow::Returned && thenRegion.outcome.flow == Flow::Next && !tookRest) {
    tookRest = true;
    continueRegion(thenRegion, [&] { return visitBody(rest, from, tail); });
  }
  return mergeIf(condition, thenRegion, elseRegion, node);
}

//===----------------------------------------------------------------------===//
// What branches return
//===----------------------------------------------------------------------===//

static std::string returnMismatch(const Value &a, const Value &b) {
  return "Return type mismatch: " + typeStr(a) + " and " + typeStr(b) + ". Note all return types were: [" + typeStr(a) + ", " +
         typeStr(b) + "]";
}

/// The value that both returns become: constants that differ become tensors.
static Value commonValue(Semantics &sem, const Value &a, const Value &b, bool first) {
  if (a.isTuple() && b.isTuple()) {
    if (a.elements().size() != b.elements().size())
      fail(ErrorKind::Type, returnMismatch(a, b));
    std::vector<Value> elements;
    for (size_t i = 0; i < a.elements().size(); ++i)
      elements.push_back(commonValue(sem, a.elements()[i], b.elements()[i], first));
    return Value::fromTuple(std::move(elements), a.object);
  }
  if (sameType(a, b))
    return first ? a : b;
  const Value &mine = first ? a : b, &other = first ? b : a;
  if (mine.isConstant() && isNumber(mine)) {
    Number number = *numberOf(mine.object);
    if (other.isTensor() && !other.tensor.isBlock()) {
      if (get(sem.numberType(number)) != other.tensor.elem())
        fail(ErrorKind::Type, returnMismatch(a, b));
      return get(sem.constant(number, other.tensor.elem()));
    }
    if (other.isConstant() && isNumber(other)) {
      if (get(sem.numberType(number)) != get(sem.numberType(*numberOf(other.object))))
        fail(ErrorKind::Type, returnMismatch(a, b));
      return get(sem.toTensor(number));
    }
  }
  if (mine.isTensor() && other.isConstant() && isNumber(other) && !mine.tensor.isBlock() &&
      get(sem.numberType(*numberOf(other.object))) == mine.tensor.elem())
    return mine;
  fail(ErrorKind::Type, returnMismatch(a, b));
}

/// Poison wherever `like` has a tensor.
static Value poisonLike(Semantics &sem, const Value &like) {
  std::vector<Tensor> tensors;
  flatten(like, tensors);
  for (Tensor &tensor : tensors)
    tensor = sem.poison(tensor.type);
  size_t next = 0;
  return unflatten(like, tensors, next);
}

/// Completes the returned values of two branches in their own blocks, so that both have one type.
static Value unifyReturns(Semantics &sem, Outcome &a, void *endA, Outcome &b, void *endB) {
  bool hasA = a.flow != Flow::Next && !a.implicit, hasB = b.flow != Flow::Next && !b.implicit;
  auto inBlock = [&](void *block, auto work) {
    Semantics::InsertPoint point = sem.savePoint();
    sem.setToEnd(block);
    Value value = work();
    sem.restorePoint(point);
    return value;
  };
  if (hasA && hasB) {
    Value first = a.value, second = b.value;
    a.value = inBlock(endA, [&] { return commonValue(sem, first, second, true); });
    b.value = inBlock(endB, [&] { return commonValue(sem, first, second, false); });
  } else if (hasA) {
    b.value = inBlock(endB, [&] { return poisonLike(sem, a.value); });
  } else if (hasB) {
    a.value = inBlock(endA, [&] { return poisonLike(sem, b.value); });
  } else {
    return Value::none();
  }
  return hasA ? a.value : b.value;
}

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

Outcome Walker::mergeIf(Tensor condition, Region &thenRegion, Region &elseRegion, Node *node) {
  Scope &scope = frame().scope;
  Region *regions[2] = {&thenRegion, &elseRegion};
  bool returned[2] = {thenRegion.outcome.flow == Flow::Returned, elseRegion.outcome.flow == Flow::Returned};
  auto atEnd = [&](unsigned which, auto work) {
    Semantics::InsertPoint point = sem.savePoint();
    sem.setToEnd(regions[which]->block);
    auto result = work();
    sem.restorePoint(point);
    return result;
  };

  Outcome outcome;
  outcome.value = unifyReturns(sem, thenRegion.outcome, thenRegion.block, elseRegion.outcome, elseRegion.block);
  outcome.flow = returned[0] && returned[1] ? Flow::Returned
                 : thenRegion.outcome.flow == Flow::Next && elseRegion.outcome.flow == Flow::Next ? Flow::Next
                                                                                                  : Flow::Maybe;
  outcome.implicit = outcome.flow == Flow::Returned && thenRegion.outcome.implicit && elseRegion.outcome.implicit;

  // The values that leave the branches: the flag, what is returned, and the names whose value differs.
  std::vector<Tensor> yields[2];
  if (outcome.flow == Flow::Maybe)
    for (unsigned which : {0u, 1u})
      yields[which].push_back(regions[which]->outcome.flow == Flow::Maybe
                                  ? regions[which]->outcome.flag
                                  : atEnd(which, [&] {
                                      return get(sem.constant(Number::boolean(returned[which]), {Scalar::Int1}));
                                    }));
  if (outcome.flow != Flow::Next)
    for (unsigned which : {0u, 1u})
      flatten(regions[which]->outcome.value, yields[which]);

  std::vector<int> names;
  std::vector<Value> merged;
  if (outcome.flow != Flow::Returned) {
    auto valueIn = [&](unsigned which, int name) -> const Value & { return regions[which]->scope.values[name]; };
    auto add = [&](int name, Value first, Value second) {
      names.push_back(name);
      flatten(first, yields[0]);
      flatten(second, yields[1]);
      merged.push_back(std::move(first));
    };
    for (int name : scope.order) {
      const Value &before = scope.values[name];
      if (!before.isTriton())
        continue;
      std::vector<Tensor> first, second;
      flatten(returned[0] ? before : valueIn(0, name), first);
      flatten(returned[1] ? before : valueIn(1, name), second);
      if (first == second)
        continue;
      for (unsigned which : {0u, 1u})
        if (!returned[which] && !sameType(valueIn(which, name), before))
          fail(ErrorKind::Assertion, "initial value for `" + std::string(frame().ast->nameText(name)) + "` is of type " +
                                         valueStr(before) + ", but the " + (which ? "else" : "then") + " block redefines it as " +
                                         valueStr(valueIn(which, name)));
      add(name, returned[0] ? before : valueIn(0, name), returned[1] ? before : valueIn(1, name));
    }
    // Names that both branches define; a branch that returned defines none, and its value does not matter.
    std::vector<int> both;
    for (int name : regions[returned[0] ? 1 : 0]->defined) {
      const std::vector<int> &other = regions[1]->defined;
      if (returned[0] || returned[1] || std::find(other.begin(), other.end(), name) != other.end())
        both.push_back(name);
    }
    std::sort(both.begin(), both.end(), [&](int a, int b) {
      return std::string_view(frame().ast->nameText(a)) < std::string_view(frame().ast->nameText(b));
    });
    both.erase(std::unique(both.begin(), both.end()), both.end());
    for (int name : both) {
      if (std::find(names.begin(), names.end(), name) != names.end())
        continue;
      if (returned[0] || returned[1]) {
        unsigned falls = returned[0] ? 1 : 0;
        Value value = valueIn(falls, name);
        std::vector<Tensor> tensors;
        flatten(value, tensors);
        if (tensors.empty()) {
          names.push_back(name);
          merged.push_back(value);
          continue;
        }
        Value poison = atEnd(1 - falls, [&] { return poisonLike(sem, value); });
        falls ? add(name, poison, value) : add(name, value, poison);
        continue;
      }
      const Value &first = valueIn(0, name), &second = valueIn(1, name);
      if (!sameType(first, second))
        fail(ErrorKind::Assertion, "Mismatched type for " + std::string(frame().ast->nameText(name)) + " between then block (" +
                                       typeStr(first) + ") and else block (" + typeStr(second) + ")");
      add(name, first, second);
    }
  }

  std::vector<Type> types;
  for (const Tensor &tensor : yields[0])
    types.push_back(tensor.type);
  if (sem.isEmptyBlock(thenRegion.block) && types.empty() && !sem.isEmptyBlock(elseRegion.block)) {
    condition = get(sem.logicalNot(condition));
    std::swap(thenRegion.block, elseRegion.block);
  }
  for (unsigned which : {0u, 1u})
    atEnd(which, [&] {
      sem.yield(yields[which]);
      return 0;
    });
  llvm::SmallVector<Tensor> results;
  sem.createIf(condition, std::exchange(thenRegion.block, nullptr), std::exchange(elseRegion.block, nullptr), types, results);

  std::vector<Tensor> tensors(results.begin(), results.end());
  size_t next = 0;
  if (outcome.flow == Flow::Maybe)
    outcome.flag = tensors[next++];
  if (outcome.flow != Flow::Next)
    outcome.value = unflatten(outcome.value, tensors, next);
  for (size_t i = 0; i < names.size(); ++i) {
    Value value = unflatten(merged[i], tensors, next);
    if (value.isTensor())
      sem.nameResult(value.tensor, frame().ast->nameText(names[i]));
    setValue(names[i], value);
  }
  return outcome;
}

//===----------------------------------------------------------------------===//
// Conditional expressions
//===----------------------------------------------------------------------===//

Value Walker::visitIfExp(Node *node) {
  Value test = visit(node->a);
  if (!test.isTensor())
    return visit(isStaticallyTrue(test, node) ? node->b : node->c);
  Tensor condition = get(sem.cast(test.tensor, {Scalar::Int1}));
  if (condition.isBlock())
    condition = asCondition(condition, node);
  auto branch = [&](Node *part) {
    return openRegion([&] {
      Outcome outcome;
      outcome.flow = Flow::Returned;
      Value value = visit(part);
      outcome.value = value.isTensor() || isNumber(value) ? Value(get(sem.toTensor(toOperand(value)))) : value;
      return outcome;
    });
  };
  Region thenRegion = branch(node->b), elseRegion = branch(node->c);
  if (!sameType(thenRegion.outcome.value, elseRegion.outcome.value))
    fail(ErrorKind::Assertion, "Ternary expression with dynamic condition has inconsistent types " +
                                   typeStr(thenRegion.outcome.value) + " and " + typeStr(elseRegion.outcome.value));
  return mergeIf(condition, thenRegion, elseRegion, node).value;
}
