"""`triton-metal profile`, each time in a process of its own."""
from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from command_line import PACKAGE, call, output, refused

SCRIPT = """\
import sys
import numpy as np
import triton_metal as triton
import triton_metal.language as tl
from beside import BLOCK

@triton.jit
def scale(x, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, 2 * tl.load(x + i, mask=i < n), mask=i < n)

@triton.jit
def negate(x, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, -tl.load(x + i, mask=i < n), mask=i < n)

if __name__ == "__main__":
    x, out = np.ones(1000, np.float32), np.zeros(1000, np.float32)
    for _ in range(3):
        scale[(8,)](x, out, 1000, BLOCK=BLOCK)
    negate[(8,)](x, out, 1000, BLOCK=BLOCK)
    print("arguments", sys.argv[1:])
    if "--fail" in sys.argv:
        raise ValueError("no luck")
    if "--exit" in sys.argv:
        sys.exit(3)
"""

SCRIPT_THAT_PROFILES = """\
import numpy as np
import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl

@triton.jit
def fill(out, BLOCK: tl.constexpr):
    tl.store(out + tl.arange(0, BLOCK), 1.0)

def launch(count):
    for _ in range(count):
        fill[(1,)](np.zeros(16, np.float32), BLOCK=16)

launch(1)
with metal.profile() as report:
    launch(2)
print("inner:", len(report.launches))
launch(1)
metal.start_profiling()
launch(1)
print("second:", len(metal.stop_profiling().launches))
metal.start_profiling()
launch(2)
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "beside.py").write_text("BLOCK = 128\n")
    (tmp_path / "work.py").write_text(SCRIPT)
    return tmp_path / "work.py"


def test_profile_runs_a_script_and_prints_its_kernels(script):
    text = output("profile", "--device", "cpu", str(script), "--top", "7")
    lines = text.splitlines()
    assert lines[0] == "arguments ['--top', '7']" and lines[1].startswith("kernel")
    rows = {line.split()[0]: line.split() for line in lines[3:5]}
    assert rows["scale"][:3] == ["scale", "cpu", "3"] and rows["negate"][:3] == ["negate", "cpu", "1"]
    assert "4 launches ran" in text and "and 1 more" in output("profile", "--top", "1", "-d", "cpu", str(script))


def test_profile_writes_files(script, tmp_path):
    names = {kind: str(tmp_path / f"out.{kind}") for kind in ("json", "trace", "html")}
    text = output("profile", "-d", "metal", *(word for kind, name in names.items() for word in (f"--{kind}", name)), str(script))
    assert all(f"wrote {name}" in text for name in names.values())
    assert "its times and rates say nothing about a GPU" in text or sys.platform == "darwin"
    assert json.loads(pathlib.Path(names["json"]).read_text())["format"] == "triton-metal-profile"
    assert len([e for e in json.loads(pathlib.Path(names["trace"]).read_text())["traceEvents"] if e["ph"] == "X"]) == 4
    assert "<!doctype html>" in pathlib.Path(names["html"]).read_text()


def test_profile_runs_a_module(script):
    done = subprocess.run([sys.executable, "-m", "triton_metal", "profile", "-d", "cpu", "-m", "work", "x"], capture_output=True, text=True,
                          cwd=script.parent, env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "arguments ['x']" in done.stdout and "4 launches ran" in done.stdout


def test_a_script_may_profile_itself(tmp_path):
    path = tmp_path / "profiles.py"
    path.write_text(SCRIPT_THAT_PROFILES)
    target = tmp_path / "all.json"
    assert output("profile", "-d", "cpu", "--json", str(target), str(path)).startswith("inner: 2\nsecond: 1\n")
    (kernel,) = json.loads(target.read_text())["kernels"]
    assert kernel["launches"] == 7  # with the one of the profile that nobody stopped


def test_profile_passes_on_how_a_script_ends(script):
    done = call("profile", "-d", "cpu", str(script), "--exit")
    assert done.returncode == 3 and "4 launches ran" in done.stdout and done.stderr == ""
    done = call("profile", "-d", "cpu", str(script), "--fail")
    assert done.returncode == 1 and "4 launches ran" in done.stdout and "ValueError: no luck" in done.stderr


def test_a_script_cannot_stop_the_profile_of_the_command(tmp_path):
    path = tmp_path / "stops.py"
    path.write_text(SCRIPT_THAT_PROFILES.partition("\nwith metal")[0] + """
launch(1)
try:
    metal.stop_profiling()
except RuntimeError as error:
    print(error)
launch(1)
""")
    text = output("profile", "-d", "cpu", str(path))
    assert text.startswith("profiling is off;") and "\n3 launches ran " in text


def test_a_file_that_cannot_be_written_loses_no_other(script, tmp_path):
    script.write_text("import os\n" + SCRIPT + "    os.rmdir('gone')\n")
    (tmp_path / "gone").mkdir()
    words = ("profile", "-d", "cpu", "--json", "gone/a.json", "--trace", "b.json", str(script))
    done = subprocess.run([sys.executable, "-m", "triton_metal", *words],
                          capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}, timeout=300)
    assert done.returncode == 1 and done.stderr == "triton-metal profile: gone/a.json was not written: No such file or directory\n"
    assert "4 launches ran" in done.stdout and "wrote b.json" in done.stdout and (tmp_path / "b.json").exists()


def test_folders_of_files_are_looked_for_before_the_run(script):
    assert "there is no folder /nonexistent" in refused(2, "profile", "--html", "/nonexistent/x.html", str(script))


def test_modules_that_do_not_exist():
    assert refused(2, "profile", "-m", "nomod") == "triton-metal profile: No module named nomod\n"


@pytest.mark.parametrize("words, message", [
    (("absent.py",), "there is no script absent.py"), (("--top", "0", __file__), "--top 0: a number that is at least 1"),
    (("--limit", "-1", __file__), "--limit -1: a number that is at least 1"),
])
def test_profile_refuses(words, message):
    assert message in refused(2, "profile", *words)


def test_profile_help_teaches():
    text = output("profile", "--help")
    for word in ("--html", "--trace", "ui.perfetto.dev", "bound by", "say nothing about a GPU"):
        assert word in text
