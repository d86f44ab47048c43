//===- Descriptors.cpp - tensor descriptors: tiles with bounds checks ----------------------===//
//
// A descriptor made in a kernel is a value of the front end only, as a block pointer is: the base pointer, the shape (int32), the
// strides (int64), the tile's shape and the padding. A load or a store makes the tile of pointers and the mask of all dimensions.
//
//===----------------------------------------------------------------------===//
#include "Builtins.h"

#include <cstring>

using namespace triton_metal::frontend;

enum Field { Base, Shape, Strides, BlockShape, Padding };

static const std::vector<Value> &entries(const Value &value, std::vector<Value> &single) {
  if (value.isTuple())
    return value.elements();
  single.assign(1, value);
  return single;
}

/// Integer scalars of a tuple in one type.
static Value scalars(CallArguments &args, const Value &value, const char *name, Scalar type) {
  std::vector<Value> single, converted;
  for (const Value &element : entries(value, single)) {
    Tensor tensor = get(args.sem.toTensor(toOperand(element)));
    if (tensor.isBlock() || !tensor.elem().isInt())
      fail(ErrorKind::Value, std::string("Expected `") + name + "` entries to be scalar integers, got " + valueStr(element));
    converted.push_back(get(args.sem.cast(tensor, {type})));
  }
  return Value::fromTuple(std::move(converted));
}

static Value makeDescriptor(CallArguments &args) {
  Tensor base = args.tensor(0);
  if (!base.elem().isPointer() || base.isBlock())
    fail(ErrorKind::Value, "Expected `base` to be a scalar pointer, got " + valueStr(args[0]));
  std::vector<Value> single;
  Value shape = scalars(args, args[1], "shape", Scalar::Int32);
  size_t rank = shape.elements().size();
  if (rank < 1 || rank > 5)
    fail(ErrorKind::Value, "Expected 1 <= ndim <= 5 but got " + std::to_string(rank) + " dimensions");
  std::vector<Value> given = entries(args[2], single);
  std::vector<int64_t> tile = args.integers(args[3], "block_shape");
  if (given.size() != rank)
    fail(ErrorKind::Value, "Expected " + std::to_string(rank) + " strides but got " + std::to_string(given.size()));
  if (tile.size() != rank)
    fail(ErrorKind::Value, "Expected block_shape to have " + std::to_string(rank) + " dimensions but got " + std::to_string(tile.size()));
  int64_t bytes = base.elem().pointee().bits() / 8;
  if (tile.back() * bytes < 16)
    fail(ErrorKind::Value, "Descriptor block shape must have at least 16 bytes in the last dimension, but got " +
                               std::to_string(tile.back()) + " * " + std::to_string(bytes) + " = " + std::to_string(tile.back() * bytes) +
                               " bytes");
  get(args.sem.checkShape(tile));
  std::optional<Number> last = given.back().isConstant() ? numberOf(given.back().object) : std::nullopt;
  if (!last || last->integer != 1)
    fail(ErrorKind::Value, "Tensor descriptor last dim must be 1 but got " + valueStr(given.back()));
  Value strides = scalars(args, args[2], "strides", Scalar::Int64);
  std::string padding = args.text(4, "zero", "padding_option");
  if (padding != "zero" && padding != "nan")
    fail(ErrorKind::Value, "Padding option " + padding + " not supported");
  if (padding == "nan" && !base.elem().pointee().isFloating())
    fail(ErrorKind::Value, "Padding option `nan` is not supported for integer blocks");
  std::vector<Value> size;
  for (int64_t each : tile)
    size.push_back(Value::fromInt(each));
  return Value::compound(Value::Kind::Descriptor,
                         {base, shape, strides, Value::fromTuple(std::move(size)), Value::constant(nb::str(padding.c_str()))});
}

