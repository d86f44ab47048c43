"""Runs the examples on both devices, checks each against NumPy and PyTorch, and prints one table.

    ./dev demo                 everything
    ./dev demo softmax matmul  some examples

Off a Mac the metal device is the software Metal: it executes the very MSL text that a Mac would compile, lane by lane, to show
that the text is right. Its times say nothing about a GPU.
"""
from __future__ import annotations

import argparse
import importlib.util
import pathlib
import sys
import time

import numpy as np

from cases import EXAMPLES, Case, cases_of, time_of

HEADER = ("kernel", "device", "size", "max error", "ms", "GB/s", "GFLOP/s", "x NumPy", "x PyTorch", "compile ms")
ROW = "{:30s} {:6s} {:>15s} {:>10s} {:>9s} {:>7s} {:>8s} {:>8s} {:>10s} {:>11s}"


def torch_function(case: Case):
    """The PyTorch call that computes the same, or None without PyTorch."""
    if case.torch is None or importlib.util.find_spec("torch") is None:
        return None
    import torch
    function, args = case.torch(torch), [torch.from_numpy(np.asarray(a)) for a in case.torch_args]
    return lambda: function(*args)


def measure(case: Case) -> dict:
    """Compile, run, check and time one case; times of the peers only where the device runs natively."""
    began = time.perf_counter()
    kernel = case.run()
    first = time.perf_counter() - began
    error = case.check()
    seconds = time_of(case.run)
    row = {"kernel": case.name, "device": case.device, "size": case.size, "error": error, "seconds": seconds,
           "compile": max(first - seconds, 0.0), "case": case, "msl": kernel.asm.get("msl")}
    peer = torch_function(case)
    if peer is not None and case.torch_same:
        result = np.asarray(peer())
        difference = float(np.max(np.abs(case.out.reshape(result.shape).astype(np.float64) - result)))
        scale = max(1.0, float(np.max(np.abs(result))))
        assert difference <= max(1e-4, 8 * case.tolerance) * scale, f"{case.name}: {difference:.3g} away from PyTorch"
    if case.device == "cpu":
        row["numpy"] = time_of(case.numpy, 0.1, 5)
        row["torch"] = time_of(peer) if peer is not None else None
    return row


def table_line(row: dict) -> str:
    case, seconds = row["case"], row["seconds"]

    def rate(amount):
        return f"{amount / seconds / 1e9:.1f}" if amount else ""

    def ratio(peer):
        return f"{peer / seconds:.2f}" if peer else ""
    return ROW.format(row["kernel"], row["device"], row["size"], f"{row['error']:.1e}", f"{1e3 * seconds:.3f}", rate(case.bytes),
                      rate(case.flops), ratio(row.get("numpy")), ratio(row.get("torch")), f"{1e3 * row['compile']:.0f}")


def write_msl(rows: list[dict], out: pathlib.Path) -> None:
    folder = out / "msl"
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        if row["msl"]:
            name = "".join(c if c.isalnum() else "_" for c in row["kernel"]).strip("_")
            (folder / f"{name}.metal").write_text(row["msl"])


def write_chart(rows: list[dict], out: pathlib.Path) -> None:
    """Bars of the speed against PyTorch and NumPy on the CPU."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    rows = [r for r in rows if r.get("numpy")]
    if not rows:
        return
    y = np.arange(len(rows))
    figure, axes = plt.subplots(figsize=(9, 0.45 * len(rows) + 1.6))
    for offset, peer, colour in ((-0.2, "torch", "#ee4c2c"), (0.2, "numpy", "#4d77cf")):
        values = [r[peer] / r["seconds"] if r.get(peer) else 0 for r in rows]
        axes.barh(y + offset, values, 0.4, color=colour, label=f"speed of {'PyTorch' if peer == 'torch' else 'NumPy'} = 1")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(y, [f"{r['kernel']}  {r['size']}" for r in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("times as fast, cpu device (log scale)")
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(out / "demo.png", dpi=120)
    plt.close(figure)


def write_pictures(rows: list[dict], out: pathlib.Path) -> None:
    import matplotlib.image
    for row in rows:
        case = row["case"]
        if case.picture:
            matplotlib.image.imsave(out / f"photograph_{case.picture}_{case.device}.png", np.clip(case.out, 0, 1), cmap="gray")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"examples to run: {', '.join(EXAMPLES)} (default: all)")
    parser.add_argument("--device", choices=("cpu", "metal"), help="default: both")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out"),
                        help="folder of the MSL, the chart and the pictures")
    options = parser.parse_args()
    unknown = set(options.names) - set(EXAMPLES)
    if unknown:
        parser.error(f"unknown example {', '.join(sorted(unknown))}; there are {', '.join(EXAMPLES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    rows, failures = [], []
    print(ROW.format(*HEADER), flush=True)
    for device in [options.device] if options.device else ["cpu", "metal"]:
        for example in options.names or EXAMPLES:
            generator = cases_of(example, device)
            while True:
                if sys.stderr.isatty():
                    print(f"\r  {example} on {device} ...\033[K", end="", file=sys.stderr, flush=True)
                case = next(generator, None)
                if case is None:
                    break
                try:
                    row = measure(case)
                except AssertionError as error:
                    failures.append(str(error))
                    print(f"{case.name:30s} {device:6s} {case.size:>15s} WRONG: {error}", flush=True)
                    continue
                rows.append(row)
                if sys.stderr.isatty():
                    print("\r\033[K", end="", file=sys.stderr, flush=True)
                print(table_line(row), flush=True)
    write_msl(rows, options.out)
    write_pictures(rows, options.out)
    write_chart(rows, options.out)
    print(f"\n{len(rows)} right, {len(failures)} wrong. x NumPy and x PyTorch: times as fast as they are, on the cpu device. "
          f"fp16 and bf16 products are compared with PyTorch's fp32 product.\nNothing here ran on an Apple GPU unless this is a "
          f"Mac: elsewhere `metal` executes the MSL text in software.\nMSL, chart and pictures: {options.out}/")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
