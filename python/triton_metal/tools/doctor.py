"""`triton-metal doctor`: tries what the package needs, and says how to get what is missing."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import tempfile
import time

import numpy as np

from .. import _core, knobs, version
from ..backends.metal import check_environment, get_hardware_capabilities
from ..compiler.compiler import disk_cache_bytes, disk_cache_directory
from ..devices import current_device, has_gpu
from ..errors import TritonError
from ..runtime.jit import jit

EPILOG = """\
each line is
  ok       it works, as a small kernel or file that was tried shows
  note     it is not needed, or it is a choice that somebody made
  MISSING  something that should work does not; the line below says how to get it

exit status: 0 where nothing is missing, else 1. With --json the same for programs: a list of objects with state, what, detail and remedy.

examples:
  triton-metal doctor
  TRITON_METAL_CHIP=apple-m3-pro triton-metal doctor
      the chip that Metal text is made for where there is no Mac
"""

#: Variables that are read outside of knobs.py.
OTHER_VARIABLES = frozenset({"TRITON_METAL_CACHE_DIR", "TRITON_METAL_DEVICE", "TRITON_METAL_NUM_THREADS", "TRITON_METAL_BUILD_DIR"})
#: Upstream's, whose names do not begin with TRITON_METAL_.
UPSTREAM_VARIABLES = frozenset({"TRITON_CACHE_DIR", "TRITON_REPRODUCER_PATH"})

OPTIONAL_PACKAGES = (
    ("torch", "PyTorch tensors as arguments, comparisons in demo and bench", "pip install torch"),
    ("mlx", "MLX arrays as arguments, on a Mac", "pip install mlx, on a Mac with Apple silicon"),
    ("matplotlib", "the demo's charts", "pip install matplotlib"),
)


def known_variables() -> set[str]:
    """Every variable of the environment that begins with TRITON_METAL_ and means something."""
    knob_variables = {knob.variable for group in knobs._groups for knob in group._knobs().values() if knob.variable}
    return {name for name in knob_variables if name.startswith("TRITON_METAL_")} | OTHER_VARIABLES


def _upstream_variables() -> set[str]:
    knob_variables = {knob.variable for group in knobs._groups for knob in group._knobs().values() if knob.variable}
    return {name for name in knob_variables if not name.startswith("TRITON_METAL_")} | UPSTREAM_VARIABLES


@dataclasses.dataclass
class Line:
    """One finding; `state` is ok, note or MISSING, `remedy` says how to get what is missing."""

    state: str
    what: str
    detail: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.state:8s} {self.what:22s} {self.detail}"
        return f"{text}\n{'':32s}-> {self.remedy}" if self.remedy else text


class Report:
    """Lines, in the order in which they were found."""

    def __init__(self):
        self.lines: list[Line] = []

    @property
    def missing(self) -> int:
        return sum(line.state == "MISSING" for line in self.lines)

    def ok(self, what: str, detail: str) -> None:
        self.lines.append(Line("ok", what, detail))

    def note(self, what: str, detail: str) -> None:
        self.lines.append(Line("note", what, detail))

    def miss(self, what: str, detail: str, remedy: str) -> None:
        self.lines.append(Line("MISSING", what, detail, remedy))


def _megabytes(path: str) -> str:
    return f"{os.path.getsize(path) / 1e6:.0f} MB"


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
    default = ", the default" if device == current_device() else ""
    report.ok(f"device {device}", f"a kernel compiled and ran right in {1e3 * (time.perf_counter() - began):.0f} ms{default}")


def check_packages(report: Report) -> None:
    report.ok("Python", f"{platform.python_version()} ({platform.python_implementation()}, {sys.executable})")
    report.ok("triton-metal", f"{version}, {os.path.dirname(_core.__file__)}")
    report.ok("compiler", f"{os.path.basename(_core.__file__)}, {_megabytes(_core.__file__)}, with MLIR and LLVM inside")
    report.ok("numpy", np.__version__)
    for name, use, remedy in OPTIONAL_PACKAGES:
        if importlib.util.find_spec(name):
            report.ok(name, importlib.metadata.version(name))
        else:
            report.note(name, f"not installed; only for {use}: {remedy}")


def check_processor(report: Report) -> None:
    triple, processor = _core.cpu_target_key().split("|")[:2]
    chosen = os.environ.get("TRITON_METAL_NUM_THREADS")
    why = "TRITON_METAL_NUM_THREADS" if chosen else "the CPUs that this process may use"
    report.ok("processor", f"{triple} {processor}, {_core.num_threads()} threads ({why})")


def check_metal(report: Report) -> None:
    if not has_gpu():
        library = os.path.join(os.path.dirname(_core.__file__), "libsoftmetal" + (".dylib" if sys.platform == "darwin" else ".so"))
        if not os.path.exists(library):
            report.miss("software Metal", f"{library} is not there", "build it: ninja product, or pip install .")
            return
        report.ok("software Metal", f"{os.path.basename(library)}, {_megabytes(library)}, with clang inside")
    found = check_environment()
    if not found:
        report.miss("Metal", found.problem, "a Mac needs macOS 14 or later, and a session that sees its GPU")
        return
    if found.is_software:
        report.note("Metal", "no Apple GPU here: the text is executed in software; whether it is right is told, how fast it is not")
    else:
        report.ok("Metal", f"{found.device}, this Mac's GPU, {found.system}")
    report.ok("Metal language", f"{found.language_version}, of this device's compiler")


def check_chip(report: Report) -> bool:
    """Whether the table has the chip that text is made for."""
    try:
        chip = get_hardware_capabilities()
    except ValueError as error:
        report.miss("chip", str(error), "set TRITON_METAL_CHIP to one of them, or unset it")
        return False
    why = "this machine's" if chip.is_this_machine else "chosen" if "TRITON_METAL_CHIP" in os.environ else "the default without a Mac"
    report.ok("chip", f"{chip.chip}, {why}; published: {chip.gpu_cores} GPU cores at most, {chip.bandwidth_gbs:.0f} GB/s, "
                      f"{chip.fp32_tflops:.1f} TFLOP/s, {chip.max_threadgroup_memory // 1024} KB of threadgroup memory")  # fmt: skip
    return True


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
    limit = f"at most {knobs.cache.limit / 1e6:.0f} MB" if knobs.cache.limit else "no limit"
    report.ok("disk cache", f"{folder}, writable, {disk_cache_bytes() / 1e6:.1f} MB, {limit}")


def check_variables(report: Report) -> None:
    known, upstream = known_variables(), _upstream_variables()
    for name, value in sorted(os.environ.items()):
        if name in known or name in upstream:
            report.note("environment", f"{name}={value}")
        elif name.startswith("TRITON_METAL_"):
            report.miss("environment", f"{name} is set, and nothing reads it", f"there are {', '.join(sorted(known))}")


def examine() -> Report:
    """Everything that is looked at, tried."""
    report = Report()
    check_packages(report)
    check_processor(report)
    check_metal(report)
    knows_chip = check_chip(report)
    try_device(report, "cpu")
    if knows_chip:
        try_device(report, "metal")
    check_cache(report)
    check_variables(report)
    return report


def doctor_command(options) -> int:
    """0 where all that is needed is here, else 1."""
    report = examine()
    if options.json:
        print(json.dumps([dataclasses.asdict(line) for line in report.lines], indent=1))
    else:
        for line in report.lines:
            print(line)
        print("all that is needed is here" if not report.missing else f"{report.missing} missing")
    return 1 if report.missing else 0
