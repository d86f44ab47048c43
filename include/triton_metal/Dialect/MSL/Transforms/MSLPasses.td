//===- MSLPasses.td - passes on msl -----------------------------------------------===//
#ifndef TRITON_METAL_MSL_PASSES_TD
#define TRITON_METAL_MSL_PASSES_TD

include "mlir/Pass/PassBase.td"

def HoistInvariants : Pass<"msl-hoist-invariants", "::triton_metal::msl::KernelOp"> {
  let summary = "What a loop of the source does not change stands before it";
}

def LegalizeFloats : Pass<"msl-legalize-floats", "::triton_metal::msl::KernelOp"> {
  let summary = "Floating-point operations that Metal defines as Triton does";
  let description = [{
    - half to bfloat and back, 64-bit integers to half and integers to bfloat go through float: Metal's direct conversions round
      otherwise, and clang has none between the 16-bit types;
    - bfloat arithmetic and functions are done in float and rounded after each operation: there are no bfloat functions, and before
      Apple9 no bfloat arithmetic;
    - conversions to integers saturate by a function of the prelude, because C++ leaves what does not fit undefined;
    - minimum and maximum say what a NaN gives: `metal::fmin` drops it, a function of the prelude keeps it.
  }];
  let dependentDialects = ["::triton_metal::msl::MSLDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def LegalizeIntegers : Pass<"msl-legalize-integers", "::triton_metal::msl::KernelOp"> {
  let summary = "Integer operations whose result Metal defines";
  let description = [{
    Division and remainder with an unknown divisor become functions of the prelude that guard zero and the overflow of the smallest
    number; a shift by an unknown amount gives 0 (or the sign) when the amount is not less than the width; arithmetic on i1 becomes
    logic.
  }];
  let dependentDialects = ["::triton_metal::msl::MSLDialect", "::mlir::arith::ArithDialect"];
}

def LegalizeSimd : Pass<"msl-legalize-simd", "::triton_metal::msl::KernelOp"> {
  let summary = "SIMD functions on types that Metal has them for";
  let description = [{
    Metal has no SIMD functions for bool, bfloat and 64-bit integers: they travel as `uint`, as the bits of a `ushort`, and as two
    words. Reductions of them are not legalised but refused by `msl-verify-printable`.
  }];
  let dependentDialects = ["::triton_metal::msl::MSLDialect", "::mlir::arith::ArithDialect"];
}

def FormStatements : Pass<"msl-form-statements", "::triton_metal::msl::KernelOp"> {
  let summary = "Which values become variables, and what everything is called";
  let description = [{
    A value that is used once, and whose evaluation may move to its use, stays part of an expression; every other value gets
    `msl.name`, which the printer turns into a variable. Names come from the Python source (`NameLoc`), avoid Metal's reserved words
    and macros, and are unique in the kernel.
  }];
  let dependentDialects = ["::triton_metal::msl::MSLDialect"];
}

def VerifyPrintable : Pass<"msl-verify-printable", "::triton_metal::msl::KernelOp"> {
  let summary = "Refuses what has no defined text";
  let description = [{
    Checks that every operation and type of a kernel has a spelling in Metal whose meaning is that of the operation, that limits hold
    (1024 threads, 32768 bytes of threadgroup memory) and that everything that needs a name has one.
  }];
}

def PrintText : Pass<"msl-print-text", "::mlir::ModuleOp"> {
  let summary = "Prints the kernel of the module as Metal Shading Language on standard output";
  let options = [
    Option<"facts", "facts", "bool", "false", "print the KernelFacts and the line map after the text">,
  ];
}

#endif
