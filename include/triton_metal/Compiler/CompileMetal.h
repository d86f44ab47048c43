//===- CompileMetal.h - a tt module as Metal Shading Language, without MLIR in sight ---===//
#pragma once
#include "triton_metal/Compiler/Compiler.h"
#include "triton_metal/Target/MSL/KernelFacts.h"

namespace triton_metal {

struct MetalOptions : CommonOptions {
  unsigned numWarps = 4;         ///< SIMD-groups of a threadgroup
  std::string chip = "apple-m1"; ///< profile, see Support/Chips.h
  bool fpFusion = true;          ///< a * b + c may be rounded once
};

/// What one SIMD-group holds of the result of a dot that uses matrix fragments.
struct DotShape {
  unsigned rows, columns;
  unsigned operandBits; ///< of the wider operand
};

struct MetalCode {
  KernelSignature signature;
  std::string ttir, ttm;   ///< the module as it came, and with its tensors distributed
  std::vector<DotShape> dots; ///< of the dots on matrix fragments, each shape once
  std::vector<Remark> hints;  ///< layout hints that could not be followed, and why
  msl::KernelText kernel;  ///< text, entry, origins of lines, language version, facts
};

/// Runs the Metal pipeline on a copy of the module and prints the kernel.
Result<MetalCode> compileForMetal(const Module &module, const MetalOptions &options);

} // namespace triton_metal
