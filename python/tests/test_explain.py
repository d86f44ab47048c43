"""`kernel.explain`: layouts, conversions, threadgroup memory, barriers, products and accesses, with their lines."""
from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from arrays import aligned


def line_of(kernel, text: str) -> int:
    lines, first = inspect.getsourcelines(kernel.fn)
    return first + next(i for i, line in enumerate(lines) if text in line)


@triton.jit
def product_kernel(a_ptr, b_ptr, c_ptr, K, M: tl.constexpr, N: tl.constexpr, BLOCK: tl.constexpr, C: tl.constexpr):
    rows, columns, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, BLOCK)
    sums = tl.zeros((M, N), tl.float32)
    for start in range(0, K, BLOCK):
        a = tl.load(a_ptr + rows[:, None] * K + (start + k)[None, :])
        b = tl.load(b_ptr + (start + k)[:, None] * N + columns[None, :])
        sums = tl.dot(a, b, sums)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], sums, layout=C)


@triton.jit
def turned_kernel(x_ptr, y_ptr, N: tl.constexpr):
    r = tl.arange(0, N)
    x = tl.load(x_ptr + r[:, None] * N + r[None, :])
    turned = tl.trans(x)
    tl.store(y_ptr + r[:, None] * N + r[None, :], turned)


@triton.jit
def sum_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0)
    tl.debug_barrier()
    total = tl.sum(x)
    tl.store(y_ptr, total)


