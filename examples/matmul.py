"""Matrix product with a fused bias and GELU, for any size and any strides, accumulated in fp32.

    ./dev run python examples/matmul.py
"""
import math

import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def gelu(x):
    return 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))


@triton.jit
def matmul_kernel(a_ptr, b_ptr, bias_ptr, c_ptr, M, N, K, stride_am, stride_ak, stride_bk, stride_bn, stride_cm, stride_cn,
                  BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, EPILOGUE: tl.constexpr):
    pid_m = tl.program_id(0)
    pid_n = tl.program_id(1)
    rows = pid_m * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = pid_n * BLOCK_N + tl.arange(0, BLOCK_N)
    ks = tl.arange(0, BLOCK_K)
    a_ptrs = a_ptr + rows[:, None] * stride_am + ks[None, :] * stride_ak
    b_ptrs = b_ptr + ks[:, None] * stride_bk + cols[None, :] * stride_bn
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, K, BLOCK_K):
        a = tl.load(a_ptrs, mask=(rows[:, None] < M) & (ks[None, :] < K - k), other=0.0)
        b = tl.load(b_ptrs, mask=(ks[:, None] < K - k) & (cols[None, :] < N), other=0.0)
        acc = tl.dot(a, b, acc)
        a_ptrs += BLOCK_K * stride_ak
        b_ptrs += BLOCK_K * stride_bk
    if EPILOGUE:
        acc += tl.load(bias_ptr + cols, mask=cols < N, other=0.0)[None, :]
        acc = gelu(acc)
    c_ptrs = c_ptr + rows[:, None] * stride_cm + cols[None, :] * stride_cn
    tl.store(c_ptrs, acc.to(c_ptr.dtype.element_ty), mask=(rows[:, None] < M) & (cols[None, :] < N))


def strides(x):
    """Strides in elements, of a NumPy array or a PyTorch tensor."""
    return x.stride() if hasattr(x, "stride") else tuple(s // x.itemsize for s in x.strides)


def matmul(a, b, c, bias=None, block=(64, 64, 32), device=None):
    """c = a @ b, or gelu(a @ b + bias) if a bias [N] is given; a [M, K], b [K, N], c [M, N] with any strides."""
    (m, k), n = a.shape, b.shape[1]
    grid = (triton.cdiv(m, block[0]), triton.cdiv(n, block[1]))
    return matmul_kernel[grid](a, b, c if bias is None else bias, c, m, n, k, *strides(a), *strides(b), *strides(c),
                               BLOCK_M=block[0], BLOCK_N=block[1], BLOCK_K=block[2], EPILOGUE=bias is not None, device=device)


def erf(x):
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def reference(a, b, bias=None):
    c = a.astype(np.float32) @ b.astype(np.float32)
    if bias is not None:
        c = c + bias
        c = 0.5 * c * (1 + erf(c * np.float32(0.7071067811865476)))
    return c


def cases(device, rng):
    from cases import Case, bfloat16, has_torch
    size = (1024, 1024, 1024) if device == "cpu" else (128, 128, 128)
    odd = (1001, 777, 513) if device == "cpu" else (100, 90, 77)
    block = (128, 64, 64) if device == "cpu" else (64, 64, 32)
    convert = {"fp32": lambda x: x, "fp16": lambda x: x.astype(np.float16), "bf16": bfloat16}

    def case(name, m, n, k, dtype="fp32", bias=False, transposed=False):
        a = rng.standard_normal((k, m), dtype=np.float32).T if transposed else rng.standard_normal((m, k), dtype=np.float32)
        b = rng.standard_normal((n, k), dtype=np.float32).T if transposed else rng.standard_normal((k, n), dtype=np.float32)
        a, b = convert[dtype](a), convert[dtype](b)
        c = np.empty((m, n), np.float32)
        beta = rng.standard_normal(n, dtype=np.float32) if bias else None
        wide = [x.float().numpy() if dtype == "bf16" else x.astype(np.float32) for x in (a, b)]

        def torch_op(t):
            out = {dtype: t.empty((m, n), dtype=dtype) for dtype in (t.float32, t.float16, t.bfloat16)}

            def product(p, q):  # into a tensor that is there, of the type of its operands
                return t.mm(p, q, out=out[p.dtype])
            return (lambda p, q, s: t.nn.functional.gelu(t.addmm(s, p, q))) if bias else product
        return Case(name, device, f"{m}x{n}x{k}", c, run=lambda: matmul(a, b, c, beta, block, device),
                    numpy=lambda: reference(*wide, beta), torch=torch_op, torch_args=(a, b, beta) if bias else (a, b),
                    torch_fp32_args=None if dtype == "fp32" else tuple(wide), flops=2 * m * n * k, tolerance=1e-5)

    yield case("matmul fp32", *size)
    yield case("matmul fp32 + bias + gelu", *size, bias=True)
    yield case("matmul fp32, odd, transposed", *odd, transposed=True)
    yield case("matmul fp16 -> fp32", *size, "fp16")
    if has_torch():
        yield case("matmul bf16 -> fp32", *size, "bf16")


if __name__ == "__main__":
    from cases import main
    main(__file__)
