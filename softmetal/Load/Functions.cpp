//===- Functions.cpp - matching of names and types against the table -----------------------------------------------------===//
#include "softmetal/Load/Functions.h"
#include "softmetal/Abi.h"
#include "softmetal/Load/Atomics.h"
#include "llvm/ADT/FloatingPointMode.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace softmetal {
namespace {

struct Row {
  StringRef pattern, signature;
  char constraint;
  Effect effect;
  Operation operation;
  unsigned detail;
  const char *library;
};

const Row rows[] = {
#define AIR(pattern, signature, constraint, effect, operation, detail)                                                           \
  {pattern, signature, constraint, Effect::effect, Operation::operation, unsigned(detail), nullptr},
#define AIR_LIBRARY(pattern, signature, constraint, function)                                                                    \
  {pattern, signature, constraint, Effect::Pure, Operation::Library, 0, function},
#include "softmetal/Load/Functions.def"
};

/// The functions of tensor operations: linked as they are, so any type is one that the runtime's C functions know by name.
constexpr StringLiteral tensorPrefix = "__tensorops_impl_matmul2d_op_";
constexpr StringLiteral tensorFunctions[] = {
    "cooperative_tensor_data_size",  "cooperative_tensor_init",       "cooperative_tensor_get_element_pointer",
    "cooperative_tensor_num_elements", "run_cooperative_f32_f32_f32", "run_cooperative_f32_f16_f32",
    "run_cooperative_f32_b16_f32",   "run_cooperative_f16_f32_f32",   "run_cooperative_f16_f16_f32",
    "run_cooperative_f16_b16_f32",   "run_cooperative_b16_f32_f32",   "run_cooperative_b16_f16_f32",
    "run_cooperative_b16_b16_f32"};

/// Rows by the first word of their pattern.
const StringMap<SmallVector<const Row *, 2>> &index() {
  static const StringMap<SmallVector<const Row *, 2>> map = [] {
    StringMap<SmallVector<const Row *, 2>> m;
    for (const Row &row : rows)
      m[row.pattern.split('.').first].push_back(&row);
    return m;
  }();
  return map;
}

bool parseScalar(StringRef word, NamedType &type) {
  if (word == "f16")
    type.kind = NamedType::Half;
  else if (word == "f32")
    type.kind = NamedType::Float;
  else if (word == "bf16")
    type.kind = NamedType::BFloat;
  else if (word.consume_front("i") && !word.getAsInteger(10, type.bits) &&
           (type.bits == 1 || (isPowerOf2_32(type.bits) && type.bits >= 8 && type.bits <= 64)))
    type.kind = NamedType::Integer;
  else
    return false;
  return true;
}

/// Reads one type from the front of `words`.
bool parseType(ArrayRef<StringRef> &words, NamedType &type) {
  if (words.empty())
    return false;
  if (words.size() > 1 && words[0].size() == 1 && StringRef("suf").contains(words[0][0])) {
    type.sign = words[0][0];
    words = words.drop_front();
  }
  StringRef word = words[0];
  words = words.drop_front();
  if (word.consume_front("p")) {
    type.kind = NamedType::Pointer;
    NamedType element;
    return !word.consumeInteger(10, type.addressSpace) && parseScalar(word, element);
  }
  if (word.consume_front("v"))
    if (word.consumeInteger(10, type.lanes) || (type.lanes != 64 && (type.lanes < 2 || type.lanes > 4)))
      return false;
  return parseScalar(word, type);
}

struct Binding {
  char letter;
  NamedType type;
};

bool matchName(const Row &row, StringRef name, SmallVectorImpl<Binding> &bindings) {
  SmallVector<StringRef, 8> pattern, words;
  row.pattern.split(pattern, '.');
  name.split(words, '.');
  ArrayRef<StringRef> rest = words;
  for (StringRef part : pattern) {
    if (part.size() == 1 && isUpper(part[0])) {
      NamedType type;
      if (!parseType(rest, type))
        return false;
      bindings.push_back({part[0], type});
    } else {
      if (rest.empty() || rest[0] != part)
        return false;
      rest = rest.drop_front();
    }
  }
  if (!rest.empty())
    return false;
  if (bindings.empty())
    return true;
  const NamedType &first = bindings[0].type;
  bool isInt = first.kind == NamedType::Integer;
  switch (row.constraint) {
  case 'f': return first.isFloat();
  case 'i': return isInt;
  case 'n': return first.isFloat() || isInt;
  default: return true;
  }
}

/// Whether the LLVM type `type` is what the signature's word says.
bool matchWord(StringRef word, Type *type, ArrayRef<Binding> bindings) {
  LLVMContext &context = type->getContext();
  if (word.size() == 1 && isUpper(word[0])) {
    if (word == "E") // the element of the first type
      return type == bindings[0].type.type(context)->getScalarType();
    if (word == "X") // a truth value for each lane of the first type
      return type->getScalarType()->isIntegerTy() &&
             type->isVectorTy() == bindings[0].type.type(context)->isVectorTy();
    for (const Binding &binding : bindings)
      if (binding.letter == word[0])
        return type == binding.type.type(context);
    return false;
  }
  if (word == "void")
    return type->isVoidTy();
  unsigned number = 0;
  if (word == "v2i64")
    return type == FixedVectorType::get(Type::getInt64Ty(context), 2);
  if (word.consume_front("p") && !word.getAsInteger(10, number))
    return type->isPointerTy() && type->getPointerAddressSpace() == number;
  return word.consume_front("i") && !word.getAsInteger(10, number) && type->isIntegerTy(number);
}

bool matchSignature(StringRef signature, FunctionType *type, ArrayRef<Binding> bindings) {
  auto [result, parameters] = signature.split('(');
  parameters.consume_back(")");
  SmallVector<StringRef, 8> words;
  parameters.split(words, ',', -1, /*KeepEmpty=*/false);
  if (type->isVarArg() || type->getNumParams() != words.size() || !matchWord(result, type->getReturnType(), bindings))
    return false;
  for (unsigned i = 0; i < words.size(); ++i)
    if (!matchWord(words[i], type->getParamType(i), bindings))
      return false;
  return true;
}

} // namespace

