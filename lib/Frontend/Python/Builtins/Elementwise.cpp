//===- Elementwise.cpp - tl.map_elementwise ---------------------------------------------------===//
//
// A function of scalars applied to each element. What it does element by element it does on whole tensors too, so it is called once
// with the tensors; a branch on their values has no such meaning and is refused. With `pack`, neighbours along the last dimension are
// taken apart first and put together again afterwards.
//
//===----------------------------------------------------------------------===//
#include "Builtins.h"

using namespace triton_metal::frontend;

/// The `pack` neighbours of each group along the last dimension, as tensors that are shorter by that factor.
static std::vector<Tensor> takeApart(Semantics &sem, Tensor value, int64_t pack) {
  if (pack == 1)
    return {value};
  std::vector<int64_t> shape(value.type.shape());
  shape.back() /= 2;
  shape.push_back(2);
  auto [even, odd] = get(sem.split(get(sem.reshape(value, shape, false))));
  std::vector<Tensor> evens = takeApart(sem, even, pack / 2), odds = takeApart(sem, odd, pack / 2), all;
  for (size_t i = 0; i < evens.size(); ++i) {
    all.push_back(evens[i]);
    all.push_back(odds[i]);
  }
  return all;
}

static Tensor putTogether(Semantics &sem, const std::vector<Tensor> &parts) {
  if (parts.size() == 1)
    return parts[0];
  std::vector<Tensor> evens, odds;
  for (size_t i = 0; i < parts.size(); ++i)
    (i % 2 ? odds : evens).push_back(parts[i]);
  Tensor even = putTogether(sem, evens), odd = putTogether(sem, odds);
  std::vector<int64_t> shape(even.type.shape());
  shape.back() *= 2;
  return get(sem.reshape(get(sem.join(even, odd)), shape, false));
}

static Value mapElementwise(CallArguments &args) {
  if (!args[0].isConstant() || !args.lang.isJit(args[0].object))
    fail(ErrorKind::Type, "map_elementwise needs a function decorated with @triton.jit, got " + valueStr(args[0]));
  int64_t pack = args[2].isDefined() ? args.integer(2, "pack") : 1;
  if (pack < 1 || (pack & (pack - 1)))
    fail(ErrorKind::Value, "pack must be a power of two, got " + std::to_string(pack));
  std::vector<Tensor> inputs = args.tensors(args[1]);
  if (inputs.empty())
    fail(ErrorKind::Value, "map_elementwise needs at least one input");
  // One shape for all: that of their sum, if they could be added.
  std::vector<int64_t> shape;
  for (const Tensor &input : inputs) {
    std::vector<int64_t> other(input.type.shape());
    size_t rank = std::max(shape.size(), other.size());
    shape.insert(shape.begin(), rank - shape.size(), 1);
    other.insert(other.begin(), rank - other.size(), 1);
    for (size_t i = 0; i < rank; ++i) {
      if (shape[i] != 1 && other[i] != 1 && shape[i] != other[i])
        fail(ErrorKind::Value, "map_elementwise: incompatible dimensions " + std::to_string(shape[i]) + " and " + std::to_string(other[i]));
      shape[i] = std::max(shape[i], other[i]);
    }
  }
  if (pack > 1 && (shape.empty() || shape.back() % pack))
    fail(ErrorKind::Value, "map_elementwise: the last dimension must be divisible by pack, " + std::to_string(pack));
  std::vector<Value> arguments;
  for (Tensor input : inputs) {
    if (!shape.empty()) {
      for (int64_t rank = input.type.rank(); rank && rank < int64_t(shape.size()); ++rank)
        input = get(args.sem.expandDims(input, 0));
      input = get(args.sem.broadcastTo(input, shape));
    }
    for (const Tensor &part : takeApart(args.sem, input, pack))
      arguments.push_back(part);
  }
  Value result = args.walker.callMapped(args[0].object, arguments);
  std::vector<Value> single{result};
  const std::vector<Value> &parts = result.isTuple() ? result.elements() : single;
  if (parts.size() % pack)
    fail(ErrorKind::Value, "map_elementwise: the function returns " + std::to_string(parts.size()) + " values, not a multiple of pack, " +
                               std::to_string(pack));
  std::vector<Value> outputs;
  std::vector<int64_t> partShape(shape);
  if (pack > 1)
    partShape.back() /= pack;
  for (size_t i = 0; i < parts.size(); i += pack) {
    std::vector<Tensor> group;
    for (int64_t j = 0; j < pack; ++j) {
      Tensor part = get(args.sem.toTensor(toOperand(parts[i + j])));
      group.push_back(part.type.shape() == llvm::ArrayRef<int64_t>(partShape) ? part : get(args.sem.broadcastTo(part, partShape)));
    }
    outputs.push_back(putTogether(args.sem, group));
  }
  return outputs.size() == 1 ? outputs[0] : Value::fromTuple(std::move(outputs));
}

Value Walker::callMapped(nb::handle function, const std::vector<Value> &arguments) {
  ++mapped;
  Value result = callJit(function, arguments); // after an error the walker is done with, so the count needs no repair
  --mapped;
  return result;
}

std::span<const Builtin> triton_metal::frontend::elementwiseBuiltins() {
  static constexpr Builtin table[] = {{"map_elementwise", "scalar_fn *args pack=", mapElementwise}};
  return table;
}
