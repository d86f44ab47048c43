"""Apple's GPUs by profile: what the one table of chips (lib/Support/Chips.cpp) says, with ranges that suit a search."""

from __future__ import annotations

import dataclasses
import enum
import fnmatch

from ... import _core, knobs
from ...devices import check_chip, chip_of_this_machine, has_gpu
from ...runtime.autotuner_defaults import GUIDE_THREADS, GUIDE_TILES, default_for, of_generation


class ChipGeneration(enum.IntEnum):
    """The family of a chip, as a number that orders them."""

    M1 = 13
    M2 = 14
    M3 = 15
    M4 = 16
    M5 = 17


def _range(table: dict[int, tuple], generation: int) -> tuple[int, int]:
    values = of_generation(table, generation)
    return min(values), max(values)


@dataclasses.dataclass(frozen=True)
class HardwareCapabilities:
    """What is published of a chip. Nothing here was measured by this package; `metal.test_memory_bandwidth()` measures.

    `gpu_cores` and `bandwidth_gbs` (GB/s) are those of the largest variant with the name, `clock_mhz` (MHz) of its GPU. `threads_range`
    and `tile_range` are the least and the most that the guide's ranges put into the space of a tuner without configurations: threads of a
    threadgroup, and the side of a tile of a matrix product.
    """

    chip: str
    generation: ChipGeneration
    architecture: str
    gpu_cores: int
    bandwidth_gbs: float
    clock_mhz: int
    simd_width: int
    max_threads_per_threadgroup: int
    max_threadgroup_memory: int
    max_buffers: int
    max_argument_bytes: int
    supports_bfloat16: bool
    supports_dynamic_registers: bool
    supports_matrix_units: bool
    supports_float64: bool
    threads_range: tuple[int, int]
    tile_range: tuple[int, int]
    default_threads: int
    simdgroup_tile: tuple[int, int]
    is_this_machine: bool

    @property
    def fp32_tflops(self) -> float:
        """TFLOP/s of all cores: 128 multiply-adds a core and clock."""
        return self.gpu_cores * _core.OPERATIONS_PER_CORE * self.clock_mhz * 1e-6

    def __str__(self) -> str:
        lines = [f"{self.chip} ({self.generation.name}, {self.architecture})"]
        lines += [f"  {name:20s} {value}" for name, value in (
            ("GPU cores", self.gpu_cores),
            ("memory", f"{self.bandwidth_gbs:.0f} GB/s"),
            ("fp32", f"{self.fp32_tflops:.1f} TFLOP/s at {self.clock_mhz} MHz"),
            ("SIMD width", self.simd_width),
            ("threadgroup", f"{self.max_threads_per_threadgroup} threads, {self.max_threadgroup_memory} bytes"),
            ("defaults", f"{self.default_threads} threads, tiles of {'x'.join(map(str, self.simdgroup_tile))} of a product a SIMD-group"),
            ("bfloat16", "native" if self.supports_bfloat16 else "widened to fp32"),
            ("matrix units", "yes" if self.supports_matrix_units else "no"),
            ("this machine", "yes" if self.is_this_machine else "no, a profile"),
        )]
        return "\n".join(lines)


def list_chips(pattern: str = "*") -> list[str]:
    """Profiles that match `pattern` ("apple-m3*"), oldest first."""
    return fnmatch.filter(_core.chip_names(), pattern)


def get_hardware_capabilities(chip: str | None = None) -> HardwareCapabilities:
    """What is known of `chip`; by default of the Mac's chip or, elsewhere, of the profile that `TRITON_METAL_CHIP` or
    `knobs.metal.chip` chooses. Raises ValueError for a chip that is not in the table."""
    name = check_chip(chip or knobs.metal.chip)
    facts = _core.chip_facts(name)
    generation = ChipGeneration(facts["generation"])
    return HardwareCapabilities(
        chip=name,
        generation=generation,
        architecture=facts["architecture"],
        gpu_cores=facts["cores"],
        bandwidth_gbs=float(facts["bandwidth_gbs"]),
        clock_mhz=facts["clock_mhz"],
        simd_width=facts["simd_width"],
        max_threads_per_threadgroup=facts["max_threads"],
        max_threadgroup_memory=facts["max_threadgroup_bytes"],
        max_buffers=31,
        max_argument_bytes=4096,
        supports_bfloat16=facts["native_bfloat"],
        supports_dynamic_registers=facts["dynamic_registers"],
        supports_matrix_units=facts["matrix_units"],
        supports_float64=False,
        threads_range=_range(GUIDE_THREADS, generation),
        tile_range=_range(GUIDE_TILES, generation),
        default_threads=facts["simd_width"] * default_for(name, 1, dot=False).num_warps,
        simdgroup_tile=tuple(facts["dot_tiles"][0][:2]),
        is_this_machine=has_gpu() and name == chip_of_this_machine(),
    )


def get_chip_generation(chip: str | None = None) -> ChipGeneration:
    """The generation of `chip`, by default of the chip that text is made for. `.name` is "M1" to "M5"."""
    return get_hardware_capabilities(chip).generation
