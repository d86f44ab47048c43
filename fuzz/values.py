"""Types of the random programs: a dtype's name in Triton, its NumPy counterpart, and what a value is known to be."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np

NUMPY = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64, "uint8": np.uint8, "uint16": np.uint16,
         "uint32": np.uint32, "uint64": np.uint64, "int1": np.bool_, "float16": np.float16, "float32": np.float32,
         "float64": np.float64, "bfloat16": np.float32}  # NumPy has no bfloat16: float32, rounded after every operation
INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
SIGNED = ("int8", "int16", "int32", "int64")
FLOATS = ("float16", "bfloat16", "float32", "float64")

# A drawn operation: kind (for the histogram), text, dtype, shape, exact, product, meaning as a function of a program's values.
Drawn = tuple[str, str, str, tuple, bool, bool, Callable]


@dataclass(frozen=True)
class Var:
    """A variable of the program.

    `exact`: every device must give the same bits, so that comparisons of it are safe. A product that is added may be contracted
    to a fused multiply-add, so a sum with a `product` operand is not exact, nor is the result of a math function.
    """
    name: str
    dtype: str
    shape: tuple[int, ...]
    exact: bool = True
    product: bool = False

    @property
    def is_int(self) -> bool:
        return self.dtype in INTS

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS


def acceptable(array: np.ndarray) -> bool:
    """Whether a reference value keeps later comparisons meaningful: finite and of moderate size."""
    if array.dtype.kind != "f":
        return True
    limit = 1e4 if array.dtype == np.float16 else 1e12
    size = np.abs(array)
    tiny = (size != 0) & (size < np.finfo(array.dtype).tiny)  # devices may flush these
    return bool(np.all(np.isfinite(array)) and np.all(size < limit) and not np.any(tiny))


def truncated_division(x: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Quotient towards zero for positive d, in x's type: Triton's // at run time."""
    quotient = x // d
    return (quotient + ((x % d != 0) & (x < 0)).astype(x.dtype)).astype(x.dtype)


def promoted(a: str, b: str) -> str:
    """The type of an arithmetic operation on tensors of two types."""
    if a in FLOATS or b in FLOATS:
        widest = next((d for d in ("float64", "float32", "float16") if d in (a, b)), None)
        return widest or ("bfloat16" if a == b else "float32")
    size = lambda d: np.dtype(NUMPY[d]).itemsize  # noqa: E731
    if (a in SIGNED) == (b in SIGNED):
        return max(a, b, key=size)
    signed, unsigned = (a, b) if a in SIGNED else (b, a)
    return unsigned if size(unsigned) >= size(signed) else signed


def to_bfloat16(x: np.ndarray) -> np.ndarray:
    """float32 rounded to the nearest bfloat16, ties to even; still as float32. Finite values only."""
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32)
