"""Profiles: what is recorded, and what the report makes of it."""
from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from triton_metal import _core
from triton_metal.errors import ProfilingError
from triton_metal.profiling import report as report_module
from triton_metal.profiling.bound import bind
from triton_metal.profiling.occupancy import occupancy
from triton_metal.profiling.report import Report
from triton_metal.profiling.table import amount, number


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(x + i, mask=i < n) + tl.load(y + i, mask=i < n), mask=i < n)


@triton.jit
def add_pair(pair, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(pair[0] + i, mask=i < n) + tl.load(pair[1] + i, mask=i < n), mask=i < n)


@triton.jit(configs=[triton.Config({"BLOCK": 128})])
def tuned(x, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(x + i, mask=i < n), mask=i < n)


@triton.heuristics({"BLOCK": lambda arguments: 64})
@triton.jit
def heuristic(x, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(x + i, mask=i < n), mask=i < n)


@triton.jit
def asserts(x, limit):
    tl.device_assert(tl.load(x) < limit, "too much")


@pytest.fixture
def arrays():
    return np.ones(300, np.float32), np.ones(300, np.float32), np.zeros(300, np.float32)


@pytest.fixture(autouse=True)
def profiling_is_off_afterwards():
    yield
    assert not metal.is_profiling() and not _core.is_recording()


def test_every_way_to_launch_is_recorded(device, arrays):
    x, y, out = arrays
    compiled = add[(3,)](x, y, out, 300, BLOCK=128, device=device)
    with metal.profile() as report:
        add[(3,)](x, y, out, 300, BLOCK=128, device=device)
        add[lambda meta: (triton.cdiv(300, meta["BLOCK"]) + 1,)](x, y, out, 300, BLOCK=128, device=device)
        add.run(x, y, out, 300, BLOCK=128, device=device, grid=(3,), warmup=False)
        add_pair[(3,)]((x, y), out, 300, BLOCK=128, device=device)
        tuned[(3,)](x, out, 300, device=device)
        heuristic[(5,)](x, out, 300, device=device)
        compiled[(3,)](x, y, out, 300)
        add.warmup(x, y, out, 300, BLOCK=128, device=device, grid=(3,))  # compiles only
        add[(0,)](x, y, out, 300, BLOCK=128, device=device)  # nothing to run
    assert {(row.name, row.device): row.launches for row in report.kernels} == {
        ("add", device): 4, ("add_pair", device): 1, ("tuned", device): 1, ("heuristic", device): 1}  # fmt: skip
    names = [report.kernels[launch.kernel].name for launch in report.launches]
    assert names == ["add", "add", "add", "add_pair", "tuned", "heuristic", "add"]
    assert [launch.grid for launch in report.launches] == [(3, 1, 1), (4, 1, 1)] + [(3, 1, 1)] * 3 + [(5, 1, 1), (3, 1, 1)]
    assert report.kernels[names.index("add")].compiled.asm["ttir"]
    assert [launch.grid for launch in report.launches[1:3]] == [(4, 1, 1), (3, 1, 1)]
    assert len({shape.params for shape in report.shapes if report.kernels[shape.kernel].name == "add"}) == 1


def test_parameters_are_those_of_the_bound_launch(device, arrays):
    x, y, out = arrays
    with metal.profile() as report:
        add[(3,)](x, y, out, 300, BLOCK=128, device=device)
    bound = bind(add, (x, y, out, 300, 128), grid=(3,), device=device)
    (shape,) = report.shapes
    assert (shape.params, shape.grid, report.kernels[0].compiled) == (bound.params, bound.grid, bound.compiled)


def test_gaps_between_parameters_make_no_other_shape():
    @triton.jit
    def gaps(a: tl.int8, out, b: tl.int8):
        tl.store(out, a + b)

    out = np.zeros(1, np.int8)
    with metal.profile() as report:
        for _ in range(20):
            add[(1,)](np.ones(9, np.float32), np.ones(9, np.float32), np.ones(9, np.float32), 9, BLOCK=16, device="cpu")
            gaps[(1,)](3, out, 4, device="cpu")
    assert sum(report.kernels[shape.kernel].name == "gaps" for shape in report.shapes) == 1


