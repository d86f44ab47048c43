"""Wild accesses of a kernel end its launch with a report, never the process; a lane's own arrays have bounds as well."""
import faulthandler
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import metal_corpus
import softmetal_native as sm

pytestmark = pytest.mark.skipif(sm.library_path() is None, reason="libsoftmetal is not built")
FAST_AND_CHECKED = [pytest.param(0, id="fast"), pytest.param(sm.ALL, id="checked")]


def run(body, checks=0, values=(), threads=64, level=0):
    text = ("#include <metal_stdlib>\nusing namespace metal;\nstruct P { device float* wild; device float* y; int n; };\n"
            "kernel void k(device float* y [[buffer(0)]], constant P& p [[buffer(1)]], uint i [[thread_position_in_threadgroup]]) {\n"
            + body + "\n}\n")
    y, params = np.zeros(threads, np.float32), np.zeros(32, np.uint8)
    params.view(np.uint64)[:len(values)] = values
    params.view(np.int32)[4] = threads
    kernel = sm.Library(text=text).kernel("k", checks=checks, level=level)
    kernel.run({0: y, 1: params}, groups=(1,), threads=(threads,), expect=None)
    return kernel, y


@pytest.mark.parametrize("address", [8, 0xdead0000000, 1 << 63])
@pytest.mark.parametrize("write", [False, True])
def test_a_wild_access_in_fast_mode_is_a_report(address, write):
    for _ in range(3):  # and the process goes on
        kernel, _ = run("p.wild[i] = 1;" if write else "y[i] = p.wild[i];", values=[address])
        assert kernel.status == sm.FAULT and [r["kind"] for r in kernel.reports] == ["trap"]
        assert "memory access outside every buffer" in kernel.message
    kernel, y = run("y[i] = i;")
    assert kernel.status == sm.COMPLETED and (y == np.arange(64)).all()


def test_a_wild_access_in_checked_mode_names_the_line():
    kernel, _ = run("y[i] = 1;\ny[i] += p.wild[i];", sm.ALL, values=[0xdead0000000])
    assert [(r["kind"], r["line"]) for r in kernel.reports] == [("bounds", 6)]


def test_a_wild_access_among_lanes_that_wait():
    kernel, _ = run("float v = simd_sum(float(i));\nif (i == 40) v += p.wild[0];\nthreadgroup_barrier(mem_flags::mem_none);\n"
                    "y[i] = v;", values=[64])
    assert kernel.status == sm.FAULT and kernel.reports[0]["kind"] == "trap"


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("index", ["int(i) - 100", "int(i) * 1000", "8"])
def test_an_index_outside_a_private_array_is_harmless_and_reported(index, level):
    body = ("float a[8]; for (int j = 0; j < 8; ++j) a[j] = i + j;\nvolatile int at = p.n;\na[(" + index + ") + at - at] = 7;\n"
            "float s = 0; for (int j = 0; j < 8; ++j) s += a[(j + i) % 8];\ny[i] = s;")
    outside = {"int(i) - 100": lambda i: True, "int(i) * 1000": lambda i: i > 0, "8": lambda i: True}[index]
    expected = np.array([8 * i + 28 if outside(i) else 28 + 7 for i in range(64)], np.float32)
    kernel, y = run(body, 0, level=level)
    assert kernel.status == sm.COMPLETED and (y == expected).all()
    kernel, y = run(body, sm.ALL, level=level)
    assert kernel.status == sm.FAULT and {(r["kind"], r["line"]) for r in kernel.reports} == {("private_bounds", 7)}
    assert (y == expected).all()


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("checks", FAST_AND_CHECKED)
def test_integer_divisions_do_not_trap(checks, level):
    body = ("volatile int zero = p.n - 64, one = 1; int least = one << 31;\n"
            "float s = float(7 / zero) + float(7 % zero) + float(7u / uint(zero)) + float(7u % uint(zero));\n"
            "y[i] = (s == s ? 1 : 0) + (least / -one == least ? 2 : 0) + (least % -one == 0 ? 4 : 0) + (-7 / (one + 1) == -3 ? 8 : 0);")
    kernel, y = run(body, checks, level=level)
    assert kernel.status == sm.COMPLETED and (y == 15).all()


def layer_norm(checks, threads):
    """MLX's, as Apple compiled it, on rows that end before the last thread begins: it fills its private array from (row's end -
    thread's first element) on, which is negative there."""
    x, w, b = (np.random.default_rng(0).standard_normal(n).astype(np.float32) for n in (8 * 1000, 1000, 1000))
    y = np.zeros((8, 1000), np.float32)
    kernel = sm.Library(path=metal_corpus.metallib(14)).kernel("layer_normfloat32", {20: True}, checks=checks)
    kernel.run({0: x, 1: w, 2: b, 3: y, 4: np.float32(1e-5), 5: np.uint32(1000), 6: np.uint32(1), 7: np.uint32(1)}, groups=(8,),
               threads=(threads,), expect=None)
    d = x.reshape(8, 1000).astype(np.float64)
    reference = (d - d.mean(1, keepdims=True)) / np.sqrt(d.var(1, keepdims=True) + 1e-5) * w + b
    return kernel, np.abs(y - reference).max()


@pytest.mark.parametrize("threads", [128, 256])
def test_layer_norm_of_mlx_writes_before_its_private_array(threads):
    kernel, error = layer_norm(0, threads)
    assert kernel.status == sm.COMPLETED and error < 1e-5
    kernel, error = layer_norm(sm.ALL & ~sm.DIVERGENCE, threads)
    assert error < 1e-5 and {r["kind"] for r in kernel.reports} == {"private_bounds"}
    assert all(r["offset"] < 0 for r in kernel.reports)


def test_signals_from_elsewhere_reach_their_handlers():
    assert faulthandler is not None
    script = ("import ctypes, faulthandler, sys\nsys.path.insert(0, sys.argv[1])\nimport test_softmetal_memory as t\n"
              "faulthandler.enable()\nassert t.run('y[i] = p.wild[i];', values=[8])[0].status == t.sm.FAULT\nctypes.string_at(8)\n")
    done = subprocess.run([sys.executable, "-c", script, str(Path(__file__).parent)], capture_output=True, text=True, timeout=120)
    assert done.returncode == -11 and "Segmentation fault" in done.stderr
