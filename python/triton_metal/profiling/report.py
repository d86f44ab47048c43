"""What a profile says: a row a kernel, and every launch.

Bytes and operations of a launch come from the compiler's analysis with the arguments of that launch (profiling/cost.py); they are None
where it cannot tell. Rates are those of all launches together. Times of the CPU device are seconds of the run, those of a Mac's GPU are
the GPU's, and those of the software Metal say nothing about a GPU: `Device.is_software` marks them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import time
from collections.abc import Sequence

import numpy as np

from .. import knobs
from ..compiler.compiler import CompiledKernel
from ..compiler.options import EVERY_THREADGROUP
from ..devices import has_gpu
from ..errors import ProfilingError
from .cost import LaunchCost, launch_costs
from .labels import labels
from .occupancy import Occupancy, occupancy
from .roofs import Roofs, roofs_of

#: Seconds that are spent on bytes and operations of launches; those that are left have none.
COST_SECONDS = 5.0

_RECORD = np.dtype([("shape", np.uint32), ("thread", np.uint32), ("begin", np.uint64), ("end", np.uint64)])
#: Of a record's thread: the launch was a tuner's trial.
_TRIAL = np.uint32(1 << 31)


@dataclasses.dataclass(frozen=True)
class Device:
    """A device that ran something, and its roofs. `chip` is the profile of an Apple GPU, None for the CPU."""

    name: str
    chip: str | None
    is_software: bool
    roofs: Roofs | None


@dataclasses.dataclass(frozen=True)
class Shape:
    """What was launched once or often: a kernel with these arguments on this grid. Costs are those of one launch."""

    kernel: int
    grid: tuple[int, int, int]
    params: bytes
    cost: LaunchCost | None

    @property
    def bytes(self) -> int | None:
        return self.cost and self.cost.bytes

    @property
    def operations(self) -> int | None:
        return self.cost and self.cost.operations


@dataclasses.dataclass(frozen=True)
class KernelRow:
    """One compiled kernel. Times are microseconds; bytes and operations those of all launches, None where one of them is unknown."""

    name: str
    variant: str  #: what tells it from others of its name, such as "BLOCK=64"
    device: str
    launches: int
    total_us: float
    median_us: float
    p95_us: float
    min_us: float
    bytes: int | None
    operations: int | None
    is_exact: bool  #: whether bytes and operations are, see LaunchCost.reasons
    bound: str | None  #: "memory" or "compute": which roof is lower at its intensity
    roof_fraction: float | None  #: of the lower roof; None where times are not those of the device that the roofs are of
    occupancy: Occupancy | None
    compiled: CompiledKernel = dataclasses.field(repr=False, compare=False)

    @property
    def label(self) -> str:
        return f"{self.name} [{self.variant}]" if self.variant else self.name

    @property
    def gbs(self) -> float | None:
        """10^9 bytes a second."""
        return self._rate(self.bytes)

    @property
    def gflops(self) -> float | None:
        """10^9 operations on floats a second."""
        return self._rate(self.operations)

    @property
    def intensity(self) -> float | None:
        """Operations on floats a byte."""
        return self.operations / self.bytes if self.bytes and self.operations is not None else None

    def _rate(self, amount: int | None) -> float | None:
        return amount / (self.total_us * 1e3) if amount is not None and self.total_us else None


@dataclasses.dataclass(frozen=True)
class LaunchRow:
    """One launch; `begin_us` counts from the start of profiling. `kernel` is an index into the report's kernels."""

    kernel: int
    grid: tuple[int, int, int]
    thread: str
    begin_us: float
    duration_us: float
    bytes: int | None
    operations: int | None


class Launches(Sequence):
    """Every launch in the order in which they ended; rows are made when they are asked for."""

    def __init__(self, report: Report):
        self._report = report

    def __len__(self) -> int:
        return len(self._report.records)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        record = self._report.records[index]
        shape = self._report.shapes[record["shape"]]
        begin, end = int(record["begin"]), int(record["end"])
        return LaunchRow(shape.kernel, shape.grid, self._report.threads[record["thread"]], (begin - self._report.began) / 1e3,
                         (end - begin) / 1e3, shape.bytes, shape.operations)  # fmt: skip


