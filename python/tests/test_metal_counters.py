"""Counting launches of compiled Metal kernels, whole grids and samples of them; code made runnable ahead; the table of chips."""
from __future__ import annotations

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from arrays import EVERYTHING, aligned, counted
from triton_metal import _core


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=mask) + tl.load(y_ptr + i, mask=mask), mask=mask)


@triton.jit
def matmul_kernel(a_ptr, b_ptr, c_ptr, K, M: tl.constexpr, N: tl.constexpr, BLOCK_K: tl.constexpr):
    rows, columns, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, BLOCK_K)
    sums = tl.zeros((M, N), tl.float32)
    for start in range(0, K, BLOCK_K):
        a = tl.load(a_ptr + rows[:, None] * K + (start + k)[None, :])
        b = tl.load(b_ptr + (start + k)[:, None] * N + columns[None, :])
        sums = tl.dot(a, b, sums)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], sums)


@pytest.mark.parametrize("sample", [EVERYTHING, 4, 1000])
def test_counts_of_a_stream(sample):
    n, block = 4096, 256
    x, y, out = (aligned(n) for _ in range(3))
    counters, _ = counted(add_kernel[(n // block,)], (x, y, out, n), sample, BLOCK=block)
    assert counters["device_bytes"] == 3 * 4 * n and counters["device_transactions"] == 3 * 4 * n // 128
    assert counters["device_lines"] == counters["device_transactions"]  # nothing is touched twice
    assert counters["float_operations"] == n and counters["lanes"] == n // block * 128 and counters["matrix_operations"] == 0


def test_a_sample_leaves_the_rest_undone_and_ordinary_launches_do_not_count():
    n, block = 1024, 64
    x, y, out = (aligned(n) for _ in range(3))
    x[:] = 1
    counted(add_kernel[(n // block,)], (x, y, out, n), 4, BLOCK=block)
    assert out.reshape(-1, block).any(axis=1).nonzero()[0].tolist() == [2, 6, 10, 14]
    add_kernel[(n // block,)](x, y, out, n, BLOCK=block, device="metal")
    assert out.all() and not any(_core.take_metal_counters().values())


def test_counts_of_a_product():
    a, b, c = aligned(64 * 32), aligned(32 * 64), aligned(64 * 64)
    counters, compiled = counted(matmul_kernel[(1,)], (a, b, c, 32), M=64, N=64, BLOCK_K=16)
    assert counters["matrix_operations"] == 64 * 64 * 32 // 512
    assert counters["device_lines"] == (a.nbytes + b.nbytes + c.nbytes) // 128 < counters["device_transactions"]
    (rows, columns, bits), = compiled.metadata.facts["dot_tiles"]
    assert bits == 32 and rows * columns * 4 >= 64 * 64  # four SIMD-groups hold the result
    assert add_kernel.warmup(c, c, c, 64, BLOCK=64, device="metal").metadata.facts["dot_tiles"] == []


@pytest.mark.never_refused
def test_the_cpu_does_not_count():
    x = aligned(64)
    with pytest.raises(triton.UnsupportedOnDevice, match="counting"):
        add_kernel[(1,)](x, x, x, 64, BLOCK=64, device="cpu", counting=1)


def test_prepare_makes_code_runnable_from_any_thread(device):
    import threading
    x, y, out = (aligned(64) for _ in range(3))
    compiled = triton.jit(add_kernel.fn).warmup(x, y, out, 64, BLOCK=64, device=device, num_warps=2)
    threads = [threading.Thread(target=compiled._launchable.prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    x[:] = 2
    compiled[(1,)](x, y, out, 64)
    assert (out == 2).all()


def test_table_of_chips():
    names = _core.chip_names()
    assert names[0] == "apple-m1" and "apple-m5-max" in names
    for name in names:
        facts = _core.chip_facts(name)
        assert facts["cores_min"] <= facts["cores"] and 1000 < facts["clock_mhz"] < 2000 and facts["max_threadgroup_bytes"] == 32768
    with pytest.raises(ValueError, match="no chip called 'apple-m0'"):
        _core.chip_facts("apple-m0")
