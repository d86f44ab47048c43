"""Matrix product with weights of four bits: two in a byte, a scale and a zero point for each group of rows, dequantised on the way.

    ./dev run python examples/int4_matmul.py

The weights take a quarter of the bytes of fp16, which is what counts where few rows meet large weights. `quantise` makes them:
w[k, n] is about (q - zero[k // GROUP, n]) * scale[k // GROUP, n], q from 0 to 15, and q of row 2k lies in the low half of byte [k, n],
that of row 2k + 1 in the high half.
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def unpack_rows(words):
    """[K, N] bytes of two numbers each as [2 K, N] numbers from 0 to 15."""
    both = tl.join(words & 0xF, (words >> 4) & 0xF)  # [K, N, 2]
    return tl.reshape(tl.permute(both, (0, 2, 1)), (2 * words.shape[0], words.shape[1]))


@triton.jit
def int4_matmul_kernel(a_ptr, words_ptr, scales_ptr, zeros_ptr, c_ptr, M, N, K, GROUP: tl.constexpr,
                       BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    ks, pairs = tl.arange(0, BLOCK_K), tl.arange(0, BLOCK_K // 2)
    acc = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for k in range(0, K, BLOCK_K):
        a = tl.load(a_ptr + rows[:, None] * K + (k + ks)[None, :], mask=(rows[:, None] < M) & (k + ks < K)[None, :], other=0.0)
        at = k // 2 + pairs
        words = tl.load(words_ptr + at[:, None] * N + cols[None, :], mask=(at < K // 2)[:, None] & (cols[None, :] < N), other=0)
        group = k // GROUP * N + cols  # BLOCK_K divides GROUP: one group a step
        scale = tl.load(scales_ptr + group, mask=cols < N, other=0.0)
        zero = tl.load(zeros_ptr + group, mask=cols < N, other=0)
        b = (unpack_rows(words) - zero[None, :]).to(tl.float16) * scale[None, :]
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], acc, mask=(rows[:, None] < M) & (cols[None, :] < N))


def int4_matmul(a, words, scales, zeros, c, group, block=(16, 64, 32), device=None):
    """c = a @ dequantised weights; a [M, K] fp16, words [K / 2, N] int8, scales fp16 and zeros int8 [K / group, N], c [M, N] fp32."""
    (m, k), n = a.shape, words.shape[1]
    if k % 2 or group % block[2]:
        raise ValueError(f"K = {k} has to be even, and a group of {group} rows a multiple of BLOCK_K = {block[2]}")
    grid = (triton.cdiv(m, block[0]), triton.cdiv(n, block[1]))
    return int4_matmul_kernel[grid](a, words, scales, zeros, c, m, n, k, GROUP=group, BLOCK_M=block[0], BLOCK_N=block[1],
                                    BLOCK_K=block[2], device=device)


def quantise(w, group):
    """(words, scales, zeros) of weights [K, N]: each group of rows and each column has the least and the greatest weight as 0 and 15."""
    k, n = w.shape
    groups = w.reshape(-1, group, n)
    least, greatest = np.minimum(groups.min(1), 0), np.maximum(groups.max(1), 0)
    scales = np.maximum((greatest - least) / 15, 1e-5).astype(np.float16)
    zeros = np.clip(np.rint(-least / scales), 0, 15).astype(np.int8)
    q = np.clip(np.rint(groups / scales[:, None]) + zeros[:, None], 0, 15).astype(np.uint8).reshape(k, n)
    return (q[0::2] | q[1::2] << 4).view(np.int8), scales, zeros


def dequantise(words, scales, zeros, group):
    """The weights that the kernel multiplies with, in fp16."""
    bytes_ = words.view(np.uint8)
    q = np.stack([bytes_ & 0xF, bytes_ >> 4], 1).reshape(-1, words.shape[1]).astype(np.int8)
    return (q - np.repeat(zeros, group, 0)).astype(np.float16) * np.repeat(scales, group, 0)


def cases(device, rng):
    from cases import Case
    sizes = [(16, 2048, 2048, 128), (129, 1000, 768, 64)] if device == "cpu" else [(16, 128, 128, 64), (20, 70, 192, 64)]
    for m, n, k, group in sizes:
        block = ((16, 128, 64) if m <= 16 else (64, 128, 64)) if device == "cpu" else (16, 64, 32)
        a = rng.standard_normal((m, k), dtype=np.float32).astype(np.float16)
        words, scales, zeros = quantise(rng.standard_normal((k, n), dtype=np.float32), group)
        b = dequantise(words, scales, zeros, group)
        wide = a.astype(np.float32), b.astype(np.float32)
        c = np.empty((m, n), np.float32)
        yield Case(
            "matmul fp16 x int4", device, f"{m}x{n}x{k}", c,
            run=lambda a=a, words=words, scales=scales, zeros=zeros, c=c, group=group, block=block:
                int4_matmul(a, words, scales, zeros, c, group, block, device),
            numpy=lambda wide=wide: wide[0] @ wide[1], torch=lambda t: t.mm, torch_args=(a, b), torch_fp32_args=wide,
            bytes=a.nbytes + words.nbytes + scales.nbytes + zeros.nbytes + c.nbytes, flops=2 * m * n * k, tolerance=1e-5,
        )


if __name__ == "__main__":
    from cases import main
    main(__file__)
