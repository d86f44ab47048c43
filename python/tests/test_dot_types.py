"""Products of int8 to the last bit, halves with float sums, and packed int4: on both devices against NumPy."""
import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def one_product(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + m[:, None] * K + k[None, :])
    b = tl.load(b_ptr + k[:, None] * N + n[None, :])
    c = tl.load(c_ptr + m[:, None] * N + n[None, :])
    tl.store(c_ptr + m[:, None] * N + n[None, :], tl.dot(a, b, c))


@triton.jit
def looped_product(a_ptr, b_ptr, c_ptr, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m, n, k = tl.arange(0, BM), tl.program_id(0) * BN + tl.arange(0, BN), tl.arange(0, BK)
    sums = tl.zeros((BM, BN), tl.int32)
    for start in range(0, K, BK):
        inside = start + k < K
        a = tl.load(a_ptr + m[:, None] * K + (start + k)[None, :], mask=inside[None, :], other=0)
        b = tl.load(b_ptr + (start + k)[:, None] * N + n[None, :], mask=inside[:, None] & (n[None, :] < N), other=0)
        sums += tl.dot(a, b)
    tl.store(c_ptr + m[:, None] * N + n[None, :], sums, mask=n[None, :] < N)


def integers(kind, rows, columns, seed):
    if kind == "least":
        return np.full((rows, columns), -128, np.int8)
    if kind == "greatest":
        return np.full((rows, columns), 127, np.int8)
    values = np.random.default_rng(seed).integers(-128, 128, (rows, columns)).astype(np.int8)
    if kind == "odd":  # large sums whose low bits are set
        values = np.abs(values.astype(np.int16) % 4 + 123).astype(np.int8)
    return values


@pytest.mark.parametrize("kind", ["least", "greatest", "odd", "random"])
@pytest.mark.parametrize("K", [16, 64, 1024, 2048, 4096])
def test_int8_sums_are_exact_for_every_k(K, kind, device):
    a, b = integers(kind, 16, K, 0), integers(kind, K, 16, 1)
    c = np.arange(256, dtype=np.int32).reshape(16, 16) - 7
    expected = c + a.astype(np.int32) @ b.astype(np.int32)
    one_product[(1,)](a, b, c, 16, 16, K, device=device)
    np.testing.assert_array_equal(c, expected)


@pytest.mark.parametrize("kind", ["least", "odd", "random"])
@pytest.mark.parametrize("K, BK", [(3000, 32), (4096, 128), (20000, 1024)])
def test_int8_sums_in_loops_go_beyond_2_to_the_24(K, BK, kind, device):
    a, b = integers(kind, 16, K, 0), integers(kind, K, 20, 1)
    c = np.zeros((16, 20), np.int32)
    looped_product[(2,)](a, b, c, 20, K, 16, 16, BK, device=device)
    expected = (a.astype(np.int64) @ b.astype(np.int64)).astype(np.int32)
    assert kind == "random" or np.abs(expected).max() > 2**24
    np.testing.assert_array_equal(c, expected)


def test_int8_sums_wrap(device):
    a, b = integers("least", 16, 64, 0), integers("least", 64, 16, 1)
    c = np.full((16, 16), 2**31 - 5, np.int32)
    one_product[(1,)](a, b, c, 16, 16, 64, device=device)
    np.testing.assert_array_equal(c, np.full((16, 16), 2**31 - 5 + 64 * 128 * 128 - 2**32, np.int64).astype(np.int32))


@pytest.mark.never_refused
def test_uint8_is_refused_as_upstream_does(device):
    a = np.ones((16, 16), np.uint8)
    with pytest.raises(triton.CompilationError, match="int8"):
        one_product[(1,)](a, a, np.zeros((16, 16), np.int32), 16, 16, 16, device=device)


@triton.jit
def mixed_precision_matmul(
    a_ptr, b_ptr, c_ptr, M, N, K, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr
):
    """The optimisation guide's kernel, completed: operands in halves, sums and the result in floats."""
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    columns = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    mask_c = (rows[:, None] < M) & (columns[None, :] < N)
    c = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, K, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        mask_a = (rows[:, None] < M) & (k[None, :] < K)
        mask_b = (k[:, None] < K) & (columns[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + k[None, :], mask=mask_a, other=0.0).to(tl.float16)
        b = tl.load(b_ptr + k[:, None] * N + columns[None, :], mask=mask_b, other=0.0).to(tl.float16)
        c += tl.dot(a, b)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], c.to(tl.float32), mask=mask_c)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("M, N, K", [(64, 64, 64), (50, 33, 301), (1, 1, 2048)])
def test_mixed_precision(M, N, K, dtype, device):
    random = np.random.default_rng(0)
    a, b = random.standard_normal((M, K)).astype(dtype), random.standard_normal((K, N)).astype(dtype)
    c = np.full((M, N), np.nan, np.float32)
    grid = (triton.cdiv(M, 32), triton.cdiv(N, 32))
    mixed_precision_matmul[grid](a, b, c, M, N, K, 32, 32, 32, device=device)
    halves = [x.astype(np.float16).astype(np.float64) for x in (a, b)]
    bound = 2 * K * 2.0**-24 * (np.abs(halves[0]) @ np.abs(halves[1]))  # that of float sums; sums in halves are far outside
    assert (np.abs(c - halves[0] @ halves[1]) <= bound).all()


