"""The race: which of several candidates is fastest, on a machine that does other things as well.

Candidates take turns in rounds whose order changes, so that what disturbs the machine meets all of them. A candidate's level is the mean
of its fastest quarter of samples, because disturbances only ever add time; its noise is how far those samples lie apart. Who is clearly
slower drops out early and the rounds go to the rest. The winner must beat the others by more than their noise; among equals the smallest
configuration wins. Nothing here knows what is measured: `sample(calls)` gives seconds a call.
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
MOST_NOISE = 0.015
MOST_ROUNDS = 60
#: Second chances of a candidate that seems too slow to go on; and how slow is hopeless after the first.
_CHANCES, _HOPELESS = 3, 30.0


@dataclass
class Entrant:
    """One candidate. `size` orders equals; `outcome` says in words how it fared."""

    sample: Callable[[int], float]
    size: tuple
    most_calls: int = 1000
    times: list[float] = field(default_factory=list)
    calls: int = 1
    running: bool = True
    outcome: str = ""

    @property
    def level(self) -> float:
        ordered = sorted(self.times)
        return statistics.fmean(ordered[: (len(ordered) + 3) // 4])

    @property
    def noise(self) -> float:
        ordered = sorted(self.times)
        return (ordered[min((len(ordered) + 3) // 4, len(ordered) - 1)] - ordered[0]) / ordered[0] if len(ordered) > 1 else 1.0

    def leave(self, outcome: str) -> None:
        self.running = False
        self.outcome = outcome


def _first_look(entrants: list[Entrant], least_sample: float) -> None:
    """One call that nobody counts and one that everybody does; leaves out what is far too slow and fixes how many calls a sample has."""
    for entrant in entrants:
        entrant.sample(1)
        entrant.times.append(entrant.sample(1))
    median = statistics.median(entrant.level for entrant in entrants)
    for chance in range(_CHANCES):  # who is slow may have met something else: it gets more chances, one after the others' turns
        for entrant in entrants:
            if min(entrant.times) > REJECT * median and (chance == 0 or entrant.times[0] < _HOPELESS * median):
                entrant.times.append(entrant.sample(1))
    for entrant in entrants:
        fastest = min(entrant.times)
        if fastest > REJECT * median:
            entrant.leave(f"{fastest / median:.1f} times the median")
        entrant.calls = max(1, min(entrant.most_calls, int(least_sample / fastest)))
    for entrant in entrants:  # single calls are no samples where several make one
        if entrant.running and entrant.calls > 1:
            entrant.times.clear()


def _drop_the_slow(running: list[Entrant], rounds: int) -> None:
    best = min(running, key=lambda entrant: entrant.level)
    least_gap = 0.15 if rounds < 6 else 0.03
    for entrant in running:
        gap = entrant.level / best.level - 1
        if entrant is not best and gap > least_gap + entrant.noise + best.noise:
            entrant.leave(f"{gap:.0%} slower after {rounds} rounds")


def race(
    entrants: list[Entrant],
    seconds: float,
    least_sample: float,
    progress: Callable[[int, list[Entrant]], None] = lambda rounds, running: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Entrant:
    """The winner. The race takes about so many `seconds`; a sample has calls for at least `least_sample` seconds."""
    start = clock()
    _first_look(entrants, least_sample)
    rounds = 0
    while True:
        running = [entrant for entrant in entrants if entrant.running]
        progress(rounds, running)
        spent = clock() - start
        enough = rounds >= (5 if spent < 3 * seconds else 3)
        if len(running) == 1 or (spent > seconds and enough) or rounds >= MOST_ROUNDS:
            break
        turn = rounds % len(running)
        order = running[turn:] + running[:turn]
        for entrant in order if rounds % 2 == 0 else reversed(order):
            entrant.times.append(entrant.sample(entrant.calls))
        rounds += 1
        if rounds >= 3:
            _drop_the_slow(running, rounds)
    return _judge(running)


def _judge(running: list[Entrant]) -> Entrant:
    for entrant in running:
        if not entrant.times:  # alone after the first look
            entrant.times.append(entrant.sample(entrant.calls))
    best = min(running, key=lambda entrant: entrant.level)
    equals = []
    for entrant in running:
        gap = entrant.level / best.level - 1
        if gap <= TOLERANCE + min(entrant.noise + best.noise, MOST_NOISE):
            equals.append(entrant)
        else:
            entrant.outcome = f"{gap:.1%} slower"
    winner = min(equals, key=lambda entrant: entrant.size)
    for entrant in equals:
        entrant.outcome = "as fast, but larger"
    winner.outcome = "chosen"
    return winner
