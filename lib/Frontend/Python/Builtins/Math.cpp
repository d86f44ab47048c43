//===- Math.cpp - arithmetic and math functions, selection --------------------------------===//
#include "Builtins.h"

#include <cmath>

using namespace triton_metal::frontend;

static Value add(CallArguments &args) {
  return get(args.sem.binary(BinaryOp::Add, args.operand(0), args.operand(1), args.flag(2, true)));
}
static Value sub(CallArguments &args) {
  return get(args.sem.binary(BinaryOp::Sub, args.operand(0), args.operand(1), args.flag(2, true)));
}
static Value mul(CallArguments &args) {
  return get(args.sem.binary(BinaryOp::Mul, args.operand(0), args.operand(1), args.flag(2, true)));
}

static bool propagatesNan(const Value &value) {
  if (!value.isDefined())
    return false;
  nb::object name = value.isConstant() ? nb::getattr(value.object, "name", nb::none()) : nb::none();
  if (!PyUnicode_Check(name.ptr()))
    fail(ErrorKind::Value, "Unexpected propagate_nan " + valueStr(value));
  return std::string_view(PyUnicode_AsUTF8(name.ptr())) == "ALL";
}

static Value minimum(CallArguments &args) {
  return get(args.sem.minMax(false, args.operand(0), args.operand(1), propagatesNan(args[2])));
}
static Value maximum(CallArguments &args) {
  return get(args.sem.minMax(true, args.operand(0), args.operand(1), propagatesNan(args[2])));
}
static Value clamp(CallArguments &args) {
  return get(args.sem.clamp(args.operand(0), args.operand(1), args.operand(2), propagatesNan(args[3])));
}
static Value where(CallArguments &args) {
  Tensor condition = args.tensor(0);
  if (!condition.elem().isBool())
    args.walker.warn("tl.where with a non-boolean condition is deprecated and will error out in a future triton release. Got " +
                     condition.elem().str());
  return get(args.sem.where(condition, args.operand(1), args.operand(2)));
}

/// Python's min and max: constants fold, tensors are compared pair by pair.
static Value pythonMinMax(CallArguments &args, bool isMax) {
  const char *name = isMax ? "max" : "min";
  std::vector<Value> values = args[0].elements();
  if (values.size() == 1 && values[0].isTuple())
    values = values[0].elements();
  bool constant = true;
  for (const Value &value : values)
    constant = constant && value.isConstant();
  if (constant) {
    for (const Value &value : values)
      if (PyFloat_Check(value.object.ptr())) {
        double number = PyFloat_AS_DOUBLE(value.object.ptr());
        if (std::isnan(number))
          fail(ErrorKind::Assertion, std::string("constexpr ") + name + " does not support NaN values");
        if (number == 0 && std::signbit(number))
          fail(ErrorKind::Assertion, std::string("constexpr ") + name + " does not support negative zero");
      }
    nb::object python = nb::module_::import_("builtins").attr(name);
    return args.lang.wrap(python(args.lang.unwrap(Value::fromTuple(values), name)));
  }
  if (values.size() < 2)
    fail(ErrorKind::Assertion, "min requires at least 2 values");
  Value result = values[0];
  for (size_t i = 1; i < values.size(); ++i)
    result = get(args.sem.minMax(isMax, toOperand(result), toOperand(values[i]), propagatesNan(args[1])));
  if (result.tensor.isBlock())
    args.walker.warn(std::string("builtin ") + name + " on non-scalar tensor values is deprecated, use tl." + name + "imum instead");
  return result;
}
static Value builtinMin(CallArguments &args) { return pythonMinMax(args, false); }
static Value builtinMax(CallArguments &args) { return pythonMinMax(args, true); }

template <MathOp op>
static Value unary(CallArguments &args) {
  return get(args.sem.math(op, args.operand(0)));
}
static Value absolute(CallArguments &args) {
  if (isNumber(args[0])) // `abs` of a constexpr is Python's
    if (PyObject *result = PyNumber_Absolute(args[0].object.ptr()))
      return args.lang.wrap(nb::steal(result));
  return get(args.sem.abs(args.operand(0)));
}
static Value fdiv(CallArguments &args) { return get(args.sem.fdiv(args.operand(0), args.operand(1), args.flag(2, false))); }
static Value divRn(CallArguments &args) { return get(args.sem.divRn(args.operand(0), args.operand(1))); }
static Value fma(CallArguments &args) { return get(args.sem.fma(args.operand(0), args.operand(1), args.operand(2))); }
static Value umulhi(CallArguments &args) { return get(args.sem.umulhi(args.operand(0), args.operand(1))); }
static Value logicalAnd(CallArguments &args) { return get(args.sem.logicalAnd(args.tensor(0), args.tensor(1))); }
static Value logicalOr(CallArguments &args) { return get(args.sem.logicalOr(args.tensor(0), args.tensor(1))); }

static Value promoteBfloat16(CallArguments &args) {
  Tensor value = args.tensor(0);
  if (!value.elem().is(Scalar::BF16) || args.sem.options().weakComparisons)
    return value;
  return get(args.sem.cast(value, {Scalar::FP32}));
}

static Value expectZero(CallArguments &args) {
  if (args.sem.options().debug) {
    Tensor isZero = get(args.sem.compare(CompareOp::Eq, args.operand(0), Number::fromInt(0)));
    get(args.sem.deviceAssert(isZero, "expect_zero expected x == 0 where mask is true", args.tensor(1)));
  }
  return args[0];
}

std::span<const Builtin> triton_metal::frontend::mathBuiltins() {
  static constexpr Builtin table[] = {
      {"add", "x y sanitize_overflow=", add},
      {"sub", "x y sanitize_overflow=", sub},
      {"mul", "x y sanitize_overflow=", mul},
      {"minimum", "x y propagate_nan=", minimum},
      {"maximum", "x y propagate_nan=", maximum},
      {"clamp", "x min max propagate_nan=", clamp},
      {"where", "condition x y", where},
      {"builtin_min", "*args propagate_nan=", builtinMin},
      {"builtin_max", "*args propagate_nan=", builtinMax},
      {"exp", "x", unary<MathOp::Exp>},
      {"exp2", "x", unary<MathOp::Exp2>},
      {"log", "x", unary<MathOp::Log>},
      {"log2", "x", unary<MathOp::Log2>},
      {"sin", "x", unary<MathOp::Sin>},
      {"cos", "x", unary<MathOp::Cos>},
      {"sqrt", "x", unary<MathOp::Sqrt>},
      {"sqrt_rn", "x", unary<MathOp::SqrtRn>},
      {"rsqrt", "x", unary<MathOp::Rsqrt>},
      {"erf", "x", unary<MathOp::Erf>},
      {"floor", "x", unary<MathOp::Floor>},
      {"ceil", "x", unary<MathOp::Ceil>},
      {"abs", "x", absolute},
      {"fdiv", "x y ieee_rounding= approx=", fdiv},
      {"div_rn", "x y", divRn},
      {"fma", "x y z", fma},
      {"umulhi", "x y", umulhi},
      {"logical_and", "self other", logicalAnd},
      {"logical_or", "self other", logicalOr},
      {"_promote_bfloat16_to_float32", "t", promoteBfloat16},
      {"expect_zero", "x mask", expectZero},
  };
  return table;
}
