//===- Functions.h - the table of AIR functions --------------------------------------------------------------------------===//
//
// AIR is undocumented and versioned: the same name has had two types. So a function is known by its name *and* its type, and
// whatever the table (Functions.def) does not list is refused by name.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace llvm {
class FunctionType;
class LLVMContext;
class Type;
} // namespace llvm

namespace softmetal {

/// What a call may do to anything but its result.
enum class Effect : uint8_t { Pure, Memory, Collective, Barrier };

/// How a call is lowered. The detail of a table row says which intrinsic, library function or collective.
enum class Operation : uint8_t {
  Intrinsic,      ///< LLVM intrinsic on floats; half and bfloat go through float
  Library,        ///< function of the C library on floats, element by element
  IntegerMinMax, Clamp, Abs, AbsDiff, MulHigh, Saturating, BitCount, Rotate,
  ReciprocalSqrt, Sign, Fract, Saturate, ScaleByPower, SinCos, ScaledTrig, Classify,
  Convert, Dot,
  Collective, CollectiveImmediate, CollectiveFill, CollectivePredicate, Ballot,
  ThreadgroupBarrier, SimdgroupBarrier, Fence,
  MatrixMultiply, MatrixFill, MatrixLoad26, MatrixStore26, MatrixLoad28, MatrixStore28,
  AtomicUpdate, AtomicLoad, AtomicStore, AtomicExchange, AtomicCompareExchange, CoherentLoad, CoherentStore, ElementInWord,
  SimdgroupSize, LaneIndex, IsUniform, NormalizePredicate, TensorFunction,
};

/// A type as names spell it: s.i32, f16, v4f32, p1f32.
struct NamedType {
  char sign = 0;           ///< 's', 'u', 'f' or 0 where the name gives none
  unsigned lanes = 1;
  enum Kind : uint8_t { Half, Float, BFloat, Integer, Pointer } kind = Float;
  unsigned bits = 0;       ///< of an integer
  unsigned addressSpace = 0;
  bool isFloat() const { return kind <= BFloat; }
  bool isSigned() const { return sign != 'u'; }
  llvm::Type *type(llvm::LLVMContext &context) const;
};

struct AirFunction {
  Operation operation;
  Effect effect;
  unsigned detail = 0;                         ///< an intrinsic, a Collective or an operation's own number
  const char *library = nullptr;               ///< Operation::Library: the function's name
  llvm::SmallVector<NamedType, 4> types;       ///< the types in the name, in order
};

/// Whether `name` belongs to AIR and so must be in the table.
bool isAirName(llvm::StringRef name);

/// Looks `name` up. False and a sentence in `error` if the name, or its type, is unknown.
bool resolveAirFunction(llvm::StringRef name, llvm::FunctionType *type, AirFunction &result, std::string &error);

} // namespace softmetal
