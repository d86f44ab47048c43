//===- Descriptors.cpp - tensor descriptors: a tensor in memory, and the shape of its tiles -----===//
//
// A descriptor is a value of the front end only: base, shape and strides are scalars of 64 bits, the tile's shape is constant. A
// load or a store at offsets makes the tile of pointers and the mask of what lies inside; outside a load gives zero or NaN.
//
//===----------------------------------------------------------------------===//
#include "Builtins.h"

using namespace triton_metal::frontend;

enum Field { Base, Shape, Strides, BlockShape, Padding };

static Value makeDescriptor(CallArguments &args) {
  Tensor base = args.tensor(0);
  if (!base.elem().isPointer() || base.isBlock())
    fail(ErrorKind::Value, "Expected `base` to be a scalar pointer type");
  std::vector<int64_t> tile = args.integers(args[3], "block_shape");
  if (tile.empty() || tile.size() > 5)
    fail(ErrorKind::Value, "Expected 1 <= ndim <= 5 but got " + std::to_string(tile.size()) + " dimensions");
  std::vector<Value> tileValues;
  for (int64_t size : tile) {
    if (size <= 0)
      fail(ErrorKind::Value, "Expected `block_shape` to contain only positive integers");
    tileValues.push_back(Value::fromInt(size));
  }
  Value shape = dynamicTuple(args, args[1], "shape"), strides = dynamicTuple(args, args[2], "strides");
  for (auto [field, name] : {std::pair(&shape, "shape"), std::pair(&strides, "strides")})
    if (field->elements().size() != tile.size())
      fail(ErrorKind::Value, "Expected " + std::to_string(tile.size()) + " entries in `" + name + "` but got " +
                                 std::to_string(field->elements().size()));
  std::string padding = args.text(4, "zero", "padding_option");
  if (padding != "zero" && padding != "nan")
    fail(ErrorKind::Value, "Padding option " + padding + " not supported");
  if (padding == "nan" && base.elem().pointee().isInt())
    fail(ErrorKind::Value, "Padding option `nan` is not supported for integer blocks");
  return Value::compound(Value::Kind::Descriptor,
                         {base, shape, strides, Value::fromTuple(std::move(tileValues)), Value::fromBool(padding == "nan")});
}

struct Tile {
  Tensor pointers, inside;
};

/// The tile at the offsets of the second argument.
static Tile tileOf(CallArguments &args) {
  if (args[0].kind != Value::Kind::Descriptor)
    fail(ErrorKind::Value, "expected a tensor descriptor (made by `make_tensor_descriptor`), got " + valueStr(args[0]));
  Semantics &sem = args.sem;
  const std::vector<Value> &fields = args[0].elements();
  std::vector<int64_t> tile = args.integers(fields[BlockShape], "block_shape");
  Value offsets = dynamicTuple(args, args[1], "offsets");
  int64_t rank = int64_t(tile.size());
  if (int64_t(offsets.elements().size()) != rank)
    fail(ErrorKind::Value, "expected " + std::to_string(rank) + " offsets, but got " + std::to_string(offsets.elements().size()));
  Tensor pointers = fields[Base].tensor;
  std::optional<Tensor> mask;
  for (int64_t dim = 0; dim < rank; ++dim) {
    Tensor coordinate = get(sem.binary(BinaryOp::Add, offsets.elements()[dim].tensor, get(sem.arange(0, tile[dim]))));
    for (int64_t i = 0; i < rank; ++i)
      if (i != dim)
        coordinate = get(sem.expandDims(coordinate, i < dim ? 0 : coordinate.type.rank()));
    Tensor step = get(sem.binary(BinaryOp::Mul, coordinate, fields[Strides].elements()[dim].tensor));
    pointers = get(sem.binary(BinaryOp::Add, pointers, step));
    Tensor above = get(sem.compare(CompareOp::Ge, coordinate, Number::fromInt(0)));
    Tensor below = get(sem.compare(CompareOp::Lt, coordinate, fields[Shape].elements()[dim].tensor));
    Tensor inside = get(sem.binary(BinaryOp::And, above, below));
    mask = mask ? get(sem.binary(BinaryOp::And, *mask, inside)) : inside;
  }
  return {get(sem.broadcastTo(pointers, tile)), get(sem.broadcastTo(*mask, tile))};
}

static Value loadDescriptor(CallArguments &args) {
  Tile tile = tileOf(args);
  bool isNaN = args[0].elements()[Padding].object.is(nb::bool_(true));
  Elem elem = tile.pointers.elem().pointee();
  Operand other = isNaN              ? Number::fromFloat(__builtin_nan(""))
                  : elem.isFloating() ? Number::fromFloat(0)
                                      : Number::fromInt(0);
  return get(args.sem.load(tile.pointers, Operand(tile.inside), other, MemoryHints{}));
}

static Value storeDescriptor(CallArguments &args) {
  Tile tile = tileOf(args);
  get(args.sem.store(tile.pointers, args.operand(2), Operand(tile.inside), MemoryHints{}));
  return Value::none();
}

std::span<const Builtin> triton_metal::frontend::descriptorBuiltins() {
  static constexpr Builtin table[] = {
      {"make_tensor_descriptor", "base shape strides block_shape padding_option=", makeDescriptor},
      {"load_tensor_descriptor", "desc offsets", loadDescriptor},
      {"store_tensor_descriptor", "desc offsets value", storeDescriptor},
  };
  return table;
}
