"""Side-by-side measurement: interleaved rounds, median and best of each contender, ratios.

The machine is noisy, so only ratios of contenders that ran in the same rounds mean anything. Contenders take turns within a round
and the order rotates from round to round; our workers park as soon as they are idle, so they do not disturb a peer.
"""
from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from typing import Callable

import numpy as np

ROUNDS = 15
PAUSE = 0.003  # seconds

#: What a round is measured by. On a busy machine the processor time of one thread still says something; run.py --cpu-time.
clock = time.perf_counter


def _cpu_time() -> float:
    """Processor time of this process and of the children that have ended (upstream's ptxas)."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def use_cpu_time() -> None:
    """Count processor time from now on, on one thread for everybody: call before anything is imported that starts threads."""
    global clock
    clock = _cpu_time
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
    """Seconds a call of each contender. `repeat` calls are timed together where one is too short for the clock. A pause comes before
    each, so that workers that still spin after a call (PyTorch's do) have gone to sleep."""
    names = list(contenders)
    for name in names:
        for _ in range(warm_up):
            contenders[name]()
    times = {name: Times([]) for name in names}
    for i in range(rounds):
        for name in names[i % len(names):] + names[:i % len(names)]:
            function = contenders[name]
            time.sleep(PAUSE)
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
    ours_worst: float
    unit: str = "ms"
    peer: str = ""
    peer_median: float | None = None
    peer_best: float | None = None
    least_ratio: float | None = None  # targets
    most: float | None = None

    @property
    def ratio(self) -> float | None:
        """The peer's median over ours: above 1 means that we are faster."""
        return None if self.peer_median is None else self.peer_median / self.ours_median

    @property
    def target(self) -> str:
        parts = [f">= {self.least_ratio:.3g}x"] if self.least_ratio is not None else []
        return " ".join(parts + ([f"<= {self.most:g} {self.unit}"] if self.most is not None else []))

    @property
    def met(self) -> bool | None:
        """None where there is no target."""
        tests = [self.ratio >= self.least_ratio] if self.least_ratio is not None and self.ratio is not None else []
        tests += [self.ours_median <= self.most] if self.most is not None else []
        return all(tests) if tests else None

    def record(self) -> dict:
        return asdict(self) | {"ratio": self.ratio, "target": self.target, "met": self.met}


def compare(section: str, name: str, ours: Times, peer: str = "", theirs: Times | None = None, least_ratio: float | None = None,
            most: float | None = None, unit: str = "ms") -> Row:
    """A row from the times of a run, in `unit`; `least_ratio` and `most` are targets."""
    scale = {"ms": 1e3, "us": 1e6}[unit]
    row = Row(section, name, ours.median * scale, ours.best * scale, ours.worst * scale, unit, peer, least_ratio=least_ratio, most=most)
    if theirs is not None:
        row.peer_median, row.peer_best = theirs.median * scale, theirs.best * scale
    return row