class Report:
    """A profile. It can be read once profiling has stopped; `print` shows a table.

    `kernels`: a KernelRow each, the most expensive first. `launches`: a LaunchRow each. `devices`: by name. `duration_us`: from start to
    stop. `dropped`: launches beyond the limit. `trials`, `trials_us`: launches that a tuner made to choose, and the time they ran; they are
    not among the others unless start_profiling(trials=True) asked for it.
    """

    def __init__(self, trials: bool = False):
        self._raw: dict | None = None
        self.has_trials = trials

    def _complete(self, raw: dict) -> None:
        self._raw = raw
        self.began: int = raw["began"]
        records = np.frombuffer(raw["records"], _RECORD)
        is_trial = records["thread"] >= _TRIAL
        self.trials = int(is_trial.sum())
        self.trials_us = float((records["end"] - records["begin"])[is_trial].sum()) / 1e3
        self.records = records.copy() if self.has_trials else records[~is_trial]
        self.records["thread"] &= ~_TRIAL
        # Shapes of trials and of launches beyond the limit are not among those of the report: the others are numbered anew.
        is_used = np.bincount(self.records["shape"], minlength=len(raw["shapes"])) > 0
        self.records["shape"] = (np.cumsum(is_used) - 1)[self.records["shape"]]
        self._shapes = [shape for shape, used in zip(raw["shapes"], is_used) if used]
        self.threads: list[str] = raw["threads"]
        self.chip = knobs.metal.chip

    @property
    def is_complete(self) -> bool:
        """Whether profiling has stopped."""
        return self._raw is not None

    def _read(self) -> dict:
        if self._raw is None:
            raise ProfilingError("the report can be read when profiling has stopped: stop_profiling(), or the end of the `with`")
        return self._raw

    def _launched(self) -> list[tuple[CompiledKernel, bytes, tuple[int, int, int]]]:
        """What the records' shapes stand for."""
        self._read()
        return self._shapes

    @property
    def dropped(self) -> int:
        return self._read()["dropped"]

    @property
    def duration_us(self) -> float:
        raw = self._read()
        return (raw["ended"] - raw["began"]) / 1e3

    @property
    def launches(self) -> Launches:
        self._read()
        return Launches(self)

    @functools.cached_property
    def devices(self) -> dict[str, Device]:
        names = sorted({compiled.metadata.target for compiled, _, _ in self._launched()})
        return {
            name: Device(name, self.chip if name == "metal" else None, name == "metal" and not has_gpu(), roofs_of(name, self.chip))
            for name in names
        }

    @functools.cached_property
    def _compiled(self) -> list[CompiledKernel]:
        """The kernels that were launched, the most expensive first: their numbers are the indices."""
        shapes = self._launched()
        first = {id(compiled): compiled for compiled, _, _ in shapes}
        place = {key: i for i, key in enumerate(first)}
        kernel_of_shape = np.array([place[id(compiled)] for compiled, _, _ in shapes], np.int64)
        kernel_of_launch = kernel_of_shape[self.records["shape"]]
        total = np.bincount(kernel_of_launch, self._durations, minlength=len(first))
        order = sorted(range(len(first)), key=lambda i: -total[i])
        kernels = list(first.values())
        return [kernels[i] for i in order]

    @functools.cached_property
    def _durations(self) -> np.ndarray:
        """Nanoseconds of every launch."""
        return (self.records["end"] - self.records["begin"]).astype(np.float64)

    @functools.cached_property
    def shapes(self) -> list[Shape]:
        """What the launches launched."""
        launched = self._launched()
        place = {id(compiled): i for i, compiled in enumerate(self._compiled)}
        return [
            Shape(place[id(compiled)], grid, params, cost) for (compiled, params, grid), cost in zip(launched, _costs(launched))
        ]

    @functools.cached_property
    def kernels(self) -> list[KernelRow]:
        kernel_of_shape = np.array([shape.kernel for shape in self.shapes], np.int64)
        kernel_of_launch = kernel_of_shape[self.records["shape"]]
        order = np.argsort(kernel_of_launch, kind="stable")
        ends = np.searchsorted(kernel_of_launch[order], np.arange(len(self._compiled)), side="right")
        rows = []
        start = 0
        for compiled, variant, end in zip(self._compiled, labels(self._compiled), ends):
            chosen = order[start:end]
            start = end
            rows.append(self._row(compiled, variant, chosen))
        return rows

    def _row(self, compiled: CompiledKernel, variant: str, chosen: np.ndarray) -> KernelRow:
        microseconds = self._durations[chosen] / 1e3
        device = self.devices[compiled.metadata.target]
        counts = np.bincount(self.records["shape"][chosen], minlength=len(self.shapes))
        used = [(self.shapes[i], int(counts[i])) for i in np.flatnonzero(counts)]
        row = KernelRow(
            name=compiled.name,
            variant=variant,
            device=device.name,
            launches=len(chosen),
            total_us=float(microseconds.sum()),
            median_us=float(np.median(microseconds)),
            p95_us=float(np.percentile(microseconds, 95)),
            min_us=float(microseconds.min()),
            bytes=_sum(shape.bytes and shape.bytes * count for shape, count in used),
            operations=_sum(shape.operations and shape.operations * count for shape, count in used),
            is_exact=all(shape.cost is not None and shape.cost.is_exact for shape, _ in used),
            bound=None,
            roof_fraction=None,
            occupancy=_occupancy(compiled, used, self.chip) if device.chip else None,
            compiled=compiled,
        )
        return dataclasses.replace(row, **_against_roofs(row, device))

    def to_json(self, path: str | os.PathLike | None = None) -> str:
        """The report as JSON (its form: profiling/document.py), which is written to `path` if there is one."""
        from .document import to_json

        return to_json(self, path)

    def to_chrome_trace(self, path: str | os.PathLike | None = None) -> str:
        """A trace that Perfetto and chrome://tracing open, which is written to `path` if there is one."""
        from .chrome_trace import to_chrome_trace

        return to_chrome_trace(self, path)

    def to_html(self, path: str | os.PathLike) -> None:
        """Write one page that needs nothing else: table, roofline chart, timeline, and each kernel's source beside its code."""
        from .html import to_html

        to_html(self, path)

    def table(self, top: int | None = None) -> str:
        """A row a kernel, the most expensive first, with what must be known to read them; with `top` so many rows at most, at least one."""
        from .table import text

        return text(self, top)

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        if self._raw is None:
            return "<Report: profiling is on>"
        return f"<Report: {len(self.records)} launches of {len(self._compiled)} kernels>"

    # `with start_profiling() as report:`
    def __enter__(self) -> Report:
        return self

    def __exit__(self, *exception) -> None:
        from .recording import end_of_context

        end_of_context(self)


