"""Fused softmax: one program a row, which stays in registers between the maximum, the sum and the division.

    ./dev run python examples/softmax.py
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def softmax_kernel(x_ptr, out_ptr, x_stride, out_stride, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * x_stride + cols, mask=mask, other=-float("inf"))
    e = tl.exp(x - tl.max(x, axis=0))
    tl.store(out_ptr + row * out_stride + cols, e / tl.sum(e, axis=0), mask=mask)


def softmax(x, out, device=None):
    """Softmax of each row of x [rows, cols] into out; rows may be strided."""
    rows, cols = x.shape
    return softmax_kernel[(rows,)](x, out, x.strides[0] // x.itemsize, out.strides[0] // out.itemsize, cols,
                                   BLOCK=triton.next_power_of_2(cols), device=device)


def reference(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cases(device, rng):
    from cases import Case
    rows, cols = (4096, 1024) if device == "cpu" else (64, 1000)
    x = rng.standard_normal((rows, cols), dtype=np.float32)
    out = np.empty_like(x)

    def torch_op(t):
        result = t.empty(rows, cols)
        return lambda a: t.softmax(a, 1, out=result)
    yield Case("softmax", device, f"{rows}x{cols}", out, run=lambda: softmax(x, out, device=device), numpy=lambda: reference(x),
               torch=torch_op, torch_args=(x,), bytes=2 * x.nbytes, tolerance=1e-6)


if __name__ == "__main__":
    from cases import main
    main(__file__)
