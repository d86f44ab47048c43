"""Matrix product with a fused bias and GELU, for any size and any strides, accumulated in fp32.

    ./dev run python examples/matmul.py
"""
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


def reference(a, b, bias=None):
    c = a.astype(np.float32) @ b.astype(np.float32)
    if bias is not None:
        from math import erf
        c = c + bias
        c = 0.5 * c * (1 + np.vectorize(erf, otypes=[np.float32])(c * np.float32(0.7071067811865476)))
    return c


def cases(device, rng):
    from cases import Case, bfloat16
    size = (1024, 1024, 1024) if device == "cpu" else (128, 128, 128)
    odd = (1001, 777, 513) if device == "cpu" else (100, 90, 77)
    block = (128, 64, 64) if device == "cpu" else (64, 64, 32)

    def case(name, m, n, k, dtype, bias=False, transposed=False):
        a = rng.standard_normal((k, m) if transposed else (m, k), dtype=np.float32)
        b = rng.standard_normal((n, k) if transposed else (k, n), dtype=np.float32)
        fp32 = (a.T, b.T) if transposed else (a, b)
        half = {"fp32": np.float32, "fp16": np.float16}.get(dtype)
        x, y = [bfloat16(v) if half is None else v.astype(half, order="A") for v in fp32]
        c = np.empty((m, n), np.float32)
        beta = rng.standard_normal(n, dtype=np.float32) if bias else None
        widened = [v.float().numpy() if half is None else v for v in (x, y)]

        def torch_op(t):
            gelu_of = t.nn.functional.gelu
            return (lambda p, q, s: gelu_of(t.addmm(s, p, q))) if bias else t.mm
        return Case(name, device, f"{m}x{n}x{k}", c, run=lambda: matmul(x, y, c, beta, block, device),
                    numpy=lambda: reference(*widened, beta), torch=torch_op, torch_args=(*fp32, beta) if bias else fp32,
                    flops=2 * m * n * k, tolerance=2 * k * 1.2e-7 * 16)

    yield case("matmul fp32", *size, "fp32")
    yield case("matmul fp32 + bias + gelu", *size, "fp32", bias=True)
    yield case("matmul fp32, odd, transposed", *odd, "fp32", transposed=True)
    yield case("matmul fp16 -> fp32", *size, "fp16")
    if bfloat16.available:
        yield case("matmul bf16 -> fp32", *size, "bf16")


if __name__ == "__main__":
    from cases import main
    main(__file__)
