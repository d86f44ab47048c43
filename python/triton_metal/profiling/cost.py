"""Bytes and operations of a launch, by the compiler's analysis with its arguments; docs/reference/cost.md says what is counted."""

from __future__ import annotations

import dataclasses
import threading
import weakref
from typing import NamedTuple

from .. import _core
from ..compiler.compiler import CompiledKernel


class Inexact(NamedTuple):
    """Why a count is not exact, and where."""

    what: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.file else self.what


@dataclasses.dataclass(frozen=True)
class LaunchCost:
    """What one launch asks of memory and of arithmetic. Each element of a tensor counts once, however many lanes hold it."""

    bytes_loaded: int  #: of the elements that loads do not mask
    bytes_stored: int
    bytes_atomic: int  #: of atomics, each element once
    float_operations: int  #: + - * / % min max, and two for a fused multiply-add
    special_operations: int  #: exp, log, sin, sqrt, rounding, functions of device libraries
    dot_operations: int  #: two for each product of a `tl.dot`
    integer_operations: int  #: arithmetic of integers as it is written, offsets included
    reasons: tuple[Inexact, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether nothing that counts depend on was unknown before the launch, or too much to evaluate."""
        return not self.reasons

    @property
    def bytes(self) -> int:
        """Of device memory that the launch asks for; caches may answer."""
        return self.bytes_loaded + self.bytes_stored + self.bytes_atomic

    @property
    def operations(self) -> int:
        """On floats, and those of dots of any type. The FLOP of FLOP/s and FLOP/byte."""
        return self.float_operations + self.special_operations + self.dot_operations

    @property
    def arithmetic_intensity(self) -> float:
        """Operations a byte; infinite where no byte is asked for."""
        return self.operations / self.bytes if self.bytes else float("inf") if self.operations else 0.0


class _Counted:
    """The costs of one kernel's launches so far, by the grid and by the arguments that they depend on."""

    def __init__(self, compiled: CompiledKernel):
        self.ttir = compiled.asm["ttir"]
        self._starts = [*compiled.signature.offsets, compiled.signature.params_size]
        self._arguments: set[int] = set()
        self._costs: dict[tuple, LaunchCost] = {}

    def _key(self, params: bytes, grid: tuple) -> tuple:
        return grid, *(params[self._starts[number] : self._starts[number + 1]] for number in sorted(self._arguments))

    def find(self, params: bytes, grid: tuple) -> LaunchCost | None:
        return self._costs.get(self._key(params, grid))

    def add(self, params: bytes, grid: tuple, numbers: dict) -> LaunchCost:
        """What was counted. A launch may depend on arguments that those before did not; keys without them match no more."""
        self._arguments |= set(numbers.pop("arguments"))
        reasons = tuple(Inexact(*reason) for reason in numbers.pop("reasons"))
        cost = LaunchCost(**numbers, reasons=reasons)
        if len(self._costs) >= _MOST:
            self._costs.clear()
        self._costs[self._key(params, grid)] = cost
        return cost


#: Launches of a kernel whose costs are kept.
_MOST = 4096
_counted: weakref.WeakKeyDictionary[CompiledKernel, _Counted] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def launch_cost(compiled: CompiledKernel, params: bytes, grid: tuple[int, int, int]) -> LaunchCost:
    """The cost of launching `compiled` with this block of parameters, see profiling.bound.bind. The same launch is counted once.

    Takes about a millisecond, and some 80 where programs differ so much that only a sample of them is counted; `reasons` says so then.
    """
    return launch_costs(compiled, [(params, grid)])[0]


def launch_costs(compiled: CompiledKernel, launches: list[tuple[bytes, tuple[int, int, int]]]) -> list[LaunchCost]:
    """The cost of each launch (params, grid) of `compiled`. Many together take some 10 microseconds each."""
    with _lock:
        counted = _counted.get(compiled)
        if counted is None:
            counted = _counted[compiled] = _Counted(compiled)
        found = [counted.find(*launch) for launch in launches]
    unknown = [launch for launch, cost in zip(launches, found) if cost is None]
    if unknown:
        numbers = iter(_core.launch_costs(counted.ttir, unknown))
        with _lock:
            found = [counted.add(*launch, next(numbers)) if cost is None else cost for launch, cost in zip(launches, found)]
    return found
