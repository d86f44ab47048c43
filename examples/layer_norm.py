"""Layer norm: mean and variance of a row in one program, then scale and shift.

    ./dev run python examples/layer_norm.py
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def layer_norm_kernel(x_ptr, weight_ptr, bias_ptr, out_ptr, stride, n_cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * stride + cols, mask=mask, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=0) / n_cols
    centred = tl.where(mask, x - mean, 0.0)
    variance = tl.sum(centred * centred, axis=0) / n_cols
    rstd = 1 / tl.sqrt(variance + eps)
    weight = tl.load(weight_ptr + cols, mask=mask)
    bias = tl.load(bias_ptr + cols, mask=mask)
    tl.store(out_ptr + row * stride + cols, centred * rstd * weight + bias, mask=mask)


def layer_norm(x, weight, bias, out, eps=1e-5, device=None):
    """Layer norm over the last axis of x [rows, cols], contiguous; weight and bias have shape [cols]."""
    rows, cols = x.shape
    return layer_norm_kernel[(rows,)](x, weight, bias, out, cols, cols, eps, BLOCK=triton.next_power_of_2(cols), device=device)


def reference(x, weight, bias, eps=1e-5):
    centred = x - x.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(eps)) * weight + bias


def cases(device, rng):
    from cases import Case
    rows, cols = (4096, 1024) if device == "cpu" else (64, 1000)
    x = rng.standard_normal((rows, cols), dtype=np.float32)
    weight, bias = rng.standard_normal((2, cols), dtype=np.float32)
    out = np.empty_like(x)
    yield Case("layer norm", device, f"{rows}x{cols}", out, run=lambda: layer_norm(x, weight, bias, out, device=device),
               numpy=lambda: reference(x, weight, bias),
               torch=lambda t: lambda a, w, b: t.nn.functional.layer_norm(a, (cols,), w, b), torch_args=(x, weight, bias),
               bytes=2 * x.nbytes, tolerance=1e-5)


if __name__ == "__main__":
    from cases import main
    main(__file__)
