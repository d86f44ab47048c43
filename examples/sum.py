"""Sum of a large vector: partial sums of blocks, put together by a second kernel or by atomic additions.

Two passes add in the same order every time. With atomics the programs add in the order in which they come, so that the last digits may
differ from run to run on a GPU; the result must be zeroed before.

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


@triton.jit
def atomic_sum_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)
    tl.atomic_add(out_ptr, tl.sum(x, axis=0))


def total(x, partial, out, block=4096, device=None):
    """Sum of the contiguous fp32 vector x into out[0]; partial has room for cdiv(len(x), block) values. Returns both kernels."""
    count = triton.cdiv(x.shape[0], block)
    first = partial_sum_kernel[(count,)](x, partial, x.shape[0], BLOCK=block, device=device)
    second = total_kernel[(1,)](partial, out, count, BLOCK=1024, device=device)
    return first, second


def atomic_total(x, out, block=4096, device=None):
    """The same by atomic additions into out[0]."""
    out[0] = 0
    return atomic_sum_kernel[(triton.cdiv(x.shape[0], block),)](x, out, x.shape[0], BLOCK=block, device=device)


def cases(device, rng):
    from cases import Case
    n = 16 * 1024 * 1024 + 5 if device == "cpu" else 200_003
    x = rng.standard_normal(n, dtype=np.float32)
    partial, out = np.empty(triton.cdiv(n, 4096), np.float32), np.empty(1, np.float32)
    atomic_out = np.empty(1, np.float32)
    for name, tolerance, run, result in (("sum, two passes", 1e-6, lambda: total(x, partial, out, device=device), out),
                                         ("sum, atomics", 1e-5, lambda: atomic_total(x, atomic_out, device=device), atomic_out)):
        yield Case(name, device, f"{n}", result, run=run, numpy=lambda: x.sum(dtype=np.float64, keepdims=True), torch=lambda t: t.sum,
                   torch_args=(x,), bytes=x.nbytes, tolerance=tolerance,
                   scale=float(np.sqrt(n)))  # terms of both signs: their sum is about sqrt(n)


if __name__ == "__main__":
    from cases import main
    main(__file__)
