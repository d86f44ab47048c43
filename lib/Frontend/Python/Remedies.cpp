//===- Remedies.cpp - what to do about an error of the language -----------------------===//
//
// Messages keep upstream's wording, which users know and search for; what to write instead follows in a line of its own.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"

/// What several messages have in common.
static constexpr const char *kElements =
    "read its elements first, as s[index]; s.ptr(index) is the pointer for tl.load, tl.store and atomics";
static constexpr const char *kOffsets = "only integers are added to a pointer; they count elements";

/// A part of a message, and what to do about it. The first that occurs counts, so the special come before the general.
static constexpr std::pair<std::string_view, const char *> remedies[] = {
    // Sizes
    {"range must be a power of 2", "use the next power of two (triton.next_power_of_2 on the host) and mask the elements beyond the end"},
    {"arange's arguments must be of type tl.constexpr",
     "annotate the size as tl.constexpr and pass an int; a size that is known only at run time goes into a mask"},
    {"end argument must be greater than the start", "call arange(start, end) with start < end"},
    {"arange must fit in int32", "begin at 0, cast the result with .to(tl.int64) and add the offset"},
    {"exceeds triton maximum tensor numel", "use smaller blocks, and a loop or more programs"},
    {"must be a power of 2", "use the next power of two and mask the elements beyond the end"},
    // Shared memory
    {"an augmented assignment reads and writes elements of a shared",
     "write x = s[i], tl.barrier(), s[i] = x + y; or s.atomic_add(i, y), which adds up equal indices too"},
    {"and tensors have sizes that are powers of two", "slice a power of two, or index with tl.arange and give a mask"},
    {"tl.shared_memory: the size", "annotate it as tl.constexpr and pass an int, or write the number"},
    {"is out of range for dimension", "indices run from 0 up to the size, or from -1 downwards to count from the end"},
    {"sizes are positive", "leave dimensions of size 0 out, or do not make the array where nothing goes into it"},
    {"needs a shape of at least one dimension", "give the number of elements, as in tl.shared_memory((N,), tl.float32)"},
    {"must be known at compile time; add a number to tl.arange", "write s[start + tl.arange(0, N)], with a mask where it may end early"},
    {"cannot convert a shared array", kElements},
    {"'shared array (", kElements},
    {"implemented on type shared array", kElements},
    {"of a shared array do not take a", "give both the same shape: reshape the value, as y.reshape(B), or index with dimensions of size 1"},
    {"one element of a shared array does not take", "index with as many elements, as s[0:N] or s[tl.arange(0, N)]"},
    {"of type <class 'tuple'> to tensor", "take an element of the tuple first, as t[0]"},
    {"is empty", "choose bounds that select at least one element"},
    {"is too large; all arrays of a kernel have", "use a smaller array, or a smaller dtype"},
    {"a shared array has no attribute", "read elements with s[index]; a tensor has the other methods"},
    {"needs indices, and after them", "pass one index for each dimension, then what is to be stored"},
    {"indices for a shared array", "give at most one index for each dimension"},
    {"indices are integers", "convert it with .to(tl.int32)"},
    {"tl.shared_memory holds numbers", "use a dtype as tl.float32 or tl.int32; addresses stay in registers"},
    {"dtype of tl.shared_memory", "use a dtype of the language, as tl.float32, or x_ptr.dtype.element_ty"},
    {"a pointer into a shared array is no address", "load the element and store that; a shared array is passed by its own name"},
    {"which the element of a shared array cannot be", "store a number or a tensor of numbers"},
    // Syntax
    {"`else` after", "put these statements after the loop"},
    {"starred assignment", "name every element, or index the tuple"},
    {"Cannot have `return` statements inside", "use `while` with the condition, or put the rest of the body under `if`"},
    {"__setitem__ is not supported", "make the new value with tl.where, or store it through a pointer"},
    {"Attribute assignment is not supported", "use a variable, or tl.aggregate_replace for a field of an aggregate"},
    {"for **", "write x * x, or tl.exp2(y * tl.log2(x))"},
    {"comparison operator 'In'", "compare with each element: n == 1 or n == 2"},
    {"comparison operator 'NotIn'", "compare with each element: n != 1 and n != 2"},
    {"binary operator 'MatMult'", "use tl.dot"},
    {"needs a value that is known at compile time",
     "functions of Python and NumPy run while the kernel is compiled; use the function of triton.language, as tl.sqrt for np.sqrt"},
    // Types
    {"invalid operands of type pointer", kOffsets},
    {"invalid operands of type shared_pointer", kOffsets},
    {"invalid operands of type", "cast to an integer type with .to(tl.int32), or keep the bits with .to(tl.int32, bitcast=True)"},
    {"wrong type argument to unary invert",
     "cast to an integer type with .to(tl.int32), or keep the bits with .to(tl.int32, bitcast=True)"},
    {"Unsupported ptr type", "pass a pointer: an array that the kernel got as an argument, plus offsets"},
    {"Expected dtype ['fp32'", "cast with .to(tl.float32) first"},
    {"Loop-carried variable", "begin with the type that the loop makes, as 0.0 instead of 0, or cast in the loop with .to(...)"},
    {"Mismatched type for", "cast one of them with .to(...), or give both the same shape"},
    {"Boolean value of Tensor", "choose element by element with tl.where, or reduce the condition to one value with tl.max"},
    {"Both operands must be same dtype", "cast one operand with .to(...)"},
    {"Unsupported lhs dtype", "tl.dot takes blocks of int8, fp8, fp16, bf16, fp32 and fp64"},
    {"Unsupported rhs dtype", "tl.dot takes blocks of int8, fp8, fp16, bf16, fp32 and fp64"},
    // Shapes
    {"Cannot make_shape_compatible", "give both the same shape, or dimensions of size 1, as x[:, None] makes them"},
    {"are not compatible for matmul", "the inner sizes must agree: tl.trans swaps the dimensions of an operand"},
    {"reshape() cannot change", "choose a shape with as many elements"},
    {"Cannot broadcast, the expanded size", "only dimensions of size 1 are repeated: add one with x[:, None]"},
    {"cannot be block type if pointer", "make a pointer for each element, as x_ptr + tl.arange(0, BLOCK)"},
    {"invalid axis", "axes count from 0, or from the end with negative numbers"},
    // Names and calls
    {"is not defined", "define it before it is used, or import it at module level"},
    {"() missing", "help() of the function, as help(tl.load), lists its parameters"},
    {"() got an unexpected keyword", "help() of the function, as help(tl.load), lists its parameters"},
    {"missing a required argument", "pass it where the function is called, or give the parameter a default"},
    {"too many positional arguments", "pass as many arguments as the function has parameters"},
};

