"""tl.dot over shapes, dtypes, strides, masks and accumulators, within 2 K eps |a||b|."""
import numpy as np
import pytest

from arrays import empty, kernel_from_text, round_to, sample, to_device, to_numpy

KERNEL = """
def kernel(a_ptr, b_ptr, c_ptr, M, N, K, sam, sak, sbk, sbn, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for k0 in range(0, K, BK):
        k = k0 + tl.arange(0, BK)
        a = tl.load(a_ptr + m[:, None] * sam + k[None, :] * sak, mask=(m[:, None] < M) & (k[None, :] < K), other=0.0)
        b = tl.load(b_ptr + k[:, None] * sbk + n[None, :] * sbn, mask=(k[:, None] < K) & (n[None, :] < N), other=0.0)
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + m[:, None] * N + n[None, :], acc, mask=(m[:, None] < M) & (n[None, :] < N))
"""


def check(c, a, b, dtype):
    eps = np.finfo(np.float32).eps
    limit = 2 * a.shape[1] * eps * (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)) + 1e-30
    assert np.all(np.abs(c - a.astype(np.float64) @ b.astype(np.float64)) <= limit)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("size", [(1, 1, 1), (16, 16, 16), (33, 17, 9), (64, 64, 64), (100, 90, 77)])
@pytest.mark.parametrize("block", [(16, 16, 16), (32, 64, 32), (64, 32, 16), (64, 64, 32)])
def test_matmul(device, dtype, size, block):
    m, n, k = size
    a, b = (sample(dtype, p * q, s, edges=False).reshape(p, q) for p, q, s in ((m, k, 0), (k, n, 1)))
    c = np.zeros((m, n), np.float32)
    grid = (-(-m // block[0]), -(-n // block[1]))
    kernel_from_text(KERNEL)[grid](to_device(a, dtype), to_device(b, dtype), c, m, n, k, k, 1, n, 1, BM=block[0], BN=block[1],
                                   BK=block[2], device=device)
    check(c, a, b, dtype)


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
def test_transposed(device, ta, tb):
    m, n, k = 48, 40, 56
    a, b = sample("float32", m * k, 0, edges=False).reshape(m, k), sample("float32", k * n, 1, edges=False).reshape(k, n)
    x, y = (np.asfortranarray(a) if ta else a), (np.asfortranarray(b) if tb else b)
    c = np.zeros((m, n), np.float32)
    strides = [s // 4 for s in (*x.strides, *y.strides)]
    kernel_from_text(KERNEL)[(2, 2)](x, y, c, m, n, k, *strides, BM=32, BN=32, BK=16, device=device)
    check(c, a, b, "float32")


@pytest.mark.parametrize("m, n, k", [(16, 16, 16), (32, 16, 64), (16, 128, 32), (8, 8, 8), (2, 4, 8), (1, 16, 4), (1, 64, 32),
                                     (64, 1, 128), (32, 32, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_one_tile(device, m, n, k, dtype):
    """A dot of computed operands: fragments come from registers, not from memory."""
    text = f"""
def kernel(a_ptr, b_ptr, c_ptr):
    m, n, k = tl.arange(0, {m}), tl.arange(0, {n}), tl.arange(0, {k})
    a = tl.load(a_ptr + m[:, None] * {k} + k[None, :])
    b = tl.load(b_ptr + k[:, None] * {n} + n[None, :])
    tl.store(c_ptr + m[:, None] * {n} + n[None, :], tl.dot(a * 2, tl.trans(tl.trans(b)), out_dtype=tl.float32))
"""
    a, b = sample(dtype, m * k, 0, edges=False).reshape(m, k), sample(dtype, k * n, 1, edges=False).reshape(k, n)
    c = np.zeros((m, n), np.float32)
    kernel_from_text(text)[(1,)](a, b, c, device=device)
    check(c, round_to(a * 2, dtype), b, dtype)


def test_chained(device):
    """The result of one product is an operand of the next, as in attention."""
    text = """
def kernel(a_ptr, b_ptr, c_ptr):
    i = tl.arange(0, 32)
    a = tl.load(a_ptr + i[:, None] * 32 + i[None, :])
    b = tl.load(b_ptr + i[:, None] * 32 + i[None, :])
    tl.store(c_ptr + i[:, None] * 32 + i[None, :], tl.dot(tl.dot(a, b) * 0.5, b))
"""
    a, b = sample("float32", 1024, 0, edges=False).reshape(32, 32), sample("float32", 1024, 1, edges=False).reshape(32, 32)
    c = np.zeros((32, 32), np.float32)
    kernel_from_text(text)[(1,)](a, b, c, device=device)
    np.testing.assert_allclose(c, (a.astype(np.float64) @ b * 0.5) @ b, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("precision", ["ieee", "tf32", "tf32x3"])
def test_input_precision(device, precision):
    text = f"""
def kernel(a_ptr, c_ptr):
    i = tl.arange(0, 16)
    a = tl.load(a_ptr + i[:, None] * 16 + i[None, :])
    tl.store(c_ptr + i[:, None] * 16 + i[None, :], tl.dot(a, a, input_precision="{precision}"))
"""
    a, c = sample("float32", 256, edges=False).reshape(16, 16), np.zeros((16, 16), np.float32)
    kernel_from_text(text)[(1,)](a, c, device=device)
    check(c, a, a, "float32")


def test_int8(device):
    text = """
def kernel(a_ptr, b_ptr, c_ptr):
    i, k = tl.arange(0, 32), tl.arange(0, 64)
    a = tl.load(a_ptr + i[:, None] * 64 + k[None, :])
    b = tl.load(b_ptr + k[:, None] * 32 + i[None, :])
    tl.store(c_ptr + i[:, None] * 32 + i[None, :], tl.dot(a, b))
"""
    a, b = sample("int8", 2048, 0).reshape(32, 64), sample("int8", 2048, 1).reshape(64, 32)
    c = empty((32, 32), "int32")
    kernel_from_text(text)[(1,)](a, b, c, device=device)
    np.testing.assert_array_equal(to_numpy(c), a.astype(np.int32) @ b.astype(np.int32))


@pytest.mark.parametrize("k", [16, 64])
def test_converted_operands(device, k):
    """Operands that are computed from what is loaded for them, one of them from a whole row's scale as well."""
    text = f"""
def kernel(a_ptr, b_ptr, scale_ptr, c_ptr):
    m, n, k = tl.arange(0, 32), tl.arange(0, 16), tl.arange(0, {k})
    a = tl.load(a_ptr + m[:, None] * {k} + k[None, :]).to(tl.float32) * tl.load(scale_ptr + m)[:, None]
    b = tl.load(b_ptr + k[:, None] * 16 + n[None, :], mask=k[:, None] < {k} - 3, other=1.0).to(tl.float32)
    tl.store(c_ptr + m[:, None] * 16 + n[None, :], tl.dot(a, b, input_precision="ieee"))
"""
    a, b = (sample("float16", p * q, s, edges=False).reshape(p, q) for p, q, s in ((32, k, 0), (k, 16, 1)))
    scale = sample("float32", 32, 2, edges=False)
    c = np.zeros((32, 16), np.float32)
    kernel_from_text(text)[(1,)](a, b, scale, c, device=device)
    seen = b.astype(np.float32)
    seen[k - 3:] = 1
    check(c, a.astype(np.float32) * scale[:, None], seen, "float32")


@pytest.mark.parametrize("num_warps", [1, 2, 4])
@pytest.mark.parametrize("left, right", [("v", "v"), ("v", "b"), ("a", "v"), ("v * 2", "tl.trans(v)")])
def test_accumulator_is_a_factor(device, left, right, num_warps):
    """The sum must not be written in place of a factor that is still read."""
    text = f"""
def kernel(a_ptr, b_ptr, c_ptr):
    i, j = tl.arange(0, 16)[:, None], tl.arange(0, 16)[None, :]
    a = tl.load(a_ptr + i * 16 + j)
    b = tl.load(b_ptr + i * 16 + j)
    v = tl.zeros((16, 16), tl.float32)
    for k in range(2):
        v += tl.dot(a, b)
    tl.store(c_ptr + i * 16 + j, tl.dot({left}, {right}, acc=v, input_precision="ieee"))
"""
    a, b = sample("float32", 256, 0, edges=False).reshape(16, 16), sample("float32", 256, 1, edges=False).reshape(16, 16)
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    c = np.zeros((16, 16), np.float32)
    kernel_from_text(text)[(1,)](a, b, c, device=device, num_warps=num_warps)
    v = 2 * (a.astype(np.float64) @ b)
    x, y = ({"a": a, "b": b, "v": v, "v * 2": 2 * v, "tl.trans(v)": v.T}[name] for name in (left, right))
    np.testing.assert_allclose(c, x @ y + v, rtol=1e-4, atol=1e-4)
