//===- Specialization.h - what of an argument makes another kernel ----------------===//
//
// Each argument of a launch becomes one 64-bit word, its ArgKey: the words of all arguments, the options and the device are the key
// of the dispatch cache. A word can be turned back into the spelling of the type and the attributes that the front end needs.
// Rules: type; divisibility by 16 of integers and addresses; integers equal to 1 are constants.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace triton_metal {

enum class DType : uint8_t {
  I1, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, F8E4NV, F8E5, F8E4B8, F8E5B16, F8E4B15,
};

/// Bits of one element.
unsigned bitWidth(DType type);
/// "fp32", "u8"; a boolean is "u1" as a scalar and "i1" behind a pointer.
std::string_view scalarName(DType type);
std::string_view pointeeName(DType type);
/// The type that a name of the front end's signatures means: "i32", "fp16", "bf16", "u1", "i1", "fp8e5", ...
std::optional<DType> dtypeNamed(std::string_view name);
/// From DLPack's code and bits; nothing for complex, vector and sub-byte types.
std::optional<DType> dtypeFromDLPack(uint8_t code, uint8_t bits);
/// From the type number of a NumPy descriptor.
std::optional<DType> dtypeFromNumPy(int typeNumber);
bool isFloat(DType type);
bool isSignedInteger(DType type);

/// One argument's word.
///   bits 0..3 class, 4..11 type, 12 divisible by 16, 13 pointer to constant memory, 14 pointer to memory that another argument points
///   to as well, 16.. payload of constants
class ArgKey {
public:
  enum class Class : uint8_t { InlineConstant, InternedConstant, Pointer, Scalar, Compound };

  static constexpr int64_t kInlineMin = -(int64_t(1) << 47), kInlineMax = (int64_t(1) << 47) - 1;

  constexpr ArgKey() = default;
  /// An integer constant in [kInlineMin, kInlineMax].
  static constexpr ArgKey inlineConstant(int64_t value) { return ArgKey(uint64_t(value) << 16 | uint64_t(Class::InlineConstant)); }
  /// Another constant, by its number in the table of constants.
  static constexpr ArgKey interned(uint64_t id) { return ArgKey(id << 16 | uint64_t(Class::InternedConstant)); }
  static constexpr ArgKey pointer(DType pointee, bool divisible, bool constant) {
    return ArgKey(uint64_t(Class::Pointer) | uint64_t(pointee) << 4 | uint64_t(divisible) << 12 | uint64_t(constant) << 13);
  }
  static constexpr ArgKey scalar(DType type, bool divisible) {
    return ArgKey(uint64_t(Class::Scalar) | uint64_t(type) << 4 | uint64_t(divisible) << 12);
  }

  /// A tuple or a tensor descriptor; what it holds has words of its own.
  static constexpr ArgKey compound() { return ArgKey(uint64_t(Class::Compound)); }

  /// The word of a run-time integer without annotation: 1 is a constant where `specialize`.
  static constexpr ArgKey integer(int64_t value, bool specialize, bool specializeAlignment) {
    if (specialize && value == 1)
      return inlineConstant(1);
    DType type = value >= INT32_MIN && value <= INT32_MAX ? DType::I32 : DType::I64;
    return scalar(type, specialize && specializeAlignment && value % 16 == 0);
  }

  constexpr uint64_t word() const { return bits; }
  static constexpr ArgKey fromWord(uint64_t word) { return ArgKey(word); }
  constexpr Class kind() const { return Class(bits & 15); }
  constexpr bool isConstant() const { return kind() == Class::InlineConstant || kind() == Class::InternedConstant; }
  constexpr DType type() const { return DType(bits >> 4 & 255); }
  constexpr bool isDivisible() const { return !isConstant() && (bits >> 12 & 1); }
  constexpr bool isConstPointer() const { return kind() == Class::Pointer && (bits >> 13 & 1); }
  constexpr bool overlaps() const { return kind() == Class::Pointer && (bits >> 14 & 1); }
  constexpr ArgKey overlapping() const { return ArgKey(bits | uint64_t(1) << 14); }
  constexpr int64_t inlineValue() const { return int64_t(bits) >> 16; }
  constexpr uint64_t internedId() const { return bits >> 16; }

  constexpr bool isCompound() const { return kind() == Class::Compound; }

  /// "*fp32", "*kfp16", "i32", "constexpr"; empty for a compound.
  std::string spelling() const;

  constexpr bool operator==(const ArgKey &) const = default;

private:
  constexpr explicit ArgKey(uint64_t bits) : bits(bits) {}
  uint64_t bits = 0;
};

} // namespace triton_metal
