//===- BlockPointers.cpp - block pointers: a base, a shape, offsets, a tile ---------------===//
//
// A block pointer is a value of the front end only: base, shape, strides and offsets are scalars of 64 bits, the tile's shape and order
// constants. A load or a store makes the tile of pointers and, where a dimension is checked, the mask.
//
//===----------------------------------------------------------------------===//
#include "Builtins.h"

#include <algorithm>

using namespace triton_metal::frontend;

enum Field { Base, Shape, Strides, Offsets, BlockShape, Order };

static Value dynamicTuple(CallArguments &args, const Value &value, const char *name) {
  std::vector<Value> single{value}, converted;
  for (const Value &element : value.isTuple() ? value.elements() : single) {
    Tensor tensor = get(args.sem.toTensor(toOperand(element)));
    if (tensor.isBlock())
      fail(ErrorKind::Value, std::string("Expected `") + name + "` entries to be scalar tensors");
    if (!tensor.elem().isInt())
      fail(ErrorKind::Value, std::string("Expected `") + name + "` entries to be integers");
    converted.push_back(get(args.sem.cast(tensor, {Scalar::Int64})));
  }
  return Value::fromTuple(std::move(converted));
}

static Value makeBlockPointer(CallArguments &args) {
  Tensor base = args.tensor(0);
  if (!base.elem().isPointer() || base.isBlock())
    fail(ErrorKind::Value, "Expected `base` to be a scalar pointer type");
  std::vector<int64_t> tile = args.integers(args[4], "block_shape"), order = args.integers(args[5], "order");
  for (int64_t size : tile)
    if (size <= 0)
      fail(ErrorKind::Value, "Expected `block_shape` to contain only positive integers");
  if (tile.empty())
    fail(ErrorKind::Value, "Expected `make_block_ptr` to describe at least one dimension");
  std::vector<Value> fields{base, dynamicTuple(args, args[1], "shape"), dynamicTuple(args, args[2], "strides"),
                            dynamicTuple(args, args[3], "offsets")};
  std::vector<Value> tileValues, orderValues;
  for (int64_t size : tile)
    tileValues.push_back(Value::fromInt(size));
  for (int64_t dim : order)
    orderValues.push_back(Value::fromInt(dim));
  fields.push_back(Value::fromTuple(std::move(tileValues)));
  fields.push_back(Value::fromTuple(std::move(orderValues)));
  for (auto [field, name] : {std::pair(Shape, "shape"), std::pair(Strides, "strides"), std::pair(Offsets, "offsets"),
                             std::pair(Order, "order")})
    if (fields[field].elements().size() != tile.size())
      fail(ErrorKind::Value, std::string("Expected `shape`, `strides`, `offsets`, `block_shape`, and `order` to have the same length; "
                                         "`") + name + "` has length " + std::to_string(fields[field].elements().size()) +
                                 " but expected " + std::to_string(tile.size()));
  std::sort(order.begin(), order.end());
  for (size_t i = 0; i < order.size(); ++i)
    if (order[i] != int64_t(i))
      fail(ErrorKind::Value, "Expected `order` to be a permutation of 0.." + std::to_string(tile.size() - 1));
  return Value::compound(Value::Kind::BlockPointer, std::move(fields));
}

static Value advance(CallArguments &args) {
  if (args[0].kind != Value::Kind::BlockPointer)
    fail(ErrorKind::Value, "`advance` needs a block pointer (made by `make_block_ptr`), got " + valueStr(args[0]));
  Value deltas = dynamicTuple(args, args[1], "offsets");
  std::vector<Value> fields = args[0].elements();
  const std::vector<Value> &offsets = fields[Offsets].elements();
  if (deltas.elements().size() != offsets.size())
    fail(ErrorKind::Value, "Expected `offsets` to have length " + std::to_string(offsets.size()) + " but received " +
                               std::to_string(deltas.elements().size()));
  std::vector<Value> moved;
  for (size_t i = 0; i < offsets.size(); ++i)
    moved.push_back(get(args.sem.binary(BinaryOp::Add, offsets[i].tensor, deltas.elements()[i].tensor)));
  fields[Offsets] = Value::fromTuple(std::move(moved));
  return Value::compound(Value::Kind::BlockPointer, std::move(fields));
}

