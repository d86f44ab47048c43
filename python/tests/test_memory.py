"""Loads and stores: masks, other, strides, overlap, scalars, hints, pointers of every dtype."""
import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl

from arrays import ALL, empty, kernel_from_text, sample, to_device, to_numpy


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask), mask=mask)


@triton.jit
def strided_copy_kernel(x_ptr, out_ptr, rows, cols, sx0, sx1, so0, so1, R: tl.constexpr, C: tl.constexpr):
    i = (tl.program_id(0) * R + tl.arange(0, R))[:, None]
    j = (tl.program_id(1) * C + tl.arange(0, C))[None, :]
    mask = (i < rows) & (j < cols)
    tl.store(out_ptr + i * so0 + j * so1, tl.load(x_ptr + i * sx0 + j * sx1, mask=mask), mask=mask)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("n", [1, 64, 259])
def test_copy(device, dtype, n):
    x = sample(dtype, n)
    out = empty(n, dtype)
    copy_kernel[(triton.cdiv(n, 64),)](to_device(x, dtype), out, n, BLOCK=64, device=device)
    np.testing.assert_array_equal(to_numpy(out), x)


def test_bool_pointers(device):
    x = sample("int32", 100) % 2 == 0
    out = np.zeros(100, bool)
    copy_kernel[(2,)](x, out, 100, BLOCK=64, device=device)
    np.testing.assert_array_equal(out, x)


