"""Measures triton-metal beside its peers and prints the figures as a table, JSON and a plot.

    ./dev bench                     everything
    ./dev bench cpu launch          some sections
    ./dev bench cpu --rounds 31
    ./dev bench cpu compile --cpu-time

Interleaved rounds, median and best of both; the ratio is the peer's median over ours, above 1 means that we are faster.
"""
from __future__ import annotations

import argparse
import importlib
import json
import pathlib
import platform
import sys
import time
from dataclasses import asdict

import rounds
from rounds import ROUNDS

SECTIONS = ("compile", "launch", "cpu", "softmetal", "footprint")
LINE = "{:10s} {:36s} {:>10s} {:>10s} {:3s} {:30s} {:>10s} {:>10s} {:>7s}  {:22s} {}"


def number(value):
    return "" if value is None else f"{value:.4g}"


def line(row) -> str:
    verdict = {None: "", True: "met", False: "MISSED"}[row.met]
    return LINE.format(row.section, row.name, number(row.ours_median), number(row.ours_best), row.unit, row.peer,
                       number(row.peer_median), number(row.peer_best), number(row.ratio), row.target, verdict)


def plot(rows, path: pathlib.Path) -> None:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    rows = [r for r in rows if r.ratio]
    if not rows:
        return
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(rows) + 1.5))
    axes.barh(range(len(rows)), [r.ratio for r in rows], color=["#c44" if r.met is False else "#47a" for r in rows])
    axes.set_yticks(range(len(rows)), [f"{r.name}  vs {r.peer}" for r in rows], fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as the peer (log scale; red: target missed)")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="interleaved rounds (default: %(default)s)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out"), help="folder of bench.json and bench.png")
    parser.add_argument("--cpu-time", action="store_true",
                        help="processor time of one thread instead of seconds, for a machine with other work on it")
    options = parser.parse_args()
    if options.cpu_time:
        rounds.use_cpu_time()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"unknown section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    print(LINE.format("section", "what", "median", "best", "", "peer", "median", "best", "ratio", "target", ""), flush=True)
    for section in options.sections or SECTIONS:
        began = time.perf_counter()
        for row in importlib.import_module(section).measure(options.rounds):
            rows.append(row)
            print(line(row), flush=True)
        print(f"# {section}: {time.perf_counter() - began:.0f} s, {options.rounds} rounds", flush=True)
    record = {"machine": platform.processor() or platform.machine(), "python": platform.python_version(),
              "rounds": options.rounds, "clock": "cpu" if options.cpu_time else "wall", "rows": [asdict(row) for row in rows]}
    (options.out / "bench.json").write_text(json.dumps(record, indent=1))
    plot(rows, options.out / "bench.png")
    missed = [row for row in rows if row.met is False]
    met = sum(row.met is True for row in rows)
    print(f"{met} targets met, {len(missed)} missed; {options.out}/bench.json, bench.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
