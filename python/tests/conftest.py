"""Fixtures: the devices every operation is tested on, and a disk cache of the test run's own."""
from __future__ import annotations

import collections

import pytest

import triton_metal

REFUSED: collections.Counter = collections.Counter()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Tests neither read nor fill the user's cache."""
    import os
    os.environ["TRITON_METAL_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(params=["cpu", "metal"])
def device(request):
    return request.param


@pytest.fixture(params=[1, 4, 8])
def warps(request):
    return request.param


@pytest.fixture(scope="module")
def checked_metal():
    """The checks of the software Metal, on for a module."""
    with triton_metal.knobs.metal.scope():
        triton_metal.knobs.metal.checked = True
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A typed refusal of the device is a skip with its reason, counted by reason at the end of the run."""
    try:
        return (yield)
    except triton_metal.UnsupportedOnDevice as error:
        if item.get_closest_marker("never_refused"):
            raise
        reason = f"{error.device} refuses {error.op}: {error.reason}"
        REFUSED[reason] += 1
        pytest.skip(reason)


def pytest_configure(config):
    config.addinivalue_line("markers", "never_refused: an UnsupportedOnDevice error fails this test instead of skipping it")


def pytest_terminal_summary(terminalreporter):
    reasons = collections.Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", [])
                                  if isinstance(report.longrepr, tuple))
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}")
