//===- Expressions.cpp - names, operators, attributes, subscripts ---------------------===//
#include "Builtins/Builtins.h"

#include <cstring>

using namespace triton_metal::frontend;

bool triton_metal::frontend::isNumber(const Value &value) {
  return value.isConstant() && (PyLong_Check(value.object.ptr()) || PyFloat_Check(value.object.ptr()));
}

Operand triton_metal::frontend::toOperand(const Value &value) {
  if (value.isTensor())
    return value.tensor;
  if (value.isConstant())
    if (std::optional<Number> number = numberOf(value.object))
      return *number;
  std::string text = valueStr(value);
  if (!value.isConstant() && !value.isTuple()) // what has no class that users know
    fail(ErrorKind::Type, "cannot convert " + text + " to tensor");
  std::string type = value.isConstant() ? nb::cast<std::string>(nb::str(value.object.type())) : "<class 'tuple'>";
  if (value.isConstant())
    text = text.substr(10, text.size() - 11);
  fail(ErrorKind::Type, "cannot convert " + text + " of type " + type + " to tensor");
}

Value Walker::visit(Node *node) {
  // The tree's depth is bounded when it is read, that of calls when they are made; this bounds their product.
  if (depth > 4000)
    fail(ErrorKind::Runtime, "this is nested too deeply; split it into several statements or functions");
  ++depth;
  Node *outer = std::exchange(frame().current, node);
  sem.setPlace(frame().firstLine + node->line, frame().firstColumn + node->column);
  Value value;
  try {
    value = visitNode(node);
  } catch (...) {
    --depth;
    throw;
  }
  --depth;
  frame().current = outer;
  if (outer)
    sem.setPlace(frame().firstLine + outer->line, frame().firstColumn + outer->column);
  return value;
}

