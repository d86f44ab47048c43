// Metal's attributes in clang's AST.
//
// Contract: an attribute of Attributes.def that stands where it may becomes an AnnotateAttr "msl.NAME" with the attribute's argument (so
// that templates instantiate it); the table of kernels reads and drops them before code is generated.
#ifndef SOFTMETAL_COMPILE_ATTRIBUTES_H
#define SOFTMETAL_COMPILE_ATTRIBUTES_H

#include "llvm/ADT/StringRef.h"

namespace clang {
class AnnotateAttr;
class Decl;
} // namespace clang

namespace softmetal {

// The annotation of attribute `name` on `decl`, or null.
const clang::AnnotateAttr *findAttribute(const clang::Decl *decl, llvm::StringRef name);
void dropAttributes(clang::Decl *decl);

// Metal's threadgroup and constant variables in function scope are static; clang is told so by an attribute that covers the whole text.
inline constexpr llvm::StringLiteral LocalsPragmaPush =
    "#pragma clang attribute push(__attribute__((msl_locals)), apply_to = variable(is_local))\n";
inline constexpr llvm::StringLiteral LocalsPragmaPop = "\n#pragma clang attribute pop\n";

} // namespace softmetal

#endif