def test_times_lie_within_the_profile(device, arrays):
    x, y, out = arrays
    add[(3,)](x, y, out, 300, BLOCK=128, device=device)
    report = metal.start_profiling()
    began = time.perf_counter()
    for _ in range(5):
        add[(3,)](x, y, out, 300, BLOCK=128, device=device)
    wall_us = (time.perf_counter() - began) * 1e6
    assert metal.stop_profiling() is report
    launches = report.launches
    assert all(launch.duration_us > 0 for launch in launches)
    assert all(a.begin_us + a.duration_us <= b.begin_us for a, b in zip(launches, launches[1:]))
    assert 0 <= launches[0].begin_us and launches[-1].begin_us + launches[-1].duration_us <= report.duration_us
    assert sum(launch.duration_us for launch in launches) <= wall_us


def test_nothing_is_recorded_when_off(arrays):
    x, y, out = arrays
    with metal.profile() as report:
        pass
    add[(3,)](x, y, out, 300, BLOCK=128, device="cpu")
    assert len(report.launches) == 0 and report.kernels == [] and report.devices == {}
    assert str(report).startswith("no kernel was launched in ")
    with metal.profile() as second:
        add[(3,)](x, y, out, 300, BLOCK=128, device="cpu")
    assert len(second.launches) == 1 and len(report.launches) == 0


def test_starts_and_stops_that_do_not_fit():
    with pytest.raises(ProfilingError, match=r"profiling is off; start_profiling\(\)"):
        metal.stop_profiling()
    report = metal.start_profiling()
    try:
        assert metal.is_profiling()
        with pytest.raises(ProfilingError, match=r"on already; stop_profiling\(\)"):
            metal.start_profiling()
        with pytest.raises(ProfilingError, match="on already"), metal.profile():
            pass
        for read in (lambda: report.kernels, lambda: report.launches, lambda: report.devices, lambda: report.dropped,
                     lambda: report.duration_us):  # fmt: skip
            with pytest.raises(ProfilingError, match="when profiling has stopped"):
                read()
        assert str(report) == "profiling is on; the report can be read when it has stopped"
        assert repr(report) == "<Report: profiling is on>"
    finally:
        assert metal.stop_profiling() is report
    assert report.is_complete and repr(report) == "<Report: 0 launches of 0 kernels>"
    for limit in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            metal.start_profiling(limit)
    with pytest.raises(TypeError):
        metal.start_profiling(1.5)


def test_contexts(arrays):
    x, y, out = arrays
    with metal.start_profiling() as report:
        add[(3,)](x, y, out, 300, BLOCK=128, device="cpu")
    assert len(report.launches) == 1
    with metal.profile() as report:
        assert metal.stop_profiling() is report  # the end of the context finds nothing to stop
        metal.start_profiling()
    metal.stop_profiling()
    with pytest.raises(KeyError), metal.profile() as report:
        add[(3,)](x, y, out, 300, BLOCK=128, device="cpu")
        raise KeyError
    assert len(report.launches) == 1


def test_launches_that_fail_are_not_recorded(device):
    x = np.full(1, 5, np.int32)
    with metal.profile() as report:
        with pytest.raises(triton.DeviceFault, match="too much"):
            asserts[(1,)](x, 3, device=device, debug=True)
        with pytest.raises(triton.LaunchError):
            asserts[(1,)](x, "3", device=device)
        asserts[(1,)](x, 7, device=device, debug=True)
    assert len(report.launches) == len(report._read()["shapes"]) == 1