Type *NamedType::type(LLVMContext &context) const {
  Type *scalar = nullptr;
  switch (kind) {
  case Half: scalar = Type::getHalfTy(context); break;
  case Float: scalar = Type::getFloatTy(context); break;
  case BFloat: scalar = Type::getBFloatTy(context); break;
  case Integer: scalar = Type::getIntNTy(context, bits); break;
  case Pointer: return PointerType::get(context, addressSpace);
  }
  return lanes == 1 ? scalar : FixedVectorType::get(scalar, lanes);
}

bool isAirName(StringRef name) { return name.starts_with("air.") || name.starts_with("__tensorops_impl"); }

bool resolveAirFunction(StringRef name, FunctionType *type, AirFunction &result, std::string &error) {
  if (name.starts_with(tensorPrefix)) {
    result.operation = Operation::TensorFunction;
    result.effect = Effect::Collective;
    if (is_contained(tensorFunctions, name.substr(tensorPrefix.size())))
      return true;
  }
  bool known = false;
  StringRef rest = name;
  if (rest.consume_front("air.")) {
    auto it = index().find(rest.split('.').first);
    if (it != index().end())
      for (const Row *row : it->second) {
        SmallVector<Binding, 4> bindings;
        if (!matchName(*row, rest, bindings))
          continue;
        known = true;
        if (!matchSignature(row->signature, type, bindings))
          continue;
        result.operation = row->operation;
        result.effect = row->effect;
        result.detail = row->detail;
        result.library = row->library;
        result.types.clear();
        for (const Binding &binding : bindings)
          result.types.push_back(binding.type);
        return true;
      }
  }
  raw_string_ostream out(error);
  if (known)
    out << "the AIR function " << name << " has the type " << *type << ", which is not the one it is known by";
  else
    out << "the AIR function " << name << " is unknown (type " << *type << ")";
  return false;
}

} // namespace softmetal