@triton.jit
def chosen_kernel(x_ptr, index_ptr, y_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    index = tl.load(index_ptr + i)
    x = tl.load(x_ptr + i)
    tl.store(y_ptr + i, tl.gather(x, index, 0))


def product_arguments(m=64, n=64, k=32, dtype=np.float32):
    return aligned(m * k, dtype), aligned(k * n, dtype), aligned(m * n)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_product(dtype):
    found = product_kernel.explain((*product_arguments(dtype=dtype), 32, 64, 64, 16, None), device="metal")
    dot, = found.dots
    assert (dot.kind, dot.m, dot.n, dot.k, dot.in_loop) == ("simdgroup_matrix", 64, 64, 16, True)
    assert dot.line == line_of(product_kernel, "tl.dot")
    assert dot.tile[0] * dot.tile[1] * 4 == 64 * 64 and not dot.why
    assert not found.conversions and not found.barriers and not found.memory and found.threadgroup_bytes == 0
    load = next(value for value in found.layouts if value.role == "load" and value.name == "a")
    assert load.layout.kind == "matrix" and load.shape == (64, 16) and load.layout.vector == 2 and load.in_loop
    for value in found.layouts:
        held = [r * la * s for r, la, s in zip(value.layout.registers, value.layout.lanes, value.layout.simdgroups)]
        assert tuple(held) == value.shape
        assert np.prod(value.layout.lanes) * np.prod(value.layout.simdgroups) * value.layout.copies == found.threads
    text = str(found)
    assert f"line {dot.line}: tl.dot 64x64x16" in text and "no conversions" in text and "no barriers" in text


def test_what_a_hint_costs():
    """A result that is stored by rows goes through threadgroup memory once, after the loop."""
    found = product_kernel.explain((*product_arguments(), 32, 64, 64, 16, "COALESCED"), device="metal")
    conversion, = found.conversions
    store = line_of(product_kernel, "tl.store")
    assert (conversion.how, conversion.purpose, conversion.bytes) == ("threadgroup memory", "another layout", 64 * 64 * 4)
    assert (conversion.used_by, conversion.used_at, conversion.in_loop) == ("tl.store", store, False)
    assert conversion.source_layout.kind == "matrix" and conversion.result_layout.vector == 4
    block, = found.memory
    assert block.owner == "compiler" and block.bytes - block.padding == 64 * 64 * 4 and found.threadgroup_bytes >= block.bytes
    assert [barrier.owner for barrier in found.barriers] == ["compiler"]
    assert f"another layout for tl.store at line {store}" in str(found)


def test_a_transposition():
    found = turned_kernel.explain({"x_ptr": aligned(4096), "y_ptr": aligned(4096), "N": 64}, device="metal", num_warps=2)
    conversion, = found.conversions
    assert found.num_warps == 2 and found.threads == 64
    assert conversion.bytes == 16384 and conversion.bytes_moved == 2 * 16384 and conversion.how == "threadgroup memory"
    assert conversion.line == line_of(turned_kernel, "tl.trans") and conversion.used_at == line_of(turned_kernel, "tl.store")
    assert found.memory[0].padding > 0


@triton.jit
def row_sums_kernel(x_ptr, y_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    r, c = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    sums = tl.sum(tl.load(x_ptr + r[:, None] * COLUMNS + c[None, :]), axis=1)
    tl.store(y_ptr + r, sums)


def test_a_shuffle_stays_within_a_simdgroup():
    """The sums of rows lie in registers, one a row; the store wants one a lane."""
    found = row_sums_kernel.explain((aligned(16 * 128), aligned(16), 16, 128), device="metal", num_warps=1)
    conversion, = found.conversions
    assert (conversion.how, conversion.bytes, conversion.line) == ("shuffle", 64, line_of(row_sums_kernel, "tl.sum"))
    assert conversion.bytes_moved >= 64 and conversion.used_at == line_of(row_sums_kernel, "tl.store")
    assert not found.barriers and found.threadgroup_bytes == 0


def test_a_reduction_over_simdgroups_and_barriers_of_the_kernel():
    found = sum_kernel.explain((aligned(1024), aligned(1), 1000, 1024), device="metal")
    conversion, = found.conversions
    line = line_of(sum_kernel, "tl.sum")
    assert (conversion.purpose, conversion.line, conversion.bytes) == ("parts of a reduction", line, 16)
    owners = {barrier.line: barrier.owner for barrier in found.barriers}
    assert owners == {line_of(sum_kernel, "debug_barrier"): "kernel", line: "compiler"}
    reductions = [value.shape for value in found.layouts if value.role == "reduction"]
    assert reductions == [(4, 256), (4,)]  # of each SIMD-group, then over them


def test_a_gather_within_a_tensor():
    found = chosen_kernel.explain((aligned(128), aligned(128, np.int32), aligned(128), 128), device="metal")
    assert [block.purpose for block in found.memory] == ["tl.gather"] and found.memory[0].bytes == 512


@triton.jit
def shared_kernel(x_ptr, y_ptr, N: tl.constexpr):
    tile = tl.shared_memory((N, N), tl.float32)
    r = tl.arange(0, N)
    tile[r[:, None], r[None, :]] = tl.load(x_ptr + r[:, None] * N + r[None, :])
    tl.barrier()
    tl.store(y_ptr + r[:, None] * N + r[None, :], tile[r[None, :], r[:, None]])


def test_shared_memory_of_the_kernel(device):
    found = shared_kernel.explain((aligned(1024), aligned(1024), 32), device=device)
    block, = found.memory
    assert (block.owner, block.name, block.shape, block.bytes) == ("kernel", "tile", (32, 32), 4096)
    assert block.line == line_of(shared_kernel, "tl.shared_memory") and found.threadgroup_bytes == 4096
    assert [(barrier.owner, barrier.line) for barrier in found.barriers] == [("kernel", line_of(shared_kernel, "tl.barrier"))]
    assert [value.role for value in found.layouts] == ["load", "store of shared memory", "load of shared memory", "store"]
    assert [access.kind for access in found.accesses] == ["load", "store"]  # those of device memory
    assert f"line {block.line}: tl.shared_memory tile: 32x32 fp32, 4096 bytes" in str(found)


@pytest.mark.parametrize("m, n, k, small", [(4, 16, 16, "M = 4"), (16, 4, 16, "N = 4"), (16, 16, 4, "K = 4"),
                                            (4, 4, 4, "M = 4, N = 4, K = 4")])
def test_why_a_product_is_scalar(m, n, k, small):
    found = product_kernel.explain((*product_arguments(m, n, k), k, m, n, k, None), device="metal")
    dot, = found.dots
    assert dot.kind == "scalar" and dot.why.startswith(small) and dot.remedy and dot.tile is None
    assert f"falls back to scalar sums: {small}" in str(found)


def test_why_a_load_is_narrow():
    found = sum_kernel.explain((aligned(1028)[1:], aligned(1), 1024, 1024), device="metal")
    access = next(access for access in found.accesses if access.kind == "load")
    assert access.vector == 1 and "x_ptr does not start at a multiple of 16 bytes" in access.reasons[0].what
    assert access.reasons[0].what in str(found) and access.reasons[0].remedy in str(found)


def test_both_devices(device):
    """Of the `cpu` device it says what the code does, and then what the kernel is on metal."""
    found = product_kernel.explain((*product_arguments(), 32, 64, 64, 16, None), device=device)
    assert found.device == device and (found.processor is not None) == (device == "cpu")
    assert json.loads(found.to_json())["dots"][0]["kind"] == "simdgroup_matrix"
    if device == "cpu":
        code = found.processor
        assert code.vector_bytes >= 16 and code.multiply_adds > 0 and code.gathers == 0
        assert "compiled for" in str(found) and f"vectors of {code.vector_bytes} bytes" in str(found)


def test_gathers_of_the_cpu():
    @triton.jit
    def kernel(x_ptr, y_ptr, stride, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        tl.store(y_ptr + i, tl.load(x_ptr + i * stride))

    assert kernel.explain((aligned(1024), aligned(256), 3, 256), device="cpu").processor.gathers > 0
    assert " 1 gather," in str(kernel.explain((aligned(16), aligned(4), 3, 4), device="cpu"))


def test_tuned_kernels():
    tuned = triton.jit(configs=[triton.Config({"BLOCK": 256, "NUM_WARPS": 2}), triton.Config({"BLOCK": 512})])(sum_kernel.fn)
    found = tuned.explain((aligned(1024), aligned(1), 200), device="metal")
    assert found.num_warps == 2 and next(value for value in found.layouts if value.role == "load").shape == (256,)
