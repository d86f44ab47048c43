"""The software Metal: from MSL text, or a function of a metallib, to runnable code."""
from __future__ import annotations

from kernels import kernels
from rounds import Row, Times, compare, interleave


def measure(rounds: int) -> list[Row]:
    from triton_metal import _core
    rows, medians = [], []
    for kernel in kernels():
        text = kernel.compile_ours("metal").asm["msl"]
        times = interleave({"ours": lambda: _core.softmetal_compile(text)}, rounds)["ours"]
        medians.append(times.median)
        rows.append(compare("softmetal", f"{kernel.name}: MSL to code", times))
    rows.append(compare("softmetal", "median over K: MSL to code", Times(medians), most_ms=40.0))
    return rows
