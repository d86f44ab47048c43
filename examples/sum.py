"""Sum of a large vector in two passes: partial sums of blocks, then the sum of the partial sums in one program.

    ./dev run python examples/sum.py
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def partial_sum_kernel(x_ptr, partial_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)
    tl.store(partial_ptr + pid, tl.sum(x, axis=0))


@triton.jit
def total_kernel(partial_ptr, out_ptr, count, BLOCK: tl.constexpr):
    total = tl.zeros((BLOCK,), dtype=tl.float32)
    for start in range(0, count, BLOCK):
        offsets = start + tl.arange(0, BLOCK)
        total += tl.load(partial_ptr + offsets, mask=offsets < count, other=0.0)
    tl.store(out_ptr, tl.sum(total, axis=0))


def total(x, partial, out, block=4096, device=None):
    """Sum of the contiguous fp32 vector x into out[0]; partial has room for cdiv(len(x), block) values. Returns both kernels."""
    count = triton.cdiv(x.shape[0], block)
    first = partial_sum_kernel[(count,)](x, partial, x.shape[0], BLOCK=block, device=device)
    second = total_kernel[(1,)](partial, out, count, BLOCK=1024, device=device)
    return first, second


def cases(device, rng):
    from cases import Case
    n = 16 * 1024 * 1024 + 5 if device == "cpu" else 200_003
    x = rng.standard_normal(n, dtype=np.float32)
    partial, out = np.empty(triton.cdiv(n, 4096), np.float32), np.empty(1, np.float32)
    yield Case("sum, two passes", device, f"{n}", out, run=lambda: total(x, partial, out, device=device),
               numpy=lambda: x.sum(dtype=np.float64, keepdims=True), torch=lambda t: t.sum, torch_args=(x,), bytes=x.nbytes,
               scale=float(np.sqrt(n)))  # terms of both signs: their sum is about the root of their number


if __name__ == "__main__":
    from cases import main
    main(__file__)
