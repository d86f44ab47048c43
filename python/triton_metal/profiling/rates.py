"""How fast a device moves memory and does arithmetic, measured by kernels of ours.

Every kernel is launched in turn, round after round, so that what disturbs the machine disturbs all of them. Rates count what the kernels
ask for: a store is its bytes once, whatever the memory system reads before it.
"""

from __future__ import annotations

import dataclasses
import statistics

import numpy as np

from .. import language as tl
from ..devices import current_device, has_gpu
from ..errors import UnsupportedOnDevice
from ..runtime.jit import jit
from ..testing.measure import seconds_a_call

_BLOCK = 4096
_CHAINS, _UNROLL, _CHAIN_BLOCK = 4, 16, 128


@jit
def read_kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + tl.program_id(0), tl.sum(tl.load(x_ptr + i)))


@jit
def copy_kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + i))


@jit
def triad_kernel(x_ptr, y_ptr, out_ptr, factor, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + i) + factor * tl.load(y_ptr + i))


@jit
def chains_kernel(x_ptr, out_ptr, steps, BLOCK: tl.constexpr, UNROLL: tl.constexpr):
    """Four chains of dependent multiply-adds an element; the factor is loaded, so that nothing is folded."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    factor = tl.load(x_ptr + i)
    a, b, c, d = factor, factor + 1, factor + 2, factor + 3
    for _ in range(steps):
        for _ in tl.static_range(UNROLL):
            a = a * factor + factor
            b = b * factor + factor
            c = c * factor + factor
            d = d * factor + factor
    tl.store(out_ptr + i, a + b + c + d)


@jit
def product_kernel(a_ptr, b_ptr, c_ptr, N, BLOCK: tl.constexpr):
    """c = a b, of N x N elements; N is a multiple of BLOCK."""
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)[:, None]
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)[None, :]
    along = tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK, BLOCK), tl.float32)
    for k in range(0, N, BLOCK):
        total = tl.dot(tl.load(a_ptr + rows * N + (k + along)[None, :]), tl.load(b_ptr + (k + along)[:, None] * N + columns), total)
    tl.store(c_ptr + rows * N + columns, total.to(c_ptr.dtype.element_ty))


@dataclasses.dataclass(frozen=True)
class Rate:
    """One kernel: `amount` bytes or operations a launch, 10^9 of them a second in the median and the best of so many rounds."""

    what: str
    amount: int
    median: float
    best: float
    rounds: int


@dataclasses.dataclass(frozen=True)
class Rates:
    """What was measured on a device. `best` is the roof: the best round of the fastest kernel."""

    device: str
    unit: str  #: "GB/s" or "GFLOP/s"
    how: str
    rates: tuple[Rate, ...]

    @property
    def best(self) -> float:
        return max(rate.best for rate in self.rates)

    def __str__(self) -> str:
        lines = [f"{self.device}: {self.best:.1f} {self.unit}, {self.how}"]
        lines += [
            f"  {rate.what:7s} {rate.best:8.1f} {self.unit} best, {rate.median:8.1f} median of {rate.rounds} rounds" for rate in self.rates
        ]
        return "\n".join(lines)


class MemoryBandwidth(Rates):
    """Of `test_memory_bandwidth`."""

    @property
    def gbs(self) -> float:
        """10^9 bytes a second."""
        return self.best


class ComputeThroughput(Rates):
    """Of `test_compute_throughput`."""

    @property
    def gflops(self) -> float:
        """10^9 operations a second; a multiply-add is two."""
        return self.best


# Checks would be measured as well, hence `checked=False` in what follows.


def _measure(launches: dict[str, tuple], rounds: int, calls: int) -> tuple[Rate, ...]:
    """Of each name's (function that launches, bytes or operations)."""
    for launch, _ in launches.values():
        launch()  # compiles, and touches every page
    times = {name: [] for name in launches}
    for _ in range(rounds):
        for name, (launch, _) in launches.items():
            times[name].append(seconds_a_call(launch, calls))
    return tuple(
        Rate(name, amount, amount / statistics.median(times[name]) / 1e9, amount / min(times[name]) / 1e9, rounds)
        for name, (_, amount) in launches.items()
    )


