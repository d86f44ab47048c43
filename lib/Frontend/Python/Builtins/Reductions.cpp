//===- Reductions.cpp - dot, reduce, scans, histogram ----------------------------------------===//
#include "Builtins.h"

using namespace triton_metal::frontend;

static Value dot(CallArguments &args) {
  std::string precision = args.text(3, "", "input_precision");
  if (args.has(4)) {
    if (!precision.empty())
      fail(ErrorKind::Assertion, "Only one of input_precision and allow_tf32 can be specified");
    // More precision than was asked for is always allowed, and what is not fp32 is not touched by it.
    precision = args.flag(4, false) ? "tf32" : "ieee";
  }
  for (char &character : precision)
    character = char(std::tolower(character));
  std::optional<Tensor> acc;
  if (args.has(2))
    acc = args.tensor(2);
  std::optional<int64_t> imprecise;
  if (args.has(5))
    imprecise = args.integer(5, "max_num_imprecise_acc");
  std::optional<Elem> out;
  if (args.has(6))
    out = args.elem(6, "out_dtype");
  return get(args.sem.dot(args.tensor(0), args.tensor(1), acc, precision, imprecise, out));
}

/// Visits the combine function in the region of a reduction or scan; gives the operation's results.
static std::vector<Tensor> combine(CallArguments &args, const Value &function, llvm::ArrayRef<Tensor> arguments) {
  if (!function.isConstant() || !args.lang.isJit(function.object))
    fail(ErrorKind::Type, "combine_fn must be a function decorated with @triton.jit, got " + valueStr(function));
  std::vector<Value> values(arguments.begin(), arguments.end());
  Value result = args.walker.callJit(function.object, values);
  std::vector<Tensor> combined;
  size_t count = arguments.size() / 2;
  std::vector<Value> single{result};
  const std::vector<Value> &parts = result.isTuple() ? result.elements() : single;
  for (size_t i = 0; i < parts.size(); ++i)
    combined.push_back(parts[i].isTensor() || i >= count ? get(args.sem.toTensor(toOperand(parts[i])))
                                                         : get(args.sem.full({}, toOperand(parts[i]), arguments[i].elem())));
  llvm::SmallVector<Tensor> results;
  get(args.sem.endCombine(combined, results));
  return std::vector<Tensor>(results.begin(), results.end());
}

static Value asResult(const Value &input, const std::vector<Tensor> &tensors) {
  if (!input.isTuple())
    return tensors[0];
  return Value::fromTuple(std::vector<Value>(tensors.begin(), tensors.end()));
}

/// `axis` None reduces all dimensions.
static std::vector<Tensor> reduceTensors(CallArguments &args, std::vector<Tensor> inputs, const Value &axisValue,
                                         const Value &function, bool keepDims) {
  if (inputs.empty())
    fail(ErrorKind::Value, "reduce needs at least one input");
  int64_t rank = inputs[0].type.rank();
  if (rank == 0)
    fail(ErrorKind::Value, "a scalar cannot be reduced");
  int64_t axis = 0;
  bool all = axisValue.isNone();
  if (all)
    for (Tensor &input : inputs)
      input = get(args.sem.reshape(input, {input.type.numElements()}, /*mayReorder=*/true));
  else
    axis = args.axis(axisValue, rank);
  llvm::SmallVector<Tensor> arguments;
  get(args.sem.beginReduce(inputs, axis, arguments));
  std::vector<Tensor> results = combine(args, function, arguments);
  if (keepDims)
    for (Tensor &result : results)
      for (int64_t i = 0; i < (all ? rank : 1); ++i)
        result = get(args.sem.expandDims(result, all ? 0 : axis));
  return results;
}

static Value reduce(CallArguments &args) {
  return asResult(args[0], reduceTensors(args, args.tensors(args[0]), args[1], args[2], args.flag(3, false)));
}

/// A reduction of values with their indices along the axis.
static Value reduceWithIndices(CallArguments &args) {
  Tensor input = args.tensor(0);
  int64_t rank = input.type.rank();
  if (args[1].isNone() && rank != 1)
    fail(ErrorKind::Value, "a reduction that returns indices needs an axis");
  int64_t axis = args[1].isNone() ? 0 : args.axis(args[1], rank);
  Tensor index = get(args.sem.arange(0, input.type.shape()[axis]));
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != axis)
      index = get(args.sem.expandDims(index, dim));
  index = get(args.sem.broadcastTo(index, input.type.shape()));
  std::vector<Tensor> results = reduceTensors(args, {input, index}, Value::fromInt(axis), args[2], args.flag(3, false));
  return Value::fromTuple(std::vector<Value>(results.begin(), results.end()));
}

static Value associativeScan(CallArguments &args) {
  std::vector<Tensor> inputs = args.tensors(args[0]);
  if (inputs.empty())
    fail(ErrorKind::Value, "associative_scan needs at least one input");
  int64_t rank = inputs[0].type.rank();
  if (rank == 0)
    fail(ErrorKind::Value, "a scalar cannot be scanned");
  llvm::SmallVector<Tensor> arguments;
  get(args.sem.beginScan(inputs, args.axis(args[1], rank), args.flag(3, false), arguments));
  return asResult(args[0], combine(args, args[2], arguments));
}

static Value histogram(CallArguments &args) {
  std::optional<Tensor> mask;
  if (args.has(2))
    mask = args.tensor(2);
  return get(args.sem.histogram(args.tensor(0), args.integer(1, "num_bins"), mask));
}

std::span<const Builtin> triton_metal::frontend::reductionBuiltins() {
  static constexpr Builtin table[] = {
      {"dot", "input other acc= input_precision= allow_tf32= max_num_imprecise_acc= out_dtype=", dot},
      {"reduce", "input axis combine_fn keep_dims=", reduce},
      {"_reduce_with_indices", "input axis combine_fn keep_dims=", reduceWithIndices},
      {"associative_scan", "input axis combine_fn reverse=", associativeScan},
      {"histogram", "input num_bins mask=", histogram},
  };
  return table;
}
