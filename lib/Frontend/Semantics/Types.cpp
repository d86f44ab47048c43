//===- Types.cpp - names, widths and interning of the language's types ------------===//
#include "triton_metal/Frontend/Types.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include <map>
#include <mutex>
#include <vector>

using namespace triton_metal::frontend;

namespace {
struct ScalarInfo {
  const char *name, *longName, *mangled;
  unsigned bits;
};
} // namespace

static const ScalarInfo kInfo[kNumScalars] = {
    {"void", "void", "V", 0},
    {"int1", "int1", "u1", 1},
    {"int8", "int8", "i8", 8},
    {"int16", "int16", "i16", 16},
    {"int32", "int32", "i32", 32},
    {"int64", "int64", "i64", 64},
    {"uint8", "uint8", "u8", 8},
    {"uint16", "uint16", "u16", 16},
    {"uint32", "uint32", "u32", 32},
    {"uint64", "uint64", "u64", 64},
    {"fp8e5", "float8e5", "fp8e5", 8},
    {"fp8e5b16", "float8e5b16", "fp8e5b16", 8},
    {"fp8e4nv", "float8e4nv", "fp8e4nv", 8},
    {"fp8e4b8", "float8e4b8", "fp8e4b8", 8},
    {"fp8e4b15", "float8e4b15", "fp8e4b15", 8},
    {"fp16", "float16", "fp16", 16},
    {"bf16", "bfloat16", "bf16", 16},
    {"fp32", "float32", "fp32", 32},
    {"fp64", "float64", "fp64", 64},
};

unsigned Elem::bits() const { return pointers ? 64 : kInfo[unsigned(base)].bits; }

std::string Elem::str() const {
  std::string text = kInfo[unsigned(base)].name;
  for (unsigned i = 0; i < pointers; ++i)
    text = (i + 1 < pointers ? "pointer<" : isConst ? "const_pointer<" : isShared ? "shared_pointer<" : "pointer<") + text + ">";
  return text;
}

std::string Elem::repr() const {
  return pointers ? str() : std::string("triton.language.") + kInfo[unsigned(base)].longName;
}

std::string Elem::mangle() const { return std::string(isShared ? "S" : "") + std::string(pointers, 'P') + kInfo[unsigned(base)].mangled; }

//===----------------------------------------------------------------------===//
// Type
//===----------------------------------------------------------------------===//

struct Type::Data {
  Elem elem;
  llvm::SmallVector<int64_t, 4> shape;
  int64_t numElements;
};

Type Type::block(Elem elem, llvm::ArrayRef<int64_t> shape) {
  using Key = std::pair<uint32_t, std::vector<int64_t>>;
  static std::mutex mutex;
  static std::map<Key, Data *> table;
  Key key{uint32_t(elem.base) | uint32_t(elem.pointers) << 8 | uint32_t(elem.isConst) << 16 | uint32_t(elem.isShared) << 17, shape.vec()};
  std::lock_guard<std::mutex> lock(mutex);
  Data *&data = table[key];
  if (!data) {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    data = new Data{elem, llvm::SmallVector<int64_t, 4>(shape), count};
  }
  return Type(data);
}

Type Type::scalar(Elem elem) { return block(elem, {}); }
Elem Type::elem() const { return data->elem; }
llvm::ArrayRef<int64_t> Type::shape() const { return data->shape; }
int64_t Type::numElements() const { return data->numElements; }

std::string triton_metal::frontend::shapeStr(llvm::ArrayRef<int64_t> shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::string Type::str() const {
  if (!isBlock())
    return elem().str();
  std::string text = "<[";
  for (size_t i = 0; i < shape().size(); ++i)
    text += (i ? ", '" : "'") + std::to_string(shape()[i]) + "'";
  return text + "], " + elem().str() + ">";
}

std::string Type::valueStr() const {
  std::string text = elem().str() + "[";
  for (size_t i = 0; i < shape().size(); ++i)
    text += (i ? ", constexpr[" : "constexpr[") + std::to_string(shape()[i]) + "]";
  return text + "]";
}

std::string Type::mangle() const {
  if (!isBlock())
    return elem().mangle();
  std::string text = elem().mangle() + "S";
  for (size_t i = 0; i < shape().size(); ++i)
    text += (i ? "_" : "") + std::to_string(shape()[i]);
  return text + "S";
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

llvm::StringRef triton_metal::frontend::scalarName(Scalar scalar) { return kInfo[unsigned(scalar)].name; }

std::optional<Scalar> triton_metal::frontend::scalarFromName(llvm::StringRef name) {
  for (unsigned i = 0; i < kNumScalars; ++i)
    if (name == kInfo[i].name || name == kInfo[i].longName || name == kInfo[i].mangled)
      return Scalar(i);
  return llvm::StringSwitch<std::optional<Scalar>>(name)
      .Case("i1", Scalar::Int1)
      .Case("B", Scalar::Int1)
      .Default(std::nullopt);
}

std::optional<Type> triton_metal::frontend::typeFromSignature(llvm::StringRef text) {
  unsigned pointers = 0;
  bool isConst = false;
  while (text.consume_front("*")) {
    ++pointers;
    isConst |= text.consume_front("k");
  }
  std::optional<Scalar> scalar = scalarFromName(text);
  if (!scalar || pointers > 200)
    return std::nullopt;
  return Type::scalar(Elem{*scalar, uint8_t(pointers), isConst});
}

std::optional<Scalar> triton_metal::frontend::intScalar(unsigned bits, bool isSigned) {
  switch (bits) {
  case 1: return Scalar::Int1;
  case 8: return isSigned ? Scalar::Int8 : Scalar::UInt8;
  case 16: return isSigned ? Scalar::Int16 : Scalar::UInt16;
  case 32: return isSigned ? Scalar::Int32 : Scalar::UInt32;
  case 64: return isSigned ? Scalar::Int64 : Scalar::UInt64;
  default: return std::nullopt;
  }
}

__int128 triton_metal::frontend::minValue(Elem elem) {
  return elem.isSigned() ? -(__int128(1) << (elem.bits() - 1)) : __int128(0);
}

__int128 triton_metal::frontend::maxValue(Elem elem) {
  return (__int128(1) << (elem.isSigned() ? elem.bits() - 1 : elem.bits())) - 1;
}
