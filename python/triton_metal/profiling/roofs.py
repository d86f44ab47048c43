"""What a device can do at most, which rates of kernels are seen against: bytes and operations a second.

The CPU's are measured, in about a quarter of a second, when they are first asked for; those of an Apple GPU come from the table of chips
(published figures of the largest variant with the name). `test_memory_bandwidth` and `test_compute_throughput` measure longer, on a Mac's
GPU as well, and what they find takes the place of either. Measured roofs are kept in the disk cache, for this version, processor (or
chip), number of threads and system.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import shutil
import threading

from .. import _core, knobs
from ..backends.metal.chips import get_hardware_capabilities
from ..compiler.compiler import backend_of, disk_cache, triton_key
from ..testing.hardware import matrix_factor


@dataclasses.dataclass(frozen=True)
class Roofs:
    """10^9 bytes and 10^9 operations on floats a second. `matrix_gflops`: of matrix products of 16-bit operands."""

    bandwidth_gbs: float
    gflops: float
    matrix_gflops: float
    is_measured: bool
    how: str

    def gflops_of(self, compiled) -> float:
        """The roof of a compiled kernel: that of matrix products where it has nothing but 16-bit ones."""
        tiles = compiled.metadata.facts.get("dot_tiles")
        return self.matrix_gflops if tiles and all(bits <= 16 for _, _, bits in tiles) else self.gflops


_FILE = "roof.json"
_lock = threading.RLock()
#: What was measured, by key: (rate, how), or None where the disk has nothing.
_measured: dict[str, tuple[float, str] | None] = {}


def _key(device: str, what: str) -> str:
    threads = _core.num_threads() if device == "cpu" else 0
    system = f"{platform.node()} {platform.system()} {platform.release()}"
    parts = ("roof", what, triton_key(), device, backend_of(device).target_key(), str(threads), system)
    return _core.cache_key("\0".join(parts).encode())


def _read(key: str) -> tuple[float, str] | None:
    """What is kept of this key; None where there is nothing, or something damaged."""
    cache = disk_cache()
    files = cache.load(key) if cache is not None else None
    if files is None:
        return None
    try:
        entry = json.loads(files[_FILE])
        value, how = float(entry["value"]), str(entry["how"])
    except (KeyError, TypeError, ValueError):
        return None
    return (value, how) if value > 0 else None


def _known(device: str, what: str) -> tuple[float, str] | None:
    """The measured "bandwidth" or "gflops" of a device, and how it was measured."""
    key = _key(device, what)
    if key not in _measured:
        _measured[key] = _read(key)
    return _measured[key]


def keep(device: str, what: str, value: float, how: str) -> tuple[float, str]:
    """From now on this is the device's "bandwidth" or "gflops"."""
    with _lock:
        key = _key(device, what)
        _measured[key] = value, how
        cache = disk_cache()
        if cache is not None:
            shutil.rmtree(cache.path(key), ignore_errors=True)  # entries are never overwritten
            cache.store(key, {_FILE: json.dumps({"value": value, "how": how}).encode()})
        return value, how


def _measure_cpu(what: str) -> tuple[float, str]:
    from .rates import compute_rates, memory_rates

    _core.begin_unobserved()  # the user may profile what asks for the roof
    try:
        found = memory_rates("cpu", 64, 15, ("read",)) if what == "bandwidth" else compute_rates("cpu", "fp32", 81, 256)
    finally:
        _core.end_unobserved()
    return keep("cpu", what, found.best, found.how)


def _of_cpu() -> Roofs:
    with _lock:
        bandwidth, memory = _known("cpu", "bandwidth") or _measure_cpu("bandwidth")
        gflops, arithmetic = _known("cpu", "gflops") or _measure_cpu("gflops")
    return Roofs(bandwidth, gflops, gflops, True, f"measured here: {memory}; {arithmetic}; {_core.num_threads()} threads")


def _of_chip(chip: str) -> Roofs:
    capabilities = get_hardware_capabilities(chip)
    bandwidth, gflops, how = capabilities.bandwidth_gbs, capabilities.fp32_tflops * 1e3, f"published figures of {chip}"
    memory = arithmetic = None
    if capabilities.is_this_machine and chip == knobs.metal.chip:
        memory, arithmetic = _known("metal", "bandwidth"), _known("metal", "gflops")
    if memory:
        bandwidth, how = memory[0], f"{how}; memory measured here: {memory[1]}"
    if arithmetic:
        gflops, how = arithmetic[0], f"{how}; arithmetic measured here: {arithmetic[1]}"
    matrix = gflops * matrix_factor(_core.chip_facts(chip), "float16")
    return Roofs(bandwidth, gflops, matrix, bool(memory and arithmetic), how)


def roofs_of(device: str, chip: str | None) -> Roofs | None:
    """Those of "cpu", which may launch kernels to measure them, or of "metal" with this chip's profile."""
    return _of_chip(chip) if device == "metal" else _of_cpu()


def test_memory_bandwidth(device: str | None = None, megabytes: int = 256, rounds: int = 15):
    """How many bytes a second kernels read, copy, and combine (out = x + s y), over arrays of so many 10^6 bytes together.

    device: "cpu" or "metal", the current one where it is None. megabytes: well beyond the caches, or it is their speed that is found.

    Returns a MemoryBandwidth: `gbs`, the best round of the fastest kernel, and `rates`, each kernel's median and best. Reports of profiles
    take it as the device's roof from now on. Raises UnsupportedOnDevice for "metal" without a Mac's GPU.
    """
    from .rates import check_device, memory_rates

    device = check_device("test_memory_bandwidth", device)
    _check_positive(megabytes=megabytes, rounds=rounds)
    found = memory_rates(device, megabytes, rounds, ("read", "copy", "triad"))
    keep(device, "bandwidth", found.best, found.how)
    return found


def test_compute_throughput(device: str | None = None, dtype="fp32", rounds: int = 41):
    """How many operations a second kernels do: chains of multiply-adds in registers, and matrix products.

    device: "cpu" or "metal", the current one where it is None. dtype: fp16, fp32, or on the CPU fp64 (no products); also a dtype of
    `triton_metal.language`, NumPy or PyTorch. Products accumulate in fp32.

    Returns a ComputeThroughput: `gflops`, the best round of the faster kernel, and `rates`. With fp32, reports of profiles take it as the
    device's roof from now on. Raises UnsupportedOnDevice for "metal" without a Mac's GPU, ValueError for another dtype.
    """
    from .rates import check_device, compute_rates, dtype_name

    device, name = check_device("test_compute_throughput", device), dtype_name(dtype)
    _check_positive(rounds=rounds)
    found = compute_rates(device, name, rounds, 2048 if device == "metal" else 512)
    if name == "fp32":
        keep(device, "gflops", found.best, found.how)
    return found


test_memory_bandwidth.__test__ = test_compute_throughput.__test__ = False  # no tests of pytest's


def _check_positive(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{name}={value}: at least 1")
