//===- Builtins.h - the language's functions: a table from name to handler ---------------===//
//
// One file a family has its handlers and its table. A handler gets its arguments bound to the parameters of the table's entry, and
// asks Semantics for the operations.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "../Walker.h"

#include <span>

namespace triton_metal::frontend {

class CallArguments {
public:
  CallArguments(Walker &walker, Node *node, std::vector<Value> values)
      : walker(walker), sem(walker.semantics()), lang(walker.language()), node(node), values(std::move(values)) {}

  Walker &walker;
  Semantics &sem;
  Language &lang;
  Node *node;

  const Value &operator[](size_t index) const { return values[index]; }
  /// Whether an argument was given, and is not None.
  bool has(size_t index) const { return values[index].isDefined() && !values[index].isNone(); }
  Operand operand(size_t index) const { return toOperand(values[index]); }
  std::optional<Operand> optionalOperand(size_t index) const {
    return has(index) ? std::optional<Operand>(operand(index)) : std::nullopt;
  }
  /// A tensor, or a number made into one.
  Tensor tensor(size_t index) const { return get(sem.toTensor(operand(index))); }
  int64_t integer(size_t index, const char *what) const { return integerOf(values[index], what); }
  int64_t integerOf(const Value &value, const char *what) const;
  bool flag(size_t index, bool otherwise) const;
  std::string text(size_t index, const char *otherwise, const char *what) const;
  /// The name of the memory layout that was given as a member of MemoryLayout or by name; empty for None.
  std::string memoryLayout(size_t index) const;
  Elem elem(size_t index, const char *what) const;
  /// Integers of a tuple, or of one number.
  std::vector<int64_t> integers(const Value &value, const char *what) const;
  /// The same for `*shape`: one tuple, or several numbers.
  std::vector<int64_t> variadicIntegers(size_t index, const char *what) const;
  /// An axis within a rank; negative ones count from the end.
  int64_t axis(const Value &value, int64_t rank) const;
  /// A tensor, or the tensors of a tuple.
  std::vector<Tensor> tensors(const Value &value) const;

private:
  std::vector<Value> values;
};

struct Builtin {
  const char *name;
  /// Parameters in order, separated by spaces: `x` is required, `x=` optional, `*x` takes the rest, `,` begins those by keyword only.
  const char *parameters;
  Value (*handler)(CallArguments &);
};

/// The tables of the families.
std::span<const Builtin> creationBuiltins();
std::span<const Builtin> shapeBuiltins();
std::span<const Builtin> mathBuiltins();
std::span<const Builtin> memoryBuiltins();
std::span<const Builtin> reductionBuiltins();
std::span<const Builtin> debugBuiltins();
std::span<const Builtin> blockPointerBuiltins();
std::span<const Builtin> descriptorBuiltins();
std::span<const Builtin> elementwiseBuiltins();
std::span<const Builtin> sharedMemoryBuiltins();

/// A block pointer's loads and stores, for tl.load and tl.store (Builtins/BlockPointers.cpp).
Value loadBlockPointer(CallArguments &args);
Value storeBlockPointer(CallArguments &args);

/// A tile of memory: where it begins, in elements, in a tensor of this shape, and which dimensions are checked against it.
struct Tile {
  Tensor base;
  const std::vector<Value> &shape, &strides, &offsets;
  std::vector<int64_t> size;
  std::vector<bool> checked;
};
/// The pointers of a tile, and the mask of the checked dimensions. An offset may also be a one-dimensional tensor, of as many
/// coordinates as the tile is long there.
std::pair<Tensor, std::optional<Operand>> tilePointers(Semantics &sem, const Tile &tile);
/// An attribute or a method of a tensor descriptor (Builtins/Descriptors.cpp).
Value descriptorAttribute(Walker &walker, const Value &descriptor, nb::handle name);
/// An attribute or a method of a shared array, and the pointers that an index into it selects: one value, or one a dimension
/// (Builtins/SharedMemory.cpp). `mask` as Semantics::sharedPointer has it.
Value sharedAttribute(Walker &walker, const Value &array, nb::handle name);
Tensor sharedPlace(Semantics &sem, const Value &array, const std::vector<Value> &index, std::optional<Tensor> *mask = nullptr);
/// A descriptor that is an argument, from its entry in the signature, `tensordesc<fp32[8, 16]>` or `tensordesc<fp32[8, 16], nan>`: its
/// tensors have types and no handles. Nothing for other text.
std::optional<Value> descriptorPrototype(const std::string &text);

/// The entry of a function object of the language, with its parameters read; null for other objects.
struct BoundBuiltin {
  const Builtin *entry;
  std::vector<std::string> names;
  std::vector<bool> required;
  size_t positional = 0; ///< parameters that may be given by position
  int rest = -1;         ///< the one that takes what is left over
};
const BoundBuiltin *findBuiltin(nb::handle function);
std::vector<Value> bindBuiltin(const BoundBuiltin &builtin, std::vector<Value> arguments,
                               std::vector<std::pair<std::string, Value>> keywords);

} // namespace triton_metal::frontend