Value Walker::visitNode(Node *node) {
  switch (node->kind) {
  case NodeKind::Name:
    return lookUp(node);
  case NodeKind::Constant:
    return Value::constant(nb::borrow(node->object));
  case NodeKind::Attribute:
    return visitAttribute(node);
  case NodeKind::Call:
    return visitCall(node);
  case NodeKind::BinOp: {
    Value left = visit(node->a), right = visit(node->b);
    return applyBinary(node, node->op, left, right);
  }
  case NodeKind::UnaryOp:
    return visitUnary(node);
  case NodeKind::BoolOp:
    return visitBoolOp(node);
  case NodeKind::Compare:
    return visitCompare(node);
  case NodeKind::IfExp:
    return visitIfExp(node);
  case NodeKind::Subscript: {
    Value value = visit(node->a), index = visit(node->b);
    try {
      return subscript(value, index);
    } catch (...) {
      rethrowFromCall(node);
    }
  }
  case NodeKind::Slice: {
    std::vector<Value> parts;
    for (Node *part : {node->a, node->b, node->c})
      parts.push_back(part ? visit(part) : Value::none());
    return Value::compound(Value::Kind::Slice, std::move(parts));
  }
  case NodeKind::Tuple:
  case NodeKind::List: {
    std::vector<Value> elements;
    for (Node *element : node->list) {
      if (element->kind != NodeKind::Starred) {
        elements.push_back(visit(element));
        continue;
      }
      Value values = visit(element->a);
      if (!values.isTuple())
        fail(ErrorKind::Type, "only tuples can be unpacked with `*`, got " + valueStr(values));
      elements.insert(elements.end(), values.elements().begin(), values.elements().end());
    }
    return Value::fromTuple(std::move(elements));
  }
  case NodeKind::ListComp:
    return visitListComp(node);
  case NodeKind::JoinedStr:
    return visitJoinedStr(node);
  case NodeKind::NamedExpr:
    assignNamed(node->a, node->b);
    return frame().scope.values[node->a->name];
  default:
    unsupportedNode(node);
  }
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// The built-in functions that kernels may use, by name; `print`, `min` and `max` are the language's own.
static nb::object builtinFunction(Language &lang, const char *name) {
  for (const char *plain : {"len", "list", "range", "float", "int", "isinstance", "getattr", "hasattr", "bool", "tuple", "str", "abs"})
    if (!std::strcmp(name, plain))
      return std::strcmp(name, "abs") ? nb::object(nb::module_::import_("builtins").attr(name)) : nb::object(lang.math.attr("abs"));
  if (!std::strcmp(name, "print"))
    return lang.core.attr("device_print");
  if (!std::strcmp(name, "min"))
    return lang.core.attr("builtin_min");
  if (!std::strcmp(name, "max"))
    return lang.core.attr("builtin_max");
  return {};
}

/// Whether a kernel may read a global of this value: what cannot change, or what was declared a constexpr.
static bool isAllowedGlobal(Language &lang, nb::handle value) {
  PyObject *object = value.ptr();
  if (PyModule_Check(object) || lang.isJit(value) || lang.isConstexpr(value) || lang.isConstexprFunction(value) || value.is_none())
    return true;
  if (lang.isDtype(value) || nb::hasattr(value, "__triton_builtin__") || nb::hasattr(value, "__triton_aggregate__"))
    return true;
  if (PyType_Check(object) && PyType_IsSubtype(reinterpret_cast<PyTypeObject *>(object), &PyTuple_Type) &&
      nb::hasattr(value, "_fields"))
    return true;
  nb::object module = nb::getattr(value, "__module__", nb::none());
  if (!PyUnicode_Check(module.ptr()))
    return false;
  const char *text = PyUnicode_AsUTF8(module.ptr());
  return !std::strncmp(text, "triton.language", 15) || !std::strncmp(text, "triton_metal.language", 21);
}

Value Walker::lookUp(Node *node) {
  Frame &at = frame();
  const Value &local = at.scope.values[node->name];
  if (local.isDefined())
    return local;
  nb::handle key = at.ast->names[node->name];
  const char *name = PyUnicode_AsUTF8(key.ptr());
  nb::object value;
  if (at.freeNames.is_valid())
    for (size_t i = 0, count = nb::len(at.freeNames); i < count && !value.is_valid(); ++i)
      if (nb::object(at.freeNames[i]).equal(key))
        value = nb::getattr(at.closure[i], "cell_contents", nb::object());
  if (!value.is_valid())
    value = nb::borrow(PyDict_GetItemWithError(at.globals.ptr(), key.ptr()));
  if (!value.is_valid()) {
    if (PyErr_Occurred())
      throw nb::python_error();
    nb::object builtin = builtinFunction(lang, name);
    if (builtin.is_valid())
      return Value::constant(builtin);
    fail(ErrorKind::Name, std::string(name) + " is not defined");
  }
  if (!isAllowedGlobal(lang, value) && !options.allowNonConstexprGlobals && !builtinFunction(lang, name).is_valid())
    fail(ErrorKind::Name,
         std::string("Cannot access global variable ") + name +
             " from within @jit'ed function. Triton kernels can only access global variables that are instanstiated as constexpr (`x = "
             "triton.language.constexpr(42)`). Note that this is different from annotating a variable as constexpr (`x: "
             "triton.language.constexpr = 42`), which is not supported.  Alternatively, set the envvar "
             "TRITON_ALLOW_NON_CONSTEXPR_GLOBALS=1, but we do not promise to support this forever.");
  return lang.wrap(value);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

static const char *symbolOf(Operator op) {
  switch (op) {
  case Operator::Add: return "+";
  case Operator::Sub: return "-";
  case Operator::Mult: return "*";
  case Operator::Div: return "/";
  case Operator::FloorDiv: return "//";
  case Operator::Mod: return "%";
  case Operator::Pow: return "**";
  case Operator::LShift: return "<<";
  case Operator::RShift: return ">>";
  case Operator::BitAnd: return "&";
  case Operator::BitOr: return "|";
  case Operator::BitXor: return "^";
  case Operator::MatMult: return "@";
  case Operator::Eq: return "==";
  case Operator::NotEq: return "!=";
  case Operator::Lt: return "<";
  case Operator::LtE: return "<=";
  case Operator::Gt: return ">";
  case Operator::GtE: return ">=";
  default: return "?";
  }
}

static std::string kindName(const Value &value) {
  if (value.isTensor())
    return "tensor";
  if (value.isTuple())
    return "tuple";
  if (value.isConstant())
    return Py_TYPE(value.object.ptr())->tp_name;
  return value.isPlace() ? typeStr(value) : "method";
}

static std::string unsupportedOperands(Operator op, const Value &left, const Value &right) {
  return std::string("unsupported operand type(s) for ") + symbolOf(op) + ": '" + kindName(left) + "' and '" + kindName(right) + "'";
}

Value Walker::foldBinary(Operator op, nb::handle left, nb::handle right) {
  PyObject *l = left.ptr(), *r = right.ptr(), *result = nullptr;
  switch (op) {
  case Operator::Add: result = PyNumber_Add(l, r); break;
  case Operator::Sub: result = PyNumber_Subtract(l, r); break;
  case Operator::Mult:
    for (auto [text, count] : {std::pair(l, r), std::pair(r, l)})
      if ((PyUnicode_Check(text) || PyBytes_Check(text)) && PyLong_Check(count))
        if (Number times = *numberOf(count); times.tooWide || times.integer * PyObject_Length(text) > 1000000)
          fail(ErrorKind::Overflow, "a string of more than 1000000 characters");
    result = PyNumber_Multiply(l, r);
    break;
  case Operator::Div: result = PyNumber_TrueDivide(l, r); break;
  case Operator::FloorDiv: result = PyNumber_FloorDivide(l, r); break;
  case Operator::Mod: result = PyNumber_Remainder(l, r); break;
  case Operator::Pow: {
    // A power of large numbers never ends, and no kernel needs it.
    if (PyLong_Check(l) && PyLong_Check(r)) {
      std::optional<Number> exponent = numberOf(right);
      if (exponent->tooWide || exponent->integer > 4096)
        fail(ErrorKind::Overflow, "the exponent of a constexpr power is larger than 4096");
    }
    result = PyNumber_Power(l, r, Py_None);
    break;
  }
  case Operator::LShift: {
    std::optional<Number> count = PyLong_Check(r) ? numberOf(right) : std::nullopt;
    if (count && (count->tooWide || count->integer > 4096))
      fail(ErrorKind::Overflow, "a constexpr shift by more than 4096");
    result = PyNumber_Lshift(l, r);
    break;
  }
  case Operator::RShift: result = PyNumber_Rshift(l, r); break;
  case Operator::BitAnd: result = PyNumber_And(l, r); break;
  case Operator::BitOr: result = PyNumber_Or(l, r); break;
  case Operator::BitXor: result = PyNumber_Xor(l, r); break;
  case Operator::Eq: result = PyObject_RichCompare(l, r, Py_EQ); break;
  case Operator::NotEq: result = PyObject_RichCompare(l, r, Py_NE); break;
  case Operator::Lt: result = PyObject_RichCompare(l, r, Py_LT); break;
  case Operator::LtE: result = PyObject_RichCompare(l, r, Py_LE); break;
  case Operator::Gt: result = PyObject_RichCompare(l, r, Py_GT); break;
  case Operator::GtE: result = PyObject_RichCompare(l, r, Py_GE); break;
  default: fail(ErrorKind::Type, std::string("unsupported operator ") + symbolOf(op));
  }
  if (!result)
    throw nb::python_error();
  return lang.wrap(nb::steal(result));
}

Value Walker::applyBinary(Node *node, Operator op, const Value &left, const Value &right) {
  if (Value result = applyMethod(op, left, right); result.isDefined())
    return result;
  if (op == Operator::MatMult)
    unsupported(node, "AST binary operator 'MatMult' is not (currently) implemented.");
  try {
    if (left.isTensor() || right.isTensor()) {
      if ((!left.isTensor() && !isNumber(left)) || (!right.isTensor() && !isNumber(right)))
        unsupported(node, unsupportedOperands(op, left, right));
      Operand a = toOperand(left), b = toOperand(right);
      BinaryOp operation;
      switch (op) {
      case Operator::Add: operation = BinaryOp::Add; break;
      case Operator::Sub: operation = BinaryOp::Sub; break;
      case Operator::Mult: operation = BinaryOp::Mul; break;
      case Operator::Div: operation = BinaryOp::Div; break;
      case Operator::FloorDiv: operation = BinaryOp::FloorDiv; break;
      case Operator::Mod: operation = BinaryOp::Mod; break;
      case Operator::LShift: operation = BinaryOp::Shl; break;
      case Operator::RShift: operation = BinaryOp::Shr; break;
      case Operator::BitAnd: operation = BinaryOp::And; break;
      case Operator::BitOr: operation = BinaryOp::Or; break;
      case Operator::BitXor: operation = BinaryOp::Xor; break;
      default: unsupported(node, unsupportedOperands(op, left, right));
      }
      if (operation == BinaryOp::Shl || operation == BinaryOp::Shr)
        if (auto *tensor = std::get_if<Tensor>(&a))
          if (auto *count = std::get_if<Number>(&b); count && !tensor->elem().isPointer() && count->integer >= tensor->elem().bits())
            warn("Value " + count->str() + " exceeds the maximum bitwidth (" + std::to_string(tensor->elem().bits()) + ") for type '" +
                 tensor->elem().str() + "'. This may result in undefined behavior.");
      return get(sem.binary(operation, a, b));
    }
    if (left.isTuple() || right.isTuple()) {
      if (op == Operator::Add && left.isTuple() && right.isTuple()) {
        std::vector<Value> elements = left.elements();
        elements.insert(elements.end(), right.elements().begin(), right.elements().end());
        return Value::fromTuple(std::move(elements));
      }
      const Value &tuple = left.isTuple() ? left : right, &count = left.isTuple() ? right : left;
      if (op == Operator::Mult && count.isConstant() && PyLong_Check(count.object.ptr())) {
        std::optional<Number> number = numberOf(count.object);
        if (number->tooWide || number->integer * __int128(tuple.elements().size()) > 1000000)
          fail(ErrorKind::Overflow, "a tuple of more than 1000000 elements");
        std::vector<Value> elements;
        for (__int128 i = 0; i < number->integer; ++i)
          elements.insert(elements.end(), tuple.elements().begin(), tuple.elements().end());
        return Value::fromTuple(std::move(elements));
      }
      unsupported(node, unsupportedOperands(op, left, right));
    }
    if (!left.isConstant() || !right.isConstant())
      unsupported(node, unsupportedOperands(op, left, right));
    return foldBinary(op, left.object, right.object);
  } catch (...) {
    rethrowFromCall(node);
  }
}

Value Walker::visitUnary(Node *node) {
  Value operand = visit(node->a);
  try {
    if (operand.isTensor()) {
      switch (node->op) {
      case Operator::USub: return get(sem.negate(operand.tensor));
      case Operator::Invert: return get(sem.invert(operand.tensor));
      case Operator::Not: return get(sem.logicalNot(operand.tensor));
      default: unsupported(node, "AST unary operator '__pos__' is not (currently) implemented on type tensor");
      }
    }
    if (node->op == Operator::Not) {
      if (operand.isTuple())
        return Value::fromBool(operand.elements().empty());
      nb::object object = lang.unwrap(operand, "`not`");
      int truth = PyObject_IsTrue(object.ptr());
      if (truth < 0)
        throw nb::python_error();
      return Value::fromBool(!truth);
    }
    if (!operand.isConstant())
      unsupported(node, "AST unary operator is not (currently) implemented on type " + kindName(operand));
    PyObject *object = operand.object.ptr();
    PyObject *result = node->op == Operator::USub   ? PyNumber_Negative(object)
                       : node->op == Operator::UAdd ? PyNumber_Positive(object)
                                                    : PyNumber_Invert(object);
    if (!result)
      throw nb::python_error();
    return lang.wrap(nb::steal(result));
  } catch (...) {
    rethrowFromCall(node);
  }
}

Value Walker::visitBoolOp(Node *node) {
  bool isAnd = node->op == Operator::And;
  std::vector<Value> values;
  Value last;
  for (Node *part : node->list) {
    last = visit(part);
    if (last.isTensor()) {
      if (last.tensor.isBlock())
        warn("Logical operators 'and' and 'or' are deprecated for non-scalar tensors; please use '&' or '|' instead");
      values.push_back(last);
      continue;
    }
    // Known now: it may decide, or does not matter.
    bool truth = last.isTuple() ? !last.elements().empty() : PyObject_IsTrue(lang.unwrap(last, "`and`, `or`").ptr()) == 1;
    if (truth != isAnd)
      return last;
  }
  if (values.empty())
    return last;
  while (values.size() >= 2) {
    Value right = std::move(values.back());
    values.pop_back();
    Value left = std::move(values.back());
    values.pop_back();
    try {
      values.push_back(get(isAnd ? sem.logicalAnd(left.tensor, right.tensor) : sem.logicalOr(left.tensor, right.tensor)));
    } catch (...) {
      rethrowFromCall(node);
    }
  }
  return values[0];
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

Value Walker::applyCompare(Node *node, Operator op, const Value &left, const Value &right) {
  if (op == Operator::Is || op == Operator::IsNot) {
    bool same = left.isConstant() && right.isConstant() && left.object.is(right.object);
    return Value::fromBool(same == (op == Operator::Is));
  }
  if (Value result = applyMethod(op, left, right); result.isDefined())
    return result;
  if (op == Operator::In || op == Operator::NotIn)
    unsupported(node, std::string("AST comparison operator '") + (op == Operator::In ? "In" : "NotIn") +
                          "' is not (currently) implemented.");
  try {
    if (left.isTensor() || right.isTensor()) {
      if ((!left.isTensor() && !isNumber(left)) || (!right.isTensor() && !isNumber(right)))
        unsupported(node, unsupportedOperands(op, left, right));
      CompareOp operation;
      switch (op) {
      case Operator::Eq: operation = CompareOp::Eq; break;
      case Operator::NotEq: operation = CompareOp::Ne; break;
      case Operator::Lt: operation = CompareOp::Lt; break;
      case Operator::LtE: operation = CompareOp::Le; break;
      case Operator::Gt: operation = CompareOp::Gt; break;
      default: operation = CompareOp::Ge; break;
      }
      return get(sem.compare(operation, toOperand(left), toOperand(right)));
    }
    if (left.isPlace() || right.isPlace())
      unsupported(node, unsupportedOperands(op, left, right));
    return foldBinary(op, lang.unwrap(left, "a comparison"), lang.unwrap(right, "a comparison"));
  } catch (...) {
    rethrowFromCall(node);
  }
}

Value Walker::visitCompare(Node *node) {
  Value left = visit(node->a), result;
  for (size_t i = 0; i < node->list.size(); ++i) {
    Value right = visit(node->list[i]);
    Value now = applyCompare(node, node->operators[i], left, right);
    left = right;
    if (!now.isTensor()) {
      // As `and` does: what is false at compile time is the result, what is true does not matter.
      if (PyObject_IsTrue(now.object.ptr()) != 1)
        return now;
      if (!result.isDefined() || !result.isTensor())
        result = now;
      continue;
    }
    result = result.isTensor() ? Value(get(sem.logicalAnd(result.tensor, now.tensor))) : now;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Comprehensions and strings
//===----------------------------------------------------------------------===//

Value Walker::visitListComp(Node *node) {
  if (!node->c)
    fail(ErrorKind::Value, "nested comprehensions are not supported");
  Value values = visit(node->c);
  if (!values.isTuple())
    fail(ErrorKind::NotImplemented, "only tuple comprehensions are supported");
  std::vector<Value> results;
  for (const Value &element : values.elements()) {
    assign(node->b, element);
    bool taken = true;
    for (Node *filter : node->orelse) {
      Value test = visit(filter);
      if (test.isTensor())
        unsupported(filter, "the filter of a comprehension must be known at compile time");
      taken = taken && isStaticallyTrue(test, filter);
    }
    if (taken)
      results.push_back(visit(node->a));
  }
  return Value::fromTuple(std::move(results));
}

Value Walker::visitJoinedStr(Node *node) {
  nb::list parts;
  for (Node *part : node->list) {
    if (part->kind == NodeKind::Constant) {
      parts.append(nb::borrow(part->object));
      continue;
    }
    Value value = visit(part->a);
    if (value.isTensor() || !(value.isConstant() || value.isTuple()))
      unsupported(node, "Cannot evaluate f-string containing non-constexpr conversion values, found conversion of type " +
                            std::string("<class 'triton.language.core.tensor'>"));
    nb::object object = lang.unwrap(value, "an f-string");
    if (part->conversion == 'r')
      object = nb::repr(object);
    else if (part->conversion == 's')
      object = nb::str(object);
    else if (part->conversion == 'a')
      object = nb::steal(PyObject_ASCII(object.ptr()));
    nb::object spec = part->b ? visit(part->b).object : nb::object(nb::str(""));
    PyObject *text = PyObject_Format(object.ptr(), spec.ptr());
    if (!text)
      throw nb::python_error();
    parts.append(nb::steal(text));
  }
  return Value::constant(nb::str("").attr("join")(parts));
}

//===----------------------------------------------------------------------===//
// Attributes and subscripts
//===----------------------------------------------------------------------===//

Value Walker::visitAttribute(Node *node) {
  Value value = visit(node->a);
  if (value.isConstant() && PyModule_Check(value.object.ptr()) && !nb::hasattr(value.object, node->object)) {
    bool hasName = node->a->kind == NodeKind::Name;
    std::string path = hasName ? frame().ast->nameText(node->a->name) : nb::cast<std::string>(value.object.attr("__name__"));
    raiseCompilationError(lang.compilationError, node, nb::str(unknownName(path, value.object, node->object).c_str()));
  }
  return getAttribute(value, node->object);
}

Value Walker::getAttribute(const Value &value, nb::handle name) {
  const char *text = PyUnicode_AsUTF8(name.ptr());
  auto is = [&](const char *other) { return !std::strcmp(text, other); };
  switch (value.kind) {
  case Value::Kind::Tensor: {
    const Tensor &tensor = value.tensor;
    if (is("dtype"))
      return Value::constant(lang.dtype(tensor.elem()));
    if (is("type"))
      return Value::constant(lang.typeObject(tensor.type));
    if (is("shape")) {
      std::vector<Value> shape;
      for (int64_t size : tensor.type.shape())
        shape.push_back(Value::fromInt(size));
      return Value::fromTuple(std::move(shape));
    }
    if (is("numel"))
      return Value::fromInt(tensor.type.numElements());
    if (is("T"))
      return get(sem.permute(tensor, {1, 0}));
    nb::object method = nb::getattr(lang.tensorClass, name, nb::object());
    if (!method.is_valid() || text[0] == '_')
      fail(ErrorKind::Attribute, std::string("'tensor' object has no attribute '") + text + "'");
    return Value::compound(Value::Kind::Method, {value}, method);
  }
  case Value::Kind::Tuple: {
    if (value.object.is_valid()) {
      nb::object fields = value.object.attr("_fields");
      for (size_t i = 0; i < value.elements().size(); ++i)
        if (nb::object(fields[i]).equal(name))
          return value.elements()[i];
    }
    if (lang.isAggregate(value.object)) {
      nb::object attribute = nb::getattr(value.object, name, nb::object());
      if (attribute.is_valid() && (lang.isJit(attribute) || lang.isConstexprFunction(attribute)))
        return Value::compound(Value::Kind::Method, {value}, attribute);
      if (attribute.is_valid())
        return lang.wrap(attribute);
      fail(ErrorKind::Attribute, "'" + nb::cast<std::string>(value.object.attr("__name__")) + "' object has no attribute '" + text + "'");
    }
    if (is("values"))
      return value;
    fail(ErrorKind::Attribute, std::string("'tuple' object has no attribute ") + text);
  }
  case Value::Kind::BlockPointer:
    if (is("dtype"))
      return Value::constant(lang.dtype(value.elements()[0].tensor.elem()));
    if (is("advance"))
      return Value::compound(Value::Kind::Method, {value}, lang.core.attr("advance"));
    if (is("load"))
      return Value::compound(Value::Kind::Method, {value}, lang.core.attr("load"));
    if (is("store"))
      return Value::compound(Value::Kind::Method, {value}, lang.core.attr("store"));
    for (auto [index, field] : {std::pair(0, "base"), std::pair(1, "shape"), std::pair(2, "strides"), std::pair(3, "offsets"),
                                std::pair(4, "block_shape"), std::pair(5, "order")})
      if (is(field))
        return value.elements()[index];
    fail(ErrorKind::Attribute, std::string("'block_ptr' object has no attribute '") + text + "'");
  case Value::Kind::Descriptor:
    return descriptorAttribute(*this, value, name);
  case Value::Kind::SharedArray:
    return sharedAttribute(*this, value, name);
  case Value::Kind::Constant: {
    // A constexpr's own attribute: values are unwrapped here, so it is the value itself.
    if (is("value") && !nb::hasattr(value.object, name))
      return value;
    if (is("type") && !nb::hasattr(value.object, name))
      return Value::constant(lang.core.attr("constexpr_type")(value.object));
    PyObject *attribute = PyObject_GetAttr(value.object.ptr(), name.ptr());
    if (!attribute)
      throw nb::python_error();
    return lang.wrap(nb::steal(attribute));
  }
  default:
    fail(ErrorKind::Attribute, std::string("no attribute '") + text + "'");
  }
}

Value Walker::tensorSubscript(const Tensor &tensor, const Value &index) {
  std::vector<Value> single{index};
  const std::vector<Value> &entries = index.isTuple() ? index.elements() : single;
  Tensor result = tensor;
  for (size_t dim = 0; dim < entries.size(); ++dim) {
    const Value &entry = entries[dim];
    if (entry.isNone()) {
      result = get(sem.expandDims(result, std::min<int64_t>(int64_t(dim), result.type.rank())));
      continue;
    }
    bool all = entry.kind == Value::Kind::Slice;
    if (all)
      for (const Value &part : entry.elements())
        all = all && part.isNone();
    if (!all)
      fail(ErrorKind::Value, "unsupported tensor index: " + valueStr(entry));
  }
  return result;
}

Value Walker::subscript(const Value &value, const Value &index) {
  if (value.isTensor())
    return tensorSubscript(value.tensor, index);
  if (value.isTuple()) {
    nb::object key = lang.unwrap(index, "the index of a tuple");
    int64_t size = int64_t(value.elements().size());
    if (PySlice_Check(key.ptr())) {
      Py_ssize_t start, stop, step;
      if (PySlice_Unpack(key.ptr(), &start, &stop, &step) < 0)
        throw nb::python_error();
      Py_ssize_t count = PySlice_AdjustIndices(size, &start, &stop, step);
      std::vector<Value> elements;
      for (Py_ssize_t i = 0; i < count; ++i)
        elements.push_back(value.elements()[start + i * step]);
      return Value::fromTuple(std::move(elements));
    }
    Py_ssize_t position = PyNumber_AsSsize_t(key.ptr(), PyExc_IndexError);
    if (position == -1 && PyErr_Occurred())
      throw nb::python_error();
    position += position < 0 ? size : 0;
    if (position < 0 || position >= size)
      fail(ErrorKind::Index, "list index out of range");
    return value.elements()[position];
  }
  if (value.kind == Value::Kind::SharedArray)
    return get(sem.load(sharedPlace(sem, value, {index}), std::nullopt, std::nullopt, {}));
  if (!value.isConstant())
    fail(ErrorKind::Type, "'" + valueStr(value) + "' is not subscriptable");
  PyObject *element = PyObject_GetItem(value.object.ptr(), lang.unwrap(index, "an index").ptr());
  if (!element)
    throw nb::python_error();
  return lang.wrap(nb::steal(element));
}
