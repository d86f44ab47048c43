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

    def __init__(self, ttir: str):
        self.ttir = ttir
        self.pieces: list[slice] | None = None
        self.costs: dict[tuple, LaunchCost] = {}

    def key(self, params: bytes, grid: tuple) -> tuple:
        return grid, *(params[piece] for piece in self.pieces or ())


#: Launches of a kernel whose costs are kept.
_MOST = 4096
_counted: weakref.WeakKeyDictionary[CompiledKernel, _Counted] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def _pieces(compiled: CompiledKernel, numbers: list[int]) -> list[slice]:
    """Where these arguments lie in the block of parameters."""
    ends = [*compiled.signature.offsets[1:], compiled.signature.params_size]
    return [slice(compiled.signature.offsets[number], ends[number]) for number in numbers]


def launch_cost(compiled: CompiledKernel, params: bytes, grid: tuple[int, int, int]) -> LaunchCost:
    """The cost of launching `compiled` with this block of parameters, see profiling.bound.bind. The same launch is counted once.

    Takes about a millisecond, and some 50 where programs differ so much that only a sample of them is counted; `reasons` says so then.
    """
    with _lock:
        counted = _counted.get(compiled)
        if counted is None:
            counted = _counted[compiled] = _Counted(compiled.asm["ttir"])
        if counted.pieces is not None and (found := counted.costs.get(counted.key(params, grid))):
            return found
    numbers = _core.launch_cost(counted.ttir, params, grid)
    reasons = tuple(Inexact(*reason) for reason in numbers.pop("reasons"))
    arguments = numbers.pop("arguments")
    cost = LaunchCost(**numbers, reasons=reasons)
    with _lock:
        counted.pieces = _pieces(compiled, arguments)
        if len(counted.costs) >= _MOST:
            counted.costs.clear()
        counted.costs[counted.key(params, grid)] = cost
    return cost
