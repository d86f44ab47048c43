"""`compute_intensity`: is a launch bound by memory or by arithmetic?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from ..devices import check_chip
from ..errors import UnsupportedOnDevice
from .bound import Grid, bind, grid_text
from .cost import LaunchCost, launch_cost
from .roofs import Roofs, roofs_of
from .table import amount


@dataclasses.dataclass(frozen=True)
class Intensity:
    """Operations and bytes of one launch, against the roofs of a device. `print` shows it."""

    kernel: str
    device: str  #: "cpu", or the chip
    grid: tuple[int, int, int]
    cost: LaunchCost
    roofs: Roofs | None  #: None where the device's are not known
    gflops: float | None  #: 10^9 operations a second: the roof for this kernel's arithmetic
    grid_is_assumed: bool = False  #: none was given

    @property
    def operations(self) -> int:
        """On floats, and of dots."""
        return self.cost.operations

    @property
    def bytes(self) -> int:
        """That loads, stores and atomics ask for."""
        return self.cost.bytes

    @property
    def intensity(self) -> float:
        """FLOP/byte."""
        return self.cost.arithmetic_intensity

    @property
    def balance(self) -> float | None:
        """FLOP/byte at which memory and arithmetic take equally long: the arithmetic roof over the bandwidth. None without roofs."""
        return self.gflops / self.roofs.bandwidth_gbs if self.roofs is not None and self.gflops is not None else None

    @property
    def bound(self) -> str | None:
        """"memory" below the balance, else "compute"; None without roofs."""
        return None if self.balance is None else "memory" if self.intensity < self.balance else "compute"

    def __str__(self) -> str:
        lines = [
            f"{self.kernel}: {self.intensity:.2f} FLOP/byte ({amount(self.operations, 'FLOP')}, {amount(self.bytes, 'B')})",
            f"  {grid_text(self.grid, self.grid_is_assumed)}",
            f"  loads {amount(self.cost.bytes_loaded, 'B')}, stores {amount(self.cost.bytes_stored, 'B')}"
            + (f", atomics {amount(self.cost.bytes_atomic, 'B')}" if self.cost.bytes_atomic else ""),
        ]
        if self.roofs is None:
            lines.append(f"  the roofs of {self.device} are not known")
        else:
            lines.append(f"  {self.bound}-bound on {self.device}: balance {self.balance:.1f} FLOP/byte "
                         f"({self.gflops:.0f} GFLOP/s over {self.roofs.bandwidth_gbs:.0f} GB/s; {self.roofs.how})")  # fmt: skip
        lines += [f"  not exact: {reason}" for reason in self.cost.reasons]
        return "\n".join(lines)


def compute_intensity(
    kernel, args: Mapping | Sequence, grid: Grid | None = None, device: str | None = None, chip: str | None = None, **options
) -> Intensity:
    """Arithmetic intensity of the launch `kernel[grid](*args, **options)`, which is not run, and which roof binds it.

    kernel, args, grid, device, options: as of `triton_metal.profiling.bound.bind`.
    chip: a profile whose roofs count on "metal"; where it is None the one that TRITON_METAL_CHIP or knobs.metal.chip chooses, for which
        the kernel is compiled in any case; a CompiledKernel was for its own.

    The balance of a chip is its fp32 rate over its bandwidth, both from the table of chips: 27 to 38 FLOP/byte on M1 to M4, more for
    16-bit matrix products on M5. Bytes are those that the kernel asks for; where caches answer, the device moves fewer, and the kernel is
    nearer to being bound by arithmetic than this says.

    Raises what `bind` raises, ValueError for a chip that is not in the table, and UnsupportedOnDevice for a chip on "cpu".
    """
    if chip is not None:
        check_chip(chip)
    bound = bind(kernel, args, grid, device, **options)
    target = bound.compiled.metadata.target
    if chip is not None and target != "metal":
        raise UnsupportedOnDevice("compute_intensity(chip=...)", target, "its roofs are those of this machine", 'pass device="metal"')
    chip = chip or bound.compiled.metadata.chip
    roofs = roofs_of(target, chip)
    return Intensity(
        kernel=bound.compiled.name,
        device=chip if target == "metal" else target,
        grid=tuple(bound.grid),
        cost=launch_cost(*bound),
        roofs=roofs,
        gflops=None if roofs is None else roofs.gflops_of(bound.compiled),
        grid_is_assumed=grid is None,
    )
