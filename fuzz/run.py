"""Differential fuzzing: random kernels on the CPU device and on the software Metal, against NumPy.

    ./dev run python fuzz/run.py                          60 seconds from a random seed, which is printed first
    ./dev run python fuzz/run.py --seed 7 --count 1       one program again
    ./dev run python fuzz/run.py --plant swap-sub         with a planted miscompilation: must be found
    ./dev run python fuzz/run.py --device cpu --processor host:64      with vectors of another machine's width

A failing program is printed with the command that repeats it. Ctrl-C ends a run with its summary. Program k of a run is
that of seed SEED + k. The tests run consecutive seeds from a fixed one, so that they give the same answer for the same
tree; what finds new faults is the scheduled workflow (.github/workflows/fuzz.yml), half an hour a day from a random seed,
and whoever changes the compiler.
"""
from __future__ import annotations

import argparse
import collections
import linecache
import os
import re
import sys
import time
import warnings

import numpy as np

from generate import Program, generate


def jit(text: str, seed: int, triton, language):
    """The text as a jit function; registered in linecache so that its source can be found."""
    file = f"<fuzz program {seed}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace = {"triton": triton, "tl": language}
    exec(compile(text, file, "exec"), namespace)
    return namespace["kernel"]


def difference(program: Program, outputs: dict[str, np.ndarray]) -> str | None:
    """What differs from the reference, or None."""
    for name, expected in program.outputs.items():
        got = outputs[name]
        if program.exact[name]:
            wrong = got != expected
        else:
            scale = np.maximum(np.abs(expected.astype(np.float64)), 1.0)
            limit = (2e-2 if expected.dtype == np.float16 else 2e-3) * np.maximum(scale, np.max(scale) * 0.05)
            wrong = ~(np.abs(got.astype(np.float64) - expected.astype(np.float64)) <= limit)
        if np.any(wrong):
            i = int(np.argmax(wrong))
            return f"{name}[{i}] is {got[i]!r}, expected {expected[i]!r} ({int(wrong.sum())} of {wrong.size} differ)"
    return None


def execute(program: Program, device: str, triton, language) -> dict[str, np.ndarray]:
    outputs = {name: np.zeros_like(expected) for name, expected in program.outputs.items()}
    inputs = {name: array.copy() for name, array in program.inputs.items()}
    arguments = [*inputs.values(), *program.scalars.values(), *outputs.values()]
    options, text = {"device": device, "num_warps": program.warps, **program.constants}, program.text
    if device == "metal":
        triton.knobs.metal.seed = program.seed % 4  # the schedule of the lanes: 0 is in order
    if device == "upstream":  # its interpreter takes PyTorch tensors only
        import torch
        arguments, options = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arguments], dict(program.constants)
        text = re.sub(r", layout=[\w.']+", "", text)  # ours
    jit(text, program.seed, triton, language)[program.grid](*arguments, **options)
    return outputs


def reproducer(program: Program, device: str, what: str) -> str:
    return (f"# seed {program.seed} on {device}: {what}\n# ./dev run python fuzz/run.py --seed {program.seed} --count 1 "
            f"--device {device}\n{program.text}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="first seed (default: random)")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--count", type=int, help="number of programs instead of seconds")
    parser.add_argument("--device", action="append", choices=("cpu", "metal", "upstream"),
                        help="default: cpu and metal; upstream = upstream Triton's interpreter, to check the generator")
    parser.add_argument("--processor", help="what CPU code is made for, as knobs.cpu.processor")
    parser.add_argument("--plant", help="a planted miscompilation (test-only pass option); exit 0 if it is found")
    options = parser.parse_args()
    devices = options.device or ["cpu", "metal"]
    if "upstream" in devices:
        os.environ["TRITON_INTERPRET"] = "1"
        import triton
        import triton.language as language
    else:
        import triton_metal as triton
        import triton_metal.language as language
        triton.knobs.cache.enabled = False  # every program is compiled once
        if options.processor:
            triton.knobs.cpu.processor = options.processor
        if options.plant:
            triton.knobs.compilation.planted_fault = options.plant
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "little")
    print(f"seed {seed}", flush=True)
    warnings.filterwarnings("ignore", "view is deprecated")
    warnings.filterwarnings("ignore", "layout hint")
    histogram, failures, refused, count, began = collections.Counter(), 0, collections.Counter(), 0, time.perf_counter()
    first: dict[str, int] = {}  # the seed that a reason of refusal was first seen with
    try:
        while (count < options.count) if options.count else (time.perf_counter() - began < options.seconds):
            program = generate(seed + count)
            count += 1
            histogram += program.histogram
            for device in devices:
                try:
                    what = difference(program, execute(program, device, triton, language))
                except triton.TritonError as error:
                    reason = getattr(error, "reason", None) or (error.name if isinstance(error, triton.OutOfResources) else None)
                    if reason and device != "cpu":  # the CPU must run every valid program; other devices may refuse, which is counted
                        refused[f"{device}: {reason}"] += 1
                        first.setdefault(f"{device}: {reason}", program.seed)
                        continue
                    what = f"{type(error).__name__}: {error}"
                if what:
                    failures += 1
                    print(reproducer(program, device, what), flush=True)
                    if options.plant:
                        print(f"the planted fault {options.plant} was found after {time.perf_counter() - began:.1f} s")
                        return 0
    except KeyboardInterrupt:
        print("interrupted")
    print(f"{count} programs, {failures} failures, {sum(refused.values())} refused, {time.perf_counter() - began:.0f} s")
    for reason, number in refused.most_common():
        print(f"  refused {number}: {reason} (first by seed {first[reason]})")
    print("operations: " + ", ".join(f"{kind} {number}" for kind, number in sorted(histogram.items())))
    if options.plant:
        print(f"the planted fault {options.plant} was NOT found")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
