"""How many threadgroups of a kernel a core of an Apple GPU can hold at once, estimated from the kernel's facts.

M1's and M2's figures by others (metal-benchmarks, Mesa's table of registers): a core has 208 KiB of registers, some 60 KB of threadgroup
memory, and room for 96 SIMD-groups. From M3 on registers are allocated while a kernel runs and bound nothing that can be told beforehand.
Nothing here was measured by this package.
"""

from __future__ import annotations

import dataclasses

from .. import _core

#: Bytes of registers of a core, from which M1's and M2's limits of threads follow (reference: Mesa's table for these GPUs).
REGISTER_FILE = 208 * 1024
#: SIMD-groups that a core holds, and bytes of threadgroup memory that those which are there at once share.
MOST_SIMDGROUPS, THREADGROUP_POOL = 96, 60 * 1024


def threadgroups_by(facts: dict, chip: str) -> dict[str, int]:
    """Threadgroups that fit into a core, by what bounds them. 0 where one alone is too much."""
    table = _core.chip_facts(chip)
    simdgroups = max(1, facts["threads"] // table["simd_width"])
    bounds = {"threads": MOST_SIMDGROUPS // simdgroups}
    if facts["threadgroup_bytes"]:
        bounds["threadgroup memory"] = THREADGROUP_POOL // facts["threadgroup_bytes"]
    if not table["dynamic_registers"] and facts["estimated_registers"]:
        threads = REGISTER_FILE // (4 * facts["estimated_registers"]) // 64 * 64
        bounds["registers"] = threads // max(1, facts["threads"])
    return bounds


@dataclasses.dataclass(frozen=True)
class Occupancy:
    """Estimated SIMD-groups of a core that are there at once, of `most`, and what keeps them from being more."""

    simdgroups: int
    most: int
    bound: str

    @property
    def fraction(self) -> float:
        return self.simdgroups / self.most

    def __str__(self) -> str:
        return f"{self.fraction:.0%} ({self.bound})"


def occupancy(facts: dict, programs: int, chip: str) -> Occupancy:
    """That of a launch of so many programs. `bound` is "threads", "threadgroup memory", "registers", or "grid": too few programs."""
    table = _core.chip_facts(chip)
    bounds = threadgroups_by(facts, chip) | {"grid": -(-programs // table["cores"])}
    bound = min(bounds, key=bounds.__getitem__)
    simdgroups = max(1, facts["threads"] // table["simd_width"])
    return Occupancy(min(MOST_SIMDGROUPS, max(1, bounds[bound]) * simdgroups), MOST_SIMDGROUPS, bound)
