"""What a device can do at most, which rates of kernels are seen against: bytes and operations a second.

Those of an Apple GPU come from the table of chips (published figures of the largest variant with the name); `metal.test_memory_bandwidth()`
and `metal.test_compute_throughput()` measure them on a Mac.
"""

from __future__ import annotations

import dataclasses

from .. import _core
from ..backends.metal.chips import get_hardware_capabilities
from ..testing.hardware import matrix_factor


@dataclasses.dataclass(frozen=True)
class Roofs:
    """10^9 bytes and 10^9 operations on floats a second. `matrix_gflops`: of matrix products of 16-bit operands."""

    bandwidth_gbs: float
    gflops: float
    matrix_gflops: float
    is_measured: bool
    how: str

    def gflops_of(self, compiled) -> float:
        """The roof of a compiled kernel: that of matrix products where it has nothing but 16-bit ones."""
        tiles = compiled.metadata.facts.get("dot_tiles")
        return self.matrix_gflops if tiles and all(bits <= 16 for _, _, bits in tiles) else self.gflops


def _of_chip(chip: str) -> Roofs:
    capabilities = get_hardware_capabilities(chip)
    gflops = capabilities.fp32_tflops * 1e3
    return Roofs(
        bandwidth_gbs=capabilities.bandwidth_gbs,
        gflops=gflops,
        matrix_gflops=gflops * matrix_factor(_core.chip_facts(chip), "float16"),
        is_measured=False,
        how=f"published figures of {chip}",
    )


def roofs_of(device: str, chip: str) -> Roofs | None:
    """Those of "cpu" or "metal", None where they are not known."""
    return _of_chip(chip) if device == "metal" else None
