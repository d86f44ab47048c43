"""Convolution as a matrix product (im2col): any stride and padding, in batches, with the filter in shared memory.

    ./dev run python examples/convolution.py

Rows of the product are output pixels, columns are output channels, and K runs over input channel, filter row and filter column. The matrix
of shifted images is never stored: each tile of it is gathered from the image where it is used, and padding is the mask of that gather.
Each program copies the coefficients of its output channels to shared memory once, and uses them for several tiles of pixels. A filter too
large for that is read from memory where it is used; a filter of one pixel needs no gather: the product is taken of the image as it lies.
"""
import numpy as np
from matmul import matmul

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def convolution_kernel(x_ptr, filter_ptr, out_ptr, batch, in_h, in_w, out_h, out_w, IN_C: tl.constexpr, out_c,
                       K_H: tl.constexpr, K_W: tl.constexpr, STRIDE_H: tl.constexpr, STRIDE_W: tl.constexpr,
                       PADDING_H: tl.constexpr, PADDING_W: tl.constexpr, STAGED: tl.constexpr, TILES: tl.constexpr,
                       BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    K: tl.constexpr = IN_C * K_H * K_W
    pixels = batch * out_h * out_w
    column = tl.arange(0, BLOCK_N)
    channel = tl.program_id(1) * BLOCK_N + column
    if STAGED:
        coefficients = tl.shared_memory((tl.cdiv(K, BLOCK_K) * BLOCK_K, BLOCK_N), filter_ptr.dtype.element_ty)
        for start in range(0, K, BLOCK_K):
            k = start + tl.arange(0, BLOCK_K)
            known = (k < K)[:, None] & (channel < out_c)[None, :]
            coefficients[k[:, None], column[None, :]] = tl.load(filter_ptr + channel[None, :] * K + k[:, None], mask=known, other=0.0)
        tl.barrier()
    for tile in range(TILES):
        pixel = (tl.program_id(0) * TILES + tile) * BLOCK_M + tl.arange(0, BLOCK_M)
        image, inside = pixel // (out_h * out_w), pixel % (out_h * out_w)
        top = (inside // out_w) * STRIDE_H - PADDING_H
        left = (inside % out_w) * STRIDE_W - PADDING_W
        acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
        for start in range(0, K, BLOCK_K):
            k = start + tl.arange(0, BLOCK_K)
            y = top[:, None] + (k // K_W % K_H)[None, :]
            x = left[:, None] + (k % K_W)[None, :]
            visible = (pixel < pixels)[:, None] & (k < K)[None, :] & (y >= 0) & (y < in_h) & (x >= 0) & (x < in_w)
            plane = image[:, None] * IN_C + (k // (K_H * K_W))[None, :]
            values = tl.load(x_ptr + (plane * in_h + y) * in_w + x, mask=visible, other=0.0)
            if STAGED:
                weights = coefficients[k[:, None], column[None, :]]
            else:
                known = (k < K)[:, None] & (channel < out_c)[None, :]
                weights = tl.load(filter_ptr + channel[None, :] * K + k[:, None], mask=known, other=0.0)
            acc = tl.dot(values, weights, acc)
        at = (image[:, None] * out_c + channel[None, :]) * (out_h * out_w) + inside[:, None]
        tl.store(out_ptr + at, acc.to(out_ptr.dtype.element_ty), mask=(pixel < pixels)[:, None] & (channel < out_c)[None, :])


#: Bytes of shared memory that coefficients may take: on Metal there are 32768, and the compiler exchanges data there as well.
MOST_STAGED = 20480


def output_extent(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1


def convolution(x, weights, out, stride=(1, 1), padding=(0, 0), block=(64, 32, 32), tiles=4, device=None):
    """out = conv2d(x, weights): x [batch, in_c, in_h, in_w], weights [out_c, in_c, k_h, k_w], out [batch, out_c, out_h, out_w]."""
    (batch, in_c, in_h, in_w), (out_c, _, k_h, k_w), (out_h, out_w) = x.shape, weights.shape, out.shape[2:]
    if (k_h, k_w, *stride, *padding) == (1, 1, 1, 1, 0, 0):  # of each image, [out_c, in_c] @ [in_c, pixels]
        return tuple(matmul(weights.reshape(out_c, in_c), image.reshape(in_c, -1), result.reshape(out_c, -1), device=device)
                     for image, result in zip(x, out))
    staged = triton.cdiv(in_c * k_h * k_w, block[2]) * block[2] * block[1] * weights.itemsize <= MOST_STAGED
    tiles = tiles if staged else 1
    grid = (triton.cdiv(batch * out_h * out_w, block[0] * tiles), triton.cdiv(out_c, block[1]))
    return convolution_kernel[grid](x, weights, out, batch, in_h, in_w, out_h, out_w, in_c, out_c, k_h, k_w, *stride, *padding,
                                    STAGED=staged, TILES=tiles, BLOCK_M=block[0], BLOCK_N=block[1], BLOCK_K=block[2], device=device)


def reference(x, weights, stride=(1, 1), padding=(0, 0)):
    (k_h, k_w), (s_h, s_w), (p_h, p_w) = weights.shape[2:], stride, padding
    padded = np.pad(x.astype(np.float32), ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k_h, k_w), axis=(2, 3))[:, :, ::s_h, ::s_w]
    return np.einsum("bchwij,ocij->bohw", windows, weights.astype(np.float32), optimize=True)


#: Filter, stride, padding and input channels of the cases: the second filter is too large for shared memory.
SHAPES = ((3, 1, 1, 16), (5, 2, 2, 32), (1, 1, 0, 32))


def cases(device, rng):
    from cases import Case
    batch, out_c, size = (8, 64, 64) if device == "cpu" else (2, 16, 20)
    for kernel, stride, padding, in_c in SHAPES:
        x = rng.standard_normal((batch, in_c, size, size), dtype=np.float32)
        weights = rng.standard_normal((out_c, in_c, kernel, kernel), dtype=np.float32) / np.float32(np.sqrt(in_c) * kernel)
        extent = output_extent(size, kernel, stride, padding)
        out = np.empty((batch, out_c, extent, extent), np.float32)

        def torch_op(t, stride=stride, padding=padding):
            return lambda a, w: t.nn.functional.conv2d(a, w, stride=stride, padding=padding)
        how = dict(stride=(stride, stride), padding=(padding, padding))
        yield Case(f"convolution {kernel}x{kernel}, stride {stride}", device, f"{batch}x{in_c}x{size}x{size}", out,
                   run=lambda x=x, w=weights, out=out, how=how: convolution(x, w, out, **how, device=device),
                   numpy=lambda x=x, w=weights, how=how: reference(x, w, **how), torch=torch_op, torch_args=(x, weights),
                   flops=2 * out.size * in_c * kernel * kernel, tolerance=1e-5)


if __name__ == "__main__":
    from cases import main
    main(__file__)
