//===- Spelling.h - types and literals in Metal -----------------------------------===//
#pragma once
#include "triton_metal/Dialect/MSL/IR/Dialect.h"

#include <string>

namespace triton_metal::msl {

/// Name of a number, vector, pointer or matrix type; integers are unsigned, i1 is bool.
std::string spellType(mlir::Type type);
/// Name of an address space.
llvm::StringRef spellSpace(AddressSpace space);
/// Name of the signed integer type of the width of `type`.
llvm::StringRef spellSigned(mlir::Type type);
/// Declaration of a variable, with array bounds after the name; an integer may be signed.
std::string spellDeclaration(mlir::Type type, llvm::StringRef name, bool isSigned = false);
/// A constant of the type that `spellType` gives.
std::string spellLiteral(mlir::TypedAttr value);
/// An integer constant as a signed literal, for operands that are read as signed.
std::string spellSignedLiteral(const llvm::APInt &value);

} // namespace triton_metal::msl
