"""Roofs: what is measured on the CPU, what the table of chips says, what is kept, what is refused."""
from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from triton_metal import knobs
from triton_metal.compiler.compiler import disk_cache
from triton_metal.profiling import rates, roofs


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv("TRITON_METAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(roofs, "_measured", {})


def test_memory_bandwidth_of_the_cpu():
    found = metal.test_memory_bandwidth("cpu", megabytes=12, rounds=3)
    assert isinstance(found, rates.MemoryBandwidth) and (found.device, found.unit) == ("cpu", "GB/s")
    assert [rate.what for rate in found.rates] == ["read", "copy", "triad"]
    read, copy, triad = found.rates
    assert read.amount == triad.amount == pytest.approx(12e6, rel=0.01) and copy.amount == pytest.approx(8e6, rel=0.01)
    assert all(0 < rate.median <= rate.best and rate.rounds == 3 for rate in found.rates)
    assert found.gbs == max(rate.best for rate in found.rates)
    assert "read, copy, triad of 12 MB of fp32" in str(found) and "triad " in str(found)


@pytest.mark.parametrize("dtype, kernels", [("fp32", ["chains", "dot"]), (np.float64, ["chains"]), (tl.float16, ["chains", "dot"])])
def test_compute_throughput_of_the_cpu(dtype, kernels):
    found = metal.test_compute_throughput("cpu", dtype, rounds=1)
    assert isinstance(found, rates.ComputeThroughput) and [rate.what for rate in found.rates] == kernels
    assert found.gflops == max(rate.best for rate in found.rates) > 0
    assert found.rates[0].amount == 2 * 4 * 16 * 32 * 128 * 64


def test_kernels_compute_what_is_counted():
    """Bytes and operations that rates divide by are those of the compiler's analysis."""
    with metal.profile() as report:
        bandwidth = rates.memory_rates("cpu", 1, 1, ("read", "copy", "triad"))
        throughput = rates.compute_rates("cpu", "fp32", 1, 128)
    amounts = {row.name: row for row in report.kernels}
    for rate in bandwidth.rates:
        row = amounts[f"{rate.what}_kernel"]
        assert row.bytes / row.launches == pytest.approx(rate.amount, rel=1e-3)
    for rate, name in zip(throughput.rates, ("chains_kernel", "product_kernel")):
        # Beside the chains there are six additions an element.
        assert amounts[name].operations / amounts[name].launches == pytest.approx(rate.amount, rel=2e-3)


@pytest.mark.parametrize("test", ["test_memory_bandwidth", "test_compute_throughput"])
@pytest.mark.never_refused
def test_the_software_metal_is_refused(test):
    if metal.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(triton.UnsupportedOnDevice, match="the speed of the software Metal is no GPU's") as caught:
        getattr(metal, test)("metal")
    assert caught.value.op == test and "get_hardware_capabilities()" in caught.value.remedy


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'cpu' and 'metal', not 'cuda'"):
        metal.test_memory_bandwidth("cuda")
    with pytest.raises(ValueError, match="fp16, fp32, fp64, not 'int8'"):
        metal.test_compute_throughput("cpu", "int8")
    with pytest.raises(ValueError, match="rounds=0: at least 1"):
        metal.test_compute_throughput("cpu", rounds=0)
    with pytest.raises(ValueError, match="megabytes=0: at least 1"):
        metal.test_memory_bandwidth("cpu", megabytes=0)


def test_roofs_of_the_cpu_are_measured_once_and_kept(monkeypatch):
    first = roofs.roofs_of("cpu", "apple-m1")
    assert first.is_measured and first.bandwidth_gbs > 0 and first.gflops > 0
    assert "measured here: read of 64 MB of fp32; multiply-adds" in first.how
    monkeypatch.setattr(rates, "memory_rates", None)
    monkeypatch.setattr(rates, "compute_rates", None)
    assert roofs.roofs_of("cpu", "apple-m1") == first
    monkeypatch.setattr(roofs, "_measured", {})
    assert roofs.roofs_of("cpu", "apple-m1") == first  # from the disk


def test_measuring_them_is_no_part_of_a_profile():
    seen = []
    note = lambda launch: seen.append(launch["name"])  # noqa: E731
    knobs.runtime.launch_enter_hook.add(note)
    knobs.runtime.launch_exit_hook.add(note)
    try:
        with metal.profile(trials=True) as report:
            roofs.roofs_of("cpu", "apple-m1")
            rates.copy_kernel[(1,)](np.zeros(4096, np.float32), np.zeros(4096, np.float32), BLOCK=4096, device="cpu")
    finally:
        knobs.runtime.launch_enter_hook.remove(note)
        knobs.runtime.launch_exit_hook.remove(note)
    assert seen == ["copy_kernel"] * 2
    assert [(row.name, row.launches) for row in report.kernels] == [("copy_kernel", 1)] and report.trials == 0


def test_another_process_finds_them():
    kept = roofs.roofs_of("cpu", "apple-m1")
    program = "from triton_metal.profiling import rates, roofs; rates.memory_rates = rates.compute_rates = None; " \
              "print(roofs.roofs_of('cpu', 'apple-m1').bandwidth_gbs)"
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(triton.__path__[0])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=100)
    assert (done.returncode, float(done.stdout)) == (0, kept.bandwidth_gbs), done.stderr


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"value": "x", "how": ""}', b'{"value": -1, "how": ""}', b'{"value": 1}'])
def test_a_damaged_entry_is_measured_again(damage, monkeypatch):
    disk_cache().store(roofs._key("cpu", "bandwidth"), {"roof.json": damage})
    found = rates.MemoryBandwidth("cpu", "GB/s", "measured", (rates.Rate("read", 1, 2, 3, 1),))
    monkeypatch.setattr(rates, "memory_rates", lambda *_: found)
    monkeypatch.setattr(rates, "compute_rates", rates.memory_rates)
    assert roofs.roofs_of("cpu", "apple-m1").bandwidth_gbs == 3