def _sum(amounts) -> int | None:
    amounts = list(amounts)
    return None if None in amounts else sum(amounts)


def _costs(launched: list[tuple]) -> list[LaunchCost | None]:
    """Of each kernel with its parameters and grid; None where it is not known: for launches of which only a sample of the threadgroups
    ran, and for those that are left when the time for this is over."""
    deadline = time.monotonic() + COST_SECONDS
    costs: list[LaunchCost | None] = [None] * len(launched)
    places: dict[CompiledKernel, list[int]] = {}
    for i, (compiled, _, _) in enumerate(launched):
        if not 0 < compiled._options.counting < EVERY_THREADGROUP:
            places.setdefault(compiled, []).append(i)
    for compiled, mine in places.items():
        first, size = 0, 1
        while first < len(mine):
            began = time.monotonic()
            if began > deadline:
                return costs
            some = mine[first : first + size]
            for i, cost in zip(some, launch_costs(compiled, [launched[i][1:] for i in some])):
                costs[i] = cost
            first += size
            size = min(4 * size, 256) if time.monotonic() - began < 0.05 else max(1, size // 2)
    return costs


def _occupancy(compiled: CompiledKernel, used: list, chip: str) -> Occupancy:
    """Of the grid that was launched most often."""
    grid = max(used, key=lambda pair: pair[1])[0].grid
    return occupancy(compiled.metadata.facts, math.prod(grid), chip)


def _against_roofs(row: KernelRow, device: Device) -> dict:
    """Which roof is the lower one for this kernel, and how near it is."""
    if device.roofs is None or not (row.bytes or row.operations) or row.bytes is None or row.operations is None:
        return {}
    least_us = {
        "memory": row.bytes / (device.roofs.bandwidth_gbs * 1e3),
        "compute": row.operations / (device.roofs.gflops_of(row.compiled) * 1e3),
    }
    bound = max(least_us, key=least_us.__getitem__)
    comparable = row.total_us and not device.is_software
    return {"bound": bound, "roof_fraction": least_us[bound] / row.total_us if comparable else None}
