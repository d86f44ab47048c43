"""The package as it is built: what it links, what it shows, how big it is, what it carries, and that its switches are documented."""
from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import triton_metal
from triton_metal import _core, knobs
from triton_metal.tools.doctor import known_variables

PACKAGE = pathlib.Path(triton_metal.__file__).parent
CORE = pathlib.Path(_core.__file__)
SOFTMETAL = CORE.parent / ("libsoftmetal" + (".dylib" if sys.platform == "darwin" else ".so"))
SOURCES = pathlib.Path(__file__).resolve().parents[2]
# What every Linux machine has; zlib and zstd are LLVM's own needs.
SYSTEM = re.compile(r"(libc|libm|libdl|libpthread|librt|libstdc\+\+|libgcc_s|libz|libzstd|ld-linux-[\w-]+)\.so\.\d+")
linux = pytest.mark.skipif(sys.platform != "linux", reason="ELF files")


def run(*names_and_arguments: str) -> str:
    """The output of one of LLVM's or binutils' tools."""
    name, *arguments = names_and_arguments
    tool = next(filter(None, (shutil.which(n) for n in (f"llvm-{name}", f"llvm-{name}-22", name))), None)
    if tool is None:
        pytest.skip(f"{name} is not installed")
    return subprocess.run([tool, *arguments], check=True, capture_output=True, text=True).stdout


def sanitized(library: pathlib.Path) -> bool:
    return "asan" in run("readelf", "-d", str(library))


@linux
@pytest.mark.parametrize("library", [CORE, SOFTMETAL], ids=["core", "softmetal"])
def test_needs_only_what_every_machine_has(library):
    needed = re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "-d", str(library)))
    assert needed and not [name for name in needed if not SYSTEM.fullmatch(name)]
    assert not re.search(r"R(UN)?PATH", run("readelf", "-d", str(library)))


@linux
@pytest.mark.parametrize("library, shown", [(CORE, r"PyInit__core"), (SOFTMETAL, r"softmetal\w+")], ids=["core", "softmetal"])
def test_shows_only_its_entry_points(library, shown):
    if sanitized(library):
        pytest.skip("sanitizers add symbols")
    names = [line.split()[-1].partition("@")[0] for line in run("nm", "-D", "--defined-only", str(library)).splitlines()]
    assert names and not [name for name in names if not re.fullmatch(shown, name)]


@linux
@pytest.mark.parametrize("library, megabytes", [(CORE, 60), (SOFTMETAL, 85)], ids=["core", "softmetal"])
def test_size_without_symbols(library, megabytes, tmp_path):
    if sanitized(library):
        pytest.skip("sanitizers add code")
    run("strip", "-o", str(tmp_path / "stripped"), str(library.resolve()))
    assert (tmp_path / "stripped").stat().st_size <= megabytes * 1e6


def test_carries_types_and_stubs():
    assert (PACKAGE / "py.typed").exists() and (PACKAGE / "_core.pyi").exists()
    stub = (PACKAGE / "_core.pyi").read_text()
    assert not [name for name in dir(_core) if not name.startswith("_") and not re.search(rf"\b{name}\b", stub)]


def test_has_every_python_file_of_the_sources():
    sources = SOURCES / "python" / "triton_metal"
    if not sources.is_dir():
        pytest.skip("no sources beside the tests")
    names = {str(file.relative_to(sources)) for file in sources.rglob("*.py")}
    assert names == {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py")} | names
    assert not [name for name in names if not (PACKAGE / name).exists()]


def test_runs_with_nothing_but_numpy(tmp_path):
    """Neither import nor a launch on either device asks for another package, and nothing comes from LLVM's folders."""
    script = tmp_path / "kernel.py"
    script.write_text('''
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "triton", "matplotlib", "mlx", "scipy"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import numpy as np
import triton_metal as triton
import triton_metal.language as tl
@triton.jit
def double(x_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(x_ptr + i, 2 * tl.load(x_ptr + i))
for device in ("cpu", "metal"):
    x = np.arange(64, dtype=np.float32)
    double[(1,)](x, BLOCK=64, device=device)
    assert (x == 2 * np.arange(64)).all(), device
if sys.platform == "linux":
    mapped = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}
    foreign = [name for name in mapped if "libLLVM" in name or "libMLIR" in name or "libclang" in name or "/llvm-" in name]
    assert not foreign, foreign
print("fine")
''')
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PATH": "/usr/bin:/bin", "TRITON_METAL_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_every_switch_is_documented():
    page = SOURCES / "docs" / "reference" / "environment.md"
    if not page.exists():
        pytest.skip("no documentation beside the tests")
    text = page.read_text()
    for group in knobs._groups:
        prefix = type(group).__name__.removesuffix("_knobs")
        for name, knob in group._knobs().items():
            assert f"`{prefix}.{name}`" in text, f"knob {prefix}.{name}"
            assert knob.variable is None or f"`{knob.variable}`" in text, knob.variable
    assert not [name for name in known_variables() if f"`{name}`" not in text]


def test_documented_variables_exist():
    page = SOURCES / "docs" / "reference" / "environment.md"
    if not page.exists():
        pytest.skip("no documentation beside the tests")
    read = set()
    for folder in ("python/triton_metal", "lib", "softmetal"):
        for file in (SOURCES / folder).rglob("*"):
            if file.suffix in (".py", ".cpp", ".h"):
                read |= set(re.findall(r'"(TRITON_[A-Z0-9_]+)"', file.read_text()))
    options = set(re.findall(r"option\((\w+)|set\((TRITON_METAL_SANITIZE)", (SOURCES / "CMakeLists.txt").read_text()))
    known = read | {name for pair in options for name in pair if name}
    assert not [name for name in re.findall(r"`(TRITON_[A-Z0-9_]+)`", page.read_text()) if name not in known]
