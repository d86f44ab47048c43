"""Runs the examples on both devices, checks each against NumPy and PyTorch, and prints one table.

    ./dev demo                 everything
    ./dev demo softmax matmul  some examples

Off a Mac the metal device is the software Metal: it executes the very MSL text that a Mac would compile, lane by lane, to show
that the text is right. Its times say nothing about a GPU.
"""
from __future__ import annotations

import argparse
import pathlib
import sys
import time

import numpy as np

import demo_pictures
import triton_metal
from cases import EXAMPLES, Case, cases_of, has_torch, times_of

HEADER = ("kernel", "device", "size", "max error", "ms", "rate", "x NumPy", "x PyTorch", "x its fp32", "compile ms")
ROW = "{:28s} {:6s} {:>14s} {:>9s} {:>9s} {:>13s} {:>8s} {:>9s} {:>10s} {:>10s}"
FOOTNOTE = """
{right} right, {wrong} wrong: each result was compared with NumPy's{torch}.
x NumPy, x PyTorch: times as fast as they are (on this machine's CPU); x its fp32: than PyTorch's fp32 product, where the operands are of
half precision. The peers write into arrays that are there where they can, as the kernels do. compile ms: the first call, nothing cached.
{where}
MSL, chart and pictures: {out}/"""


def measure(case: Case, seconds: float) -> dict:
    """Compile, run, check and time one case beside its peers, each for so many seconds."""
    began = time.perf_counter()
    kernels = case.kernels()
    first = time.perf_counter() - began
    error = case.check()
    peers = case.check_torch()
    times = times_of({"ours": case.run, "numpy": case.numpy, **peers}, seconds)
    return {"case": case, "error": error, "seconds": times, "compile": max(first - times["ours"], 0.0),
            "msl": {kernel.name: kernel.asm["msl"] for kernel in kernels if "msl" in kernel.asm}}


def table_line(row: dict) -> str:
    case, seconds = row["case"], row["seconds"]
    rate = f"{(case.flops or case.bytes) / seconds['ours'] / 1e9:.3g} {'GFLOP/s' if case.flops else 'GB/s'}"

    def ratio(peer):
        return demo_pictures.spell(seconds[peer] / seconds["ours"]) if peer in seconds else ""
    return ROW.format(case.name, case.device, case.size, f"{row['error']:.1e}", f"{1e3 * seconds['ours']:.3f}", rate, ratio("numpy"),
                      ratio("torch"), ratio("torch_fp32"), f"{1e3 * row['compile']:.0f}")


def write_msl(rows: list[dict], out: pathlib.Path) -> None:
    folder = out / "msl"
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        words = "".join(c if c.isalnum() else " " for c in row["case"].name).split()
        for name, text in row["msl"].items():
            file = "_".join(words) if len(row["msl"]) == 1 else f"{'_'.join(words)}.{name}"
            (folder / f"{file}.metal").write_text(text)


@triton_metal.jit
def nothing_kernel():
    pass


def start(device: str) -> None:
    """What only the first kernel of a process waits for: loading the compiler, and off a Mac the software Metal."""
    began = time.perf_counter()
    nothing_kernel[(1,)](device=device)
    print(f"# {device}: started in {time.perf_counter() - began:.2f} s", flush=True)


def progress(text: str = "") -> None:
    """What is going on, in a line that the next one replaces; on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def run(device: str, names: list[str], seconds: float, rows: list[dict], failures: list[str]) -> None:
    start(device)
    for number, example in enumerate(names, 1):
        progress(f"  {device} {number}/{len(names)}: {example} ...")
        for case in cases_of(example, device):
            progress(f"  {device} {number}/{len(names)}: {case.name} ...")
            try:
                row = measure(case, seconds)
            except AssertionError as error:
                failures.append(str(error))
                progress()
                print(f"{case.name:28s} {device:6s} {case.size:>14s} WRONG: {error}", flush=True)
                continue
            rows.append(row)
            progress()
            print(table_line(row), flush=True)
            progress(f"  {device} {number}/{len(names)}: {example} ...")
    progress()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"examples to run: {', '.join(EXAMPLES)} (default: all)")
    parser.add_argument("--device", choices=("cpu", "metal"), help="default: both")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out"), help="folder of the MSL, the chart and the pictures")
    parser.add_argument("--seconds", type=float, default=0.25, help="how long each case and each peer is timed (default: %(default)s)")
    options = parser.parse_args()
    unknown = set(options.names) - set(EXAMPLES)
    if unknown:
        parser.error(f"unknown example {', '.join(sorted(unknown))}; there are {', '.join(EXAMPLES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    triton_metal.knobs.compilation.always_compile = True  # so that compile times are those of a first call
    rows: list[dict] = []
    failures: list[str] = []
    print(ROW.format(*HEADER), flush=True)
    for device in [options.device] if options.device else ["cpu", "metal"]:
        run(device, options.names or list(EXAMPLES), options.seconds, rows, failures)
    write_msl(rows, options.out)
    demo_pictures.draw(rows, options.out)
    where = "metal is this Mac's GPU." if sys.platform == "darwin" else \
        "Nothing here ran on an Apple GPU: `metal` executes the MSL text in software, and its times say nothing about a GPU."
    print(FOOTNOTE.format(right=len(rows), wrong=len(failures), out=options.out, where=where,
                          torch=" and PyTorch's" if has_torch() else " (PyTorch is not installed)"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
