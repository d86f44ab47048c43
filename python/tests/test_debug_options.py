"""metal.set_debug_option: every option has the effect that it is for."""
from __future__ import annotations

import os

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from triton_metal import knobs


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(x + i, mask=i < n) + tl.load(y + i, mask=i < n), mask=i < n)


@triton.jit
def overrun(x, out, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(x + i))


@triton.jit
def asserts(x):
    tl.device_assert(tl.load(x) < 3, "too much")


@triton.jit
def endless(x):
    while tl.load(x) == 0:
        tl.store(x, 0)


@triton.jit
def fused(x, y, out):
    tl.store(out, tl.load(x) * tl.load(y) - 1.0)


@pytest.fixture(autouse=True)
def restored():
    before = metal.get_debug_options()
    with knobs.cpu.scope(), knobs.metal.scope(), knobs.runtime.scope(), knobs.compilation.scope(), knobs.cache.scope(), \
            knobs.language.scope(), knobs.autotuning.scope():
        for group in (knobs.cpu, knobs.metal):
            group.checked = False
        yield
    assert metal.get_debug_options() == before


@pytest.fixture
def arrays():
    return np.ones(256, np.float32), np.ones(256, np.float32), np.zeros(256, np.float32)


def test_previous_values_and_contexts():
    assert metal.set_debug_option("seed", 7).previous == 0
    with metal.set_debug_option("seed", 9) as option:
        assert (option.name, option.previous, knobs.metal.seed) == ("seed", 7, 9)
    assert metal.get_debug_options()["seed"] == 7
    option = metal.set_debug_option("timeout", 2.5)
    assert knobs.cpu.timeout == knobs.metal.timeout == 2.5 and "timeout" in repr(option)
    option.restore()
    assert "timeout" not in knobs.cpu._assigned and "timeout" not in knobs.metal._assigned


@pytest.mark.parametrize("name, value", [("seed", 7), ("checked", True), ("chip", "apple-m3"), ("timeout", 5), ("print_ir", "msl")])
def test_none_makes_an_option_what_it_is_by_itself(name, value):
    before = metal.get_debug_options()[name]
    with metal.set_debug_option(name, value):
        assert metal.get_debug_options()[name] == value
        metal.set_debug_option(name, None)
        assert metal.get_debug_options()[name] == (os.environ.get("TRITON_METAL_CHECKED") == "1" if name == "checked" else before)


def test_a_restored_option_follows_its_variable_again(monkeypatch):
    with metal.set_debug_option("always_compile", False):
        monkeypatch.setenv("TRITON_ALWAYS_COMPILE", "1")
        assert metal.get_debug_options()["always_compile"] is False
    assert metal.get_debug_options()["always_compile"] is True


def test_wrong_names_and_values():
    with pytest.raises(ValueError, match="there is no debug option 'verbose'; there are checked, debug, seed, .*print_autotuning"):
        metal.set_debug_option("verbose", True)
    for name, value, message in [("checked", 1, "'checked' is True or False, not 1"), ("seed", -1, "'seed' is a number from 0"),
                                 ("seed", True, "'seed' is a number"), ("timeout", 0, "'timeout' is a number of seconds above 0"),
                                 ("dump_dir", 3, "'dump_dir' is a string"), ("chip", 3, "'chip' is a string"),
                                 ("timeout", float("nan"), "'timeout' is a number of seconds above 0")]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            metal.set_debug_option(name, value)
    with pytest.raises(ValueError, match="there is no chip 'apple-m0'"):
        metal.set_debug_option("chip", "apple-m0")
    with pytest.raises(ValueError, match="there is no stage 'ptx' to print; there are ttir, llir, asm, ttm, msl, air"):
        metal.set_debug_option("print_ir", "ptx")
    assert set(metal.get_debug_options()) >= {"checked", "chip", "print_ir"}


def test_checked(device):
    x, out = np.ones(16, np.float32), np.zeros(32, np.float32)
    with metal.set_debug_option("checked", True), pytest.raises(triton.DeviceFault, match="outside array|out of bounds"):
        overrun[(1,)](x, out, BLOCK=32, device=device)


def test_debug(device):
    x = np.full(1, 5, np.int32)
    asserts[(1,)](x, device=device)
    with metal.set_debug_option("debug", True), pytest.raises(triton.DeviceFault, match="too much"):
        asserts[(1,)](x, device=device)


@pytest.mark.parametrize("checked", [True, False])
def test_timeout(device, checked):
    with metal.set_debug_option("checked", checked), metal.set_debug_option("timeout", 0.1), pytest.raises(triton.DeviceFault):
        endless[(1,)](np.zeros(1, np.int32), device=device)


