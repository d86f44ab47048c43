"""Cost of one launch from Python: a one-program CPU kernel with 5 arguments, 3 of them arrays of 16 floats, beside torch.add(out=).

Rounds of all contenders are interleaved, so that whatever else the machine does meets all of them. Prints median, best and worst round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

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


def time_calls(calls: dict, rounds: int, repeats: int) -> dict:
    times: dict = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(repeats):
            call()
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            times[name].append((time.perf_counter() - start) / repeats * 1e6)
    return {
        name: {"median": statistics.median(values), "best": min(values), "worst": max(values)} for name, values in times.items()
    }


def measure(rounds: int) -> list[Row]:
    """The rows of run.py."""
    times = interleave(contenders(), rounds, repeat=2000, warm_up=2000)
    rows = []
    for ours, peer in (("ours, NumPy arrays", "np.add(out=)"), ("ours, PyTorch tensors", "torch.add(out=)")):
        if peer in times:
            least = 1 / 0.7 if peer == "torch.add(out=)" else None
            rows.append(compare("launch", ours, times[ours], peer, times[peer], least, most_ms=0.0015, unit="us"))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5000)
    parser.add_argument("--json", help="write the figures there as well")
    options = parser.parse_args()
    figures = time_calls(contenders(), options.rounds, options.repeats)
    print(f"{'microseconds a call':24}{'median':>9}{'best':>9}{'worst':>9}")
    for name, row in figures.items():
        print(f"{name:24}{row['median']:9.3f}{row['best']:9.3f}{row['worst']:9.3f}")
    if "torch.add(out=)" in figures:
        ratio = figures["ours, PyTorch tensors"]["median"] / figures["torch.add(out=)"]["median"]
        print(f"ours / torch.add: {ratio:.2f}  (goal: at most 0.70; at most 1.5 microseconds)")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
