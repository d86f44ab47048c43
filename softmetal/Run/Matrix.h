//===- Matrix.h - matrix operations of a SIMD-group ----------------------------------------------------------------------===//
#pragma once

#include "softmetal/Run/Machine.h"

namespace softmetal {

/// C += A B on 8x8 fragments in the lanes that take part; k in order, in fp32, fused where the host can.
void multiplyMatrices(Lane **lanes, uint32_t mask);

/// Metal 4's cooperative matmul2d, with the lane map of the M5 (register bits: column 1, column 2, row 8; lane bits: column 4, row 1,
/// row 2, column 8, row 4), in fragments of 16x16.
void multiplyTensors(Lane **lanes, uint32_t mask);

/// The tensor functions that a module links to, by the name after the common prefix; null if there is none.
void *tensorFunction(const char *name);

} // namespace softmetal
