//===- MemoryLayout.h - the user's hints on how lanes share an access ----------------===//
//
// The discardable attribute that `layout=` leaves on a tt.load or tt.store, and its values. Devices without lanes ignore it.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "llvm/ADT/StringRef.h"

namespace triton_metal::tt {

inline constexpr llvm::StringLiteral kMemoryLayout = "ttm.memory_layout";
inline constexpr llvm::StringLiteral kCoalescedLayout = "coalesced";
inline constexpr llvm::StringLiteral kBlockLayout = "block";

} // namespace triton_metal::tt
