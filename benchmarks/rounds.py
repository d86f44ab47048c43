"""Side-by-side measurement: interleaved rounds, median and best of each contender, ratios.

The machine is noisy, so only ratios of contenders that ran in the same rounds mean anything. Contenders take turns within a round
and the order rotates from round to round; our workers park as soon as they are idle, so they do not disturb a peer.
"""
from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Callable

import numpy as np

ROUNDS = 15

#: What a round is measured by. On a busy machine the processor time of one thread still says something; run.py --cpu-time.
clock = time.perf_counter


def use_cpu_time() -> None:
    """Count processor time from now on, on one thread for everybody: call before anything is imported that starts threads."""
    global clock
    clock = time.process_time
    for name in ("TRITON_METAL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


@dataclass
class Times:
    """Seconds of one contender over the rounds."""
    seconds: list[float]

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def worst(self) -> float:
        return max(self.seconds)


def interleave(contenders: dict[str, Callable[[], object]], rounds: int = ROUNDS, repeat: int = 1,
               warm_up: int = 1) -> dict[str, Times]:
    """Seconds a call of each contender. `repeat` calls are timed together where one is too short for the clock."""
    names = list(contenders)
    for name in names:
        for _ in range(warm_up):
            contenders[name]()
    times = {name: Times([]) for name in names}
    for i in range(rounds):
        for name in names[i % len(names):] + names[:i % len(names)]:
            function = contenders[name]
            start = clock()
            for _ in range(repeat):
                function()
            times[name].seconds.append((clock() - start) / repeat)
    return times


@dataclass
class Row:
    """One line of the report: ours and a peer (or a budget), and whether the target is met."""
    section: str
    name: str
    ours_median: float
    ours_best: float
    unit: str = "ms"
    peer: str = ""
    peer_median: float | None = None
    peer_best: float | None = None
    ratio: float | None = None  # peer's median over ours: above 1 means that we are faster
    target: str = ""
    met: bool | None = None


def compare(section: str, name: str, ours: Times, peer: str = "", theirs: Times | None = None, least_ratio: float | None = None,
            most_ms: float | None = None, unit: str = "ms") -> Row:
    """A row from the times of a run; `least_ratio` and `most_ms` are targets."""
    scale = {"ms": 1e3, "us": 1e6}[unit]
    row = Row(section, name, ours.median * scale, ours.best * scale, unit, peer)
    if theirs is not None:
        row.peer_median, row.peer_best = theirs.median * scale, theirs.best * scale
        row.ratio = theirs.median / ours.median
    met = []
    if least_ratio is not None and row.ratio is not None:
        row.target = f">= {least_ratio:g}x"
        met.append(row.ratio >= least_ratio)
    if most_ms is not None:
        row.target = " ".join(filter(None, [row.target, f"<= {most_ms * scale / 1e3:g} {unit}"]))
        met.append(ours.median * 1e3 <= most_ms)
    row.met = all(met) if met else None
    return row
