"""Every class of user error, at least 8 kernels each: typed, with file, line, source, caret or argument name, and what to do.

A file of errors/ holds one class: `=== name`, the program, `--- expected`, the whole output. Each program runs in a process of its own
that must exit 0: an error is an exception that a program can catch, never a crash. `python test_errors.py` writes the outputs anew, to
be read before they are committed.
"""
import concurrent.futures
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

import triton_metal

FOLDER = pathlib.Path(__file__).with_name("errors")
LEAST = 8
PACKAGE = str(pathlib.Path(triton_metal.__file__).parent)
PRELUDE = "import numpy as np\nimport triton_metal as triton\nimport triton_metal.language as tl\n"
CHILD = """
import runpy, sys
try:
    runpy.run_path("program.py", run_name="__main__")
    print("no error")
except Exception as error:
    while error is not None:
        print(f"{type(error).__module__.split('.')[0]}.{type(error).__qualname__}: {error}")
        for note in getattr(error, "__notes__", []):
            print(f"note: {note}")
        error = error.__cause__
        if error is not None:
            print("caused by")
"""


def read(file: pathlib.Path) -> dict[str, tuple[str, str]]:
    """Name -> (program, expected output)."""
    cases = {}
    for section in file.read_text().split("=== ")[1:]:
        name, _, rest = section.partition("\n")
        program, _, expected = rest.partition("--- expected\n")
        cases[name.strip()] = program.strip("\n") + "\n", expected.strip("\n") + "\n"
    return cases


CLASSES = {file.stem: read(file) for file in sorted(FOLDER.glob("*.txt"))}


def run(program: str) -> tuple[int, str]:
    """Exit status and output of a program in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "program.py").write_text(PRELUDE + program)
        environment = dict(os.environ, TRITON_METAL_CACHE_DIR=folder + "/cache", TRITON_METAL_CHECKED="0")
        child = subprocess.run([sys.executable, "-c", CHILD], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
        text = (child.stdout + child.stderr).replace(folder + "/", "").replace(PACKAGE, "<triton_metal>")
        output = "\n".join(line.rstrip() for line in text.splitlines())
        return child.returncode, output.strip("\n") + "\n"


@functools.cache
def results() -> dict[tuple[str, str], tuple[int, str]]:
    """All programs, two at a time."""
    keys = [(cls, name) for cls, cases in CLASSES.items() for name in cases]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(zip(keys, pool.map(lambda key: run(CLASSES[key[0]][key[1]][0]), keys)))


@pytest.mark.parametrize("cls, name", [(cls, name) for cls, cases in CLASSES.items() for name in cases])
def test_message(cls, name):
    status, output = results()[cls, name]
    assert status == 0, output
    assert output == CLASSES[cls][name][1]


def test_each_class_has_enough_kernels():
    assert len(CLASSES) >= 9
    assert {cls: len(cases) for cls, cases in CLASSES.items() if len(cases) < LEAST} == {}


if __name__ == "__main__":
    for cls, cases in CLASSES.items():
        text = "".join(f"=== {name}\n{program}--- expected\n{results()[cls, name][1]}\n" for name, (program, _) in cases.items())
        (FOLDER / f"{cls}.txt").write_text(text)
