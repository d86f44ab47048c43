"""Arguments of `triton-metal run`: numbers, files and made-up arrays.

    3, 1.5, True         a number
    x.npy                an array from a file
    zeros:fp32[64,1000]  a new array: zeros, ones, arange, rand (uniform in [0, 1)), randn (normal), randint (0 to 99)
"""

from __future__ import annotations

import re

import numpy as np

from .sources import UsageError, literal

DTYPES = {
    "fp16": np.float16, "fp32": np.float32, "fp64": np.float64, "i1": np.bool_,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
}  # fmt: skip
MADE = re.compile(r"(zeros|ones|arange|rand|randn|randint):(\w+)\[([\d,\s]+)\]")


def parse_argument(text: str, rng: np.random.Generator):
    """The value of one argument."""
    if text.endswith(".npy"):
        try:
            return np.load(text)
        except OSError as error:
            raise UsageError(f"{text}: {error.strerror or error}") from error
    made = MADE.fullmatch(text)
    if made is None:
        if "[" in text:
            raise UsageError(f"{text!r} is no array; write for example zeros:fp32[64,1000], with {', '.join(MADE_BY)}")
        return literal(text)
    how, dtype, extents = made.groups()
    if dtype not in DTYPES:
        raise UsageError(f"{text!r}: there is no type {dtype} here; there are {', '.join(DTYPES)}")
    shape = tuple(int(extent) for extent in extents.split(","))
    return np.ascontiguousarray(MADE_BY[how](rng, shape).astype(DTYPES[dtype]))


MADE_BY = {
    "zeros": lambda rng, shape: np.zeros(shape),
    "ones": lambda rng, shape: np.ones(shape),
    "arange": lambda rng, shape: np.arange(np.prod(shape)).reshape(shape),
    "rand": lambda rng, shape: rng.random(shape),
    "randn": lambda rng, shape: rng.standard_normal(shape),
    "randint": lambda rng, shape: rng.integers(0, 100, shape),
}


def describe(name: str, before: np.ndarray, after: np.ndarray) -> str:
    """One line on an array after the launch."""
    changed = "written" if not np.array_equal(before, after, equal_nan=after.dtype.kind == "f") else "unchanged"
    numbers = after.astype(np.float64, copy=False)
    finite = numbers[np.isfinite(numbers)]
    spread = f"min {finite.min():.6g} max {finite.max():.6g} mean {finite.mean():.6g}" if finite.size else "no finite value"
    strange = f", {numbers.size - finite.size} not finite" if 0 < finite.size < numbers.size else ""
    first = " ".join(f"{value:.6g}" for value in numbers.reshape(-1)[:6])
    shape = ",".join(map(str, after.shape))
    return f"{name:12s} {after.dtype}[{shape}] {changed}: {spread}{strange}; first {first}"