/// Whether a message names pointers into shared arrays and others as well.
static bool mixesMemories(std::string_view message) {
  static constexpr std::string_view pointer = "pointer<", shared = "shared_";
  bool isAmong[2] = {};
  for (size_t at = message.find(pointer); at != std::string_view::npos; at = message.find(pointer, at + 1))
    isAmong[message.substr(0, at).ends_with(shared)] = true;
  return isAmong[0] && isAmong[1];
}

const char *triton_metal::frontend::remedyFor(std::string_view message) {
  if (mixesMemories(message))
    return "pointers into shared arrays and into device memory do not mix: load from both and choose among the values, as "
           "tl.where(cond, s[i], tl.load(p + i))";
  for (auto [part, remedy] : remedies)
    if (message.find(part) != std::string_view::npos)
      return remedy;
  return nullptr;
}

/// What other languages for GPUs call things that have a name of their own here.
static constexpr std::pair<std::string_view, const char *> foreignNames[] = {
    {"syncthreads", "barrier"},   {"syncwarp", "barrier"},       {"sync", "barrier"},        {"threadgroup_barrier", "barrier"},
    {"simdgroup_barrier", "barrier"}, {"shared", "shared_memory"}, {"threadgroup", "shared_memory"},
    {"local_array", "shared_memory"}, {"smem", "shared_memory"},
};

std::string triton_metal::frontend::unknownName(const std::string &path, nb::handle module, nb::handle name) {
  std::string text = nb::cast<std::string>(name);
  nb::list known;
  for (nb::handle each : nb::object(nb::hasattr(module, "__all__") ? module.attr("__all__") : module.attr("__dict__")))
    if (nb::isinstance<nb::str>(each) && !nb::cast<std::string>(each).starts_with("_") && !PyModule_Check(nb::getattr(module, each).ptr()))
      known.append(each);
  nb::list near;
  for (auto [foreign, own] : foreignNames)
    if (foreign == text && nb::hasattr(module, own))
      near.append(own);
  if (!nb::len(near))
    near = nb::list(nb::module_::import_("difflib").attr("get_close_matches")(name, known));
  std::string message = nb::cast<std::string>(module.attr("__name__")) + " has no attribute '" + text + "'";
  for (size_t i = 0; i < nb::len(near); ++i)
    message += (i ? " or " : "; did you mean ") + path + "." + nb::cast<std::string>(near[i]);
  return message + (nb::len(near) ? "?" : "");
}