std::optional<Value> triton_metal::frontend::descriptorPrototype(const std::string &text) {
  const std::string prefix = "tensordesc<";
  size_t open = text.find('['), close = text.find(']');
  if (text.compare(0, prefix.size(), prefix) != 0 || open == std::string::npos || close == std::string::npos || text.back() != '>')
    return std::nullopt;
  std::optional<Type> pointer = typeFromSignature("*" + text.substr(prefix.size(), open - prefix.size()));
  if (!pointer)
    return std::nullopt;
  std::vector<Value> block, shape, strides;
  const char *cursor = text.c_str() + open + 1, *end = text.c_str() + close;
  while (cursor < end) {
    char *after = nullptr;
    long size = std::strtol(cursor, &after, 10);
    if (after == cursor)
      return std::nullopt;
    block.push_back(Value::fromInt(size));
    shape.push_back(Tensor{nullptr, Type::scalar({Scalar::Int32})});
    strides.push_back(Tensor{nullptr, Type::scalar({Scalar::Int64})});
    cursor = after + std::strspn(after, ", ");
  }
  if (block.empty())
    return std::nullopt;
  strides.back() = Value::fromInt(1);
  bool isNan = text.find("nan", close) != std::string::npos;
  return Value::compound(Value::Kind::Descriptor,
                         {Tensor{nullptr, *pointer}, Value::fromTuple(std::move(shape)), Value::fromTuple(std::move(strides)),
                          Value::fromTuple(std::move(block)), Value::constant(nb::str(isNan ? "nan" : "zero"))});
}

static const std::vector<Value> &fieldsOf(const Value &value) {
  if (value.kind != Value::Kind::Descriptor)
    fail(ErrorKind::Type, "expected a tensor descriptor (made by `make_tensor_descriptor`), got " + valueStr(value));
  return value.elements();
}

/// The pointers of a tile, and the mask of what lies inside the tensor.
static std::pair<Tensor, std::optional<Operand>> locate(CallArguments &args, const Value &descriptor, const Value &offsets) {
  const std::vector<Value> &fields = fieldsOf(descriptor);
  std::vector<int64_t> size = args.integers(fields[BlockShape], "block_shape");
  Value converted = scalars(args, offsets, "offsets", Scalar::Int64);
  if (converted.elements().size() != size.size())
    fail(ErrorKind::Value, "expected " + std::to_string(size.size()) + " offsets, but got " + std::to_string(converted.elements().size()));
  return tilePointers(args.sem, {fields[Base].tensor, fields[Shape].elements(), fields[Strides].elements(), converted.elements(), size,
                                 std::vector<bool>(size.size(), true)});
}

/// The same for single rows of a descriptor of tiles [1, columns].
static std::pair<Tensor, std::optional<Operand>> locateRows(CallArguments &args, const Value &descriptor, const Value &rows,
                                                            const Value &column) {
  const std::vector<Value> &fields = fieldsOf(descriptor);
  std::vector<int64_t> size = args.integers(fields[BlockShape], "block_shape");
  if (size.size() != 2 || size[0] != 1)
    fail(ErrorKind::Value, "gather and scatter need a descriptor of blocks [1, columns], got a block shape " + shapeStr(size));
  if (!rows.isTensor() || rows.tensor.type.rank() != 1 || !rows.tensor.elem().isInt())
    fail(ErrorKind::Value, "x_offsets must be a one-dimensional tensor of integers, got " + valueStr(rows));
  size[0] = rows.tensor.type.shape()[0];
  Value columns = scalars(args, column, "y_offset", Scalar::Int64);
  std::vector<Value> offsets{get(args.sem.cast(rows.tensor, {Scalar::Int64})), columns.elements().at(0)};
  return tilePointers(args.sem,
                      {fields[Base].tensor, fields[Shape].elements(), fields[Strides].elements(), offsets, size, {true, true}});
}

static Value loadTile(CallArguments &args, const Value &descriptor, std::pair<Tensor, std::optional<Operand>> tile,
                      const MemoryHints &hints) {
  Elem elem = tile.first.elem().pointee();
  bool isNan = nb::cast<std::string>(descriptor.elements()[Padding].object) == "nan";
  Operand other = !elem.isFloating() ? Number::fromInt(0) : Number::fromFloat(isNan ? __builtin_nan("") : 0.0);
  return get(args.sem.load(tile.first, tile.second, other, hints));
}