def test_a_longer_measurement_takes_its_place():
    roofs.keep("cpu", "bandwidth", 1e6, "dreamt")
    roofs.keep("cpu", "gflops", 2e6, "dreamt")
    assert roofs.roofs_of("cpu", "apple-m1").bandwidth_gbs == 1e6
    found = metal.test_memory_bandwidth("cpu", megabytes=3, rounds=1)
    roofs._measured.clear()
    now = roofs.roofs_of("cpu", "apple-m1")
    assert (now.bandwidth_gbs, now.gflops) == (found.gbs, 2e6)


def test_roofs_without_a_disk_cache(monkeypatch):
    monkeypatch.setenv("TRITON_METAL_DISK_CACHE", "0")
    roofs.keep("cpu", "bandwidth", 5, "x")
    roofs.keep("cpu", "gflops", 7, "y")
    assert roofs.roofs_of("cpu", "apple-m1").gflops == 7


@pytest.mark.parametrize("chip, bandwidth, factor", [("apple-m1", 68, 1), ("apple-m5", 153, 4)])
def test_roofs_of_a_chip_are_those_of_the_table(chip, bandwidth, factor):
    found = roofs.roofs_of("metal", chip)
    capabilities = metal.get_hardware_capabilities(chip)
    assert (found.bandwidth_gbs, found.gflops) == (capabilities.bandwidth_gbs, capabilities.fp32_tflops * 1e3)
    assert found.bandwidth_gbs == bandwidth and found.matrix_gflops == factor * found.gflops
    assert not found.is_measured and found.how == f"published figures of {chip}"


def test_rows_against_the_roofs():
    """By arithmetic: a roof of 10 GB/s and 100 GFLOP/s."""
    from triton_metal.profiling.bound import bind
    from triton_metal.profiling.report import Report

    roofs.keep("cpu", "bandwidth", 10, "set")
    roofs.keep("cpu", "gflops", 100, "set")
    copy = bind(rates.copy_kernel, (np.zeros(4096, np.float32), np.zeros(4096, np.float32)), (1,), "cpu", BLOCK=4096)
    side = 128
    a = np.zeros((side, side), np.float32)
    product = bind(rates.product_kernel, (a, a.copy(), a.copy(), side), (2, 2), "cpu", BLOCK=64)
    report = Report()
    records = np.array([(0, 0, 0, 6_553_600), (1, 0, 0, 83_886_080)], [("s", "u4"), ("t", "u4"), ("b", "u8"), ("e", "u8")])
    report._complete({"began": 0, "ended": 10**9, "dropped": 0, "threads": ["MainThread"], "shapes": [tuple(copy), tuple(product)],
                      "records": records.tobytes()})  # fmt: skip
    rows = {row.name: row for row in report.kernels}
    assert rows["copy_kernel"].bound == "memory" and rows["copy_kernel"].roof_fraction == pytest.approx(32768 / 10e9 / 6.5536e-3)
    assert rows["product_kernel"].bound == "compute"
    assert rows["product_kernel"].roof_fraction == pytest.approx(2 * side**3 / 100e9 / 83.88608e-3)
    assert not math.isnan(json.loads(report.to_json())["kernels"][0]["roof_fraction"])
