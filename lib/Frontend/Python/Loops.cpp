//===- Loops.cpp - for and while ---------------------------------------------------------===//
//
// A loop carries the names that its body assigns and that exist before it, in the order of their first definition. Which these are is
// known from the tree, so a body is visited once, however deep loops nest.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"


#include <algorithm>

using namespace triton_metal::frontend;

//===----------------------------------------------------------------------===//
// Carried names
//===----------------------------------------------------------------------===//

Walker::Carried Walker::findCarried(Node *node, int except) {
  Carried carried;
  const Scope &scope = frame().scope;
  for (int name : scope.order) {
    if (name == except || !scope.values[name].isTriton())
      continue;
    if (std::find(node->assigned.begin(), node->assigned.end(), name) == node->assigned.end())
      continue;
    size_t first = carried.tensors.size();
    flatten(scope.values[name], carried.tensors);
    const char *text = frame().ast->nameText(name);
    bool single = scope.values[name].isTensor();
    for (size_t i = first; i < carried.tensors.size(); ++i)
      carried.labels.push_back(single ? std::string(text) : text + ("." + std::to_string(i - first)));
    carried.names.push_back(name);
    carried.values.push_back(scope.values[name]);
  }
  return carried;
}

void Walker::bindCarried(const Carried &carried, const std::vector<Tensor> &tensors) {
  size_t next = 0;
  for (size_t i = 0; i < carried.names.size(); ++i)
    setValue(carried.names[i], unflatten(carried.values[i], tensors, next));
}

std::vector<Tensor> Walker::yieldedOf(const Carried &carried) {
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < carried.names.size(); ++i) {
    const Value &before = carried.values[i], &after = frame().scope.values[carried.names[i]];
    std::string name = frame().ast->nameText(carried.names[i]);
    if (!after.isTriton())
      fail(ErrorKind::Assertion, "cannot reassign constexpr " + name + " in the loop");
    if (before.kind != after.kind)
      fail(ErrorKind::Assertion, "Loop carried variable " + name + " changed type, was " + typeStr(before) + " but is now " +
                                     typeStr(after));
    if (!sameType(before, after))
      fail(ErrorKind::Assertion, "Loop-carried variable " + name + " has initial type " + typeStr(before) + " but is re-assigned to " +
                                     typeStr(after) + " in loop! Please make sure that the type stays consistent.");
    flatten(after, tensors);
  }
  return tensors;
}

