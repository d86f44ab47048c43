//===- Shapes.cpp - broadcasting, reshaping, permuting, joining --------------------------===//
#include "Builtins.h"

#include <algorithm>

using namespace triton_metal::frontend;

static Value broadcast(CallArguments &args) {
  Tensor a = args.tensor(0), b = args.tensor(1);
  get(args.sem.broadcastTogether(a, b));
  return Value::fromTuple({a, b});
}

static Value broadcastTo(CallArguments &args) {
  return get(args.sem.broadcastTo(args.tensor(0), args.variadicIntegers(1, "a shape element")));
}

static Value reshape(CallArguments &args) {
  return get(args.sem.reshape(args.tensor(0), args.variadicIntegers(1, "a shape element"), args.flag(2, false)));
}

static Value view(CallArguments &args) {
  args.walker.warn("view is deprecated, please use reshape with can_reorder being true.");
  return get(args.sem.reshape(args.tensor(0), args.variadicIntegers(1, "a shape element"), /*mayReorder=*/true));
}

static Value item(CallArguments &args) { return get(args.sem.unsplat(args.tensor(0))); }

/// `[0, 1]`.
static std::string listStr(const std::vector<int64_t> &values) {
  std::string text;
  for (int64_t value : values)
    text += (text.empty() ? "[" : ", ") + std::to_string(value);
  return text + "]";
}

static Value expandDims(CallArguments &args) {
  Tensor value = args.tensor(0);
  std::vector<int64_t> axes = args.integers(args[1], "axis");
  int64_t rank = value.type.rank() + int64_t(axes.size());
  for (int64_t &axis : axes)
    axis = args.axis(Value::fromInt(axis), rank);
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
    fail(ErrorKind::Value, "expand_dims received duplicate axes, normalized axes = " + listStr(axes));
  for (int64_t axis : axes)
    value = get(args.sem.expandDims(value, axis));
  return value;
}

static Value permute(CallArguments &args) {
  return get(args.sem.permute(args.tensor(0), args.variadicIntegers(1, "a dimension")));
}

static Value trans(CallArguments &args) {
  Tensor value = args.tensor(0);
  if (!args[1].elements().empty())
    return permute(args);
  int64_t rank = value.type.rank();
  if (rank < 2)
    fail(ErrorKind::Value, "tl.trans invoked with a 0- or 1-dimensional tensor");
  std::vector<int64_t> order;
  for (int64_t dim = 0; dim < rank; ++dim)
    order.push_back(dim);
  std::swap(order[rank - 1], order[rank - 2]);
  return get(args.sem.permute(value, order));
}

static Value join(CallArguments &args) { return get(args.sem.join(args.tensor(0), args.tensor(1))); }

static Value split(CallArguments &args) {
  auto [left, right] = get(args.sem.split(args.tensor(0)));
  return Value::fromTuple({left, right});
}

static Value cat(CallArguments &args) {
  // `can_reorder` allows any order, and exact order is one.
  return get(args.sem.cat(args.tensor(0), args.tensor(1), args[3].isDefined() ? args.integer(3, "dim") : 0));
}

static Value gather(CallArguments &args) {
  return get(args.sem.gather(args.tensor(0), args.tensor(1), args.integer(2, "axis")));
}

std::span<const Builtin> triton_metal::frontend::shapeBuiltins() {
  static constexpr Builtin table[] = {
      {"broadcast", "input other", broadcast},
      {"broadcast_to", "input *shape", broadcastTo},
      {"reshape", "input *shape can_reorder=", reshape},
      {"view", "input *shape", view},
      {"item", "input", item},
      {"expand_dims", "input axis", expandDims},
      {"permute", "input *dims", permute},
      {"trans", "input *dims", trans},
      {"join", "a b", join},
      {"split", "a", split},
      {"cat", "input other can_reorder= dim=", cat},
      {"gather", "src index axis", gather},
  };
  return table;
}