std::pair<Tensor, std::optional<Operand>> triton_metal::frontend::tilePointers(Semantics &sem, const Tile &tile) {
  int64_t rank = int64_t(tile.size.size());
  Tensor pointers = tile.base;
  std::optional<Operand> mask;
  for (int64_t dim = 0; dim < rank; ++dim) {
    Tensor coordinate = tile.offsets[dim].tensor;
    if (!coordinate.isBlock())
      coordinate = get(sem.binary(BinaryOp::Add, coordinate, get(sem.arange(0, tile.size[dim]))));
    for (int64_t i = 0; i < rank; ++i)
      if (i != dim)
        coordinate = get(sem.expandDims(coordinate, i < dim ? 0 : coordinate.type.rank()));
    Tensor step = get(sem.binary(BinaryOp::Mul, coordinate, toOperand(tile.strides[dim])));
    pointers = get(sem.binary(BinaryOp::Add, pointers, step));
    if (!tile.checked[dim])
      continue;
    Tensor above = get(sem.compare(CompareOp::Ge, coordinate, Number::fromInt(0)));
    Tensor below = get(sem.compare(CompareOp::Lt, coordinate, tile.shape[dim].tensor));
    Tensor inside = get(sem.binary(BinaryOp::And, above, below));
    mask = mask ? get(sem.binary(BinaryOp::And, *mask, inside)) : inside;
  }
  pointers = get(sem.broadcastTo(pointers, tile.size));
  return {pointers, mask};
}

/// The pointers of a block pointer's tile, and the mask of the checked dimensions.
static std::pair<Tensor, std::optional<Operand>> materialise(CallArguments &args, const Value &pointer, const Value &check) {
  const std::vector<Value> &fields = pointer.elements();
  std::vector<int64_t> size = args.integers(fields[BlockShape], "block_shape");
  int64_t rank = int64_t(size.size());
  std::vector<bool> checked(rank, false);
  if (check.isDefined() && !check.isNone())
    for (int64_t dim : args.integers(check, "boundary_check")) {
      if (dim < 0 || dim >= rank)
        fail(ErrorKind::Value, "Expected `boundary_check` to contain dimensions in [0, " + std::to_string(rank) + ")");
      if (checked[dim])
        fail(ErrorKind::Value, "Duplicate dimension in `boundary_check`");
      checked[dim] = true;
    }
  return tilePointers(args.sem, {fields[Base].tensor, fields[Shape].elements(), fields[Strides].elements(),
                                 fields[Offsets].elements(), size, checked});
}

Value triton_metal::frontend::loadBlockPointer(CallArguments &args) {
  if (args.has(1) || args.has(2))
    fail(ErrorKind::Value, "`mask` and `other` arguments cannot be specified for loading block pointers");
  std::string padding = args.text(4, "", "padding_option");
  MemoryHints hints{args.text(5, "", "cache_modifier"), args.text(6, "", "eviction_policy"), args.flag(7, false), args.memoryLayout(8)};
  auto [pointers, mask] = materialise(args, args[0], args[3]);
  Elem elem = pointers.elem().pointee();
  std::optional<Operand> other;
  if (padding == "zero")
    other = elem.isFloating() ? Number::fromFloat(0) : Number::fromInt(0);
  else if (padding == "nan" && elem.isInt())
    fail(ErrorKind::Value, "Padding option `nan` is not supported for integer block pointers");
  else if (padding == "nan")
    other = Number::fromFloat(__builtin_nan(""));
  else if (!padding.empty())
    fail(ErrorKind::Value, "Padding option " + padding + " not supported");
  return get(args.sem.load(pointers, mask, mask ? other : std::nullopt, hints));
}

Value triton_metal::frontend::storeBlockPointer(CallArguments &args) {
  if (args.has(2))
    fail(ErrorKind::Value, "`mask` argument cannot be specified for storing block pointers");
  MemoryHints hints{args.text(4, "", "cache_modifier"), args.text(5, "", "eviction_policy"), false, args.memoryLayout(6)};
  auto [pointers, mask] = materialise(args, args[0], args[3]);
  get(args.sem.store(pointers, args.operand(1), mask, hints));
  return Value::none();
}

std::span<const Builtin> triton_metal::frontend::blockPointerBuiltins() {
  static constexpr Builtin table[] = {
      {"make_block_ptr", "base shape strides offsets block_shape order", makeBlockPointer},
      {"advance", "base offsets", advance},
  };
  return table;
}
