"""Vector add: the first Triton kernel. Each program adds one block of elements; the last block is masked.

    ./dev run python examples/vector_add.py
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x + y, mask=mask)


def add(x, y, out, block=1024, device=None):
    """out = x + y for three contiguous arrays of one length; returns the compiled kernel."""
    n = x.shape[0]
    return add_kernel[(triton.cdiv(n, block),)](x, y, out, n, BLOCK=block, device=device)


def cases(device, rng):
    from cases import Case
    n = 16 * 1024 * 1024 if device == "cpu" else 100_003
    x, y = rng.standard_normal((2, n), dtype=np.float32)
    out, numpys = np.empty_like(x), np.empty_like(x)

    def torch_op(t):
        result = t.empty(n)  # like ours, the peers write into an array that is there
        return lambda a, b: t.add(a, b, out=result)
    yield Case("add", device, f"{n}", out, run=lambda: add(x, y, out, device=device), numpy=lambda: np.add(x, y, out=numpys),
               torch=torch_op, torch_args=(x, y), bytes=3 * x.nbytes, tolerance=0.0)


if __name__ == "__main__":
    from cases import main
    main(__file__)
