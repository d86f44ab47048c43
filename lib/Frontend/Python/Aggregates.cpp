//===- Aggregates.cpp - classes of values that triton.aggregate makes -------------------------===//
//
// An instance is a tuple with the class beside it; its fields are the elements in the order of the annotations. The constructor is
// Python's and runs once for each call, on objects that stand for the tensors (runtime/aggregate.py); what it left in the fields is
// what the instance holds. So an instance can be carried by a loop, returned and passed as every tuple can.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"

using namespace triton_metal::frontend;

/// Fields that are no constexpr hold values of the kernel.
Value Walker::completeFields(nb::handle cls, std::vector<Value> values) {
  nb::object isConstexpr = cls.attr("_constexpr_fields");
  for (size_t i = 0; i < values.size(); ++i) {
    bool constant = nb::cast<bool>(nb::object(isConstexpr[i]));
    if (constant && !values[i].isConstant() && !values[i].isTuple())
      fail(ErrorKind::Type, "field '" + nb::cast<std::string>(nb::object(cls.attr("_fields")[i])) + "' of " +
                                nb::cast<std::string>(cls.attr("__name__")) + " is a constexpr, got " + valueStr(values[i]));
    if (!constant)
      values[i] = sanitize(values[i]);
  }
  return Value::fromTuple(std::move(values), nb::borrow(cls));
}

Value Walker::makeAggregate(nb::handle cls, const std::vector<Value> &arguments,
                            const std::vector<std::pair<std::string, Value>> &keywords) {
  std::vector<Value> held;
  auto handOver = [&](const Value &value) -> nb::object {
    if (value.isConstant())
      return value.object;
    held.push_back(value);
    nb::object type = value.isTensor() ? lang.typeObject(value.tensor.type) : nb::none();
    return cls.attr("_hold")(held.size() - 1, type, value.isTuple() && value.object.is_valid() ? value.object : nb::none());
  };
  nb::list positional;
  for (const Value &argument : arguments)
    positional.append(handOver(argument));
  nb::dict named;
  for (const auto &[keyword, value] : keywords)
    named[nb::str(keyword.c_str())] = handOver(value);
  std::vector<Value> values;
  for (nb::handle field : nb::object(cls.attr("_construct")(*positional, **named))) {
    nb::object index = nb::getattr(field, "_held_index", nb::none());
    values.push_back(index.is_none() ? lang.wrap(field) : held.at(nb::cast<size_t>(index)));
  }
  return completeFields(cls, std::move(values));
}

Value Walker::replaceFields(const std::vector<Value> &arguments, const std::vector<std::pair<std::string, Value>> &keywords) {
  if (arguments.size() != 1 || !lang.isAggregate(arguments[0].object))
    fail(ErrorKind::Type, "aggregate_replace needs an aggregate, and fields by name");
  nb::object cls = arguments[0].object, fields = cls.attr("_fields");
  std::vector<Value> values = arguments[0].elements();
  for (const auto &[name, value] : keywords) {
    size_t index = 0;
    while (index < values.size() && nb::cast<std::string>(nb::object(fields[index])) != name)
      ++index;
    if (index == values.size())
      fail(ErrorKind::Attribute, "'" + nb::cast<std::string>(cls.attr("__name__")) + "' object has no attribute '" + name + "'");
    values[index] = value;
  }
  return completeFields(cls, std::move(values));
}

static const char *methodOf(Operator op) {
  switch (op) {
  case Operator::Add: return "add";
  case Operator::Sub: return "sub";
  case Operator::Mult: return "mul";
  case Operator::Div: return "truediv";
  case Operator::FloorDiv: return "floordiv";
  case Operator::Mod: return "mod";
  case Operator::Pow: return "pow";
  case Operator::LShift: return "lshift";
  case Operator::RShift: return "rshift";
  case Operator::BitAnd: return "and";
  case Operator::BitOr: return "or";
  case Operator::BitXor: return "xor";
  case Operator::MatMult: return "matmul";
  case Operator::Eq: return "eq";
  case Operator::NotEq: return "ne";
  case Operator::Lt: return "lt";
  case Operator::LtE: return "le";
  case Operator::Gt: return "gt";
  case Operator::GtE: return "ge";
  default: return nullptr;
  }
}

/// The operator that gives the same with its operands exchanged, as Python has it for comparisons.
static Operator mirrored(Operator op) {
  switch (op) {
  case Operator::Lt: return Operator::Gt;
  case Operator::LtE: return Operator::GtE;
  case Operator::Gt: return Operator::Lt;
  case Operator::GtE: return Operator::LtE;
  default: return op;
  }
}

Value Walker::applyMethod(Operator op, const Value &left, const Value &right) {
  const char *name = methodOf(op);
  bool isComparison = op == Operator::Eq || op == Operator::NotEq || mirrored(op) != op;
  for (bool reflected : {false, true}) {
    const Value &self = reflected ? right : left, &other = reflected ? left : right;
    if (!name || !self.isTuple() || !lang.isAggregate(self.object))
      continue;
    std::string plain = isComparison && reflected ? methodOf(mirrored(op)) : name;
    std::string method = "__" + (reflected && !isComparison ? "r" + plain : plain) + "__";
    nb::object function = nb::getattr(self.object, method.c_str(), nb::object());
    if (function.is_valid() && lang.isJit(function))
      return callJit(function, {self, other});
  }
  return {};
}