@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (64, 64), (65, 33)])
@pytest.mark.parametrize("layout", ["row", "column", "step", "reversed"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_strides(device, dtype, layout, shape):
    base = sample(dtype, 4 * (shape[0] + 1) * (shape[1] + 1)).reshape(2 * (shape[0] + 1), 2 * (shape[1] + 1))
    x = {"row": base[:shape[0], :shape[1]], "column": base.T[:shape[0], :shape[1]], "step": base[::2, ::2][:shape[0], :shape[1]],
         "reversed": base[:shape[0], :shape[1]]}[layout]
    out = np.zeros(shape, dtype, order="F" if layout == "column" else "C")
    step = x.itemsize
    source, strides = x, [s // step for s in x.strides]
    grid = (triton.cdiv(shape[0], 16), triton.cdiv(shape[1], 32))
    strided_copy_kernel[grid](source, out, *shape, *strides, *[s // step for s in out.strides], R=16, C=32, device=device)
    np.testing.assert_array_equal(out, x)


def test_negative_stride(device):
    text = """
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + (n - 1 - i), mask=i < n), mask=i < n)
"""
    x, out = sample("float32", 50), np.zeros(50, np.float32)
    kernel_from_text(text)[(1,)](x, out, 50, BLOCK=64, device=device)
    np.testing.assert_array_equal(out, x[::-1])


@pytest.mark.parametrize("dtype", ["int32", "float32", "float16"])
@pytest.mark.parametrize("other", [None, 7])
def test_masked_load(device, dtype, other):
    """Masked elements read `other`, or 0, and touch no memory: the array ends where the mask does."""
    text = f"""
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=i < n{'' if other is None else f', other={other}'}))
"""
    for n in (0, 1, 37, 128):
        x, out = sample(dtype, max(n, 1))[:n], np.ones(128, dtype)
        kernel_from_text(text)[(1,)](x if n else np.zeros(1, dtype), out, n, BLOCK=128, device=device)
        np.testing.assert_array_equal(out, np.concatenate([x, np.full(128 - n, other or 0, dtype)]))


def test_masked_store_leaves_memory(device):
    text = """
def kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + i), mask=i % 3 == 0)
"""
    x, out = sample("int32", 256), np.full(256, -5, np.int32)
    kernel_from_text(text)[(1,)](x, out, BLOCK=256, device=device)
    np.testing.assert_array_equal(out, np.where(np.arange(256) % 3 == 0, x, -5))


def test_scalars(device):
    text = """
def kernel(x_ptr, out_ptr, n):
    x = tl.load(x_ptr + tl.program_id(0), mask=tl.program_id(0) < n, other=-1.0)
    tl.store(out_ptr + tl.program_id(0), x * 2)
"""
    x, out = sample("float32", 7, edges=False), np.zeros(9, np.float32)
    kernel_from_text(text)[(9,)](x, out, 7, device=device)
    np.testing.assert_array_equal(out, np.concatenate([x * 2, [-2, -2]]).astype(np.float32))


def test_gather(device):
    text = """
def kernel(x_ptr, index_ptr, out_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + tl.load(index_ptr + i)))
"""
    x, index, out = sample("float32", 1000), np.random.default_rng(0).integers(0, 1000, 256).astype(np.int64), np.zeros(256, np.float32)
    kernel_from_text(text)[(1,)](x, index, out, BLOCK=256, device=device)
    np.testing.assert_array_equal(out, x[index])


def test_program_order(device):
    """A load after a store to the same place sees it, and one before does not."""
    text = """
def kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    before = tl.load(x_ptr + i)
    tl.store(x_ptr + i, before + 1)
    after = tl.load(x_ptr + i)
    tl.store(out_ptr + i, before * 1000 + after)
"""
    x = np.arange(128, dtype=np.int32)
    out, old = np.zeros(128, np.int32), x.copy()
    kernel_from_text(text)[(1,)](x, out, BLOCK=128, device=device)
    np.testing.assert_array_equal(out, old * 1000 + old + 1)


def test_hints_are_accepted(device):
    text = """
def kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    i = tl.max_contiguous(tl.multiple_of(tl.arange(0, BLOCK), BLOCK), BLOCK)
    x = tl.load(x_ptr + i, cache_modifier=".ca", eviction_policy="evict_last", volatile=True)
    tl.store(out_ptr + i, x, cache_modifier=".wb", eviction_policy="evict_first")
"""
    x, out = sample("float32", 64), np.zeros(64, np.float32)
    kernel_from_text(text)[(1,)](x, out, BLOCK=64, device=device)
    np.testing.assert_array_equal(out, x)


def test_grid_of_three_dimensions(device):
    text = """
def kernel(out_ptr):
    x, y, z = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    nx, ny = tl.num_programs(0), tl.num_programs(1)
    tl.store(out_ptr + (z * ny + y) * nx + x, x + 10 * y + 100 * z)
"""
    out = np.zeros((2, 3, 4), np.int32)
    kernel_from_text(text)[(4, 3, 2)](out, device=device)
    z, y, x = np.mgrid[0:2, 0:3, 0:4]
    np.testing.assert_array_equal(out, x + 10 * y + 100 * z)


def test_empty_grid(device):
    out = np.zeros(4, np.float32)
    copy_kernel[(0,)](out, out, 4, BLOCK=4, device=device)
    assert not out.any()


@triton.jit
def reverse_through_memory_kernel(x_ptr, scratch_ptr, out_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(scratch_ptr + i, tl.load(x_ptr + i) + 1)
    tl.debug_barrier()
    tl.store(out_ptr + i, tl.load(scratch_ptr + BLOCK - 1 - i))


def test_debug_barrier(device):
    """What one lane stored before the barrier another one loads after it."""
    x = sample("int32", 512)
    scratch, out = np.zeros_like(x), np.zeros_like(x)
    reverse_through_memory_kernel[(1,)](x, scratch, out, BLOCK=512, device=device)
    np.testing.assert_array_equal(out, (x + 1)[::-1])


@pytest.mark.parametrize("call", ["tl.argmin(x, axis=0)", "tl.sum(x, axis=0)"])
def test_load_by_a_reduction_before_stores(device, call):
    """What is loaded where a reduction says must be read before later stores, which share the reduction's shape, change memory."""
    text = f"""
def kernel(x_ptr, table_ptr, out_ptr):
    i = tl.arange(0, 16)[:, None]
    x = tl.load(x_ptr + i + tl.arange(0, 1)[None, :])
    found = tl.load(table_ptr + {call} % 16)
    tl.store(table_ptr + i + tl.arange(0, 1)[None, :], x)
    tl.store(out_ptr + tl.arange(0, 1), found)
"""
    x = np.roll(np.arange(1, 17, dtype=np.int32), 5)
    table, out = np.arange(100, 116, dtype=np.int32), np.zeros(1, np.int32)
    before = table.copy()
    kernel_from_text(text)[(1,)](x, table, out, device=device)
    assert out[0] == before[int(x.argmin()) if "argmin" in call else int(x.sum()) % 16]
    np.testing.assert_array_equal(table, x)


@triton.jit
def kept_beside_a_cube(x_ptr, y_ptr, out_ptr, n):
    cube = tl.arange(0, 4)[:, None, None] * 256 + tl.arange(0, 16)[None, :, None] * 16 + tl.arange(0, 16)[None, None, :]
    tl.load(x_ptr + cube, volatile=True)
    i = tl.arange(0, 1024)
    kept = tl.load(y_ptr + i, mask=i < n, other=7)
    tl.debug_barrier()
    tl.store(out_ptr + i, kept)


def test_vectors_are_kept_by_their_own_layout(device, warps):
    """The loops of the load are those of a cube, whose registers fall into other runs than the vector's."""
    y, out = np.arange(1024, dtype=np.uint64), np.zeros(1024, np.uint64)
    kept_beside_a_cube[(1,)](np.zeros(1024, np.int64), y, out, 500, num_warps=warps, device=device)
    np.testing.assert_array_equal(out, np.where(y < 500, y, 7))
