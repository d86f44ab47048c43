"""Cost of one launch from Python: a one-program CPU kernel with 5 arguments, 3 of them arrays of 16 floats, beside the add of
NumPy and of PyTorch on as many."""
from __future__ import annotations

import numpy as np

import triton_metal as triton
import triton_metal.language as tl
from rounds import Row, compare, interleave


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) + tl.load(y_ptr + offsets, mask=mask), mask=mask)


def contenders() -> dict:
    x, y, out = (np.ones(16, np.float32) for _ in range(3))
    grid = (1,)
    calls = {
        "ours, NumPy arrays": lambda: add_kernel[grid](x, y, out, 16, BLOCK=16, device="cpu"),
        "np.add(out=)": lambda: np.add(x, y, out=out),
    }
    try:
        import torch
    except ImportError:
        return calls
    tx, ty, tout = (torch.ones(16) for _ in range(3))
    calls["ours, PyTorch tensors"] = lambda: add_kernel[grid](tx, ty, tout, 16, BLOCK=16, device="cpu")
    calls["torch.add(out=)"] = lambda: torch.add(tx, ty, out=tout)
    return calls


def measure(rounds: int) -> list[Row]:
    times = interleave(contenders(), rounds, repeat=2000, warm_up=2000)
    rows = []
    for ours, peer in (("ours, NumPy arrays", "np.add(out=)"), ("ours, PyTorch tensors", "torch.add(out=)")):
        if peer in times:
            least = 1 / 0.7 if peer == "torch.add(out=)" else None
            rows.append(compare("launch", ours, times[ours], peer, times[peer], least, most=1.5, unit="us"))
    return rows
