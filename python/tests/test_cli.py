"""The command line: every command, its errors and its exit status, each in a process of its own."""
from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import triton_metal

PACKAGE = pathlib.Path(triton_metal.__file__).parent
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
ADD = str(EXAMPLES / "vector_add.py")
SIGNATURE = "*fp32:16, *fp32:16, *fp32:16, i32, 128"


def call(*words: str, **environment: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), **environment}
    return subprocess.run([sys.executable, "-m", "triton_metal", *words], capture_output=True, text=True, env=env, timeout=300)


def output(*words: str, **environment: str) -> str:
    done = call(*words, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def refused(status: int, *words: str) -> str:
    done = call(*words)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_help_teaches():
    text = output("--help")
    for word in ("compile", "run", "inspect", "doctor", "examples:"):
        assert word in text
    assert "*fp32:16" in output("compile", "--help")
    assert "zeros, ones, arange, rand" in output("run", "--help")


@pytest.mark.parametrize("device, stage, piece", [
    ("cpu", "ttir", "tt.func public @add_kernel"), ("cpu", "llir", "define"), ("cpu", "asm", "add_kernel:"),
    ("metal", "ttm", "#ttm."), ("metal", "msl", "[[kernel"), ("metal", "air", "air.kernel"),
])
def test_compile_emits_each_stage(device, stage, piece):
    assert piece in output("compile", ADD, "--kernel", "add_kernel", "--signature", SIGNATURE, "--device", device, "--emit", stage)


def test_compile_prints_the_main_stage_of_a_device():
    assert output("compile", ADD, "-s", SIGNATURE, "-d", "metal").startswith("#include <metal_stdlib>")
    assert ".globl" in output("compile", ADD, "-s", SIGNATURE, "-d", "cpu")


def test_compile_writes_an_object(tmp_path):
    target = tmp_path / "add.o"
    assert output("compile", ADD, "-s", SIGNATURE, "-d", "cpu", "-e", "obj", "-o", str(target)) == ""
    assert target.read_bytes()[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe")


def test_signature_hints_constants_and_names():
    text = output("compile", ADD, "-s", "*fp32:16, *fp32, *fp32, i32:16, BLOCK=64", "-d", "cpu", "-e", "ttir")
    assert text.count("tt.divisibility = 16") == 2 and "tensor<64xf32>" in text
    text = output("compile", ADD, "-s", "*fp32, *fp32, *fp32, i32:1, 64", "-d", "cpu", "-e", "ttir")
    assert "%n" not in text.split("{")[0]


@pytest.mark.parametrize("words, message", [
    (("compile", "absent.py"), "there is no file absent.py"),
    (("compile", ADD), "add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: constexpr) needs --signature"),
    (("compile", ADD, "-k", "other"), f"there is no @jit function other in {ADD}; it has: add_kernel"),
    (("compile", ADD, "-s", "*fp32, *fp32, *fp32, i32"), "says nothing of BLOCK"),
    (("compile", ADD, "-s", SIGNATURE + ", 1"), "6 items are more than the parameters of add_kernel"),
    (("compile", ADD, "-s", SIGNATURE + ", n=i32"), "n is given twice"),
    (("compile", ADD, "-s", "*fp32:8, *fp32, *fp32, i32, 64"), "'*fp32:8': what follows the colon is 16"),
    (("compile", ADD, "-s", SIGNATURE, "-d", "cpu", "-e", "msl"), "msl is a stage of metal, ask for --device metal"),
    (("compile", ADD, "--wrong"), "unrecognized: --wrong; see triton-metal compile --help"),
    (("run", ADD, "zeros:fp31[4]"), "there is no type fp31 here"),
    (("run", ADD, "1", "2", "3", "4", "5", "6"), "'6' is one argument more than add_kernel"),
    (("run", ADD, "--grid", "a"), "--grid 'a': one to three numbers"),
    (("run", ADD, "x_ptr=1", "--save", "x_ptr=a.npy"), "NAME=FILE.npy, with NAME one of no array"),
    (("run", ADD, "some text"), "is no number, True, False, None or quoted text"),
])
def test_wrong_command_lines(words, message):
    assert message in refused(2, *words)


def test_upstream_import_says_what_to_write(tmp_path):
    file = tmp_path / "kernel.py"
    file.write_text("import sys\nsys.modules['triton'] = None\nimport triton\n")
    assert "write `import triton_metal as triton`" in refused(2, "inspect", str(file))


def test_errors_of_kernels_come_without_a_traceback():
    text = refused(1, "compile", ADD, "-s", "*fp64, *fp64, *fp64, i32, 64", "-d", "metal")
    assert "UnsupportedOnDevice" in text and "remedy: compute in float32" in text


@pytest.mark.parametrize("device", ["cpu", "metal"])
def test_run_makes_arrays_and_saves(device, tmp_path):
    x, out = tmp_path / "x.npy", tmp_path / "out.npy"
    np.save(x, np.arange(300, dtype=np.float32))
    text = output("run", ADD, "--grid", "3", str(x), "ones:fp32[300]", "zeros:fp32[300]", "300", "BLOCK=128", "-d", device,
                  "--repeat", "3", "--save", f"out_ptr={out}")
    assert np.array_equal(np.load(out), np.arange(300, dtype=np.float32) + 1)
    lines = text.splitlines()
    assert lines[0].startswith("x_ptr        float32[300] unchanged: min 0 max 299 mean 149.5")
    assert lines[2].startswith("out_ptr      float32[300] written: min 1 max 300 mean 150.5; first 1 2 3 4 5 6")
    assert lines[3].startswith(f"{device}: first launch with compilation")


def test_ttir_files_are_compiled_inspected_and_run(tmp_path):
    file, out = tmp_path / "add.ttir", tmp_path / "out.npy"
    output("compile", ADD, "-s", SIGNATURE, "-d", "cpu", "-e", "ttir", "-o", str(file))
    assert "[[kernel" in output("compile", str(file), "-d", "metal")
    assert "add_kernel on cpu" in output("inspect", str(file), "-d", "cpu")
    output("run", str(file), "arange:fp32[128]", "ones:fp32[128]", "zeros:fp32[128]", "128", "-d", "cpu", "--save", f"out_ptr={out}")
    assert np.array_equal(np.load(out), np.arange(128) + 1)
    assert "missing ['y_ptr', 'out_ptr', 'n']" in refused(2, "run", str(file), "ones:fp32[4]")


def test_inspect_lists_kernels_and_tells_facts():
    assert output("inspect", ADD) == "add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: constexpr)\n"
    found = json.loads(output("inspect", ADD, "-s", SIGNATURE, "-d", "metal", "--json"))
    assert [(p["type"], p["offset"], p["written"]) for p in found["params"]] == [
        ("*fp32", 0, False), ("*fp32", 8, False), ("*fp32", 16, True), ("i32", 24, False)]
    assert found["facts"]["threads"] == 128 and set(found["stages"]) == {"ttir", "ttm", "msl", "air"}


def test_doctor_finds_everything_here_and_a_misspelt_variable(tmp_path):
    text = output("doctor", TRITON_METAL_CACHE_DIR=str(tmp_path))
    assert "ok       device cpu" in text and "ok       device metal" in text and text.endswith("all that is needed is here\n")
    done = call("doctor", TRITON_METAL_CACHE_DIR=str(tmp_path), TRITON_METAL_CHEKED="1")
    assert done.returncode == 1 and "TRITON_METAL_CHEKED is set, and nothing reads it" in done.stdout
