//===- Debugging.cpp - hints, prints, assertions, assembly, library functions ------------===//
#include "Builtins.h"


#include <cstring>

using namespace triton_metal::frontend;

static Value hint(CallArguments &args, const char *attribute, const char *function) {
  Tensor value = args.tensor(0);
  std::vector<Value> single{args[1]};
  std::vector<int64_t> numbers;
  for (const Value &element : args[1].isTuple() ? args[1].elements() : single) {
    if (!element.isConstant())
      fail(ErrorKind::Type, "values element " + std::to_string(numbers.size()) + " must have type `constexpr`");
    if (!PyLong_Check(element.object.ptr()))
      fail(ErrorKind::Type, "values element " + std::to_string(numbers.size()) + " must have type `constexpr[int]`, got `constexpr[" +
                                nb::cast<std::string>(nb::str(element.object.type())) + "]");
    numbers.push_back(args.integerOf(element, "a value"));
  }
  return get(args.sem.hint(attribute, function, value, numbers));
}
static Value multipleOf(CallArguments &args) { return hint(args, "tt.divisibility", "multiple_of"); }
static Value maxContiguous(CallArguments &args) { return hint(args, "tt.contiguity", "max_contiguous"); }
static Value maxConstancy(CallArguments &args) { return hint(args, "tt.constancy", "max_constancy"); }

static Value assume(CallArguments &args) {
  get(args.sem.assume(args.tensor(0)));
  return Value::none();
}

static Value devicePrint(CallArguments &args) {
  if (!args[0].isConstant() || !PyUnicode_Check(args[0].object.ptr()))
    fail(ErrorKind::Assertion, valueStr(args[0]) + " is not string");
  std::string prefix = args.text(0, "", "prefix");
  for (unsigned char character : prefix)
    if (character >= 128 || (character < 32 && !std::strchr("\t\n\r\v\f", character)))
      fail(ErrorKind::Assertion, prefix + " is not an ascii string");
  std::vector<Tensor> values;
  for (const Value &value : args[1].elements())
    values.push_back(get(args.sem.toTensor(toOperand(value))));
  get(args.sem.devicePrint(prefix, values, args.flag(2, false)));
  return Value::none();
}

static Value deviceAssert(CallArguments &args) {
  std::string message = args.text(1, "", "msg");
  if (!args.sem.options().debug)
    return Value::none();
  std::optional<Tensor> mask;
  if (args.has(2))
    mask = args.tensor(2);
  get(args.sem.deviceAssert(args.tensor(0), message, mask));
  return Value::none();
}

static Value debugBarrier(CallArguments &args) {
  get(args.sem.debugBarrier());
  return Value::none();
}

static Value inlineAssembly(CallArguments &args) {
  args.walker.unsupported(args.node, "inline_asm_elementwise: this assembly is for another target and has no meaning on the CPU or on "
                                     "Metal: " + args.text(0, "", "asm") +
                                     "\nWrite the operation in Triton, or guard it with tl.target_info.is_cuda().");
}

/// The symbol of a device library, chosen by the exact types of the arguments.
static Value externElementwise(CallArguments &args) {
  std::vector<Tensor> values = args.tensors(args[2]);
  nb::object table = args.lang.unwrap(args[3], "arg_type_symbol_dict");
  nb::list types;
  for (const Tensor &value : values)
    types.append(args.lang.dtype(value.elem()));
  nb::object found = nb::steal(PyObject_CallMethod(table.ptr(), "get", "O", nb::tuple(types).ptr()));
  if (!found.is_valid())
    throw nb::python_error();
  if (found.is_none())
    fail(ErrorKind::Value, "input arg type does not match. Expect one of " +
                               nb::cast<std::string>(nb::str(nb::object(table.attr("keys")()))) + ", got " +
                               nb::cast<std::string>(nb::str(nb::tuple(types))));
  std::string symbol = nb::cast<std::string>(nb::object(found[0]));
  std::optional<Elem> result = args.lang.elemOf(nb::object(found[1]));
  if (!result)
    fail(ErrorKind::Type, "arg_type_symbol_dict must give a symbol and a dtype");
  return get(args.sem.externElementwise(args.text(0, "", "lib_name"), args.text(1, "", "lib_path"), symbol, values, *result,
                                        args.flag(4, true)));
}

std::span<const Builtin> triton_metal::frontend::debugBuiltins() {
  static constexpr Builtin table[] = {
      {"multiple_of", "input values", multipleOf},
      {"max_contiguous", "input values", maxContiguous},
      {"max_constancy", "input values", maxConstancy},
      {"assume", "cond", assume},
      {"device_print", "prefix *args hex=", devicePrint},
      {"device_assert", "cond msg= mask=", deviceAssert},
      {"debug_barrier", "", debugBarrier},
      {"inline_asm_elementwise", "asm constraints args dtype is_pure pack", inlineAssembly},
      {"extern_elementwise", "lib_name lib_path args arg_type_symbol_dict is_pure", externElementwise},
  };
  return table;
}
