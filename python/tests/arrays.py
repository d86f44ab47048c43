"""Arrays of every dtype with edge values, and kernels made from text: what the operation tests are written with."""
from __future__ import annotations

import itertools
import linecache
import pathlib

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from triton_metal.compiler.options import EVERY_THREADGROUP

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
ALL = INTS + FLOATS
NUMBER = itertools.count()
needs_softmetal = pytest.mark.skipif(not pathlib.Path(triton._core.__file__).with_name("libsoftmetal.so").exists(),
                                     reason="the software Metal is not built")


#: Of a counting launch: every threadgroup.
EVERYTHING = EVERY_THREADGROUP


def counted(launcher, arguments, sample=EVERYTHING, **options):
    """What the software Metal counts in a launch, and the compiled kernel."""
    triton._core.take_metal_counters()
    compiled = launcher(*arguments, **options, counting=sample, device="metal")
    return triton._core.take_metal_counters(), compiled


def aligned(n, dtype=np.float32):
    """n zeros, from the start of a line of 128 bytes on."""
    raw = np.zeros(n * np.dtype(dtype).itemsize + 128, np.uint8)
    start = -raw.ctypes.data % 128
    return raw[start:start + n * np.dtype(dtype).itemsize].view(dtype)


def kernel_from_text(text: str):
    """The jit function defined by `text`, whose function is called `kernel`."""
    file = f"<test kernel {next(NUMBER)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace = {"tl": tl, "triton": triton}
    exec(compile(text, file, "exec"), namespace)
    return namespace["kernel"] if isinstance(namespace["kernel"], triton.JITFunction) else triton.jit(namespace["kernel"])


def is_float(dtype: str) -> bool:
    return dtype in FLOATS


def bits(dtype: str) -> int:
    return int(dtype.lstrip("abcdefghijklmnopqrstuvwxyz"))


def round_to(values: np.ndarray, dtype: str) -> np.ndarray:
    """Values as the dtype holds them; bfloat16 is carried in float32."""
    if dtype != "bfloat16":
        return values.astype(dtype)
    raw = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (raw + 0x7FFF + ((raw >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(values), np.float32(np.nan), rounded.view(np.float32)).astype(np.float32)


def sample(dtype: str, n: int = 259, seed: int = 0, edges: bool = True) -> np.ndarray:
    """n values of the dtype, the edge values first; bfloat16 is carried in float32."""
    rng = np.random.default_rng(seed)
    if is_float(dtype):
        values = rng.standard_normal(n).astype(np.float64) * 4
        special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, 3.0, 1e-3, 200.0]
    else:
        info = np.iinfo(dtype)
        values = rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True)
        special = [0, 1, info.max, info.min, info.max - 1, 2, 3, 7]
    if edges and n > len(special):
        start = seed % 5
        values[start:start + len(special)] = special
    return round_to(np.asarray(values), dtype)


def to_device(array: np.ndarray, dtype: str):
    """What is passed to a kernel: the NumPy array itself, or a PyTorch tensor for bfloat16."""
    if dtype == "bfloat16":
        import torch
        return torch.from_numpy(array.astype(np.float32)).bfloat16()
    return array


def empty(shape, dtype: str):
    if dtype == "bfloat16":
        import torch
        return torch.zeros(shape, dtype=torch.bfloat16)
    return np.zeros(shape, np.uint8 if dtype == "int1" else dtype)


def to_numpy(array) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else array.float().numpy()


def elementwise(expression: str, inputs: list[tuple[np.ndarray, str]], out_dtype: str, device: str, block: int = 128) -> np.ndarray:
    """`expression` over a, b, c, ... element by element, through masked loads and stores of blocks."""
    names = "abcdef"[:len(inputs)]
    loads = "\n".join(f"    {x} = tl.load({x}_ptr + offsets, mask=mask)" for x in names)
    result = f"({expression}).to(tl.uint8)" if out_dtype == "int1" else expression
    text = f"""
def kernel({', '.join(x + '_ptr' for x in names)}, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
{loads}
    tl.store(out_ptr + offsets, {result}, mask=mask)
"""
    n = len(inputs[0][0])
    out = empty(n, out_dtype)
    kernel_from_text(text)[(triton.cdiv(n, block),)](*(to_device(x, d) for x, d in inputs), out, n, BLOCK=block, device=device)
    result = to_numpy(out)
    return result.astype(bool) if out_dtype == "int1" else result


def assert_ulp(got: np.ndarray, expected: np.ndarray, ulp: float, dtype: str = "float32") -> None:
    """Agreement within `ulp` units in the last place of the dtype; NaN with NaN, infinities and zeros by sign of infinity only."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    mantissa, least = {"float16": (10, -14), "bfloat16": (7, -126), "float32": (23, -126), "float64": (52, -1022)}[dtype]
    with np.errstate(all="ignore"):
        exponent = np.maximum(np.floor(np.log2(np.abs(expected))), least)
        unit = 2.0 ** (np.where(np.isfinite(exponent), exponent, least) - mantissa)
        bad = np.abs(got - expected) > ulp * unit
    bad = np.where(np.isfinite(expected), bad | ~np.isfinite(got), got != expected) & ~(np.isnan(got) & np.isnan(expected))
    if np.any(bad):
        i = int(np.argmax(bad))
        raise AssertionError(f"{int(bad.sum())} of {bad.size} differ by more than {ulp} ulp; at {i}: {got.flat[i]!r}, "
                             f"expected {expected.flat[i]!r}")


def messages(error):
    """All that an error says, with what caused it, of `pytest.raises`."""
    link, texts = error.value, []
    while link is not None:
        texts.append(str(link))
        link = link.__cause__
    return "\n".join(texts)
