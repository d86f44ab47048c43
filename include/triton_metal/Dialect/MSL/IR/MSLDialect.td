//===- MSLDialect.td - the msl dialect ------------------------------------------===//
#ifndef TRITON_METAL_MSL_DIALECT_TD
#define TRITON_METAL_MSL_DIALECT_TD

include "mlir/IR/OpBase.td"

def MSLDialect : Dialect {
  let name = "msl";
  let cppNamespace = "::triton_metal::msl";
  let summary = "one lane's program in terms of Metal";
  let description = [{
    A kernel is a list of statements of one lane: address spaces, builtin ids, local variables, structured control flow, SIMD and
    matrix operations. Scalars are those of `arith` and `math`; a signless integer is Metal's unsigned type of that width, so that
    addition, subtraction and multiplication wrap, and operations that read a sign say so (`arith.cmpi slt` is printed as
    `int(a) < int(b)`). Tensors do not exist: the registers of a lane are local arrays, walked by short loops.

    `msl-verify-printable` says whether a module may be printed; whatever Metal leaves undefined was replaced before that.
  }];
  let useDefaultTypePrinterParser = 1;
}

#endif
