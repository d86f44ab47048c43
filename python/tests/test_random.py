"""Philox: the bits of upstream (checked against a NumPy Philox), and the distributions built on it."""
import numpy as np
import pytest

from arrays import kernel_from_text


def philox(seed, offsets):
    """Philox 4x32-10 (Salmon et al., SC 2011): the four words for each offset."""
    mask = np.uint64(0xFFFFFFFF)
    c = [offsets.astype(np.uint64) & mask] + [np.zeros(len(offsets), np.uint64)] * 3
    k = [np.uint64(seed) & mask, np.uint64(seed) >> np.uint64(32)]
    a, b = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    for _ in range(10):
        pa, pb = a * c[0], b * c[2]
        c = [(pb >> np.uint64(32)) ^ c[1] ^ k[0], pb & mask, (pa >> np.uint64(32)) ^ c[3] ^ k[1], pa & mask]
        k = [(k[0] + np.uint64(0x9E3779B9)) & mask, (k[1] + np.uint64(0xBB67AE85)) & mask]
    return [x.astype(np.uint32) for x in c]


def run(expression, seed, dtype, device, n=1024):
    text = f"""
def kernel(seed, out_ptr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, {expression})
"""
    out = np.zeros(n, dtype)
    kernel_from_text(text)[(n // 256,)](seed, out, BLOCK=256, device=device)
    return out


@pytest.mark.parametrize("seed", [0, 42, 123456789, 0xDEADBEEFCAFE])
def test_bits(device, seed):
    expected = philox(seed, np.arange(1024))
    np.testing.assert_array_equal(run("tl.randint(seed, i)", seed, np.uint32, device), expected[0])
    np.testing.assert_array_equal(run("tl.randint4x(seed, i)[3]", seed, np.uint32, device), expected[3])


def test_rand(device):
    x = run("tl.rand(seed, i)", 7, np.float32, device, 8192)
    assert 0 <= x.min() and x.max() < 1
    assert abs(x.mean() - 0.5) < 0.01 and abs(x.std() - 12**-0.5) < 0.01
    signed = philox(7, np.arange(8192))[0].view(np.int32)
    np.testing.assert_array_equal(x, np.where(signed < 0, ~signed, signed).astype(np.float32) * np.float32(4.6566127342e-10))


def test_randn(device):
    x = run("tl.randn(seed, i)", 11, np.float32, device, 8192)
    assert abs(x.mean()) < 0.05 and abs(x.std() - 1) < 0.03
