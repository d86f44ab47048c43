"""The shipped table: where a search begins, and what is used where there is none.

A row says, for kernels of one shape on some devices, which sizes and warps are known to be good; the shape is how many sizes are free and
whether there is a `tl.dot`, nothing else is known of a kernel here. For the cpu, rows of one and two sizes and of dots are among the best
of the pairs of benchmarks/tuner.py; for Apple's GPUs they follow what is published of their best kernels (64x64 tiles, 16 bytes a lane, 256
threads on an M4 Pro, and no more than 128 where registers bound them, on M1 and M2), and the ranges of the widely read optimisation guide,
rounded to powers of two, are in every space as well. No row for an Apple GPU was measured by this package.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass


@dataclass(frozen=True)
class Default:
    """A known-good configuration: one size for each free constexpr, in the kernel's order, and warps."""

    chips: str
    dot: bool
    sizes: tuple[int, ...]
    num_warps: int


#: First match wins; "cpu" is the chip of the cpu device.
DEFAULTS = (
    Default("cpu", False, (1024,), 4),
    Default("cpu", False, (16, 128), 4),
    Default("cpu", False, (8, 16, 64), 4),
    Default("cpu", True, (64,), 4),
    Default("cpu", True, (64, 128), 4),
    Default("cpu", True, (128, 64, 32), 4),
    Default("apple-m[12]*", False, (512,), 4),
    Default("apple-m[12]*", False, (16, 64), 4),
    Default("apple-m[12]*", False, (8, 16, 32), 4),
    Default("*", False, (1024,), 8),
    Default("*", False, (16, 128), 8),
    Default("*", False, (8, 16, 64), 8),
    Default("*", True, (64,), 4),
    Default("*", True, (64, 64), 4),
    Default("*", True, (64, 64, 16), 4),
)

#: Sizes to try, for one, two and more free ones.
SIZES = {1: (64, 128, 256, 512, 1024, 2048, 4096), 2: (8, 16, 32, 64, 128, 256), 3: (8, 16, 32, 64, 128)}
#: With a dot, whose tiles are blocks of 8x8 fragments.
DOT_SIZES = {1: (16, 32, 64, 128), 2: (16, 32, 64, 128), 3: (16, 32, 64, 128)}

#: Threads of a threadgroup by generation of the chip, as the guide has them, rounded to powers of two; later ones as the last.
GUIDE_THREADS = {13: (128, 256), 14: (128, 256), 15: (256, 512)}
#: Sides of tiles likewise.
GUIDE_TILES = {13: (16, 32, 64), 14: (32, 64, 128), 15: (32, 64, 128)}


def default_for(chip: str, sizes: int, dot: bool) -> Default | None:
    """The row for a kernel with so many free sizes."""
    for row in DEFAULTS:
        if row.dot == dot and len(row.sizes) == sizes and fnmatch.fnmatchcase(chip, row.chips):
            return row
    return None


def of_generation(table: dict[int, tuple], generation: int) -> tuple:
    """The entry of a chip's generation; of later ones the last."""
    return table[min(max(generation, min(table)), max(table))]
