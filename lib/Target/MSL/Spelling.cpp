//===- Spelling.cpp - types and literals in Metal ---------------------------------===//
#include "Spelling.h"

using namespace mlir;
using namespace triton_metal::msl;

StringRef triton_metal::msl::spellSpace(AddressSpace space) {
  switch (space) {
  case AddressSpace::Thread:
    return "thread";
  case AddressSpace::Device:
    return "device";
  case AddressSpace::Constant:
    return "constant";
  case AddressSpace::Threadgroup:
    return "threadgroup";
  }
  llvm_unreachable("address space");
}

static StringRef spellScalar(Type type) {
  if (type.isF32())
    return "float";
  if (type.isF16())
    return "half";
  if (type.isBF16())
    return "bfloat";
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return "bool";
  case 8:
    return "uchar";
  case 16:
    return "ushort";
  case 32:
    return "uint";
  case 64:
    return "ulong";
  }
  llvm_unreachable("a type that msl-verify-printable refuses");
}

StringRef triton_metal::msl::spellSigned(Type type) {
  switch (type.getIntOrFloatBitWidth()) {
  case 8:
    return "char";
  case 16:
    return "short";
  case 32:
    return "int";
  case 64:
    return "long";
  }
  llvm_unreachable("a type that msl-verify-printable refuses");
}

std::string triton_metal::msl::spellType(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return (spellScalar(vector.getElementType()) + Twine(vector.getNumElements())).str();
  if (auto pointer = dyn_cast<triton_metal::msl::PointerType>(type)) {
    std::string pointee = spellType(pointer.getPointee());
    if (isa<triton_metal::msl::PointerType>(pointer.getPointee())) // the space belongs to the outer pointer
      return (pointee + " " + spellSpace(pointer.getSpace()) + "*").str();
    return (spellSpace(pointer.getSpace()) + " " + pointee + "*").str();
  }
  if (auto matrix = dyn_cast<MatrixType>(type))
    return ("metal::simdgroup_matrix<" + spellScalar(matrix.getElement()) + ", 8, 8>").str();
  return spellScalar(type).str();
}

std::string triton_metal::msl::spellDeclaration(Type type, StringRef name, bool isSigned) {
  if (isSigned)
    return (spellSigned(type) + " " + name).str();
  std::string bounds;
  while (auto array = dyn_cast<ArrayType>(type)) {
    bounds += ("[" + Twine(array.getSize()) + "]").str();
    type = array.getElement();
  }
  return (spellType(type) + " " + name + bounds).str();
}

/// The shortest decimal that reads back as `value`, with a point or an exponent.
static std::string shortest(const APFloat &value) {
  SmallString<32> text;
  value.toString(text, /*FormatPrecision=*/0, /*FormatMaxPadding=*/6);
  if (text.str().find_first_of(".E") == StringRef::npos)
    text += ".0";
  return text.str().lower();
}

static std::string spellFloat(const APFloat &value, Type type) {
  std::string text;
  if (value.isNaN()) {
    text = "NAN";
  } else if (value.isInfinity()) {
    text = value.isNegative() ? "-INFINITY" : "INFINITY";
  } else {
    // A literal of a 16-bit type would be rounded twice; its value is exact in float.
    APFloat wide = value;
    bool lost;
    wide.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
    text = shortest(wide) + "f";
  }
  return type.isF32() ? text : (spellScalar(type) + "(" + text + ")").str();
}

std::string triton_metal::msl::spellSignedLiteral(const APInt &value) {
  std::string suffix = value.getBitWidth() == 64 ? "l" : "";
  if (value.isMinSignedValue() && value.getBitWidth() >= 32) // `-` on a literal that does not fit would change its type
    return "(" + llvm::toString(value + 1, 10, /*Signed=*/true) + suffix + " - 1" + suffix + ")";
  return llvm::toString(value, 10, /*Signed=*/true) + suffix;
}

std::string triton_metal::msl::spellLiteral(TypedAttr value) {
  Type type = value.getType();
  if (auto number = dyn_cast<FloatAttr>(value))
    return spellFloat(number.getValue(), type);
  APInt integer = cast<IntegerAttr>(value).getValue();
  if (integer.getBitWidth() == 1)
    return integer.isZero() ? "false" : "true";
  bool small = integer.isNegative() && integer.sgt(-65536) && integer.getBitWidth() >= 32;
  if (small) // reads better than 4294967295u
    return (spellScalar(type) + "(" + spellSignedLiteral(integer) + ")").str();
  std::string digits = llvm::toString(integer, 10, /*Signed=*/false);
  if (integer.getBitWidth() < 32)
    return (spellScalar(type) + "(" + digits + ")").str();
  return digits + (integer.getBitWidth() == 64 ? "ul" : "u");
}
