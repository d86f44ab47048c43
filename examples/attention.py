"""Flash attention, forward: softmax(q k^T * scale) v without the matrix of scores; each program owns a block of queries.

Scores, softmax and product are one kernel, tiled along the keys; operands may be of half precision, sums are fp32. Blocks are given, or
chosen by the tuner in a space that it builds from the kernel.

    ./dev run python examples/attention.py
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def attention_kernel(q_ptr, k_ptr, v_ptr, out_ptr, head_stride, n, scale,
                     HEAD: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, CAUSAL: tl.constexpr):
    start_m = tl.program_id(0) * BLOCK_M
    base = tl.program_id(1) * head_stride
    rows = start_m + tl.arange(0, BLOCK_M)
    keys = tl.arange(0, BLOCK_N)
    dims = tl.arange(0, HEAD)
    q = tl.load(q_ptr + base + rows[:, None] * HEAD + dims[None, :], mask=rows[:, None] < n, other=0.0)
    row_max = tl.full((BLOCK_M,), -float("inf"), dtype=tl.float32)
    row_sum = tl.zeros((BLOCK_M,), dtype=tl.float32)
    acc = tl.zeros((BLOCK_M, HEAD), dtype=tl.float32)
    end = tl.minimum(start_m + BLOCK_M, n) if CAUSAL else n
    for start_n in range(0, end, BLOCK_N):
        cols = start_n + keys
        k = tl.load(k_ptr + base + cols[None, :] * HEAD + dims[:, None], mask=cols[None, :] < n, other=0.0)
        scores = tl.dot(q, k) * (scale * 1.4426950408889634)
        visible = cols[None, :] < n
        if CAUSAL:
            visible = visible & (rows[:, None] >= cols[None, :])
        scores = tl.where(visible, scores, -float("inf"))
        new_max = tl.maximum(row_max, tl.max(scores, 1))
        p = tl.exp2(scores - new_max[:, None])
        rescale = tl.exp2(row_max - new_max)
        row_sum = row_sum * rescale + tl.sum(p, 1)
        v = tl.load(v_ptr + base + cols[:, None] * HEAD + dims[None, :], mask=cols[:, None] < n, other=0.0)
        acc = tl.dot(p.to(v.dtype), v, acc * rescale[:, None])
        row_max = new_max
    out = acc / row_sum[:, None]
    tl.store(out_ptr + base + rows[:, None] * HEAD + dims[None, :], out.to(out_ptr.dtype.element_ty), mask=rows[:, None] < n)


autotuned_kernel = triton.jit(autotune=True, key=["n"])(attention_kernel.fn)  # what @triton.jit(autotune=True) above it would make


def attention(q, k, v, out, causal=False, block=(64, 64), device=None):
    """Attention of q, k, v [heads, n, head], contiguous; head is a power of two. Scaled by head**-0.5. The tuner chooses block=None."""
    heads, n, head = q.shape
    if block is None:
        return autotuned_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK_M"]), heads)](
            q, k, v, out, n * head, n, head**-0.5, HEAD=head, CAUSAL=causal, device=device)
    return attention_kernel[(triton.cdiv(n, block[0]), heads)](
        q, k, v, out, n * head, n, head**-0.5, HEAD=head, BLOCK_M=block[0], BLOCK_N=block[1], CAUSAL=causal, device=device)


def reference(q, k, v, causal):
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    scores = q @ k.swapaxes(1, 2) * q.shape[2] ** -0.5
    if causal:
        n = q.shape[1]
        scores = np.where(np.tril(np.ones((n, n), bool)), scores, -np.inf)
    p = np.exp(scores - scores.max(axis=2, keepdims=True))
    return p / p.sum(axis=2, keepdims=True) @ v


def cases(device, rng):
    from cases import Case
    heads, n, head = (8, 1024, 64) if device == "cpu" else (2, 128, 64)
    single = rng.standard_normal((3, heads, n, head), dtype=np.float32)
    half = single[:, :2, :256].astype(np.float16)  # smaller, because a search runs it often
    for name, qkv, causal, block, tolerance in (("attention", single, False, (64, 64), 1e-5),
                                                ("attention, causal", single, True, (64, 64), 1e-5),
                                                ("attention fp16, autotuned", half, False, None, 2e-3)):
        out = np.empty_like(qkv[0])
        heads, n, head = out.shape

        def torch_op(t, causal=causal):
            return lambda *qkv: t.nn.functional.scaled_dot_product_attention(*(x[None] for x in qkv), is_causal=causal)[0]
        yield Case(name, device, f"{heads}x{n}x{head}", out,
                   run=lambda qkv=qkv, out=out, causal=causal, block=block: attention(*qkv, out, causal, block, device=device),
                   numpy=lambda qkv=qkv, causal=causal: reference(*qkv, causal), torch=torch_op, torch_args=tuple(qkv),
                   torch_fp32_args=tuple(qkv.astype(np.float32)) if qkv is half else None,
                   flops=4 * heads * n * n * head // (2 if causal else 1), tolerance=tolerance)


if __name__ == "__main__":
    from cases import main
    main(__file__)
