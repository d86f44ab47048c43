"""Explicit shared memory: a transposition through a tile, a stencil with its halo, a histogram, a matrix product staged by hand.

    ./dev run python examples/shared_memory.py

Each kernel has a twin without shared memory, which benchmarks/shared_memory.py times beside it.
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


# --- transposition ------------------------------------------------------------------------------------------------------


@triton.jit
def transpose_kernel(x_ptr, out_ptr, rows, columns, BLOCK: tl.constexpr):
    """Rows of the tile are read along x and columns of it along out, so that both go through memory in order. The tile's rows are one
    element longer than the block: neighbours in a column then lie in different banks."""
    tile = tl.shared_memory((BLOCK, BLOCK + 1), x_ptr.dtype.element_ty)
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    j = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = (i < rows)[:, None] & (j < columns)[None, :]
    tile[:, 0:BLOCK] = tl.load(x_ptr + i[:, None] * columns + j[None, :], mask=inside)
    tl.barrier()
    k = tl.arange(0, BLOCK)
    turned = tile[k[None, :], k[:, None]]
    tl.store(out_ptr + j[:, None] * rows + i[None, :], turned, mask=(j < columns)[:, None] & (i < rows)[None, :])


@triton.jit
def plain_transpose_kernel(x_ptr, out_ptr, rows, columns, BLOCK: tl.constexpr):
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    j = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = (i < rows)[:, None] & (j < columns)[None, :]
    x = tl.load(x_ptr + i[:, None] * columns + j[None, :], mask=inside)
    tl.store(out_ptr + j[:, None] * rows + i[None, :], tl.trans(x), mask=(j < columns)[:, None] & (i < rows)[None, :])


def transpose(x, out, staged=True, block=64, device=None):
    """out[columns, rows] = x[rows, columns] transposed."""
    rows, columns = x.shape
    kernel = transpose_kernel if staged else plain_transpose_kernel
    return kernel[(triton.cdiv(columns, block), triton.cdiv(rows, block))](x, out, rows, columns, BLOCK=block, device=device)


# --- stencil ------------------------------------------------------------------------------------------------------------


@triton.jit
def heat_kernel(x_ptr, out_ptr, height, width, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr):
    """The mean of the four neighbours. A tile and a border of one point around it are read once; beyond the edge lies 0."""
    tile = tl.shared_memory((BLOCK_Y + 2, BLOCK_X + 2), tl.float32)
    y = tl.program_id(1) * BLOCK_Y + tl.arange(0, BLOCK_Y)
    x = tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X)
    top, left = tl.program_id(1) * BLOCK_Y - 1, tl.program_id(0) * BLOCK_X - 1
    bottom, right = top + BLOCK_Y + 1, left + BLOCK_X + 1
    inside = (y < height)[:, None] & (x < width)[None, :]
    tile[1:BLOCK_Y + 1, 1:BLOCK_X + 1] = tl.load(x_ptr + y[:, None] * width + x[None, :], mask=inside, other=0.0)
    tile[0, 1:BLOCK_X + 1] = tl.load(x_ptr + top * width + x, mask=(x < width) & (top >= 0), other=0.0)
    tile[BLOCK_Y + 1, 1:BLOCK_X + 1] = tl.load(x_ptr + bottom * width + x, mask=(x < width) & (bottom < height), other=0.0)
    tile[1:BLOCK_Y + 1, 0] = tl.load(x_ptr + y * width + left, mask=(y < height) & (left >= 0), other=0.0)
    tile[1:BLOCK_Y + 1, BLOCK_X + 1] = tl.load(x_ptr + y * width + right, mask=(y < height) & (right < width), other=0.0)
    tl.barrier()
    around = tile[0:BLOCK_Y, 1:BLOCK_X + 1] + tile[2:BLOCK_Y + 2, 1:BLOCK_X + 1]
    around += tile[1:BLOCK_Y + 1, 0:BLOCK_X] + tile[1:BLOCK_Y + 1, 2:BLOCK_X + 2]
    tl.store(out_ptr + y[:, None] * width + x[None, :], 0.25 * around, mask=inside)


@triton.jit
def plain_heat_kernel(x_ptr, out_ptr, height, width, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr):
    y = (tl.program_id(1) * BLOCK_Y + tl.arange(0, BLOCK_Y))[:, None]
    x = (tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X))[None, :]
    inside = (y < height) & (x < width)
    at = x_ptr + y * width + x
    around = tl.load(at - width, mask=inside & (y > 0), other=0.0) + tl.load(at + width, mask=inside & (y + 1 < height), other=0.0)
    around += tl.load(at - 1, mask=inside & (x > 0), other=0.0) + tl.load(at + 1, mask=inside & (x + 1 < width), other=0.0)
    tl.store(out_ptr + y * width + x, 0.25 * around, mask=inside)


def heat(x, out, staged=True, block=(16, 128), device=None):
    """One step of diffusion on an fp32 field [height, width] that is 0 outside."""
    height, width = x.shape
    kernel = heat_kernel if staged else plain_heat_kernel
    return kernel[(triton.cdiv(width, block[1]), triton.cdiv(height, block[0]))](
        x, out, height, width, BLOCK_Y=block[0], BLOCK_X=block[1], device=device)


# --- histogram ----------------------------------------------------------------------------------------------------------


@triton.jit
def histogram_kernel(x_ptr, out_ptr, n, ROUNDS: tl.constexpr, BLOCK: tl.constexpr, BINS: tl.constexpr):
    """Each program counts in an array of its own and adds that to the result: one access to memory a bin instead of one an element."""
    counts = tl.shared_memory((BINS,), tl.int32)
    bins = tl.arange(0, BINS)
    counts[bins] = tl.zeros((BINS,), tl.int32)
    tl.barrier()
    for i in range(ROUNDS):
        offsets = (tl.program_id(0) * ROUNDS + i) * BLOCK + tl.arange(0, BLOCK)
        values = tl.load(x_ptr + offsets, mask=offsets < n, other=0)
        counts.atomic_add(values.to(tl.int32), 1, mask=offsets < n)  # atomics need no barrier among themselves
    tl.barrier()
    tl.atomic_add(out_ptr + bins, counts[bins])


@triton.jit
def plain_histogram_kernel(x_ptr, out_ptr, n, ROUNDS: tl.constexpr, BLOCK: tl.constexpr, BINS: tl.constexpr):
    for i in range(ROUNDS):
        offsets = (tl.program_id(0) * ROUNDS + i) * BLOCK + tl.arange(0, BLOCK)
        values = tl.load(x_ptr + offsets, mask=offsets < n, other=0)
        tl.atomic_add(out_ptr + values.to(tl.int32), 1, mask=offsets < n)


def histogram(x, out, staged=True, block=1024, rounds=16, device=None):
    """How often each byte occurs in x (uint8); out has 256 int32 and begins at 0."""
    out[:] = 0
    kernel = histogram_kernel if staged else plain_histogram_kernel
    return kernel[(triton.cdiv(x.size, block * rounds),)](x, out, x.size, ROUNDS=rounds, BLOCK=block, BINS=256, device=device)


# --- matrix product -----------------------------------------------------------------------------------------------------


@triton.jit
def matmul_kernel(a_ptr, b_ptr, c_ptr, M, N, K, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    """Tiles of both operands go through shared memory. A barrier stands before they are read, and one before they are overwritten."""
    a_tile = tl.shared_memory((BLOCK_M, BLOCK_K), tl.float32)
    b_tile = tl.shared_memory((BLOCK_K, BLOCK_N), tl.float32)
    m = tl.program_id(1) * BLOCK_M + tl.arange(0, BLOCK_M)
    n = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for start in range(0, K, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        a_tile[:, :] = tl.load(a_ptr + m[:, None] * K + k[None, :], mask=(m < M)[:, None] & (k < K)[None, :], other=0.0)
        b_tile[:, :] = tl.load(b_ptr + k[:, None] * N + n[None, :], mask=(k < K)[:, None] & (n < N)[None, :], other=0.0)
        tl.barrier()
        acc = tl.dot(a_tile[:, :], b_tile[:, :], acc)
        tl.barrier()
    tl.store(c_ptr + m[:, None] * N + n[None, :], acc, mask=(m < M)[:, None] & (n < N)[None, :])


@triton.jit
def plain_matmul_kernel(a_ptr, b_ptr, c_ptr, M, N, K, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    m = tl.program_id(1) * BLOCK_M + tl.arange(0, BLOCK_M)
    n = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for start in range(0, K, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        a = tl.load(a_ptr + m[:, None] * K + k[None, :], mask=(m < M)[:, None] & (k < K)[None, :], other=0.0)
        b = tl.load(b_ptr + k[:, None] * N + n[None, :], mask=(k < K)[:, None] & (n < N)[None, :], other=0.0)
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + m[:, None] * N + n[None, :], acc, mask=(m < M)[:, None] & (n < N)[None, :])


def matmul(a, b, c, staged=True, block=(64, 64, 32), device=None):
    """c[M, N] = a[M, K] @ b[K, N], fp32."""
    (m, k), n = a.shape, b.shape[1]
    kernel = matmul_kernel if staged else plain_matmul_kernel
    return kernel[(triton.cdiv(n, block[1]), triton.cdiv(m, block[0]))](
        a, b, c, m, n, k, BLOCK_M=block[0], BLOCK_N=block[1], BLOCK_K=block[2], device=device)


# --- what is right ------------------------------------------------------------------------------------------------------


def heat_reference(x):
    padded = np.pad(x, 1)
    return np.float32(0.25) * (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:])


def inputs(device, rng):
    """x and out of each example, at a size that fits the device: the software Metal runs lane by lane."""
    n = 1024 if device == "cpu" else 72
    count, k = (1 << 22, 512) if device == "cpu" else (40_000, 72)
    field = rng.standard_normal((n, n + 40), dtype=np.float32)
    values = rng.integers(0, 256, count, dtype=np.uint8)
    a, b = rng.standard_normal((k, k), dtype=np.float32), rng.standard_normal((k, k + 8), dtype=np.float32)
    return {"transpose": (field, np.empty(field.shape[::-1], np.float32)), "heat": (field, np.empty_like(field)),
            "histogram": (values, np.zeros(256, np.int32)), "matmul": (a, b, np.empty((k, k + 8), np.float32))}


def cases(device, rng):
    from cases import Case
    arrays = inputs(device, rng)
    (field, turned), (_, warm), (values, counts), (a, b, c) = (arrays[name] for name in ("transpose", "heat", "histogram", "matmul"))
    size = f"{field.shape[0]}x{field.shape[1]}"

    def torch_heat(t):
        weights = 0.25 * t.tensor([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
        return lambda x: t.nn.functional.conv2d(x[None, None], weights[None, None], padding=1)[0, 0]
    yield Case("transpose through a tile", device, size, turned, run=lambda: transpose(field, turned, device=device),
               numpy=lambda: field.T, torch=lambda t: lambda x: x.T.contiguous(), torch_args=(field,), bytes=2 * field.nbytes, tolerance=0)
    yield Case("heat stencil with halo", device, size, warm, run=lambda: heat(field, warm, device=device),
               numpy=lambda: heat_reference(field), torch=torch_heat, torch_args=(field,), bytes=2 * field.nbytes, flops=4 * field.size,
               tolerance=1e-6)
    yield Case("histogram, 256 bins", device, f"{values.size}", counts, run=lambda: histogram(values, counts, device=device),
               numpy=lambda: np.bincount(values, minlength=256), torch=lambda t: lambda x: t.bincount(x, minlength=256),
               torch_args=(values,), bytes=values.nbytes, tolerance=0)
    yield Case("matmul staged by hand", device, f"{a.shape[0]}x{a.shape[1]}x{b.shape[1]}", c, run=lambda: matmul(a, b, c, device=device),
               numpy=lambda: a @ b, torch=lambda t: lambda a, b: a @ b, torch_args=(a, b),
               bytes=a.nbytes + b.nbytes + c.nbytes, flops=2 * a.shape[0] * a.shape[1] * b.shape[1], tolerance=1e-5)


if __name__ == "__main__":
    from cases import main
    main(__file__)
