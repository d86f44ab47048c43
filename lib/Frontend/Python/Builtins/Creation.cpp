//===- Creation.cpp - programs, ranges, constants, casts --------------------------------===//
#include "Builtins.h"

using namespace triton_metal::frontend;

static Value programId(CallArguments &args) { return get(args.sem.programId(args.integer(0, "axis"))); }
static Value numPrograms(CallArguments &args) { return get(args.sem.numPrograms(args.integer(0, "axis"))); }

static Value arange(CallArguments &args) {
  for (size_t i : {0, 1})
    if (!args[i].isConstant() || !PyLong_Check(args[i].object.ptr()))
      fail(ErrorKind::Value, "arange's arguments must be of type tl.constexpr");
  return get(args.sem.arange(args.integer(0, "start"), args.integer(1, "end")));
}

static Value full(CallArguments &args) {
  Elem elem = args.elem(2, "dtype");
  std::vector<int64_t> shape = args.integers(args[0], "a shape element");
  return get(args.sem.full(shape, args.operand(1), elem));
}

static Value toTensor(CallArguments &args) { return args.tensor(0); }

static Value cast(CallArguments &args) {
  Tensor value = args.tensor(0);
  Elem elem = args.elem(1, "dtype");
  if (args.flag(3, false))
    return get(args.sem.bitcast(value, elem));
  std::string mode = args.text(2, "", "fp_downcast_rounding");
  Rounding rounding = Rounding::Default;
  if (mode == "rtne")
    rounding = Rounding::NearestEven;
  else if (mode == "rtz")
    rounding = Rounding::TowardZero;
  else if (!mode.empty())
    fail(ErrorKind::Value, "Invalid rounding mode: " + mode + ". Supported rounding modes are 'rtne' and 'rtz'.");
  return get(args.sem.cast(value, elem, rounding));
}

std::span<const Builtin> triton_metal::frontend::creationBuiltins() {
  static constexpr Builtin table[] = {
      {"program_id", "axis", programId},
      {"num_programs", "axis", numPrograms},
      {"arange", "start end", arange},
      {"full", "shape value dtype", full},
      {"to_tensor", "x", toTensor},
      {"cast", "input dtype fp_downcast_rounding= bitcast=", cast},
      {"to", "self dtype fp_downcast_rounding= bitcast=", cast},
  };
  return table;
}
