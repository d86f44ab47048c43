//===- Dialect.h - the msl dialect: one lane's program in terms of Metal ---------===//
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "triton_metal/Dialect/MSL/IR/MSLDialect.h.inc"
#include "triton_metal/Dialect/MSL/IR/MSLEnums.h.inc"
#define GET_TYPEDEF_CLASSES
#include "triton_metal/Dialect/MSL/IR/MSLTypes.h.inc"

namespace triton_metal::msl {
/// Pointer to what an index selects in a local array or vector; null if `pointer` is none of these.
mlir::Type elementPointerOf(mlir::Type pointer);
/// Pointer to the two elements that a lane holds of a local matrix; null if `pointer` is none.
mlir::Type fragmentPointerOf(mlir::Type pointer);
} // namespace triton_metal::msl

#define GET_OP_CLASSES
#include "triton_metal/Dialect/MSL/IR/MSLOps.h.inc"

namespace triton_metal::msl {

/// Attribute of an argument of a kernel, of a variable and of a named value: the identifier in the text.
inline constexpr llvm::StringLiteral kNameAttr = "msl.name";
/// Shape and element type of a threadgroup array in the source, for facts.
inline constexpr llvm::StringLiteral kSourceTypeAttr = "msl.source_type";
/// Attribute of a named integer and of an argument that is declared as signed in the text, because most of its readers read a sign.
inline constexpr llvm::StringLiteral kSignedAttr = "msl.signed";
/// Attribute of a conversion of a float to an integer: the float is one that the integer's type holds, so nothing saturates.
inline constexpr llvm::StringLiteral kExactAttr = "msl.exact";
/// Attributes of a kernel that prints or asserts: the bytes of its sites (Runtime/Site.h), by number, and the records that a program
/// appends where each loop runs once. The last argument of such a kernel is the log that takes them.
inline constexpr llvm::StringLiteral kSitesAttr = "msl.sites", kRecordsAttr = "msl.records";

/// Bytes of a number, vector or pointer in memory; i1 takes one byte.
unsigned byteSize(mlir::Type type);

} // namespace triton_metal::msl
