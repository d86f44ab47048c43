//===- Specialization.cpp - names and sources of element types --------------------===//
#include "triton_metal/Launch/Specialization.h"

#include <array>

namespace triton_metal {

namespace {

struct TypeRow {
  DType type;
  std::string_view name; // as a scalar
  uint8_t bits;
};

constexpr std::array<TypeRow, 18> kTypes{{
    {DType::I1, "u1", 8},         {DType::I8, "i8", 8},           {DType::I16, "i16", 16},      {DType::I32, "i32", 32},
    {DType::I64, "i64", 64},      {DType::U8, "u8", 8},           {DType::U16, "u16", 16},      {DType::U32, "u32", 32},
    {DType::U64, "u64", 64},      {DType::F16, "fp16", 16},       {DType::BF16, "bf16", 16},    {DType::F32, "fp32", 32},
    {DType::F64, "fp64", 64},     {DType::F8E4NV, "fp8e4nv", 8},  {DType::F8E5, "fp8e5", 8},    {DType::F8E4B8, "fp8e4b8", 8},
    {DType::F8E5B16, "fp8e5b16", 8}, {DType::F8E4B15, "fp8e4b15", 8},
}};

constexpr bool inOrder() {
  for (size_t i = 0; i < kTypes.size(); ++i)
    if (size_t(kTypes[i].type) != i)
      return false;
  return true;
}
static_assert(inOrder(), "the table is indexed by DType");

} // namespace

unsigned bitWidth(DType type) { return kTypes[size_t(type)].bits; }
std::string_view scalarName(DType type) { return kTypes[size_t(type)].name; }
std::string_view pointeeName(DType type) { return type == DType::I1 ? "i1" : scalarName(type); }

std::optional<DType> dtypeNamed(std::string_view name) {
  if (name == "i1")
    return DType::I1;
  for (const TypeRow &row : kTypes)
    if (row.name == name)
      return row.type;
  return std::nullopt;
}

std::optional<DType> dtypeFromDLPack(uint8_t code, uint8_t bits) {
  enum { Int = 0, UInt = 1, Float = 2, BFloat = 4, Bool = 6, E4M3FN = 10, E4M3FNUZ = 11, E5M2 = 12, E5M2FNUZ = 13 };
  switch (code) {
  case Int:
    return bits == 8    ? std::optional(DType::I8)
           : bits == 16 ? std::optional(DType::I16)
           : bits == 32 ? std::optional(DType::I32)
           : bits == 64 ? std::optional(DType::I64)
                        : std::nullopt;
  case UInt:
    return bits == 8    ? std::optional(DType::U8)
           : bits == 16 ? std::optional(DType::U16)
           : bits == 32 ? std::optional(DType::U32)
           : bits == 64 ? std::optional(DType::U64)
                        : std::nullopt;
  case Float:
    return bits == 16   ? std::optional(DType::F16)
           : bits == 32 ? std::optional(DType::F32)
           : bits == 64 ? std::optional(DType::F64)
                        : std::nullopt;
  case BFloat:
    return bits == 16 ? std::optional(DType::BF16) : std::nullopt;
  case Bool:
    return bits == 8 ? std::optional(DType::I1) : std::nullopt;
  case E4M3FN:
    return DType::F8E4NV;
  case E4M3FNUZ:
    return DType::F8E4B8;
  case E5M2:
    return DType::F8E5;
  case E5M2FNUZ:
    return DType::F8E5B16;
  default:
    return std::nullopt;
  }
}

std::optional<DType> dtypeFromNumPy(int typeNumber) {
  constexpr bool longIs64 = sizeof(long) == 8;
  switch (typeNumber) {
  case 0:
    return DType::I1;
  case 1:
    return DType::I8;
  case 2:
    return DType::U8;
  case 3:
    return DType::I16;
  case 4:
    return DType::U16;
  case 5:
    return DType::I32;
  case 6:
    return DType::U32;
  case 7:
    return longIs64 ? DType::I64 : DType::I32;
  case 8:
    return longIs64 ? DType::U64 : DType::U32;
  case 9:
    return DType::I64;
  case 10:
    return DType::U64;
  case 11:
    return DType::F32;
  case 12:
    return DType::F64;
  case 23:
    return DType::F16;
  default:
    return std::nullopt;
  }
}

bool isFloat(DType type) { return type >= DType::F16; }
bool isSignedInteger(DType type) { return type >= DType::I8 && type <= DType::I64; }

std::string ArgKey::spelling() const {
  switch (kind()) {
  case Class::InlineConstant:
  case Class::InternedConstant:
    return "constexpr";
  case Class::Pointer:
    return (isConstPointer() ? "*k" : "*") + std::string(pointeeName(type()));
  case Class::Scalar:
    return std::string(scalarName(type()));
  case Class::Compound:
    return {};
  }
  return {};
}

} // namespace triton_metal