def test_beyond_the_limit_launches_are_counted(arrays):
    x, y, out = arrays
    with metal.profile(limit=5000) as report:
        for _ in range(5007):
            add[(1,)](x, y, out, 16, BLOCK=16, device="cpu")
        heuristic[(5,)](x, out, 300, device="cpu")
    assert (len(report.launches), report.dropped) == (5000, 8)
    assert [(row.name, row.launches) for row in report.kernels] == [("add", 5000)]
    assert "8 launches beyond the limit were not kept" in str(report)
    begins = report.records["begin"].astype(np.int64)
    assert (np.diff(begins) > 0).all()  # the chunks follow one another


def test_beyond_the_limit_arguments_are_not_kept(device, arrays):
    x, y, out = arrays
    with metal.profile(limit=3) as report:
        for n in range(17, 57, 2):
            add[(1,)](x, y, out, n, BLOCK=64, device=device)
    assert (len(report.launches), report.dropped, len(report._read()["shapes"])) == (3, 17, 3)


@pytest.mark.parametrize("trials", [False, True])
def test_trials_of_tuners_are_told_apart(trials, device, tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_METAL_CACHE_DIR", str(tmp_path))
    kernel = triton.jit(heuristic.fn.fn, configs=[triton.Config({"BLOCK": block}) for block in (64, 128)], autotune=True)
    x, out = np.ones(300, np.float32), np.zeros(300, np.float32)
    with metal.profile(trials=trials) as report:
        for _ in range(3):
            kernel[lambda meta: (triton.cdiv(300, meta["BLOCK"]),)](x, out, 300, device=device)
        add[(3,)](x, x.copy(), out, 300, BLOCK=128, device=device)
    own = {row.name: row.launches for row in report.kernels}
    assert report.trials > 0 and report.trials_us > 0 and own["add"] == 1
    if trials:
        assert sum(row.launches for row in report.kernels) == 4 + report.trials and len(report.kernels) >= 3
    else:
        assert own == {"heuristic": 3, "add": 1} and len(report.launches) == 4
        assert [report.kernels[launch.kernel].name for launch in report.launches] == ["heuristic"] * 3 + ["add"]
        assert f"{report.trials} launches were trials of tuners" in str(report)
    assert {launch.thread for launch in report.launches} == {"MainThread"}


def test_a_program_may_end_while_profiling_is_on():
    program = """if True:
        import numpy as np
        import triton_metal.backends.metal as metal
        from triton_metal.profiling.rates import copy_kernel
        metal.start_profiling()
        for device in ("cpu", "metal"):
            copy_kernel[(1,)](np.ones(4096, np.float32), np.ones(4096, np.float32), BLOCK=4096, device=device)
        print("done")
    """
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(triton.__path__[0])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_costs_that_take_too_long_are_left_out(arrays, monkeypatch):
    x, y, out = arrays
    with metal.profile() as report:
        for n in range(17, 17 + 2 * 20, 2):
            add[(1,)](x, y, out, n, BLOCK=128, device="cpu")
    monkeypatch.setattr(report_module, "COST_SECONDS", -1.0)
    assert all(shape.cost is None for shape in report.shapes) and report.kernels[0].gbs is None
    assert "Bytes and operations of 20 different launches are not known" in str(report)


def test_launches_that_differ_have_their_own_costs(arrays):
    x, y, out = arrays
    with metal.profile() as report:
        for n in range(17, 17 + 2 * 100, 2):
            add[(2,)](x, y, out, n, BLOCK=128, device="cpu")
    assert [shape.bytes for shape in report.shapes] == [3 * 4 * n for n in range(17, 17 + 2 * 100, 2)]
    assert report.kernels[0].bytes == sum(shape.bytes for shape in report.shapes)


def test_threads_record_side_by_side(device, arrays):
    x, y, _ = arrays
    add[(3,)](x, y, arrays[2], 300, BLOCK=128, device=device)

    def work(out):
        for _ in range(20):
            add[(3,)](x, y, out, 300, BLOCK=128, device=device)

    with metal.profile() as report:
        threads = [threading.Thread(target=work, args=(np.zeros(300, np.float32),), name=f"worker {i}") for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    names = [launch.thread for launch in report.launches]
    assert {name: names.count(name) for name in names} == {f"worker {i}": 20 for i in range(4)}


def test_profiling_starts_and_stops_while_others_launch(device, arrays):
    x, y, _ = arrays
    done = threading.Event()
    failures, launches = [], [0, 0]

    def work(number):
        out = np.zeros(300, np.float32)
        try:
            while not done.is_set():
                add[(3,)](x, y, out, 300 - 2 * (launches[number] % 40), BLOCK=128, device=device)
                launches[number] += 1
        except triton.TritonError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    reports = []
    for _ in range(30):
        reports.append(metal.start_profiling(limit=50))
        time.sleep(0.003)
        metal.stop_profiling()
    done.set()
    for thread in threads:
        thread.join()
    kept = sum(len(report.launches) for report in reports)
    assert not failures and 0 < kept and kept + sum(report.dropped for report in reports) <= sum(launches)
    for report in reports:
        assert sum(row.launches for row in report.kernels) == len(report.launches) <= 50


def recorded(shapes: list, rows: list[tuple[int, int, int]], **changes) -> Report:
    """A report of launches with these shapes, and (shape, begin, end) in nanoseconds."""
    records = np.array([(shape, 0, begin, end) for shape, begin, end in rows], [("s", "u4"), ("t", "u4"), ("b", "u8"), ("e", "u8")])
    report = Report()
    report._complete({"began": 1000, "ended": 2_001_000, "dropped": 0, "threads": ["MainThread"], "shapes": shapes,
                      "records": records.tobytes(), **changes})  # fmt: skip
    return report


def test_statistics_are_those_of_the_launches(arrays):
    x, y, out = arrays
    bound = bind(add, (x, y, out, 300, 128), grid=(3,), device="cpu")
    durations = np.random.default_rng(0).integers(1, 10**6, 101)
    report = recorded([tuple(bound)], [(0, 5000, 5000 + int(duration)) for duration in durations])
    (row,) = report.kernels
    microseconds = np.sort(durations) / 1e3
    assert row.launches == 101 and row.median_us == microseconds[50] and row.min_us == microseconds[0]
    assert row.p95_us == pytest.approx(microseconds[95]) and row.total_us == pytest.approx(microseconds.sum())
    assert report.duration_us == 2000 and report.launches[0].begin_us == 4 and report.launches[0].thread == "MainThread"


def test_the_most_expensive_kernel_is_the_first(arrays):
    x, y, out = arrays
    cheap = bind(add, (x, y, out, 300, 128), grid=(3,), device="cpu")
    dear = bind(heuristic, (x, out, 300), grid=(5,), device="cpu")
    report = recorded([tuple(cheap), tuple(dear)], [(0, 0, 10), (1, 10, 500), (0, 500, 510)])
    assert [(row.name, row.launches) for row in report.kernels] == [("heuristic", 1), ("add", 2)]
    assert [launch.kernel for launch in report.launches] == [1, 0, 1]


def test_kernels_of_one_name_are_told_apart(device, arrays):
    x, y, out = arrays
    with metal.profile() as report:
        for block, n, warps in ((128, 300, 4), (64, 300, 4), (128, 288, 4), (128, 300, 8), (128, 1, 4)):
            add[(3,)](x, y, out, n, BLOCK=block, num_warps=warps, device=device)
        add[(3,)](x.astype(np.float16), y, out, 300, BLOCK=128, device=device)
        heuristic[(5,)](x, out, 300, device=device)
    labels = {report.kernels[launch.kernel].label for launch in report.launches}
    assert labels == {
        "add [BLOCK=128, num_warps=4, x=*fp32:16, n=i32]", "add [BLOCK=64, num_warps=4, x=*fp32:16, n=i32]",
        "add [BLOCK=128, num_warps=4, x=*fp32:16, n=i32:16]", "add [BLOCK=128, num_warps=8, x=*fp32:16, n=i32]",
        "add [BLOCK=128, num_warps=4, x=*fp32:16, n=1]", "add [BLOCK=128, num_warps=4, x=*fp16:16, n=i32]", "heuristic"}  # fmt: skip


def test_no_more_is_said_than_tells_apart(arrays):
    """y has another type wherever x has, and says nothing more."""
    x, y, out = arrays
    with metal.profile() as report:
        add[(3,)](x, y, out, 300, BLOCK=128, device="cpu")
        add[(3,)](x.astype(np.float16), y.astype(np.float16), out, 300, BLOCK=128, device="cpu")
    assert {row.label for row in report.kernels} == {"add [x=*fp32:16]", "add [x=*fp16:16]"}


@pytest.mark.parametrize("facts, programs, chip, percent, bound", [
    ((128, 0, 0), 10**6, "apple-m1", 100, "threads"),
    ((1024, 0, 0), 10**6, "apple-m1", 100, "threads"),
    ((128, 32768, 0), 10**6, "apple-m1", 4 / 0.96, "threadgroup memory"),
    ((128, 16384, 0), 10**6, "apple-m3", 12 / 0.96, "threadgroup memory"),
    ((128, 0, 128), 10**6, "apple-m1", 12 / 0.96, "registers"),  # 416 threads of a core
    ((128, 0, 128), 10**6, "apple-m3", 100, "threads"),
    ((32, 0, 0), 8, "apple-m1", 1 / 0.96, "grid"),
    ((1024, 0, 128), 10**6, "apple-m1", 32 / 0.96, "registers"),  # one threadgroup is there all the same
])  # fmt: skip
def test_occupancy(facts, programs, chip, percent, bound):
    facts = dict(zip(("threads", "threadgroup_bytes", "estimated_registers"), facts))
    found = occupancy(facts, programs, chip)
    assert (found.fraction * 100, found.bound) == (pytest.approx(percent), bound)


def test_tables_of_one_launch_and_of_no_row(arrays):
    with metal.profile(limit=1) as report:
        for _ in range(2):
            add[(3,)](*arrays, 300, BLOCK=128, device="cpu")
    assert "\n1 launch ran " in report.table(top=1) and "\n1 launch beyond the limit was not kept" in str(report)
    for top in (0, -1):
        with pytest.raises(ValueError, match=f"at least 1, or None for all, not {top}"):
            report.table(top=top)


def test_the_table(device, arrays):
    x, y, out = arrays
    with metal.profile() as report:
        add[(3,)](x, y, out, 300, BLOCK=128, device=device)
        add[(3,)](x, y, out, 300, BLOCK=128, device=device)
    lines = str(report).splitlines()
    assert lines[0].split() == ("kernel device launches total ms median us p95 us bytes operations GB/s GFLOP/s FLOP/B bound by "
                                "of roof occupancy").split()  # fmt: skip
    assert lines[2].split()[:3] == ["add", device, "2"]
    assert lines[3].startswith("2 launches ran ")
    assert ("its times and rates say nothing about a GPU" in str(report)) == (device == "metal")
    row = report.kernels[0]
    assert (row.occupancy is not None) == (device == "metal")
    if device == "metal":
        assert row.roof_fraction is None and report.devices["metal"].is_software


@pytest.mark.parametrize("value, text", [(None, "-"), (0, "0"), (1234.5, "1234"), (99.94, "99.9"), (0.5, "0.5"), (0.00123, "0.00123"),
                                         (12.345, "12.3"), (2e-6, "2e-06")])  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize("value, text", [(None, "-"), (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_582_912, "12.6 MB"),
                                         (3.2e9, "3.2 GB"), (5e15, "5000 TB")])  # fmt: skip
def test_amounts(value, text):
    assert amount(value, "B") == text
