"""`triton-metal doctor`: tries what the package needs, and says how to get what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import tempfile
import time

import numpy as np

from .. import _core, knobs, version
from ..compiler.compiler import disk_cache_bytes, disk_cache_directory
from ..devices import has_gpu
from ..errors import TritonError
from ..runtime.jit import jit

#: Variables that are read outside of knobs.py.
OTHER_VARIABLES = frozenset({"TRITON_METAL_CACHE_DIR", "TRITON_METAL_DEVICE", "TRITON_METAL_NUM_THREADS", "TRITON_METAL_BUILD_DIR"})


def known_variables() -> set[str]:
    """Every variable of the environment that begins with TRITON_METAL_ and means something."""
    knob_variables = {knob.variable for group in knobs._groups for knob in group._knobs().values() if knob.variable}
    return {name for name in knob_variables if name.startswith("TRITON_METAL_")} | OTHER_VARIABLES


class Report:
    """Lines of `ok`, `note` and `MISSING`; what is missing makes the exit status 1."""

    def __init__(self):
        self.missing = 0

    def ok(self, what: str, detail: str) -> None:
        print(f"ok       {what:22s} {detail}")

    def note(self, what: str, detail: str) -> None:
        print(f"note     {what:22s} {detail}")

    def miss(self, what: str, detail: str, remedy: str) -> None:
        self.missing += 1
        print(f"MISSING  {what:22s} {detail}\n{'':32s}-> {remedy}")


def probe_kernel():
    """x + 1, as a jit function."""
    from .. import language as tl

    def add_one(x_ptr, n, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + offsets, mask=offsets < n)
        tl.store(x_ptr + offsets, x + 1, mask=offsets < n)

    return jit(add_one)


def try_device(report: Report, device: str) -> None:
    """Launch a kernel, and compare."""
    remedies = {
        "cpu": "the CPU device needs AVX2 on x86-64, or any arm64 processor",
        "metal": "reinstall the package: the software Metal (libsoftmetal) belongs beside its extension module",
    }
    x = np.arange(1000, dtype=np.float32)
    began = time.perf_counter()
    try:
        probe_kernel()[(8,)](x, 1000, BLOCK=128, device=device)
    except TritonError as error:
        report.miss(f"device {device}", str(error), remedies[device])
        return
    if not np.array_equal(x, np.arange(1000, dtype=np.float32) + 1):
        report.miss(f"device {device}", "a kernel of one addition gave wrong numbers", "report it with the output of this command")
        return
    report.ok(f"device {device}", f"a kernel compiled and ran right in {1e3 * (time.perf_counter() - began):.0f} ms")


def check_packages(report: Report) -> None:
    report.ok("Python", f"{platform.python_version()} ({platform.python_implementation()}, {sys.executable})")
    report.ok("triton-metal", f"{version}, {os.path.dirname(_core.__file__)}")
    report.ok("numpy", np.__version__)
    for name, use in (("torch", "PyTorch tensors as arguments, comparisons in demo and bench"), ("matplotlib", "the demo's charts")):
        if importlib.util.find_spec(name):
            report.ok(name, importlib.metadata.version(name))
        else:
            report.note(name, f"not installed; only for {use}: pip install {name}")


def check_machine(report: Report) -> None:
    report.ok("processor", " ".join(_core.cpu_target_key().split("|")[:2]) + f", {_core.num_threads()} threads")
    if has_gpu():
        report.ok("Metal", "this Mac's GPU")
        return
    library = os.path.join(os.path.dirname(_core.__file__), "libsoftmetal" + (".dylib" if sys.platform == "darwin" else ".so"))
    if os.path.exists(library):
        report.note("Metal", f"no Apple GPU here: the software Metal executes the text, for chip {knobs.metal.chip}")
    else:
        report.miss("Metal", f"{library} is not there", "build it: ninja product, or pip install .")


def check_cache(report: Report) -> None:
    if not knobs.cache.enabled:
        report.note("disk cache", "switched off by TRITON_METAL_DISK_CACHE")
        return
    folder = disk_cache_directory()
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        report.note("disk cache", f"{folder}: {error.strerror}; kernels are compiled in each process. Set TRITON_METAL_CACHE_DIR")
        return
    report.ok("disk cache", f"{folder}, {disk_cache_bytes() / 1e6:.1f} MB of at most {knobs.cache.limit / 1e6:.0f} MB")


def check_environment(report: Report) -> None:
    known = known_variables()
    for name, value in sorted(os.environ.items()):
        if not name.startswith("TRITON_METAL_"):
            continue
        if name in known:
            report.note("environment", f"{name}={value}")
        else:
            report.miss("environment", f"{name} is set, and nothing reads it", f"there are {', '.join(sorted(known))}")


def main() -> int:
    report = Report()
    check_packages(report)
    check_machine(report)
    for device in ("cpu", "metal"):
        try_device(report, device)
    check_cache(report)
    check_environment(report)
    print("all that is needed is here" if not report.missing else f"{report.missing} missing")
    return 1 if report.missing else 0
