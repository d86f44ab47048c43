//===- Chips.cpp - what is known of each Apple GPU, in one table ------------------------===//
#include "triton_metal/Support/Chips.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace triton_metal;

// Fragments are loaded straight from device memory on every chip: from M3 on all the best kernels do so, and on an M2 Pro
// ThunderMittens does at the speed of MLX's staged kernels. No base chip is known to need staging.
static constexpr Chip kChips[] = {
    // name, architecture, generation, cores, GB/s, MHz, bfloat, dynamic registers, matrix units, staged dot
    {"apple-m1", "applegpu_g13g", 13, 7, 8, 68, 1278, false, false, false, false},
    {"apple-m1-pro", "applegpu_g13s", 13, 14, 16, 200, 1296, false, false, false, false},
    {"apple-m1-max", "applegpu_g13s", 13, 24, 32, 400, 1296, false, false, false, false},
    {"apple-m1-ultra", "applegpu_g13d", 13, 48, 64, 800, 1296, false, false, false, false},
    {"apple-m2", "applegpu_g14g", 14, 8, 10, 100, 1398, false, false, false, false},
    {"apple-m2-pro", "applegpu_g14s", 14, 16, 19, 200, 1398, false, false, false, false},
    {"apple-m2-max", "applegpu_g14s", 14, 30, 38, 400, 1398, false, false, false, false},
    {"apple-m2-ultra", "applegpu_g14d", 14, 60, 76, 800, 1398, false, false, false, false},
    {"apple-m3", "applegpu_g15g", 15, 8, 10, 100, 1400, true, true, false, false},
    {"apple-m3-pro", "applegpu_g15s", 15, 14, 18, 150, 1400, true, true, false, false},
    {"apple-m3-max", "applegpu_g15s", 15, 30, 40, 400, 1400, true, true, false, false},
    {"apple-m3-ultra", "applegpu_g15d", 15, 60, 80, 819, 1400, true, true, false, false},
    {"apple-m4", "applegpu_g16g", 16, 8, 10, 120, 1590, true, true, false, false},
    {"apple-m4-pro", "applegpu_g16s", 16, 16, 20, 273, 1590, true, true, false, false},
    {"apple-m4-max", "applegpu_g16s", 16, 32, 40, 546, 1590, true, true, false, false},
    {"apple-m5", "applegpu_g17g", 17, 8, 10, 153, 1560, true, true, true, false},
    {"apple-m5-pro", "applegpu_g17s", 17, 16, 20, 307, 1560, true, true, true, false},
    {"apple-m5-max", "applegpu_g17s", 17, 32, 40, 614, 1560, true, true, true, false},
};

// M1 and M2: MLX, tinygrad and ThunderMittens (on an M2 Pro) arrived at 32x32, which loads the least for 16 fragments of the result.
static constexpr DotTile kSquareFirst[] = {{32, 32, 32}, {16, 64, 32}, {16, 32, 32}, {32, 16, 32}, {16, 16, 32}};
// From M3 on, measured on one M4 Pro by enceladus: in plain text, fp32 at 32x32 is seven times slower than at 16x64.
static constexpr DotTile kWideFirst[] = {{16, 64, 32}, {32, 32, 16}, {16, 32, 32}, {32, 16, 32}, {16, 16, 32}};

ArrayRef<Chip> triton_metal::getChips() { return kChips; }

const Chip *triton_metal::findChip(StringRef name) {
  const Chip *found = find_if(kChips, [&](const Chip &chip) { return chip.name == name; });
  return found == std::end(kChips) ? nullptr : found;
}

const Chip *triton_metal::chipOfArchitecture(StringRef architecture) {
  const Chip *found = find_if(kChips, [&](const Chip &chip) { return architecture.starts_with(chip.architecture); });
  return found == std::end(kChips) ? nullptr : found;
}

ArrayRef<DotTile> triton_metal::getDotTiles(const Chip &chip) {
  return chip.dynamicRegisters ? ArrayRef(kWideFirst) : ArrayRef(kSquareFirst);
}
