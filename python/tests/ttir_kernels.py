"""Kernels for the tests of TTIR: each with arguments, and with what NumPy makes of them.

This file is loaded twice, once with the language of this package and once with upstream's (load_kernels in test_ttir.py).
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def causal_attention(q_ptr, k_ptr, v_ptr, out_ptr, n, scale, HEAD: tl.constexpr, BLOCK: tl.constexpr):
    start = tl.program_id(0) * BLOCK
    rows, dims, keys = start + tl.arange(0, BLOCK), tl.arange(0, HEAD), tl.arange(0, BLOCK)
    q = tl.load(q_ptr + rows[:, None] * HEAD + dims[None, :], mask=rows[:, None] < n, other=0.0)
    top = tl.full((BLOCK,), -float("inf"), dtype=tl.float32)
    total = tl.zeros((BLOCK,), dtype=tl.float32)
    acc = tl.zeros((BLOCK, HEAD), dtype=tl.float32)
    for first in range(0, tl.minimum(start + BLOCK, n), BLOCK):
        cols = first + keys
        k = tl.load(k_ptr + cols[None, :] * HEAD + dims[:, None], mask=cols[None, :] < n, other=0.0)
        s = tl.where((cols[None, :] < n) & (rows[:, None] >= cols[None, :]), tl.dot(q, k) * scale, -float("inf"))
        new = tl.maximum(top, tl.max(s, 1))
        p = tl.exp(s - new[:, None])
        old = tl.exp(top - new)
        total = total * old + tl.sum(p, 1)
        v = tl.load(v_ptr + cols[:, None] * HEAD + dims[None, :], mask=cols[:, None] < n, other=0.0)
        acc = tl.dot(p.to(v.dtype), v, acc * old[:, None])
        top = new
    tl.store(out_ptr + rows[:, None] * HEAD + dims[None, :], acc / total[:, None], mask=rows[:, None] < n)


@triton.jit
def total_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    acc = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, n, BLOCK):
        offsets = start + tl.arange(0, BLOCK)
        acc += tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)
    tl.store(out_ptr, tl.sum(acc, 0))


@triton.jit
def matmul(a_ptr, b_ptr, c_ptr, m, n, k, am, ak, bk, bn, cm, cn,
           BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    ks = tl.arange(0, BLOCK_K)
    a_ptrs = a_ptr + rows[:, None] * am + ks[None, :] * ak
    b_ptrs = b_ptr + ks[:, None] * bk + cols[None, :] * bn
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for step in range(0, tl.cdiv(k, BLOCK_K)):
        left = k - step * BLOCK_K
        a = tl.load(a_ptrs, mask=(rows[:, None] < m) & (ks[None, :] < left), other=0.0)
        b = tl.load(b_ptrs, mask=(ks[:, None] < left) & (cols[None, :] < n), other=0.0)
        acc = tl.dot(a, b, acc)
        a_ptrs += BLOCK_K * ak
        b_ptrs += BLOCK_K * bk
    tl.store(c_ptr + rows[:, None] * cm + cols[None, :] * cn, acc, mask=(rows[:, None] < m) & (cols[None, :] < n))


@triton.jit
def argmax_rows(x_ptr, out_ptr, stride, N: tl.constexpr):
    row = tl.program_id(0)
    x = tl.load(x_ptr + row * stride + tl.arange(0, N))
    tl.store(out_ptr + row, tl.argmax(x, 0))


@triton.jit
def cumsum_rows(x_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    tl.store(out_ptr + at, tl.cumsum(tl.load(x_ptr + at), 1))


@triton.jit
def select_and_clamp(x_ptr, y_ptr, out_ptr, n, low, high, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n)
    y = tl.load(y_ptr + at, mask=at < n)
    tl.store(out_ptr + at, tl.clamp(tl.where(x > y, x - y, x * y), low, high), mask=at < n)


@triton.jit
def join_and_split(x_ptr, y_ptr, out_ptr, sum_ptr, N: tl.constexpr):
    at = tl.arange(0, N)
    pair = tl.join(tl.load(x_ptr + at), tl.load(y_ptr + at))
    tl.store(out_ptr + tl.arange(0, 2 * N), tl.reshape(pair, (2 * N,)))
    left, right = tl.split(pair)
    tl.store(sum_ptr + at, left + 2 * right)


@triton.jit
def count_by_class(x_ptr, counts_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
    classes = tl.load(x_ptr + at, mask=mask, other=0)
    tl.atomic_add(counts_ptr + classes, 1, mask=mask)


@triton.jit
def gather_rows(x_ptr, index_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr):
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    tl.store(out_ptr + at, tl.gather(tl.load(x_ptr + at), tl.load(index_ptr + at), 1))


@triton.jit
def integers(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n, other=1)
    y = tl.load(y_ptr + at, mask=at < n, other=1)
    tl.store(out_ptr + at, ((x // y) * 3 + x % y) ^ (x & y) | (x << 2) ^ (y >> 1), mask=at < n)


@triton.jit
def unsigned_integers(x_ptr, y_ptr, out_ptr, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at).to(tl.uint32, bitcast=True)
    y = tl.load(y_ptr + at).to(tl.uint32, bitcast=True)
    tl.store(out_ptr + at, tl.where(x > y, x // y, tl.umulhi(x, y)).to(tl.int32, bitcast=True))


@triton.jit
def reduce_columns(x_ptr, sum_ptr, max_ptr, M: tl.constexpr, N: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    tl.store(sum_ptr + tl.arange(0, N), tl.sum(x, 0))
    tl.store(max_ptr + tl.arange(0, M), tl.max(x, 1))


@triton.jit
def count_steps(x_ptr, out_ptr):
    x = tl.load(x_ptr + tl.program_id(0))
    steps = 0
    while x != 1:
        if x % 2 == 0:
            x = x // 2
        else:
            x = 3 * x + 1
        steps += 1
    tl.store(out_ptr + tl.program_id(0), steps)


@triton.jit
def early_return(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    first = tl.program_id(0) * BLOCK
    if first >= n:
        return
    at = first + tl.arange(0, BLOCK)
    tl.store(out_ptr + at, tl.load(x_ptr + at) + 1.0)


@triton.jit
def _larger(a, b):
    if a > b:
        return a
    else:
        return b


@triton.jit
def call_with_returns(x_ptr, y_ptr, out_ptr):
    i = tl.program_id(0)
    tl.store(out_ptr + i, _larger(tl.load(x_ptr + i), tl.load(y_ptr + i)))


@triton.jit
def transpose(x_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    tl.store(out_ptr + tl.arange(0, N)[:, None] * M + tl.arange(0, M)[None, :], tl.trans(x))


@triton.jit
def half_exp(x_ptr, out_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    tl.store(out_ptr + at, (tl.exp(x.to(tl.float32)) * 2 + tl.sqrt(tl.abs(x.to(tl.float32)))).to(tl.float16))


@triton.jit
def _welford(mean_a, m2_a, count_a, mean_b, m2_b, count_b):
    delta = mean_b - mean_a
    count = count_a + count_b
    ratio = count_b / count
    return mean_a + delta * ratio, m2_a + m2_b + delta * delta * count_a * ratio, count


@triton.jit
def variance(x_ptr, mean_ptr, var_ptr, N: tl.constexpr):
    x = tl.load(x_ptr + tl.program_id(0) * N + tl.arange(0, N))
    mean, m2, count = tl.reduce((x, tl.zeros_like(x), tl.full((N,), 1.0, tl.float32)), 0, _welford)
    tl.store(mean_ptr + tl.program_id(0), mean)
    tl.store(var_ptr + tl.program_id(0), m2 / count)


@triton.jit
def random_numbers(out_ptr, seed, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + at, tl.randint(seed, at).to(tl.int32, bitcast=True))


@triton.jit
def histogram(x_ptr, out_ptr, N: tl.constexpr, BINS: tl.constexpr):
    tl.store(out_ptr + tl.arange(0, BINS), tl.histogram(tl.load(x_ptr + tl.arange(0, N)), BINS))


@triton.jit
def sort_rows(x_ptr, out_ptr, N: tl.constexpr):
    at = tl.program_id(0) * N + tl.arange(0, N)
    tl.store(out_ptr + at, tl.sort(tl.load(x_ptr + at)))


class BFloat16:
    """An array of bfloat16, which NumPy lacks: its values in float32."""
    dtype = "bfloat16"

    def __init__(self, values: np.ndarray):
        raw = np.ascontiguousarray(values, np.float32).view(np.uint32)
        self.values = ((raw + 0x7FFF + ((raw >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)
        self.shape = values.shape

    def astype(self, dtype):
        return self.values.astype(dtype)


@dataclass
class Case:
    """A kernel's arguments; `outputs` names those that it writes, `reference` gives what they hold afterwards, in order."""
    kernel: object
    grid: tuple
    arguments: dict
    outputs: tuple
    reference: Callable
    constants: dict = field(default_factory=dict)
    tolerance: float = 1e-5

    @property
    def name(self) -> str:
        return self.kernel.__name__