def test_chip(arrays):
    with metal.set_debug_option("chip", "apple-m5"):
        assert metal.get_hardware_capabilities().chip == "apple-m5"
        compiled = add[(2,)](*arrays, 256, BLOCK=128, device="metal")
    assert compiled is not add[(2,)](*arrays, 256, BLOCK=128, device="metal")


def test_counting(arrays):
    metal.take_counters()
    with metal.set_debug_option("counting", True):
        add[(2,)](*arrays, 256, BLOCK=128, device="metal")
        add[(2,)](*arrays, 256, BLOCK=128, device="cpu")  # as ever
    counters = metal.take_counters()
    assert counters["device_bytes"] == 3 * 4 * 256 and counters["float_operations"] == 256 and (arrays[2] == 2).all()
    add[(2,)](*arrays, 256, BLOCK=128, device="metal")
    assert not any(metal.take_counters().values())


@pytest.mark.parametrize("how", ["option of the launch", "debug option"])
def test_counting_keeps_the_checks(how):
    x, y, out = (np.ones(256, np.float32) for _ in range(3))
    options = dict(checked=True, counting=1 << 30) if how == "option of the launch" else {}
    metal.take_counters()
    with metal.set_debug_option("checked", True), metal.set_debug_option("counting", True):
        add[(2,)](x, y, out, 256, BLOCK=128, device="metal", **options)
        counters = metal.take_counters()
        with pytest.raises(triton.DeviceFault, match="out of bounds"):
            add[(3,)](x, y, out, 384, BLOCK=128, device="metal", **options)
    metal.take_counters()
    assert counters["device_bytes"] == 3 * 4 * 256 and counters["float_operations"] == 256


def test_counted_launches_have_costs_in_a_profile(arrays):
    with metal.set_debug_option("counting", True), metal.profile() as report:
        add[(2,)](*arrays, 256, BLOCK=128, device="metal")
    assert report.kernels[0].bytes == metal.take_counters()["device_bytes"]


@pytest.mark.parametrize("stages, marks", [("msl", ["#include <metal_stdlib>"]), ("ttir, msl", ["tt.func", "#include <metal_stdlib>"]),
                                           ("llir", [])])  # fmt: skip
def test_print_ir(stages, marks, arrays, capfd):
    with metal.set_debug_option("print_ir", stages):
        add[(2,)](*arrays, 256, BLOCK=128, device="metal")
        add[(2,)](*arrays, 256, BLOCK=128, device="metal")  # compiled no more
    said = capfd.readouterr().err
    assert [said.count(mark) for mark in marks] == [1] * len(marks) and said.count("// add for metal: ") == len(marks)


def test_dump_ir(device, arrays, tmp_path):
    with metal.set_debug_option("dump_dir", str(tmp_path)), metal.set_debug_option("dump_ir", True):
        compiled = add[(2,)](*arrays, 256, BLOCK=128, device=device)
    written = {path.suffix[1:]: path for path in (tmp_path / compiled.hash).iterdir()}
    assert set(written) == set(compiled.asm.keys()) and written["ttir"].name == "add.ttir"
    assert written["ttir"].read_text() == compiled.asm["ttir"]


def test_dumping_as_upstream_does_by_its_variables(arrays, tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_KERNEL_DUMP", "1")
    monkeypatch.setenv("TRITON_HOME", str(tmp_path))
    compiled = add[(2,)](*arrays, 256, BLOCK=128, device="cpu")
    assert (tmp_path / ".triton" / "dump" / compiled.hash / "add.llir").read_text() == compiled.asm["llir"]


def test_fp_fusion(device):
    x, y = (np.full(1, 1 + 2.0**-12, np.float32) for _ in range(2))  # the product is 1 + 2^-11 + 2^-24
    out = np.zeros(1, np.float32)
    results = {}
    for value in (True, False):
        with metal.set_debug_option("fp_fusion", value):
            fused[(1,)](x, y, out, device=device)
        results[value] = float(out[0])
    assert results == {True: 2.0**-11 + 2.0**-24, False: 2.0**-11}


def test_disk_cache_and_always_compile(arrays, monkeypatch, tmp_path):
    monkeypatch.setenv("TRITON_METAL_CACHE_DIR", str(tmp_path / "cache"))
    with metal.set_debug_option("disk_cache", False):
        add[(2,)](*arrays, 256, BLOCK=256, device="cpu")
    assert not (tmp_path / "cache").exists()
    with metal.set_debug_option("always_compile", True):
        add[(2,)](*arrays, 256, BLOCK=256, device="cpu")
    assert (tmp_path / "cache").exists()


@pytest.mark.parametrize("name, group, knob", [("verify_each", knobs.compilation, "verify_each"),
                                               ("print_autotuning", knobs.autotuning, "print")])  # fmt: skip
def test_options_that_are_one_knob(name, group, knob):
    with metal.set_debug_option(name, True):
        assert getattr(group, knob) is True and metal.get_debug_options()[name] is True
