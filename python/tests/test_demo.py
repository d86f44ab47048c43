"""The demo's table and files, and each example as a program of its own."""
from __future__ import annotations

import importlib.util
import os
import pathlib
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest

import triton_metal

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
NAMES = sorted({file.stem for file in EXAMPLES.glob("*.py")} - {"cases", "demo", "demo_pictures"})


def run(script: str, *words: str) -> subprocess.CompletedProcess:
    package = pathlib.Path(triton_metal.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(package), "TRITON_METAL_CHECKED": "0"}
    return subprocess.run([sys.executable, EXAMPLES / script, *words], env=environment, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo of three examples, and the folder that it wrote."""
    out = tmp_path_factory.mktemp("demo")
    done = run("demo.py", "softmax", "sum", "image_filters", "--seconds", "0.02", "--out", str(out))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout, out


def test_demo_prints_every_column_on_both_devices(demo):
    header, *lines = demo[0].splitlines()
    assert header.split() == "kernel device size max error ms rate x NumPy x PyTorch x its fp32 compile ms".split()
    for device in ("cpu", "metal"):
        for kernel, unit in (("softmax", "GB/s"), ("sum, two passes", "GB/s"), ("sum, atomics", "GB/s"),
                             ("gaussian blur 7x7", "GFLOP/s"), ("sobel", "GB/s"), ("sharpen, 3 channels", "GB/s")):
            (line,) = [line for line in lines if re.match(rf"{re.escape(kernel)} +{device} ", line)]
            size, error, milliseconds, rate, its_unit, numpy, *_, compile_ms = line[len(kernel):].split()[1:]
            assert its_unit == unit and float(error) < 0.1 and float(milliseconds) > 0 and float(rate) > 0
            assert float(numpy) > 0 and float(compile_ms) >= 0
    assert "12 right, 0 wrong" in demo[0]


def test_demo_writes_the_text_of_every_kernel_and_pictures(demo):
    out = demo[1]
    assert {file.name for file in (out / "msl").iterdir()} == {
        "softmax.metal", "sum_two_passes.partial_sum_kernel.metal", "sum_two_passes.total_kernel.metal", "gaussian_blur_7x7.metal",
        "sobel.metal", "sharpen_3_channels.metal", "sum_atomics.metal"}
    assert all("[[kernel" in file.read_text() for file in (out / "msl").iterdir())
    pytest.importorskip("matplotlib")
    for name in ("speed.png", "photograph.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")


def test_a_wrong_result_is_no_row_of_the_table(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import cases
    import demo
    spoilt = cases.Case("spoilt", "cpu", "4", np.ones(4, np.float32), run=lambda: (), numpy=lambda: np.float32([1, 1, 1, 1.001]))
    monkeypatch.setattr(demo, "cases_of", lambda example, device: [spoilt])
    monkeypatch.setattr(sys, "argv", ["demo.py", "softmax", "--device", "cpu", "--seconds", "0.02", "--out", str(tmp_path)])
    with triton_metal.knobs.compilation.scope():
        assert demo.main() == 1
    assert re.search(r"spoilt +cpu +4 WRONG: .*error 0.001 is above 1.00e-06|0 right, 1 wrong", capsys.readouterr().out)


def test_demo_refuses_unknown_names():
    done = run("demo.py", "winograd")
    assert done.returncode == 2 and "there are vector_add, elementwise, softmax" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_each_example_runs_alone(name, monkeypatch, capsys):
    """As a program, but in this process: importing PyTorch takes longer than an example."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--device", "metal", "--show", "msl", "--seconds", "0.01"])
    with triton_metal.knobs.metal.scope(), triton_metal.knobs.cpu.scope():
        triton_metal.knobs.metal.checked = triton_metal.knobs.cpu.checked = False
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert "[[kernel" in printed and printed.count(" against NumPy") == printed.count("max error ") > 0
    if name != "dropout" and importlib.util.find_spec("torch"):  # another random generator
        assert " against NumPy and PyTorch " in printed


def test_an_example_runs_on_both_devices():
    done = run("softmax.py", "--show", "msl", "--seconds", "0.01")
    rows = [line.split() for line in done.stdout.splitlines() if "max error" in line]
    assert (done.returncode, done.stderr) == (0, "") and [row[1] for row in rows] == ["cpu", "metal"]
    assert done.stdout.count("[[kernel") == 1
