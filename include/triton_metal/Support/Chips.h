//===- Chips.h - what is known of each Apple GPU, in one table --------------------------===//
//
// Facts of M1 to M5 that the compiler acts on. Limits that are the same on all of them are constants. Figures were published by
// others; nothing here was measured by this project on Apple hardware.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace triton_metal {

/// The same on every M chip: lanes of a SIMD-group, threads and bytes of threadgroup memory of a threadgroup.
inline constexpr unsigned kSimdWidth = 32;
inline constexpr unsigned kMaxThreads = 1024;
inline constexpr unsigned kMaxThreadgroupBytes = 32768;
/// Shared arrays begin at multiples of this many bytes: our choice, so that accesses by vectors are aligned.
inline constexpr unsigned kSharedAlignment = 16;
/// Operations of a core and clock on floats of 32 or 16 bits: 128 multiply-adds, two operations each.
inline constexpr unsigned kOperationsPerCore = 256;
/// Widest access of a lane, and the most contiguous bytes a lane may have before bandwidth drops.
inline constexpr unsigned kMaxVectorBytes = 16;

/// How good a tile of a SIMD-group is for dot: rank 0 is tried first; tiles that are not listed come after all that are.
struct DotTile {
  unsigned rows, columns;
  /// Widest operand element for which the tile was found good: 32x32 is ruinous for fp32 in plain text on Apple9.
  unsigned maxElementBits;
};

struct Chip {
  llvm::StringLiteral name;         ///< profile name, apple-m1 ..
  llvm::StringLiteral architecture; ///< prefix of MTLDevice.architecture.name
  unsigned generation;              ///< 13 for M1 .. 17 for M5
  unsigned coresMin, coresMax;
  unsigned bandwidthGBs;            ///< of the largest variant with this name
  unsigned clockMHz;                ///< of the GPU: measured by others for M1 and M2, from published peaks for the rest
  bool nativeBfloat;                ///< Apple9 and later
  bool dynamicRegisters;            ///< registers do not bound the threads of a pipeline
  bool matrixUnits;                 ///< reachable through mpp::tensor_ops only
  /// Operands of dot go through threadgroup memory, from where all SIMD-groups read them, instead of being loaded as fragments by each.
  bool stageDotOperands;
};

llvm::ArrayRef<Chip> getChips();
/// The chip called `name`, or null.
const Chip *findChip(llvm::StringRef name);
/// The least chip whose architecture is `architecture` as a Mac says it (applegpu_g15s: M3 Pro, Max); null where it is none of these.
const Chip *chipOfArchitecture(llvm::StringRef architecture);
/// Tiles of a SIMD-group for dot, best first.
llvm::ArrayRef<DotTile> getDotTiles(const Chip &chip);

/// Without a Mac, so that texts are the same everywhere.
inline constexpr llvm::StringLiteral kDefaultChip = "apple-m1";

} // namespace triton_metal