namespace {
/// What a loop's body sees is gone after it, but for the carried names.
struct BodyScope {
  template <typename Scope>
  static void check(const Scope &before, const std::vector<int> &defined, const std::vector<int> &carried, FunctionAst &ast) {
    for (int name : defined)
      if (before.values[name].isDefined() && !before.values[name].isTriton() &&
          std::find(carried.begin(), carried.end(), name) == carried.end())
        fail(ErrorKind::Assertion, std::string("Loop carried variable ") + ast.nameText(name) + " is not a triton value");
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// for
//===----------------------------------------------------------------------===//

void Walker::visitStaticFor(Node *node, const std::vector<Value> &bounds) {
  static const char *what[] = {"start", "end", "step"};
  int64_t numbers[3];
  for (unsigned i = 0; i < 3; ++i) {
    std::optional<Number> number = bounds[i].isConstant() ? numberOf(bounds[i].object) : std::nullopt;
    if (!number)
      fail(ErrorKind::Assertion, valueStr(bounds[i]) + " used as tl.static_range " + what[i] + " value is not a constexpr");
    if (number->kind == Kind::Floating)
      fail(ErrorKind::Type, "'float' object cannot be interpreted as an integer");
    if (number->tooWide || number->integer != int64_t(number->integer))
      fail(ErrorKind::Overflow, "tl.static_range: " + number->str() + " does not fit 64 bits");
    numbers[i] = int64_t(number->integer);
  }
  auto [start, end, step] = numbers;
  if (step == 0)
    fail(ErrorKind::Value, "range() arg 3 must not be zero");
  for (__int128 i = start; step > 0 ? i < end : i > end; i += step) {
    Scope &scope = frame().scope;
    if (!scope.values[node->b->name].isDefined())
      scope.order.push_back(node->b->name);
    scope.values[node->b->name] = Value::fromInt(int64_t(i));
    ++statements; // an empty body costs too
    for (Node *statement : node->list)
      if (visitBody({statement}, 0, false).flow != Outcome::Flow::Next)
        unsupported(statement, "Cannot have `return` statements inside `while` or `for` statements in triton.");
    if (statements > 1000000)
      fail(ErrorKind::Runtime, "tl.static_range unrolls to more than 1000000 statements; use `range` instead");
  }
}

void Walker::visitFor(Node *node) {
  Node *iterator = node->a;
  if (iterator->kind != NodeKind::Call) {
    visit(iterator);
    fail(ErrorKind::Runtime, "Only `range` and `static_range` iterators are currently supported");
  }
  if (!node->orelse.empty())
    unsupported(node, "`else` after `for` is not supported");
  Value function = visit(iterator->a);
  if (node->b->kind != NodeKind::Name)
    unsupported(node, "the target of `for` must be one name");
  enum { Plain, Range, Static } form;
  if (function.isConstant() && function.object.is(nb::handle(reinterpret_cast<PyObject *>(&PyRange_Type))))
    form = Plain;
  else if (function.isConstant() && function.object.is(lang.rangeClass))
    form = Range;
  else if (function.isConstant() && function.object.is(lang.staticRangeClass))
    form = Static;
  else
    fail(ErrorKind::Runtime, "Only `range` and `static_range` iterators are currently supported");

  std::vector<Value> positional;
  Value named[3];
  Semantics::LoopOptions loopOptions;
  for (Node *argument : iterator->list) {
    if (argument->kind == NodeKind::Starred) {
      Value values = visit(argument->a);
      if (!values.isTuple())
        fail(ErrorKind::Type, "a starred argument must be a tuple");
      positional.insert(positional.end(), values.elements().begin(), values.elements().end());
      continue;
    }
    positional.push_back(visit(argument));
  }
  auto optionalInt = [&](const Value &value, const char *name) -> std::optional<int64_t> {
    if (value.isNone())
      return std::nullopt;
    std::optional<Number> number = value.isConstant() ? numberOf(value.object) : std::nullopt;
    if (!number || number->kind == Kind::Floating || number->integer != int32_t(number->integer))
      fail(ErrorKind::Type, std::string("tl.range: `") + name + "` must be a constexpr int");
    return int64_t(number->integer);
  };
  auto flag = [&](const Value &value, const char *name) {
    if (!value.isConstant())
      fail(ErrorKind::Type, std::string("tl.range: `") + name + "` must be a constexpr");
    return PyObject_IsTrue(value.object.ptr()) == 1;
  };
  for (Node *keyword : iterator->keywords) {
    std::string name = keyword->object ? PyUnicode_AsUTF8(keyword->object) : "**";
    Value value = visit(keyword->a);
    if (form != Plain && (name == "arg1" || name == "start"))
      named[0] = value;
    else if (form != Plain && (name == "arg2" || name == "end"))
      named[1] = value;
    else if (form != Plain && name == "step")
      named[2] = value;
    else if (form == Range && name == "num_stages")
      loopOptions.numStages = optionalInt(value, "num_stages");
    else if (form == Range && name == "loop_unroll_factor")
      loopOptions.unrollFactor = optionalInt(value, "loop_unroll_factor");
    else if (form == Range && name == "disallow_acc_multi_buffer")
      loopOptions.disallowAccMultiBuffer = flag(value, "disallow_acc_multi_buffer");
    else if (form == Range && name == "flatten")
      loopOptions.flatten = flag(value, "flatten");
    else if (form == Range && name == "warp_specialize")
      loopOptions.warpSpecialize = flag(value, "warp_specialize");
    else if (form == Range && name == "disable_licm")
      loopOptions.disableLicm = flag(value, "disable_licm");
    else
      fail(ErrorKind::Type, std::string(form == Plain ? "range" : form == Range ? "tl.range" : "tl.static_range") +
                                "() got an unexpected keyword argument '" + name + "'");
  }
  if (form == Range)
    for (size_t i = 3; i < positional.size() && i < 9; ++i) {
      switch (i) {
      case 3: loopOptions.numStages = optionalInt(positional[i], "num_stages"); break;
      case 4: loopOptions.unrollFactor = optionalInt(positional[i], "loop_unroll_factor"); break;
      case 5: loopOptions.disallowAccMultiBuffer = flag(positional[i], "disallow_acc_multi_buffer"); break;
      case 6: loopOptions.flatten = flag(positional[i], "flatten"); break;
      case 7: loopOptions.warpSpecialize = flag(positional[i], "warp_specialize"); break;
      case 8: loopOptions.disableLicm = flag(positional[i], "disable_licm"); break;
      }
    }
  else if (positional.size() > 3)
    fail(ErrorKind::Type, "range expected at most 3 arguments, got " + std::to_string(positional.size()));
  for (size_t i = 0; i < std::min<size_t>(positional.size(), 3); ++i) {
    if (named[i].isDefined())
      fail(ErrorKind::Type, "multiple values for an argument of range");
    named[i] = positional[i];
  }
  if (named[2].isNone())
    named[2] = Value();
  if (named[1].isNone())
    named[1] = Value();
  if (!named[0].isDefined())
    fail(ErrorKind::Type, "range expected at least 1 argument, got 0");
  if (!named[1].isDefined()) {
    named[1] = named[0];
    named[0] = Value::fromInt(0);
  }
  if (!named[2].isDefined())
    named[2] = Value::fromInt(1);
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  if (form == Static)
    return visitStaticFor(node, {named[0], named[1], named[2]});

  Operand bounds[3] = {toOperand(named[0]), toOperand(named[1]), toOperand(named[2])};
  if (auto *step = std::get_if<Number>(&bounds[2]); step && step->isZero())
    fail(ErrorKind::Value, "range() arg 3 must not be zero");
  int target = node->b->name;
  Carried carried = findCarried(node, target);
  Scope before = frame().scope;
  std::vector<int> outerDefined = std::exchange(frame().defined, {});
  std::map<int, bool> pending = frame().pending;

  llvm::SmallVector<Tensor> inner;
  std::string targetName = frame().ast->nameText(target);
  Tensor index = get(sem.beginFor(bounds[0], bounds[1], bounds[2], carried.tensors, targetName, carried.labels, loopOptions, inner));
  setValue(target, index);
  bindCarried(carried, std::vector<Tensor>(inner.begin(), inner.end()));
  ++frame().loopDepth;
  visitBody(node->list, 0, false);
  --frame().loopDepth;
  frame().current = node;
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  std::vector<Tensor> yielded = yieldedOf(carried);
  std::vector<int> names = carried.names;
  names.push_back(target);
  BodyScope::check(before, frame().defined, names, *frame().ast);
  llvm::SmallVector<Tensor> results;
  sem.endFor(yielded, results);

  frame().scope = std::move(before);
  frame().defined = std::move(outerDefined);
  frame().pending = std::move(pending);
  setValue(target, sem.poison(index.type));
  bindCarried(carried, std::vector<Tensor>(results.begin(), results.end()));
}

//===----------------------------------------------------------------------===//
// while
//===----------------------------------------------------------------------===//

void Walker::visitWhile(Node *node) {
  if (!node->orelse.empty())
    unsupported(node, "`else` after `while` is not supported");
  Carried carried = findCarried(node, -1);
  Scope before = frame().scope;
  std::vector<int> outerDefined = std::exchange(frame().defined, {});
  std::map<int, bool> pending = frame().pending;

  llvm::SmallVector<Tensor> inner;
  sem.beginWhile(carried.tensors, carried.labels, inner);
  bindCarried(carried, std::vector<Tensor>(inner.begin(), inner.end()));

  // `while tl.condition(c, disable_licm=...)` carries an option in its condition.
  bool disableLicm = false;
  Node *test = node->a;
  if (test->kind == NodeKind::Call) {
    Value function = visit(test->a);
    if (function.isConstant() && function.object.is(lang.conditionClass)) {
      Node *licm = test->list.size() > 1 ? test->list[1] : nullptr;
      for (Node *keyword : test->keywords)
        licm = keyword->a;
      if (licm)
        disableLicm = PyObject_IsTrue(lang.unwrap(visit(licm), "disable_licm").ptr()) == 1;
      if (test->list.empty())
        fail(ErrorKind::Type, "tl.condition needs a condition");
      test = test->list[0];
    }
  }
  Value condition = visit(test);
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  Tensor bit;
  if (condition.isTensor())
    bit = asCondition(condition.tensor, node);
  else
    bit = get(sem.constant(Number::boolean(isStaticallyTrue(condition, node)), {Scalar::Int1}));

  std::vector<Tensor> forwarded;
  for (int name : carried.names)
    flatten(frame().scope.values[name], forwarded);
  frame().scope = before; // what else the condition defined belongs to its own region
  llvm::SmallVector<Tensor> body;
  sem.beginWhileBody(bit, disableLicm, forwarded, carried.labels, body);
  bindCarried(carried, std::vector<Tensor>(body.begin(), body.end()));
  ++frame().loopDepth;
  visitBody(node->list, 0, false);
  --frame().loopDepth;
  frame().current = node;
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  std::vector<Tensor> yielded = yieldedOf(carried);
  BodyScope::check(before, frame().defined, carried.names, *frame().ast);
  llvm::SmallVector<Tensor> results;
  sem.endWhile(yielded, results);

  frame().scope = std::move(before);
  frame().defined = std::move(outerDefined);
  frame().pending = std::move(pending);
  bindCarried(carried, std::vector<Tensor>(results.begin(), results.end()));
}
