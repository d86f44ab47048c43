"""Profiling is switched on and off here; launches are recorded in C++ (python/bindings/recording.cpp)."""

from __future__ import annotations

import contextlib
import operator
import threading
from collections.abc import Iterator

from .. import _core
from ..devices import synchronize
from ..errors import ProfilingError
from .report import Report

_lock = threading.Lock()
_current: Report | None = None
#: A program is profiled from outside (profile_program): the recording is that one's, and profiles of the program are parts of it.
_outer: Report | None = None
_began: tuple[int, int, int] | None = None  # where in the outer recording the current profile began

#: Launches that are kept by default: 24 bytes each, and what differs among their arguments.
LIMIT = 1_000_000


def start_profiling(limit: int = LIMIT, trials: bool = False) -> Report:
    """Record every launch on every device from now on, until `stop_profiling()`. Some 0.1 microseconds a launch.

    limit: launches that are kept; those beyond are counted as `report.dropped`.
    trials: whether the launches that a tuner makes to choose a configuration are among the report's.

    Returns the report, which can be read once profiling has stopped. It is a context manager too:

        with metal.start_profiling() as report:
            kernel[grid](x, y)
        print(report)

    Raises ProfilingError where profiling is on already. Launches that fail are not recorded.
    """
    global _current, _began
    limit = operator.index(limit)
    if limit < 1:
        raise ValueError(f"limit is a number of launches, at least 1, not {limit}")
    with _lock:
        if _current is not None:
            raise ProfilingError("profiling is on already; stop_profiling() ends it")
        if _outer is None:
            _core.start_recording(limit)
        else:
            _began = _core.recording_position()
        _current = Report(trials)
        return _current


def stop_profiling() -> Report:
    """Wait for what was launched, end profiling, and return the report. Raises ProfilingError where profiling is off."""
    global _current
    with _lock:
        if _current is None:
            raise ProfilingError("profiling is off; start_profiling() switches it on")
        report = _current
        try:
            synchronize()
        finally:
            _current = None
            report._complete(_core.stop_recording() if _outer is None else _core.read_recording(_began))
        return report


def is_profiling() -> bool:
    """Whether launches are being recorded."""
    return _current is not None


class profile:
    """A context in which launches are profiled; gives the report, which can be read behind it.

        with metal.profile() as report:
            kernel[grid](x, y)
        print(report)

    limit, trials: as of start_profiling. Raises ProfilingError where profiling is on already.
    """

    def __init__(self, limit: int = LIMIT, trials: bool = False):
        self._options = limit, trials

    def __enter__(self) -> Report:
        self._report = start_profiling(*self._options)
        return self._report

    def __exit__(self, *exception) -> None:
        end_of_context(self._report)


@contextlib.contextmanager
def profile_program(limit: int = LIMIT) -> Iterator[Report]:
    """A profile of all that a program launches, which may make profiles of its own: their launches are in both. The limit is this one's.

    One at a time, and outside of other profiles: raises ProfilingError elsewhere.
    """
    global _outer, _current
    report = start_profiling(limit)
    _outer, _current = report, None
    try:
        yield report
    finally:
        with _lock:
            try:
                synchronize()
            finally:
                if _current is not None:  # the program did not stop it
                    _current._complete(_core.read_recording(_began))
                _outer = _current = None
                report._complete(_core.stop_recording())


def end_of_context(report: Report) -> None:
    """Stop profiling if it is still this report's."""
    if report is _current:
        stop_profiling()
