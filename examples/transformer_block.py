"""A transformer block of composed kernels: norm, projections, attention, residual, MLP with GELU.

    ./dev run python examples/transformer_block.py

Seven launches: layer norm and attention are those of their own examples; one `linear` kernel with a fused epilogue does the rest. Weights
and what passes between kernels are fp16; sums, statistics and the residual stream are fp32.

No kernel only moves data. The projection writes each head where attention reads it, and the next one reads heads as the columns of a row:
both follow from a distance between blocks of columns.
"""
from dataclasses import dataclass

import numpy as np
from attention import attention_kernel
from layer_norm import layer_norm_kernel

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def gelu(x):
    return 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))


@triton.jit
def linear_kernel(x_ptr, weight_ptr, bias_ptr, residual_ptr, out_ptr, rows, K, N, x_stride, x_block, out_stride, out_block,
                  GELU: tl.constexpr, RESIDUAL: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    """out = x @ weight + bias, with GELU, or added to the residual.

    Columns of x lie in blocks of BLOCK_K that are x_block elements apart, those of out in blocks of BLOCK_N, out_block apart."""
    row = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    col = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    k = tl.arange(0, BLOCK_K)
    x_ptrs = x_ptr + row[:, None] * x_stride + k[None, :]
    weight_ptrs = weight_ptr + k[:, None] * N + col[None, :]
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for start in range(0, K, BLOCK_K):
        x = tl.load(x_ptrs, mask=(row < rows)[:, None] & (k < K - start)[None, :], other=0.0, layout="BLOCK")
        weight = tl.load(weight_ptrs, mask=(k < K - start)[:, None] & (col < N)[None, :], other=0.0, layout="BLOCK")
        acc = tl.dot(x, weight, acc)
        x_ptrs += x_block
        weight_ptrs += BLOCK_K * N
    acc += tl.load(bias_ptr + col, mask=col < N, other=0.0)[None, :]
    inside = (row < rows)[:, None] & (col < N)[None, :]
    if GELU:
        acc = gelu(acc)
    if RESIDUAL:
        acc += tl.load(residual_ptr + row[:, None] * N + col[None, :], mask=inside)
    at = tl.program_id(1) * out_block + row[:, None] * out_stride + tl.arange(0, BLOCK_N)[None, :]
    tl.store(out_ptr + at, acc.to(out_ptr.dtype.element_ty), mask=inside)


@dataclass
class Weights:
    """Matrices [inputs, outputs] in fp16, vectors in fp32."""
    norm1: tuple
    qkv: tuple
    out: tuple
    norm2: tuple
    up: tuple
    down: tuple

    @staticmethod
    def random(rng, width, hidden):
        def linear(inputs, outputs):
            return ((rng.standard_normal((inputs, outputs)) / np.sqrt(inputs)).astype(np.float16),
                    rng.standard_normal(outputs, dtype=np.float32))

        def norm():
            return tuple(rng.standard_normal((2, width), dtype=np.float32))
        return Weights(norm(), linear(width, 3 * width), linear(width, width), norm(), linear(width, hidden), linear(hidden, width))


def linear(x, weight, bias, out, residual=None, gelu=False, x_block=None, out_block=None, block=(64, 64, 64), device=None):
    """out = x @ weight + bias, then GELU or + residual. With x_block or out_block, x or out is [heads, rows, head], one block a head."""
    k, n = weight.shape
    rows = out.shape[-2]
    block_m, block_n, block_k = block
    return linear_kernel[(triton.cdiv(rows, block_m), triton.cdiv(n, block_n))](
        x, weight, bias, out if residual is None else residual, out, rows, k, n, x.shape[-1], x_block or block_k, out.shape[-1],
        out_block or block_n, GELU=gelu, RESIDUAL=residual is not None, BLOCK_M=block_m, BLOCK_N=block_n, BLOCK_K=block_k, device=device)


def block(x, weights, heads, out, device=None):
    """One block: x and out [n, width] in fp32; width / heads is a power of two. Returns the compiled kernels."""
    n, width = x.shape
    head = width // heads
    normed, qkv = np.empty((n, width), np.float16), np.empty((3 * heads, n, head), np.float16)
    mixed, hidden = np.empty((heads, n, head), np.float16), np.empty((n, weights.up[0].shape[1]), np.float16)
    middle = np.empty_like(x)
    q, k, v = qkv[:heads], qkv[heads:2 * heads], qkv[2 * heads:]
    split = (64, head, 64)  # tiles whose columns are one head

    def norm(source, pair):
        return layer_norm_kernel[(n,)](source, *pair, normed, width, width, 1e-5, BLOCK=triton.next_power_of_2(width), device=device)
    first = norm(x, weights.norm1)
    linear(normed, *weights.qkv, qkv, out_block=n * head, block=split, device=device)
    attention = attention_kernel[(triton.cdiv(n, 64), heads)](q, k, v, mixed, n * head, n, head**-0.5, HEAD=head, BLOCK_M=64, BLOCK_N=64,
                                                              CAUSAL=True, device=device)
    linear(mixed, *weights.out, middle, residual=x, x_block=n * head, block=(64, 64, head), device=device)
    norm(middle, weights.norm2)
    linear(normed, *weights.up, hidden, gelu=True, device=device)
    last = linear(hidden, *weights.down, out, residual=middle, device=device)
    return first, attention, last


def torch_block(t, heads):
    """The same by PyTorch's functions, in fp32 of the same weights."""
    functional = t.nn.functional

    def run(x, *pairs):
        norm1, qkv, projection, norm2, up, down = zip(pairs[::2], pairs[1::2])
        n, width = x.shape

        def apply(y, pair):
            return y.float() @ pair[0].float() + pair[1]
        y = apply(functional.layer_norm(x, (width,), *norm1), qkv)
        q, k, v = y.reshape(n, 3, heads, width // heads).permute(1, 2, 0, 3)
        y = functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
        x = x + apply(y.permute(1, 0, 2).reshape(n, width), projection)
        return x + apply(functional.gelu(apply(functional.layer_norm(x, (width,), *norm2), up)), down)
    return run


def reference(x, weights, heads):
    """In float64, of the same weights."""
    from attention import reference as attend
    from layer_norm import reference as norm
    from matmul import erf
    n, width = x.shape
    x = x.astype(np.float64)

    def apply(y, pair):
        return y @ pair[0].astype(np.float64) + pair[1]
    q, k, v = apply(norm(x, *weights.norm1), weights.qkv).reshape(n, 3, heads, width // heads).transpose(1, 2, 0, 3)
    x = x + apply(attend(q, k, v, causal=True).transpose(1, 0, 2).reshape(n, width), weights.out)
    hidden = apply(norm(x, *weights.norm2), weights.up)
    return x + apply(0.5 * hidden * (1 + erf(hidden / np.sqrt(2))), weights.down)


def cases(device, rng):
    from cases import Case
    n, width, heads = (512, 512, 8) if device == "cpu" else (48, 64, 2)
    x = rng.standard_normal((n, width), dtype=np.float32)
    weights = Weights.random(rng, width, 4 * width)
    out = np.empty_like(x)
    pairs = (*weights.norm1, *weights.qkv, *weights.out, *weights.norm2, *weights.up, *weights.down)
    yield Case("transformer block, fp16", device, f"{n}x{width}", out, run=lambda: block(x, weights, heads, out, device=device),
               numpy=lambda: reference(x, weights, heads), torch=lambda t: torch_block(t, heads), torch_args=(x, *pairs),
               flops=2 * n * width * width * 12 + 2 * n * n * width, tolerance=2e-3)


if __name__ == "__main__":
    from cases import main
    main(__file__)
