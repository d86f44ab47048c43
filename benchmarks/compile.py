"""Cold compile in a warm process: from the first call to MSL text, to CPU code, and upstream's way to a cubin.

Nothing is cached: each round makes a new JIT function (so its source is parsed again) with the disk cache off. Each kernel is
compiled once before the rounds, so that one-time initialisation of a process is not counted.
"""
from __future__ import annotations

import importlib.util
import os

import numpy as np

from kernels import kernels, aligned
from rounds import Row, Times, compare, interleave


def measure(rounds: int) -> list[Row]:
    import triton_metal
    triton_metal.knobs.compilation.always_compile = True
    triton_metal.knobs.cache.enabled = False
    upstream = importlib.util.find_spec("triton") is not None
    os.environ["TRITON_ALWAYS_COMPILE"] = "1"
    rows, medians = [], {"metal": [], "cpu": [], "upstream": []}
    for kernel in kernels():
        contenders = {"metal": lambda k=kernel: k.compile_ours("metal"), "cpu": lambda k=kernel: k.compile_ours("cpu")}
        if upstream:
            contenders["upstream"] = kernel.compile_upstream
        times = interleave(contenders, rounds)
        for name, value in times.items():
            medians[name].append(value.median)
        for device, limit in (("metal", 30.0), ("cpu", 150.0)):
            rows.append(compare("compile", f"{kernel.name} -> {device}", times[device], "upstream cubin" if upstream else "",
                                times.get("upstream"), most_ms=limit))
    for device, most, ratio in (("metal", 10.0, 20.0), ("cpu", 40.0, 5.0)):
        rows.append(compare("compile", f"median over K -> {device}", Times(medians[device]), "upstream cubin" if upstream else "",
                            Times(medians["upstream"]) if upstream else None, ratio if upstream else None, most))
    rows += block_sizes(rounds)
    return rows


def block_sizes(rounds: int) -> list[Row]:
    """A kernel with BLOCK 8192 compiles within 1.5 times of the same with BLOCK 64."""
    rows = []
    for kernel in kernels()[:2]:
        for device in ("metal", "cpu"):
            def build(block, kernel=kernel, device=device):
                arguments = {k: (block if k == "n_cols" else v) for k, v in kernel.arguments.items()}
                return kernel.ours().warmup(*arguments.values(), BLOCK=block, grid=(1,), device=device)
            times = interleave({"8192": lambda: build(8192), "64": lambda: build(64)}, rounds)
            row = compare("compile", f"{kernel.name.split()[0]} BLOCK 8192 -> {device}", times["8192"], "BLOCK 64", times["64"])
            row.target, row.met = "<= 1.5x BLOCK 64", times["8192"].median <= 1.5 * times["64"].median
            rows.append(row)
    return rows