def test_the_sums_of_halves_are_floats(device):
    """4096 ones and a half step: in halves the sum stops at 2048, and 2049 is no half."""
    a, b, c = np.ones((16, 4096), np.float16), np.ones((4096, 16), np.float16), np.zeros((16, 16), np.float32)
    b[-1] = 0.5
    mixed_precision_matmul[(1, 1)](a, b, c, 16, 16, 4096, 16, 16, 64, device=device)
    assert (c == 4095.5).all()


@triton.jit
def int4_words(words_ptr, scales_ptr, x_ptr, out_ptr, K: tl.constexpr, N: tl.constexpr, M: tl.constexpr, HOW: tl.constexpr):
    """Eight numbers in an int32 along K, with a scale for each row of words: q - 8 times the scale."""
    n, m = tl.arange(0, N), tl.arange(0, M)
    if HOW == "shift":
        k = tl.arange(0, K)
        words = tl.load(words_ptr + (k // 8)[:, None] * N + n[None, :])
        numbers = (words >> (k % 8 * 4)[:, None]) & 0xF
    else:  # from the lowest bits up, neighbours apart by 16, 8 and 4 bits
        at = tl.arange(0, K // 8)
        words = tl.trans(tl.load(words_ptr + at[:, None] * N + n[None, :]))
        pairs = tl.interleave(words, words >> 16)  # [N, K / 4]
        quads = tl.interleave(pairs, pairs >> 8)
        numbers = tl.trans(tl.interleave(quads, quads >> 4)) & 0xF
    k = tl.arange(0, K)
    scales = tl.load(scales_ptr + (k // 8)[:, None] * N + n[None, :])
    b = ((numbers - 8).to(tl.float16) * scales).to(tl.float16)
    x = tl.load(x_ptr + m[:, None] * K + k[None, :])
    tl.store(out_ptr + m[:, None] * N + n[None, :], tl.dot(x, b))


@pytest.mark.parametrize("how", ["shift", "interleave"])
@pytest.mark.parametrize("K, N", [(16, 16), (64, 32)])
def test_int4_in_words(K, N, how, device):
    random = np.random.default_rng(3)
    numbers = random.integers(0, 16, (K, N))
    numbers[:8, 0] = 15, 0, 15, 0, 15, 0, 15, 0
    shifts = 4 * np.arange(8, dtype=np.uint32)[None, :, None]
    words = (numbers.astype(np.uint32).reshape(K // 8, 8, N) << shifts).sum(1, dtype=np.uint32).view(np.int32)
    scales = (0.5 + random.random((K // 8, N))).astype(np.float16)
    x, out = random.standard_normal((16, K)).astype(np.float16), np.zeros((16, N), np.float32)
    int4_words[(1,)](words, scales, x, out, K, N, 16, how, device=device)
    b = (numbers - 8).astype(np.float16) * np.repeat(scales, 8, 0)
    np.testing.assert_allclose(out, x.astype(np.float32) @ b.astype(np.float32), rtol=1e-5, atol=1e-4)
    if device == "metal":  # unpacking leaves the product what it is
        assert "simdgroup_multiply_accumulate" in int4_words.warmup(
            words, scales, x, out, K, N, 16, how, device=device).asm["msl"]


@triton.jit
def joined_rows(x_ptr, y_ptr, out_ptr, n, R: tl.constexpr, C: tl.constexpr, B: tl.constexpr):
    """Rows of two masked loads in turns, and a product with them: the loads lie behind a join."""
    r, c, rows = tl.arange(0, R), tl.arange(0, C), tl.arange(0, 2 * R)
    x = tl.load(x_ptr + r[:, None] * n + c[None, :], mask=(c < n)[None, :], other=1.0)
    y = tl.load(y_ptr + r[:, None] * n + c[None, :], mask=(c < n)[None, :] & (r > 0)[:, None], other=2.0)
    both = tl.reshape(tl.permute(tl.join(x, y), (0, 2, 1)), (2 * R, C))
    left = tl.load(x_ptr + B * 0 + tl.arange(0, 16)[:, None] * 0 + rows[None, :] * 0) + tl.zeros((16, 2 * R), tl.float32)
    product = tl.dot(left, both, input_precision="ieee")
    tl.store(out_ptr + tl.arange(0, 16)[:, None] * C + c[None, :], product)


@pytest.mark.parametrize("n", [32, 31, 1])
def test_products_of_joined_loads(n, device):
    x, y, out = (np.random.default_rng(i).standard_normal((16, 32)).astype(np.float32) for i in range(3))
    joined_rows[(1,)](x.reshape(-1), y.reshape(-1), out, n, 16, 32, 0, device=device)
    rows = [[np.where(np.arange(32) < n, np.resize(a.reshape(-1)[r * n:r * n + 32], 32), other) for r in range(16)]
            for a, other in ((x, 1.0), (y, 2.0))]
    rows[1][0] = np.full(32, 2.0)
    expected = x[0, 0] * sum(np.asarray(part, np.float64).sum(0) for part in rows)
    np.testing.assert_allclose(out, np.broadcast_to(expected, (16, 32)), rtol=1e-4, atol=1e-4)
