"""The race: which of several candidates is fastest, on a machine that does other things as well.

Candidates take turns in rounds whose order changes, so that what disturbs the machine meets all of them. A candidate's level is the mean
of its fastest quarter of samples, because disturbances only ever add time; its noise is how far those samples lie apart. Who is clearly
slower drops out early and the rounds go to the rest. The winner must beat the others by more than their noise; among equals the smallest
configuration wins. Nothing here knows what is measured: `sample(calls)` gives seconds a call, and may give the processor time as well.

On a machine that others fill, a call with several threads never has all processors, and its time says more about them than about it. Then
its processor time, shared among as many threads as its programs can keep busy, is the better figure, and is used where it is the steadier.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: A candidate that takes so many times the median is left out at once.
REJECT = 3.0
#: Levels that are closer than this are equal, whatever the noise.
TOLERANCE = 0.01
#: More noise than this does not make candidates equal: then the level alone decides.
MOST_NOISE = 0.01
MOST_ROUNDS = 500
#: (before round, by how much a candidate must be slower to drop out, beside the noise): the fewer samples, the more.
_GAPS = ((6, 0.25), (15, 0.12), (40, 0.08), (MOST_ROUNDS + 1, 0.04))
#: Rounds that a race has even if they take up to three times as long as it should.
_ROUNDS = 12
#: Noise of time from which on processor time is looked at, if its noise is less than this part of that.
_BUSY, _STEADIER = 0.08, 0.5
#: Second chances of a candidate that seems too slow to go on; and how slow is hopeless after the first.
_CHANCES, _HOPELESS = 3, 30.0


@dataclass
class Entrant:
    """One candidate. `sample(calls)` gives seconds a call, or beside them the processor's seconds, shared among the threads that can take
    part. `size` orders equals; `outcome` says in words how it fared."""

    sample: Callable[[int], float | tuple[float, float]]
    size: tuple
    most_calls: int = 1000
    times: list[float] = field(default_factory=list)
    efforts: list[float] = field(default_factory=list)
    calls: int = 1
    running: bool = True
    outcome: str = ""

    def take(self, calls: int) -> None:
        figures = self.sample(calls)
        seconds, effort = figures if isinstance(figures, tuple) else (figures, None)
        self.times.append(seconds)
        if effort is not None:
            self.efforts.append(effort)

    @property
    def level(self) -> float:
        return _level(self.times)

    @property
    def noise(self) -> float:
        return _noise(self.times)

    def leave(self, outcome: str) -> None:
        self.running = False
        self.outcome = outcome


def _level(figures: list[float]) -> float:
    ordered = sorted(figures)
    return statistics.fmean(ordered[: (len(ordered) + 3) // 4])


def _noise(figures: list[float]) -> float:
    ordered = sorted(figures)
    return (ordered[min((len(ordered) + 3) // 4, len(ordered) - 1)] - ordered[0]) / max(ordered[0], 1e-12) if len(ordered) > 1 else 1.0


def _figures(running: list[Entrant]) -> list[tuple[float, float]]:
    """(level, noise) of each, by time, or by processor time where the machine is too busy for time to say anything."""
    by_time = [(entrant.level, entrant.noise) for entrant in running]
    if not all(entrant.efforts for entrant in running):
        return by_time
    by_effort = [(_level(entrant.efforts), _noise(entrant.efforts)) for entrant in running]
    noise, steadier = (statistics.median(noise for _, noise in figures) for figures in (by_time, by_effort))
    return by_effort if noise > _BUSY and steadier < _STEADIER * noise else by_time


def _first_look(entrants: list[Entrant], least_sample: float) -> None:
    """One call that nobody counts and one that everybody does; leaves out what is far too slow and fixes how many calls a sample has."""
    for entrant in entrants:
        entrant.sample(1)
        entrant.take(1)
    median = statistics.median(entrant.level for entrant in entrants)
    for chance in range(_CHANCES):  # who is slow may have met something else: it gets more chances, one after the others' turns
        for entrant in entrants:
            if min(entrant.times) > REJECT * median and (chance == 0 or entrant.times[0] < _HOPELESS * median):
                entrant.take(1)
    for entrant in entrants:
        fastest = min(entrant.times)
        if fastest > REJECT * median:
            entrant.leave(f"{fastest / median:.1f} times the median")
        entrant.calls = max(1, min(entrant.most_calls, int(least_sample / fastest)))
    for entrant in entrants:  # single calls are no samples where several make one
        if entrant.running and entrant.calls > 1:
            entrant.times.clear()
            entrant.efforts.clear()


def _drop_the_slow(running: list[Entrant], rounds: int) -> None:
    figures = _figures(running)
    best, best_noise = min(figures)
    least_gap = next(gap for most, gap in _GAPS if rounds < most)
    for entrant, (level, noise) in zip(running, figures):
        gap = level / best - 1
        if gap > least_gap + noise + best_noise:
            entrant.leave(f"{gap:.0%} slower after {rounds} rounds")


def race(
    entrants: list[Entrant],
    seconds: float,
    least_sample: float,
    progress: Callable[[int, list[Entrant]], None] = lambda rounds, running: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Entrant:
    """The winner. The race takes about so many `seconds`, and longer where rounds are long; a sample has calls for at least `least_sample`
    seconds."""
    start = clock()
    _first_look(entrants, least_sample)
    rounds = 0
    while True:
        running = [entrant for entrant in entrants if entrant.running]
        progress(rounds, running)
        spent = clock() - start
        enough = rounds >= (_ROUNDS if spent < 3 * seconds else 3)
        if len(running) == 1 or (spent > seconds and enough) or rounds >= MOST_ROUNDS:
            break
        turn = rounds % len(running)
        order = running[turn:] + running[:turn]
        for entrant in order if rounds % 2 == 0 else reversed(order):
            entrant.take(entrant.calls)
        rounds += 1
        if rounds >= 3:
            _drop_the_slow(running, rounds)
    return _judge(running)


def _judge(running: list[Entrant]) -> Entrant:
    for entrant in running:
        if not entrant.times:  # alone after the first look
            entrant.take(entrant.calls)
    figures = _figures(running)
    best, best_noise = min(figures)
    equals = []
    for entrant, (level, noise) in zip(running, figures):
        gap = level / best - 1
        if gap <= TOLERANCE + min(noise + best_noise, MOST_NOISE):
            equals.append(entrant)
        else:
            entrant.outcome = f"{gap:.1%} slower"
    winner = min(equals, key=lambda entrant: entrant.size)
    for entrant in equals:
        entrant.outcome = "as fast, but larger"
    winner.outcome = "chosen"
    return winner
