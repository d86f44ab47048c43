//===- Passes.h - from tt to the LLVM dialect for the CPU -------------------------===//
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace triton_metal::cpu {

/// Attribute of a kernel's function: bytes of 64-byte-aligned scratch that it needs, i64.
inline constexpr llvm::StringLiteral kArenaBytes = "triton_metal.arena_bytes";
/// Attribute of a kernel's pointer parameters whose memory others with the attribute may share. Memory of the rest is apart.
inline constexpr llvm::StringLiteral kOverlaps = "ttm.overlaps";

#define GEN_PASS_DECL
#include "triton_metal/Conversion/TritonToCPU/TritonToCPUPasses.h.inc"
#define GEN_PASS_REGISTRATION
#include "triton_metal/Conversion/TritonToCPU/TritonToCPUPasses.h.inc"

} // namespace triton_metal::cpu