static Value load(CallArguments &args) {
  MemoryHints hints{args.text(2, "", "cache_modifier"), args.text(3, "", "eviction_policy"), false, args.memoryLayout(4)};
  return loadTile(args, args[0], locate(args, args[0], args[1]), hints);
}

static Value store(CallArguments &args) {
  MemoryHints hints{"", "", false, args.memoryLayout(3)};
  auto [pointers, mask] = locate(args, args[0], args[1]);
  get(args.sem.store(pointers, args.operand(2), mask, hints));
  return Value::none();
}

static Value gather(CallArguments &args) {
  return loadTile(args, args[0], locateRows(args, args[0], args[1], args[2]), {});
}

static Value scatter(CallArguments &args) {
  auto [pointers, mask] = locateRows(args, args[0], args[2], args[3]);
  get(args.sem.store(pointers, args.operand(1), mask, {}));
  return Value::none();
}

template <AtomicOp op>
static Value atomic(CallArguments &args) {
  auto [pointers, mask] = locate(args, args[0], args[1]);
  Tensor value = get(args.sem.broadcastTo(get(args.sem.toTensor(args.operand(2))), pointers.type.shape()));
  get(args.sem.atomic(op, pointers, value, mask, "relaxed", "gpu"));
  return Value::none();
}

Value triton_metal::frontend::descriptorAttribute(Walker &walker, const Value &descriptor, nb::handle name) {
  const std::vector<Value> &fields = fieldsOf(descriptor);
  std::string text = PyUnicode_AsUTF8(name.ptr());
  Language &lang = walker.language();
  if (text == "shape" || text == "strides" || text == "block_shape")
    return fields[text == "shape" ? Shape : text == "strides" ? Strides : BlockShape];
  if (text == "base")
    return fields[Base];
  if (text == "dtype")
    return Value::constant(lang.dtype(fields[Base].tensor.elem().pointee()));
  if (text == "block_type") {
    std::vector<int64_t> size;
    for (const Value &each : fields[BlockShape].elements())
      size.push_back(nb::cast<int64_t>(each.object));
    return Value::constant(lang.typeObject(Type::block(fields[Base].tensor.elem().pointee(), size)));
  }
  if (text == "load" || text == "store")
    return Value::compound(Value::Kind::Method, {descriptor}, lang.core.attr((text + "_tensor_descriptor").c_str()));
  for (const char *method : {"gather", "scatter", "atomic_add", "atomic_min", "atomic_max", "atomic_and", "atomic_or", "atomic_xor"})
    if (text == method)
      return Value::compound(Value::Kind::Method, {descriptor}, lang.core.attr(("_descriptor_" + text).c_str()));
  fail(ErrorKind::Attribute, "'tensor_descriptor' object has no attribute '" + text + "'");
}

std::span<const Builtin> triton_metal::frontend::descriptorBuiltins() {
  static constexpr Builtin table[] = {
      {"make_tensor_descriptor", "base shape strides block_shape padding_option=", makeDescriptor},
      {"load_tensor_descriptor", "desc offsets cache_modifier= eviction_policy= layout=", load},
      {"store_tensor_descriptor", "desc offsets value layout=", store},
      {"_descriptor_gather", "desc x_offsets y_offset", gather},
      {"_descriptor_scatter", "desc value x_offsets y_offset", scatter},
      {"_descriptor_atomic_add", "desc offsets value", atomic<AtomicOp::Add>},
      {"_descriptor_atomic_min", "desc offsets value", atomic<AtomicOp::Min>},
      {"_descriptor_atomic_max", "desc offsets value", atomic<AtomicOp::Max>},
      {"_descriptor_atomic_and", "desc offsets value", atomic<AtomicOp::And>},
      {"_descriptor_atomic_or", "desc offsets value", atomic<AtomicOp::Or>},
      {"_descriptor_atomic_xor", "desc offsets value", atomic<AtomicOp::Xor>},
  };
  return table;
}
