"""Measures triton-metal beside its peers and prints the figures as a table, JSON and a plot.

    ./dev bench                     everything
    ./dev bench cpu launch          some sections
    ./dev bench cpu --rounds 31
    ./dev bench cpu compile --cpu-time

Interleaved rounds, median, best and worst of ours, median and best of the peer; the ratio is the peer's median over ours, above 1
means that we are faster. Our workers park as soon as they are idle, so nothing of ours runs while a peer does.
"""
from __future__ import annotations

import argparse
import importlib
import json
import pathlib
import platform
import sys
import time

import rounds
from rounds import ROUNDS

SECTIONS = ("compile", "launch", "profiling", "cpu", "shared_memory", "tuner", "softmetal", "footprint")
LINE = "{:10s} {:32s} {:>9s} {:>9s} {:>9s} {:3s} {:29s} {:>9s} {:>9s} {:>7s}  {:19s} {}"


def number(value):
    return "" if value is None else f"{value:.4g}"


def line(row) -> str:
    verdict = {None: "", True: "met", False: "MISSED"}[row.met]
    return LINE.format(row.section, row.name, number(row.ours_median), number(row.ours_best), number(row.ours_worst), row.unit,
                       row.peer, number(row.peer_median), number(row.peer_best), number(row.ratio), row.target, verdict)


def colour(row) -> str:
    return "#c44" if row.met is False else "#47a" if row.met else "#aab"


def plot(rows, path: pathlib.Path) -> None:
    """Left: times as fast as the peer, with a tick at the target; right: how much of a budget is used."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    ratios, budgets = [r for r in rows if r.ratio], [r for r in rows if r.most]
    figure, (left, right) = plt.subplots(1, 2, figsize=(17, 0.24 * max(len(ratios), len(budgets), 4) + 1.5))
    left.barh(range(len(ratios)), [r.ratio for r in ratios], color=[colour(r) for r in ratios])
    left.set_yticks(range(len(ratios)), [f"{r.name}  vs {r.peer}" for r in ratios], fontsize=7)
    for i, row in enumerate(ratios):
        if row.least_ratio is not None:
            left.plot([row.least_ratio] * 2, [i - 0.45, i + 0.45], color="black", linewidth=1.5)
    if ratios:
        left.set_xscale("log")
    left.set_xlabel("times as fast as the peer (log scale; black: target; red: a target of the row is missed)")
    right.barh(range(len(budgets)), [r.ours_median / r.most for r in budgets], color=[colour(r) for r in budgets])
    right.set_yticks(range(len(budgets)), [f"{r.name}, of {r.most:g} {r.unit}" for r in budgets], fontsize=7)
    right.set_xlabel("part of the budget that is used")
    for axes in (left, right):
        axes.axvline(1, color="black", linewidth=0.8)
        axes.invert_yaxis()
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
    print(LINE.format("section", "what", "median", "best", "worst", "", "peer", "median", "best", "ratio", "target", ""), flush=True)
    for section in options.sections or SECTIONS:
        began = time.perf_counter()
        for row in importlib.import_module(section).measure(options.rounds):
            rows.append(row)
            print(line(row), flush=True)
        print(f"# {section}: {time.perf_counter() - began:.0f} s, {options.rounds} rounds", flush=True)
    record = {"machine": platform.processor() or platform.machine(), "python": platform.python_version(),
              "rounds": options.rounds, "clock": "cpu" if options.cpu_time else "wall", "rows": [row.record() for row in rows]}
    (options.out / "bench.json").write_text(json.dumps(record, indent=1))
    plot(rows, options.out / "bench.png")
    missed = [row for row in rows if row.met is False]
    met = sum(row.met is True for row in rows)
    print(f"{met} targets met, {len(missed)} missed; {options.out}/bench.json, bench.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
