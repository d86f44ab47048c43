"""Kernels of examples/shared_memory.py on the CPU, each against its twin without shared memory."""
from __future__ import annotations

import numpy as np

from kernels import load_example
from rounds import Row, compare, interleave

GOAL = 0.8


def measure(rounds: int) -> list[Row]:
    example = load_example("shared_memory")
    arrays = example.inputs("cpu", np.random.default_rng(0))
    rows = []
    for name, (*inputs, out) in arrays.items():
        function = getattr(example, name)

        def variant(staged, function=function, inputs=inputs, out=out):
            return lambda: function(*inputs, out, staged=staged, device="cpu")
        times = interleave({"shared": variant(True), "plain": variant(False)}, rounds)
        size = "x".join(map(str, inputs[0].shape))
        rows.append(compare("shared", f"{name} {size}", times["shared"], "without shared memory", times["plain"], GOAL))
    return rows
