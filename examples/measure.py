"""Measuring: a profile of launches, and the operations that a kernel does for each byte it asks for.

    ./dev run python examples/measure.py

The first case launches a kernel a hundred times under `metal.profile()`, synchronises once, and prints the report. The second asks for the
arithmetic intensity of a matrix product, tile by tile, without launching anything: it grows with the tile, because each loaded value is
used once for every column or row of the tile, and is compared with the sum done by hand.
"""
import numpy as np
from matmul import matmul_kernel

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl


@triton.jit
def axpy_kernel(x_ptr, y_ptr, out_ptr, n, a, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, a * tl.load(x_ptr + offsets, mask=mask) + tl.load(y_ptr + offsets, mask=mask), mask=mask)


def profiled_axpy(x, y, out, launches=100, device=None):
    """out = 2 x + y, launched so often; the compiled kernel and the report."""
    grid = (triton.cdiv(x.shape[0], 1024),)
    with metal.profile() as report:
        for _ in range(launches):  # one after the other: to wait for each would measure the waiting
            kernel = axpy_kernel[grid](x, y, out, x.shape[0], 2.0, BLOCK=1024, device=device)
        metal.synchronize()
    return kernel, report


#: Sides of the tiles whose intensity is compared.
TILES = (16, 32, 64)


def intensities(size, device=None):
    """FLOP for each byte requested by fp32 products of `size` in square tiles, and the compiled kernels."""
    a = np.zeros((size, size), np.float32)
    found, kernels = [], []
    for tile in TILES:
        grid, strides = (triton.cdiv(size, tile), triton.cdiv(size, tile)), (size, 1)
        meta = dict(BLOCK_M=tile, BLOCK_N=tile, BLOCK_K=16, EPILOGUE=False)
        args = (a, a, a, a, size, size, size, *strides, *strides, *strides)
        found.append(triton.compute_intensity(matmul_kernel, args, grid=grid, device=device, **meta).intensity)
        kernels.append(matmul_kernel.warmup(*args, grid=grid, device=device, **meta))
    return found, tuple(kernels)


def intensities_by_hand(size):
    """2 size^3 operations; each tile of the result reads a strip of both matrices and is written once, 4 bytes an element."""
    return [2 * size**3 / (4 * (2 * size * size * (size / tile) + size * size)) for tile in TILES]


def cases(device, rng):
    from cases import Case
    n = 1_000_003 if device == "cpu" else 4099
    x, y = rng.standard_normal((2, n), dtype=np.float32)
    out = np.empty_like(x)

    def run_profiled():
        run_profiled.report = profiled_axpy(x, y, out, 100 if device == "cpu" else 10, device)[1]
        return run_profiled.report.kernels[0].compiled
    yield Case("2 x + y, profiled", device, f"{n}", out, run=run_profiled, numpy=lambda: 2 * x + y,
               torch=lambda t: lambda a, b: t.add(b, a, alpha=2.0), torch_args=(x, y), bytes=3 * x.nbytes,
               describe=lambda: str(run_profiled.report))
    size = 1024 if device == "cpu" else 512
    per_tile = np.empty(len(TILES))

    def run_intensities():
        per_tile[:], kernels = intensities(size, device)
        return kernels

    def describe():
        return "\n".join(f"tiles of {tile}x{tile}: {value:.2f} FLOP/byte" for tile, value in zip(TILES, per_tile))
    yield Case("FLOP/byte of matmul", device, f"{size}^3", per_tile, run=run_intensities, numpy=lambda: intensities_by_hand(size),
               describe=describe)


if __name__ == "__main__":
    from cases import main
    main(__file__)
