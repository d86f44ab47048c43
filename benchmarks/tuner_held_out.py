"""Ten pairs of kernel and shape that no constant of the tuner was chosen on; `python benchmarks/tuner.py --held-out` runs them."""
from __future__ import annotations

import numpy as np

import triton_metal as triton
import triton_metal.language as tl
from kernels import aligned


@triton.jit
def axpy_kernel(x_ptr, y_ptr, n, a, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x, y = tl.load(x_ptr + i, mask=i < n), tl.load(y_ptr + i, mask=i < n)
    tl.store(y_ptr + i, a * x + y, mask=i < n)


@triton.jit
def gelu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(out_ptr + i, 0.5 * x * (1 + tl.erf(x * 0.7071067811865476)), mask=i < n)


@triton.jit
def transpose_kernel(x_ptr, out_ptr, rows, cols, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr):
    y = tl.program_id(1) * BLOCK_Y + tl.arange(0, BLOCK_Y)[:, None]
    x = tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X)[None, :]
    inside = (y < rows) & (x < cols)
    tl.store(out_ptr + x * rows + y, tl.load(x_ptr + y * cols + x, mask=inside), mask=inside)


@triton.jit
def row_softmax_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    """In one pass with a running maximum, then a second that divides."""
    row = tl.program_id(0) * cols
    top = tl.full((BLOCK,), float("-inf"), tl.float32)
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, cols, BLOCK):
        i = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row + i, mask=i < cols, other=float("-inf"))
        larger = tl.maximum(top, x)
        total = total * tl.exp(tl.where(top == larger, 0.0, top - larger)) + tl.where(i < cols, tl.exp(x - larger), 0.0)
        top = larger
    most = tl.max(top, axis=0)
    whole = tl.sum(tl.where(total > 0, total * tl.exp(top - most), 0.0), axis=0)
    for start in range(0, cols, BLOCK):
        i = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row + i, mask=i < cols)
        tl.store(out_ptr + row + i, tl.exp(x - most) / whole, mask=i < cols)


@triton.jit
def column_sum_kernel(x_ptr, out_ptr, rows, cols, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr):
    x = tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X)
    total = tl.zeros((BLOCK_X,), tl.float32)
    for start in range(0, rows, BLOCK_Y):
        y = start + tl.arange(0, BLOCK_Y)
        tile = tl.load(x_ptr + y[:, None] * cols + x[None, :], mask=(y[:, None] < rows) & (x[None, :] < cols), other=0.0)
        total += tl.sum(tile, axis=0)
    tl.store(out_ptr + x, total, mask=x < cols)


@triton.jit
def running_sum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0) * cols
    carry = 0.0
    for start in range(0, cols, BLOCK):
        i = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row + i, mask=i < cols, other=0.0)
        tl.store(out_ptr + row + i, tl.cumsum(x, axis=0) + carry, mask=i < cols)
        carry += tl.sum(x, axis=0)


def held_out(pair, configs, powers, product) -> list:
    """The pairs; the four arguments are how tuner.py makes its own."""
    n, rows, cols = 1 << 18, 500, 700
    x, y, out = (aligned(1 << 19) for _ in range(3))
    x[:], y[:] = np.linspace(-2, 2, len(x), dtype=np.float32), 0.5
    lines = lambda meta: (triton.cdiv(n, meta["BLOCK"]),)  # noqa: E731
    tiles = configs(BLOCK_Y=[1, 4, 16, 64], BLOCK_X=[4, 16, 64])
    image = dict(x_ptr=x, out_ptr=out, rows=rows, cols=cols)
    by_rows = lambda meta: (256,)  # noqa: E731
    return [
        pair("axpy", axpy_kernel, dict(x_ptr=x, y_ptr=y, n=n, a=0.25), lines, configs(BLOCK=powers(3, 17))),
        pair("gelu", gelu_kernel, dict(x_ptr=x, out_ptr=out, n=n), lines, configs(BLOCK=powers(2, 16))),
        pair("transpose 500x700", transpose_kernel, image,
             lambda meta: (triton.cdiv(cols, meta["BLOCK_X"]), triton.cdiv(rows, meta["BLOCK_Y"])), tiles),
        pair("column sum 500x700", column_sum_kernel, image, lambda meta: (triton.cdiv(cols, meta["BLOCK_X"]),), tiles),
        pair("softmax of rows of 1500", row_softmax_kernel, dict(x_ptr=x, out_ptr=out, cols=1500), by_rows, configs(BLOCK=powers(1, 12))),
        pair("running sum of rows of 900", running_sum_kernel, dict(x_ptr=x, out_ptr=out, cols=900), by_rows,
             configs(BLOCK=powers(1, 12))),
        product("matmul 300x200x100", 300, 200, 100, np.float32, configs(BLOCK_M=[16, 64, 128], BLOCK_N=[8, 64], BLOCK_K=[8, 64])),
        product("matmul 128x1024x64", 128, 1024, 64, np.float32, configs(BLOCK_M=[16, 32, 128], BLOCK_N=[8, 32, 128, 256], BLOCK_K=[64])),
        product("matmul 1024x64x1024", 1024, 64, 1024, np.float32, configs(BLOCK_M=[8, 32, 128], BLOCK_N=[16, 64], BLOCK_K=[8, 64])),
        product("matmul fp16 256x384x256", 256, 384, 256, np.float16, configs(BLOCK_M=[16, 64, 128], BLOCK_N=[16, 128], BLOCK_K=[16, 64])),
    ]
