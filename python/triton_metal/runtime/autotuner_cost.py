"""What a launch would cost on an Apple GPU, estimated from what the software Metal counts.

Off a Mac the time of a Metal kernel says nothing: lanes run one after the other on a CPU. So candidates are compared by a model of the
chip. Lines of memory that a threadgroup touches cost DRAM's bandwidth as far as the arrays are large, and the second-level cache's for
what is touched again; transactions cost the path from the first-level cache; arithmetic, matrix products, SIMD operations and accesses
cost slots of the schedulers; and too few SIMD-groups hide no latency. The longest of these bounds the kernel, and the others are added in
part because they overlap imperfectly. Figures are those of the table of chips and the published ones of M1. It ranks tiles and warps; it
is no prediction of microseconds.
"""

from __future__ import annotations

import math

from .. import _core
from ..profiling.occupancy import MOST_SIMDGROUPS, threadgroups_by

#: Threadgroups that are run to count: enough for the middle and the edges of a grid, few enough for large problems.
SAMPLE = 24
_LINE = 128
#: Bytes of a core and cycle: from the first-level cache or threadgroup memory, and from the second level.
_NEAR_BYTES, _FAR_BYTES = 64, 32
#: Slots of a scheduler, of which a core has four: an access with its address arithmetic, a fused multiply-add, a SIMD operation, an 8x8x8
#: product. Cycles: of a barrier, of starting a threadgroup.
_ACCESS, _FLOAT, _SIMD, _MATRIX, _SCHEDULERS = 6, 1, 14.5, 18, 4
_BARRIER_CYCLES, _START_CYCLES = 60, 400
#: SIMD-groups of a core at which latency is hidden; the part of a time that does not overlap with the longest.
_HIDING, _OVERLAP = 24, 0.25


def estimate(counters: dict, facts: dict, programs: int, array_bytes: int, chip: str) -> float:
    """Seconds on the chip for a launch that was counted and whose arrays have so many bytes together."""
    table = _core.chip_facts(chip)
    cores, clock = table["cores"], table["clock_mhz"] * 1e6
    used = max(1, min(cores, programs))
    rate = used * clock
    # A core holds as many threadgroups as its threads and its threadgroup memory allow; estimated registers would add noise.
    simdgroups = max(1, facts["threads"] // table["simd_width"])
    fitting = threadgroups_by(facts, chip)
    by_memory = fitting.get("threadgroup memory", MOST_SIMDGROUPS)
    resident = max(1, min(by_memory, fitting["threads"], -(-programs // cores)))
    hiding = min(1.0, resident * simdgroups / _HIDING)
    waves = -(-programs // (used * resident)) * used * resident / max(programs, 1)  # the last may be nearly empty

    touched = counters["device_lines"] * _LINE
    first = min(touched, array_bytes) if array_bytes else touched
    memory = first / (table["bandwidth_gbs"] * 1e9) * max(1.0, cores / used / 4)  # few cores do not reach the whole bandwidth
    memory += (touched - first) / (_FAR_BYTES * rate)
    near = (counters["device_transactions"] * _LINE + counters["threadgroup_bytes"]) / _NEAR_BYTES + counters["bank_conflicts"]
    accesses = (counters["device_accesses"] + counters["threadgroup_accesses"]) / table["simd_width"]
    simd = max(0, counters["collectives"] - counters["matrix_operations"])
    slots = (
        accesses * _ACCESS + counters["float_operations"] / 2 / table["simd_width"] * _FLOAT + simd * _SIMD
        + counters["matrix_operations"] * _MATRIX
    )  # fmt: skip
    waiting = counters["barriers"] * _BARRIER_CYCLES / resident / rate
    parts = [memory, near / rate * waves, slots / _SCHEDULERS / rate / hiding * waves, waiting]
    return max(parts) + _OVERLAP * (sum(parts) - max(parts)) + programs * _START_CYCLES / resident / rate


def counted_seconds(launch, compiled, grid: tuple, array_bytes: int, chip: str) -> float:
    """The estimate for one `launch` in counting mode. What it writes is incomplete."""
    _core.take_metal_counters()
    launch()
    return estimate(_core.take_metal_counters(), compiled.metadata.facts, math.prod(grid), array_bytes, chip)