def _collatz(x):
    steps = 0
    while x != 1:
        x, steps = (x // 2 if x % 2 == 0 else 3 * x + 1), steps + 1
    return steps


def _attention(q, k, v, scale):
    scores = np.where(np.tril(np.ones((len(q), len(q)), bool)), q.astype(np.float64) @ k.T * scale, -np.inf)
    p = np.exp(scores - scores.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True) @ v


def _integers(x, y):
    quotient = np.trunc(x / y).astype(np.int32)
    return (quotient * 3 + (x - quotient * y)) ^ (x & y) | (x << 2) ^ (y >> 1)


def _unsigned(x, y):
    a, b = x.view(np.uint32), y.view(np.uint32)
    high = (a.astype(np.uint64) * b >> np.uint64(32)).astype(np.uint32)
    return np.where(a > b, a // b, high).view(np.int32)


def _early(x, n, block):
    out = np.zeros_like(x)
    count = -(-n // block) * block
    out[:count] = x[:count] + 1
    return out


def _philox(seed, offsets):
    c0, zero = offsets.astype(np.uint64), np.zeros(len(offsets), np.uint64)
    c1, c2, c3 = zero, zero, zero
    k0, k1, low = seed & 0xFFFFFFFF, seed >> 32, np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (b >> np.uint64(32)) ^ c1 ^ np.uint64(k0), b & low, (a >> np.uint64(32)) ^ c3 ^ np.uint64(k1), a & low
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0.astype(np.uint32).view(np.int32)


def cases() -> list[Case]:
    rng = np.random.default_rng(7)

    def normal(*shape, dtype=np.float32):
        return rng.standard_normal(shape, dtype=np.float32).astype(dtype)

    def ints(low, high, *shape):
        return rng.integers(low, high, shape, dtype=np.int32)

    def gemm(a, b):
        (m, k), n = a.shape, b.shape[1]
        strides = dict(am=k, ak=1, bk=n, bn=1, cm=n, cn=1)
        return Case(matmul, (-(-m // 32), -(-n // 32)),
                    dict(a_ptr=a, b_ptr=b, c_ptr=np.zeros((m, n), np.float32), m=m, n=n, k=k, **strides),
                    ("c_ptr",), lambda a_ptr, b_ptr, **_: [a_ptr.astype(np.float64) @ b_ptr.astype(np.float64)],
                    dict(BLOCK_M=32, BLOCK_N=32, BLOCK_K=16), 1e-4)
    f, i = np.float32, np.int32
    q, k, v = normal(3, 100, 32)
    x1000, y1000 = normal(1000), normal(1000)
    return [
        Case(causal_attention, (4,), dict(q_ptr=q, k_ptr=k, v_ptr=v, out_ptr=np.zeros_like(q), n=100, scale=0.17), ("out_ptr",),
             lambda q_ptr, k_ptr, v_ptr, scale, **_: [_attention(q_ptr, k_ptr, v_ptr, scale)], dict(HEAD=32, BLOCK=32), 1e-4),
        Case(total_kernel, (1,), dict(x_ptr=x1000, out_ptr=np.zeros(1, f), n=1000), ("out_ptr",),
             lambda x_ptr, **_: [[x_ptr.sum(dtype=np.float64)]], dict(BLOCK=256), 1e-4),
        gemm(normal(64, 48), normal(48, 80)),
        gemm(normal(50, 33, dtype=np.float16), normal(33, 70, dtype=np.float16)),
        gemm(BFloat16(normal(33, 64)), BFloat16(normal(64, 40))),
        Case(argmax_rows, (5,), dict(x_ptr=normal(5, 128), out_ptr=np.zeros(5, i), stride=128), ("out_ptr",),
             lambda x_ptr, **_: [x_ptr.argmax(1)], dict(N=128), 0),
        Case(cumsum_rows, (1,), dict(x_ptr=normal(8, 64), out_ptr=np.zeros((8, 64), f)), ("out_ptr",),
             lambda x_ptr, **_: [x_ptr.cumsum(1)], dict(M=8, N=64)),
        Case(select_and_clamp, (4,), dict(x_ptr=x1000, y_ptr=y1000, out_ptr=np.zeros(1000, f), n=1000, low=-0.5, high=0.75),
             ("out_ptr",),
             lambda x_ptr, y_ptr, low, high, **_: [np.clip(np.where(x_ptr > y_ptr, x_ptr - y_ptr, x_ptr * y_ptr), low, high)],
             dict(BLOCK=256)),
        Case(join_and_split, (1,), dict(x_ptr=normal(64), y_ptr=normal(64), out_ptr=np.zeros(128, f), sum_ptr=np.zeros(64, f)),
             ("out_ptr", "sum_ptr"),
             lambda x_ptr, y_ptr, **_: [np.stack([x_ptr, y_ptr], 1).ravel(), x_ptr + 2 * y_ptr], dict(N=64)),
        Case(count_by_class, (4,), dict(x_ptr=ints(0, 10, 500), counts_ptr=np.zeros(10, i), n=500), ("counts_ptr",),
             lambda x_ptr, **_: [np.bincount(x_ptr, minlength=10)], dict(BLOCK=128), 0),
        Case(gather_rows, (1,), dict(x_ptr=normal(4, 32), index_ptr=ints(0, 32, 4, 32), out_ptr=np.zeros((4, 32), f)),
             ("out_ptr",),
             lambda x_ptr, index_ptr, **_: [np.take_along_axis(x_ptr, index_ptr, 1)], dict(M=4, N=32), 0),
        Case(integers, (3,), dict(x_ptr=ints(-1000, 1000, 300), y_ptr=ints(1, 50, 300), out_ptr=np.zeros(300, i), n=300),
             ("out_ptr",),
             lambda x_ptr, y_ptr, **_: [_integers(x_ptr, y_ptr)], dict(BLOCK=128), 0),
        Case(unsigned_integers, (2,), dict(x_ptr=ints(-2**31, 2**31, 256), y_ptr=ints(1, 2**31, 256), out_ptr=np.zeros(256, i)),
             ("out_ptr",),
             lambda x_ptr, y_ptr, **_: [_unsigned(x_ptr, y_ptr)], dict(BLOCK=128), 0),
        Case(reduce_columns, (1,), dict(x_ptr=normal(16, 32), sum_ptr=np.zeros(32, f), max_ptr=np.zeros(16, f)),
             ("sum_ptr", "max_ptr"),
             lambda x_ptr, **_: [x_ptr.sum(0), x_ptr.max(1)], dict(M=16, N=32)),
        Case(count_steps, (9,), dict(x_ptr=ints(1, 100, 9), out_ptr=np.zeros(9, i)), ("out_ptr",),
             lambda x_ptr, **_: [[_collatz(int(x)) for x in x_ptr]], {}, 0),
        Case(early_return, (4,), dict(x_ptr=normal(256), out_ptr=np.zeros(256, f), n=100), ("out_ptr",),
             lambda x_ptr, n, **_: [_early(x_ptr, n, 64)], dict(BLOCK=64)),
        Case(call_with_returns, (7,), dict(x_ptr=normal(7), y_ptr=normal(7), out_ptr=np.zeros(7, f)), ("out_ptr",),
             lambda x_ptr, y_ptr, **_: [np.maximum(x_ptr, y_ptr)], {}, 0),
        Case(transpose, (1,), dict(x_ptr=normal(16, 32), out_ptr=np.zeros((32, 16), f)), ("out_ptr",),
             lambda x_ptr, **_: [x_ptr.T], dict(M=16, N=32), 0),
        Case(half_exp, (1,), dict(x_ptr=normal(128, dtype=np.float16), out_ptr=np.zeros(128, np.float16)), ("out_ptr",),
             lambda x_ptr, **_: [np.exp(x_ptr.astype(f)) * 2 + np.sqrt(np.abs(x_ptr.astype(f)))], dict(BLOCK=128), 2e-3),
        Case(variance, (3,), dict(x_ptr=normal(3, 256), mean_ptr=np.zeros(3, f), var_ptr=np.zeros(3, f)), ("mean_ptr", "var_ptr"),
             lambda x_ptr, **_: [x_ptr.mean(1), x_ptr.var(1)], dict(N=256)),
        Case(random_numbers, (2,), dict(out_ptr=np.zeros(256, i), seed=1 << 33 | 12345), ("out_ptr",),
             lambda seed, **_: [_philox(seed, np.arange(256))], dict(BLOCK=128), 0),
        Case(histogram, (1,), dict(x_ptr=ints(0, 16, 256), out_ptr=np.zeros(16, i)), ("out_ptr",),
             lambda x_ptr, **_: [np.bincount(x_ptr, minlength=16)], dict(N=256, BINS=16), 0),
        Case(sort_rows, (2,), dict(x_ptr=normal(2, 64), out_ptr=np.zeros((2, 64), f)), ("out_ptr",),
             lambda x_ptr, **_: [np.sort(x_ptr, 1)], dict(N=64), 0),
    ]
