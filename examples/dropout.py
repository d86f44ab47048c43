"""Dropout whose mask is never stored: Philox gives the same random number for the same seed and offset.

    ./dev run python examples/dropout.py
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def dropout_kernel(x_ptr, out_ptr, n, p, seed, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    keep = tl.rand(seed, offsets) > p
    tl.store(out_ptr + offsets, tl.where(keep, x / (1 - p), 0.0), mask=mask)


def dropout(x, out, p, seed, block=1024, device=None):
    """out = x / (1 - p) where a uniform number of (seed, index) exceeds p, else 0."""
    n = x.shape[0]
    return dropout_kernel[(triton.cdiv(n, block),)](x, out, n, p, seed, BLOCK=block, device=device)


def philox_uniform(seed, offsets):
    """Philox 4x32 with 10 rounds (Salmon et al., SC 2011), first word as a number in [0, 1): what tl.rand computes."""
    c0 = offsets.astype(np.uint32)
    c1 = c2 = c3 = np.zeros_like(c0)
    k0, k1 = np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)
    for _ in range(10):
        high_b, high_a = [(np.uint64(m) * c.astype(np.uint64) >> np.uint64(32)).astype(np.uint32) for m, c in
                          ((0xCD9E8D57, c2), (0xD2511F53, c0))]
        low_b, low_a = np.uint32(0xCD9E8D57) * c2, np.uint32(0xD2511F53) * c0
        c0, c1, c2, c3 = high_b ^ c1 ^ k0, low_b, high_a ^ c3 ^ k1, low_a
        k0, k1 = np.uint32((int(k0) + 0x9E3779B9) & 0xFFFFFFFF), np.uint32((int(k1) + 0xBB67AE85) & 0xFFFFFFFF)
    signed = c0.view(np.int32)
    return np.where(signed < 0, ~signed, signed).astype(np.float32) * np.float32(4.6566127342e-10)


def cases(device, rng):
    from cases import Case
    n = 4 * 1024 * 1024 if device == "cpu" else 50_001
    x = rng.standard_normal(n, dtype=np.float32)
    out = np.empty_like(x)
    p, seed = 0.25, 0x1234_5678_9ABC

    def reference():
        return np.where(philox_uniform(seed, np.arange(n)) > np.float32(p), x / (1 - np.float32(p)), np.float32(0))
    yield Case("dropout", device, f"{n}", out, run=lambda: dropout(x, out, p, seed, device=device), numpy=reference,
               torch=lambda t: lambda a: t.dropout(a, p, True), torch_args=(x,), bytes=2 * x.nbytes, tolerance=1e-6,
               torch_same=False)


if __name__ == "__main__":
    from cases import main
    main(__file__)