def check_device(what: str, device: str | None) -> str:
    """The device that is measured. Raises UnsupportedOnDevice for the software Metal."""
    device = current_device() if device is None else device
    if device not in ("cpu", "metal"):
        raise ValueError(f"there are the devices 'cpu' and 'metal', not {device!r}")
    if device == "metal" and not has_gpu():
        raise UnsupportedOnDevice(
            what, "metal", "there is no Apple GPU here, and the speed of the software Metal is no GPU's",
            "metal.get_hardware_capabilities() has the published figures; device='cpu' measures this machine's CPU",
        )  # fmt: skip
    return device


def memory_rates(device: str, megabytes: int, rounds: int, kinds: tuple[str, ...]) -> MemoryBandwidth:
    """Of the kinds (read, copy, triad), over arrays of fp32 that have so many 10^6 bytes together."""
    programs = max(1, megabytes * 10**6 // 4 // (3 * _BLOCK))
    n = programs * _BLOCK
    memory = np.ones(3 * n, np.float32)
    x, y, out = memory[:n], memory[n : 2 * n], memory[2 * n :]
    sums = np.empty(3 * programs, np.float32)
    launches = {
        "read": (lambda: read_kernel[(3 * programs,)](memory, sums, BLOCK=_BLOCK, device=device, checked=False), memory.nbytes),
        "copy": (lambda: copy_kernel[(programs,)](x, out, BLOCK=_BLOCK, device=device, checked=False), 2 * x.nbytes),
        "triad": (lambda: triad_kernel[(programs,)](x, y, out, 0.5, BLOCK=_BLOCK, device=device, checked=False), 3 * x.nbytes),
    }
    how = f"{', '.join(kinds)} of {memory.nbytes / 1e6:.0f} MB of fp32"
    rates = _measure({kind: launches[kind] for kind in kinds}, rounds, 4 if device == "metal" else 1)
    return MemoryBandwidth(device, "GB/s", how, rates)


#: Types of throughput tests.
DTYPES = {"fp16": np.float16, "fp32": np.float32, "fp64": np.float64}
_LONG_NAMES = {"float16": "fp16", "float32": "fp32", "float64": "fp64"}


def compute_rates(device: str, dtype: str, rounds: int, side: int) -> ComputeThroughput:
    """Chains of multiply-adds, and products of side x side matrices (not of fp64)."""
    numpy_type = DTYPES[dtype]
    # Short rounds, and many: where others work on the machine as well, few rounds get all of its cores.
    programs, steps = (4096, 128) if device == "metal" else (64, 32)
    x = np.full(programs * _CHAIN_BLOCK, 0.5, numpy_type)
    out = np.empty_like(x)
    launches = {
        "chains": (
            lambda: chains_kernel[(programs,)](x, out, steps, BLOCK=_CHAIN_BLOCK, UNROLL=_UNROLL, device=device, checked=False),
            2 * _CHAINS * _UNROLL * steps * x.size,
        )
    }
    if dtype != "fp64":
        a, b, c = (np.full((side, side), 0.5, numpy_type) for _ in range(3))
        grid = (side // 64, side // 64)
        launches["dot"] = (lambda: product_kernel[grid](a, b, c, side, BLOCK=64, device=device, checked=False), 2 * side**3)
    how = "multiply-adds" + (f" and products of {side}x{side}" if "dot" in launches else "") + f" in {dtype}"
    return ComputeThroughput(device, "GFLOP/s", how, _measure(launches, rounds, 4 if device == "metal" else 1))


def dtype_name(dtype) -> str:
    """fp16, fp32 or fp64, from that name, or a dtype of ours, NumPy's or PyTorch's. Raises ValueError for others."""
    text = str(getattr(dtype, "__name__", dtype)).rpartition(".")[2]
    name = _LONG_NAMES.get(text, text)
    if name not in DTYPES:
        raise ValueError(f"throughput is measured with {', '.join(DTYPES)}, not {dtype!r}")
    return name
