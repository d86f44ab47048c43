//===- Types.h - types of the language: scalars, pointers, blocks ------------------===//
//
// What a value of a kernel is, as the language sees it. MLIR's integers have no sign; the language's do, so promotion, division,
// comparison and casts are decided on these types and not on those of the IR. A Type is interned: copying is copying a pointer and
// equality is equality of pointers.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>

namespace triton_metal::frontend {

enum class Scalar : uint8_t {
  Void, Int1, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64,
  FP8E5, FP8E5B16, FP8E4NV, FP8E4B8, FP8E4B15, FP16, BF16, FP32, FP64
};
inline constexpr unsigned kNumScalars = unsigned(Scalar::FP64) + 1;

/// Kinds in the order in which a number may enter a tensor's type: bool < int < float.
enum class Kind : uint8_t { Boolean, Integral, Floating };

/// What a block holds: a number, or a pointer to one (or a pointer to pointers).
struct Elem {
  Scalar base = Scalar::Void;
  uint8_t pointers = 0; ///< how often to follow it until `base` is reached
  bool isConst = false; ///< nothing may be stored through it
  bool isShared = false; ///< a pointer into a shared array (tl.shared_memory)

  bool operator==(const Elem &) const = default;
  bool isPointer() const { return pointers != 0; }
  bool isVoid() const { return !pointers && base == Scalar::Void; }
  bool isBool() const { return !pointers && base == Scalar::Int1; }
  bool isSigned() const { return !pointers && base >= Scalar::Int8 && base <= Scalar::Int64; }
  bool isUnsigned() const { return isBool() || (!pointers && base >= Scalar::UInt8 && base <= Scalar::UInt64); }
  bool isInt() const { return !pointers && base >= Scalar::Int1 && base <= Scalar::UInt64; }
  bool isFloating() const { return !pointers && base >= Scalar::FP8E5; }
  bool isFP8() const { return !pointers && base >= Scalar::FP8E5 && base <= Scalar::FP8E4B15; }
  bool isStandardFloating() const { return !pointers && base >= Scalar::FP16; }
  bool is(Scalar scalar) const { return !pointers && base == scalar; }
  Kind kind() const { return isBool() ? Kind::Boolean : isInt() ? Kind::Integral : Kind::Floating; }
  unsigned bits() const; ///< 64 for pointers
  Elem pointee() const { return {base, uint8_t(pointers - 1)}; }
  Elem pointer(bool toShared = false) const { return {base, uint8_t(pointers + 1), false, toShared}; }
  std::string str() const;    ///< as str() of the dtype: `fp32`, `pointer<fp32>`
  std::string repr() const;   ///< as repr() of the dtype: `triton.language.float32`
  std::string mangle() const; ///< as in names of functions: `fp32`, `Pi32`
};

/// A scalar, or a block of a static shape. Interned for the life of the process.
class Type {
public:
  Type() = default;
  static Type scalar(Elem elem);
  static Type scalar(Scalar base) { return scalar(Elem{base}); }
  static Type block(Elem elem, llvm::ArrayRef<int64_t> shape); ///< an empty shape gives a scalar

  explicit operator bool() const { return data; }
  bool operator==(const Type &) const = default;
  Elem elem() const;
  bool isBlock() const { return !shape().empty(); }
  llvm::ArrayRef<int64_t> shape() const;
  int64_t rank() const { return int64_t(shape().size()); }
  int64_t numElements() const;
  Type withElem(Elem elem) const { return block(elem, shape()); }
  std::string str() const;      ///< `fp32`, `<['16', '32'], fp32>`
  std::string valueStr() const; ///< as str() of a tensor: `fp32[constexpr[16], constexpr[32]]`
  std::string mangle() const;
  const void *key() const { return data; }

private:
  struct Data;
  explicit Type(const Data *data) : data(data) {}
  const Data *data = nullptr;
};

/// `(16, 32)`, as shapes stand in messages.
std::string shapeStr(llvm::ArrayRef<int64_t> shape);
/// The scalar of a name such as `fp32`, `i32`, `u1`; short and long spellings.
std::optional<Scalar> scalarFromName(llvm::StringRef name);
llvm::StringRef scalarName(Scalar scalar);
/// The type of a signature entry: `*fp32`, `*ki8`, `i32`; nothing for anything else.
std::optional<Type> typeFromSignature(llvm::StringRef text);
/// The integer of a width and sign; nothing for other widths.
std::optional<Scalar> intScalar(unsigned bits, bool isSigned);
/// The least and greatest value of an integer type.
__int128 minValue(Elem elem);
__int128 maxValue(Elem elem);

} // namespace triton_metal::frontend
