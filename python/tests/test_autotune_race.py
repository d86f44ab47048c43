"""The tuner's race alone, on made-up candidates and a made-up clock: who wins, who drops out, what noise does to it."""
from __future__ import annotations

import random

import pytest

from triton_metal.runtime.autotuner_trials import MOST_ROUNDS, Entrant, race


class Machine:
    """A clock that samples advance. `disturb(now)` gives what a sample takes longer, as a factor."""

    def __init__(self, disturb=lambda now: 1.0):
        self.now = 0.0
        self.disturb = disturb

    def entrant(self, seconds, size=(1,), **options):
        def sample(calls):
            assert calls <= options.get("most_calls", 1000)
            took = seconds * self.disturb(self.now)
            self.now += took * calls
            return took

        return Entrant(sample, size, **options)

    def race(self, entrants, seconds=1.0, least_sample=1e-4, **options):
        return race(entrants, seconds, least_sample, clock=lambda: self.now, **options)


def test_the_fastest_wins_and_the_others_say_why_not():
    machine = Machine()
    entrants = [machine.entrant(t) for t in (2e-3, 1e-3, 1.5e-3, 20e-3)]
    assert machine.race(entrants) is entrants[1]
    assert [e.outcome for e in entrants] == ["100% slower after 3 rounds", "chosen", "50% slower after 3 rounds", "11.4 times the median"]
    assert len(entrants[3].times) == 4  # three chances, and no round


def test_equals_go_to_the_smaller_configuration():
    machine = Machine()
    entrants = [machine.entrant(1e-3, (64, 4)), machine.entrant(1.004e-3, (16, 8)), machine.entrant(1.002e-3, (16, 4)),
                machine.entrant(1.05e-3, (1, 1))]
    assert machine.race(entrants) is entrants[2]
    assert entrants[0].outcome == entrants[1].outcome == "as fast, but larger" and "slower" in entrants[3].outcome


def test_noise_does_not_make_slow_ones_equal():
    rng = random.Random(1)
    machine = Machine(lambda now: 1 + rng.expovariate(2))  # half as much again on average, three times as much now and then
    entrants = [machine.entrant(1e-3, (64,)), machine.entrant(1.06e-3, (1,)), machine.entrant(1.3e-3, (1,))]
    assert machine.race(entrants) is entrants[0]


def test_a_burst_meets_all_candidates():
    # Something else runs for a third of a second; candidates that took turns one after the other would suffer alone.
    machine = Machine(lambda now: 4.0 if 0.1 < now < 0.45 else 1.0)
    entrants = [machine.entrant(t, (i,)) for i, t in enumerate((1.2e-3, 1e-3, 1.1e-3, 1.4e-3))]
    assert machine.race(entrants) is entrants[1]


def test_a_hiccup_in_the_first_look_rejects_nobody():
    calls = []
    machine = Machine(lambda now: 50.0 if calls.append(now) or len(calls) == 2 else 1.0)
    entrants = [machine.entrant(1e-3), machine.entrant(2e-3), machine.entrant(2e-3)]
    assert machine.race(entrants) is entrants[0]


def test_budget_rounds_and_samples():
    machine = Machine()
    slow = [machine.entrant(t, most_calls=1) for t in (0.5, 0.505)]
    machine.race(slow, seconds=1.0)
    assert 3 <= len(slow[0].times) <= 6  # each candidate gets its rounds, however long they take
    machine = Machine()
    fast = [machine.entrant(t) for t in (1e-5, 1.01e-5)]
    machine.race(fast, seconds=100.0)
    assert fast[0].calls == 10 and len(fast[0].times) == MOST_ROUNDS
    alone = machine.entrant(1e-5)
    assert machine.race([alone]) is alone and alone.times


@pytest.mark.parametrize("seed", range(5))
def test_the_choice_is_within_five_percent_on_a_machine_with_a_busy_core(seed):
    rng = random.Random(seed)

    def disturb(now):  # every second or third sample is cut short by the scheduler, and everything jitters
        return (1 + rng.random()) * (1 + 0.02 * rng.random()) if rng.random() < 0.6 else 1 + 0.02 * rng.random()

    machine = Machine(disturb)
    times = [1e-3 * (1 + 0.07 * i) for i in range(12)]
    rng.shuffle(times)
    entrants = [machine.entrant(t, (rng.randrange(100),)) for t in times]
    winner = machine.race(entrants)
    assert times[entrants.index(winner)] <= 1.05e-3


@pytest.mark.parametrize("seed", range(5))
def test_processor_time_decides_where_others_fill_the_machine(seed):
    rng = random.Random(seed)
    machine = Machine()

    def entrant(seconds, size):

        def sample(calls):  # of two processors a call gets between a tenth and all of them
            share = rng.uniform(0.1, 1.0)
            machine.now += seconds / share * calls
            return seconds / share, seconds * (1 + 0.01 * rng.random())

        return Entrant(sample, size)

    entrants = [entrant(6e-3 * (1 + 0.08 * i), (20 - i,)) for i in range(12)]
    assert machine.race(entrants, seconds=3.0) is entrants[0]


def test_time_decides_where_it_is_steady():
    # Less work, but in one thread: slower.
    machine = Machine()

    def entrant(seconds, effort):

        def sample(calls):
            machine.now += seconds * calls
            return seconds, effort

        return Entrant(sample, (1,))

    entrants = [entrant(2e-3, 0.5e-3), entrant(1e-3, 1e-3)]
    assert machine.race(entrants) is entrants[1]


def test_progress_is_told():
    seen = []
    machine = Machine()
    machine.race([machine.entrant(1e-3), machine.entrant(1.5e-3)], progress=lambda rounds, running: seen.append((rounds, len(running))))
    assert seen[0] == (0, 2) and seen[-1][1] == 1
