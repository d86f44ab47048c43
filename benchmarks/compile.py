"""Cold compile in a warm process: from the first call to MSL text, to CPU code, and upstream's way to a cubin.

Nothing is cached: each round makes a new JIT function (so its source is parsed again) with the disk cache off. Each kernel is
compiled once before the rounds, so that one-time initialisation of a process is not counted.
"""
from __future__ import annotations

import importlib.util
import os

from kernels import kernels
from rounds import Row, Times, compare, interleave


#: Milliseconds at most in the median and at worst, and how many times faster than upstream's compiler in the median.
TARGETS = {"metal": (10.0, 30.0, 20.0), "cpu": (40.0, 150.0, 5.0)}


def measure(rounds: int) -> list[Row]:
    import triton_metal
    triton_metal.knobs.compilation.always_compile = True
    triton_metal.knobs.cache.enabled = False
    upstream = importlib.util.find_spec("triton") is not None
    os.environ["TRITON_ALWAYS_COMPILE"] = "1"
    peer = "upstream cubin" if upstream else ""
    rows, medians = [], {"metal": [], "cpu": [], "upstream": []}
    for kernel in kernels():
        contenders = {"metal": lambda k=kernel: k.compile_ours("metal"), "cpu": lambda k=kernel: k.compile_ours("cpu")}
        if upstream:
            contenders["upstream"] = kernel.compile_upstream
        times = interleave(contenders, rounds)
        for name, value in times.items():
            medians[name].append(value.median)
        for device in TARGETS:
            rows.append(compare("compile", f"{kernel.name} -> {device}", times[device], peer, times.get("upstream")))
    for device, (median, worst, ratio) in TARGETS.items():
        over = Times(medians[device])
        rows.append(compare("compile", f"median over K -> {device}", over, peer, Times(medians["upstream"]) if upstream else None,
                            ratio if upstream else None, median))
        rows.append(compare("compile", f"worst over K -> {device}", Times([over.worst]), most=worst))
    return rows + block_sizes(rounds)


def block_sizes(rounds: int) -> list[Row]:
    """A kernel with BLOCK 8192 compiles within 1.5 times of the same with BLOCK 64."""
    rows = []
    for kernel in (kernel for kernel in kernels() if "BLOCK" in kernel.constants):
        for device in ("metal", "cpu"):
            def build(block, kernel=kernel, device=device):
                arguments = {k: (block if k == "n_cols" else v) for k, v in kernel.arguments.items()}
                return kernel.ours().warmup(*arguments.values(), BLOCK=block, grid=(1,), device=device)
            times = interleave({"8192": lambda: build(8192), "64": lambda: build(64)}, rounds)
            name = kernel.name.removesuffix(" 1024")
            rows.append(compare("compile", f"{name} BLOCK 8192 -> {device}", times["8192"], "BLOCK 64", times["64"], 1 / 1.5))
    return rows
