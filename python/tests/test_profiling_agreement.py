"""Bytes and operations of a launch by the compiler's analysis, and as the software Metal counts them, within 2 %."""
from __future__ import annotations

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from arrays import counted
from triton_metal.profiling.bound import bind
from triton_metal.profiling.cost import launch_cost


@triton.jit
def add(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=mask) + tl.load(y_ptr + i, mask=mask), mask=mask)


@triton.jit
def scale(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr):
    for start in range(tl.program_id(0) * BLOCK, n, tl.num_programs(0) * BLOCK):
        i = start + tl.arange(0, BLOCK)
        tl.store(out_ptr + i, tl.load(x_ptr + i, mask=i < n) * factor, mask=i < n)


@triton.jit
def triad(a_ptr, b_ptr, c_ptr, n, factor, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(a_ptr + i, tl.load(b_ptr + i, mask=i < n) + factor * tl.load(c_ptr + i, mask=i < n), mask=i < n)


@triton.jit
def softmax(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    row, columns = tl.program_id(0), tl.arange(0, BLOCK)
    mask = columns < n
    x = tl.load(x_ptr + row * n + columns, mask=mask, other=-float("inf")).to(tl.float32)
    exponentials = tl.exp(x - tl.max(x, 0))
    tl.store(out_ptr + row * n + columns, exponentials / tl.sum(exponentials, 0), mask=mask)


@triton.jit
def layer_norm(x_ptr, weight_ptr, bias_ptr, out_ptr, n, epsilon, BLOCK: tl.constexpr):
    row, columns = tl.program_id(0), tl.arange(0, BLOCK)
    mask = columns < n
    x = tl.load(x_ptr + row * n + columns, mask=mask, other=0.0).to(tl.float32)
    centred = tl.where(mask, x - tl.sum(x, 0) / n, 0.0)
    scaled = centred / tl.sqrt(tl.sum(centred * centred, 0) / n + epsilon)
    result = scaled * tl.load(weight_ptr + columns, mask=mask) + tl.load(bias_ptr + columns, mask=mask)
    tl.store(out_ptr + row * n + columns, result, mask=mask)


@triton.jit
def total(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    sums = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, n, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        sums += tl.load(x_ptr + tl.program_id(0) * n + columns, mask=columns < n, other=0.0)
    tl.store(out_ptr + tl.program_id(0), tl.sum(sums))


@triton.jit
def reduce_tile(x_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr, AXIS: tl.constexpr, WHAT: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    if WHAT == "sum":
        result = tl.sum(x, AXIS)
    else:
        result = tl.max(x, AXIS)
    tl.store(out_ptr + tl.arange(0, N if AXIS == 0 else M), result)


@triton.jit
def product(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    rows, columns = tl.program_id(0) * BM + tl.arange(0, BM), tl.program_id(1) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    sums = tl.zeros((BM, BN), tl.float32)
    for start in range(0, K, BK):
        now = start + k
        a = tl.load(a_ptr + rows[:, None] * K + now[None, :], mask=(rows[:, None] < M) & (now[None, :] < K), other=0.0)
        b = tl.load(b_ptr + now[:, None] * N + columns[None, :], mask=(now[:, None] < K) & (columns[None, :] < N), other=0.0)
        sums = tl.dot(a, b, sums)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], sums, mask=(rows[:, None] < M) & (columns[None, :] < N))


@triton.jit
def small_product(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a, b = tl.load(a_ptr + m[:, None] * K + k[None, :]), tl.load(b_ptr + k[:, None] * N + n[None, :])
    tl.store(c_ptr + m[:, None] * N + n[None, :], tl.dot(a, b))


@triton.jit
def attention(q_ptr, k_ptr, v_ptr, out_ptr, n, D: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    rows, keys, d = tl.program_id(0) * BM + tl.arange(0, BM), tl.arange(0, BN), tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + d[None, :], mask=rows[:, None] < n, other=0.0)
    greatest, sums = tl.full((BM,), -float("inf"), tl.float32), tl.zeros((BM,), tl.float32)
    acc = tl.zeros((BM, D), tl.float32)
    for start in range(0, n, BN):
        inside = start + keys < n
        k = tl.load(k_ptr + (start + keys)[:, None] * D + d[None, :], mask=inside[:, None], other=0.0)
        v = tl.load(v_ptr + (start + keys)[:, None] * D + d[None, :], mask=inside[:, None], other=0.0)
        scores = tl.where(inside[None, :], tl.dot(q, k.T) * 0.125, -float("inf"))
        now = tl.maximum(greatest, tl.max(scores, 1))
        weights, shrink = tl.exp(scores - now[:, None]), tl.exp(greatest - now)
        sums = sums * shrink + tl.sum(weights, 1)
        acc = acc * shrink[:, None] + tl.dot(weights.to(v.dtype), v)
        greatest = now
    tl.store(out_ptr + rows[:, None] * D + d[None, :], acc / sums[:, None], mask=rows[:, None] < n)


@triton.jit
def histogram(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr + tl.load(x_ptr + i, mask=i < n, other=0), 1, mask=i < n)


def check(kernel, args, grid, **options):
    bound = bind(kernel, args, grid, "metal", **options)
    cost = launch_cost(*bound)
    counters, _ = counted(kernel[grid], args, **options)
    assert cost.is_exact
    for name in ("bytes_loaded", "bytes_stored", "bytes_atomic", "dot_operations"):
        assert counters["distinct_" + name] == pytest.approx(getattr(cost, name), rel=0.02), name
    operations = sum(counters[f"distinct_{kind}_operations"] for kind in ("float", "special", "dot"))
    assert operations == pytest.approx(cost.operations, rel=0.02)
    assert counters["device_bytes"] >= counters["distinct_bytes_loaded"] + counters["distinct_bytes_stored"]
    return cost, counters


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float16])


@dtypes
@pytest.mark.parametrize("n, block, warps", [(4096, 1024, 4), (4095, 512, 8), (65, 64, 1), (64, 32, 4)])
def test_streams(n, block, warps, dtype):
    x, y, out = (ones(n, dtype=dtype) for _ in range(3))
    grid = (triton.cdiv(n, block),)
    cost, _ = check(add, (x, y, out, n), grid, BLOCK=block, num_warps=warps)
    assert cost.bytes == 3 * x.nbytes
    cost, _ = check(scale, (x, out, n, 2.0), (2,), BLOCK=block, num_warps=warps)
    assert cost.bytes == 2 * x.nbytes
    cost, _ = check(triad, (out, x, y, n, 2.0), grid, BLOCK=block, num_warps=warps)
    assert cost.bytes == 3 * x.nbytes


@dtypes
@pytest.mark.parametrize("n, block, warps", [(1000, 1024, 4), (512, 512, 8), (126, 128, 1), (63, 64, 4)])
def test_rows(n, block, warps, dtype):
    x, out, weight, bias = ones(3, n, dtype=dtype), ones(3, n, dtype=dtype), ones(n, dtype=dtype), ones(n, dtype=dtype)
    check(softmax, (x, out, n), (3,), BLOCK=block, num_warps=warps)
    check(layer_norm, (x, weight, bias, out, n, 1e-5), (3,), BLOCK=block, num_warps=warps)
    check(total, (x, ones(3), n), (3,), BLOCK=block // 2, num_warps=warps)


@dtypes
@pytest.mark.parametrize("what", ["sum", "max"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("M, N", [(64, 64), (16, 128), (128, 8)])
def test_reductions(M, N, axis, what, dtype):
    check(reduce_tile, (ones(M, N, dtype=dtype), ones(max(M, N), dtype=dtype)), (1,), M=M, N=N, AXIS=axis, WHAT=what)


@dtypes
@pytest.mark.parametrize("M, N, K", [(128, 64, 64), (100, 70, 50), (33, 1, 7)])
@pytest.mark.parametrize("BM, BN, BK, warps", [(64, 64, 32, 4), (32, 16, 16, 4), (16, 64, 16, 1), (128, 64, 16, 8)])
def test_products(M, N, K, BM, BN, BK, warps, dtype):
    a, b, c = ones(M, K, dtype=dtype), ones(K, N, dtype=dtype), ones(M, N)
    grid = (triton.cdiv(M, BM), triton.cdiv(N, BN))
    cost, counters = check(product, (a, b, c, M, N, K), grid, BM=BM, BN=BN, BK=BK, num_warps=warps)
    assert cost.dot_operations == counters["distinct_dot_operations"]
    assert cost.dot_operations == grid[0] * grid[1] * triton.cdiv(K, BK) * 2 * BM * BN * BK


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
@pytest.mark.parametrize("M, N, K", [(16, 16, 16), (64, 16, 32), (1, 16, 16), (2, 64, 8)])
def test_products_of_one_tile(M, N, K, dtype):
    """Those that are too small for 8x8 products are multiply-adds of floats to the device: together they are as many."""
    a, b, c = ones(M, K, dtype=dtype), ones(K, N, dtype=dtype), ones(M, N, dtype=np.int32 if dtype == np.int8 else np.float32)
    cost = launch_cost(*bind(small_product, (a, b, c), (1,), "metal", M=M, N=N, K=K))
    counters, _ = counted(small_product[(1,)], (a, b, c), M=M, N=N, K=K)
    assert counters["distinct_bytes_loaded"] == cost.bytes_loaded == a.nbytes + b.nbytes
    assert counters["distinct_dot_operations"] + counters["distinct_float_operations"] == cost.operations == 2 * M * N * K
    assert (counters["distinct_dot_operations"] == 0) == (min(M, N) < 8)


@dtypes
@pytest.mark.parametrize("n", [64, 100])
def test_attention(n, dtype):
    q, k, v = (ones(n, 32, dtype=dtype) for _ in range(3))
    check(attention, (q, k, v, ones(n, 32), n), (triton.cdiv(n, 32),), D=32, BM=32, BN=32)


@pytest.mark.parametrize("n", [1, 33])
def test_tiles_that_are_mostly_masked(n):
    """What only a masked store uses may be computed under its mask: counting sees between the elements and the whole tile."""
    x, y, out = ones(n), ones(n), ones(n)
    bound = bind(add, (x, y, out, n), (1,), "metal", BLOCK=1024)
    cost = launch_cost(*bound)
    counters, _ = counted(add[(1,)], (x, y, out, n), BLOCK=1024)
    assert counters["distinct_bytes_loaded"] == cost.bytes_loaded == 8 * n
    assert counters["distinct_bytes_stored"] == cost.bytes_stored == 4 * n
    assert n <= counters["distinct_float_operations"] <= cost.float_operations == 1024


def test_atomics():
    check(histogram, (np.zeros(1000, np.int32), np.zeros(4, np.int32), 1000), (8,), BLOCK=128)
