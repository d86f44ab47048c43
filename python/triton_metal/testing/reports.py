"""`perf_report`: a function measured for many arguments, as a table, a CSV file and a plot.

    @triton_metal.testing.perf_report(
        triton_metal.testing.Benchmark(
            x_names=["n"], x_vals=[2**i for i in range(10, 20)], line_arg="provider", line_vals=["ours", "torch"],
            line_names=["Triton", "PyTorch"], plot_name="add", args={}, ylabel="GB/s"))
    def bench(n, provider): ...

    bench.run(print_data=True)

Only plots need matplotlib, and only `return_df=True` needs pandas.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Benchmark:
    """What to measure: for each of `x_vals` and each of `line_vals` the function is called once.

    An element of `x_vals` is a value for all of `x_names`, or a sequence with one for each. `styles` are (colour, line style) of lines.
    """

    x_names: list[str]
    x_vals: list[Any]
    line_arg: str
    line_vals: list[Any]
    line_names: list[str]
    plot_name: str
    args: dict[str, Any]
    xlabel: str = ""
    ylabel: str = ""
    x_log: bool = False
    y_log: bool = False
    styles: list[tuple[str, str]] | None = None

    def x_arguments(self, x) -> dict[str, Any]:
        values = list(x) if isinstance(x, (list, tuple)) else [x] * len(self.x_names)
        if len(values) != len(self.x_names):
            raise ValueError(f"Expected {len(self.x_names)} values, got {x}: one for each of {self.x_names}")
        return dict(zip(self.x_names, values))

    def column(self, line: int) -> str:
        return f"{self.line_names[line]} ({self.ylabel})"


@dataclass
class _Measured:
    """The points of one benchmark: x values, then (value, low, high) of each line; low and high are None where there are none."""

    bench: Benchmark
    rows: list[tuple[dict[str, Any], list[tuple]]] = field(default_factory=list)

    def table(self, diff_col: bool) -> tuple[list[str], list[list]]:
        bench = self.bench
        header = [*bench.x_names, *(bench.column(i) for i in range(len(bench.line_names)))]
        rows = [[*x.values(), *(value for value, _, _ in line)] for x, line in self.rows]
        if diff_col and len(bench.line_names) == 2:
            header.append("Diff")
            rows = [[*row, row[-1] - row[-2]] for row in rows]
        return header, rows


def _text(value) -> str:
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def _print_table(header: list[str], rows: list[list]) -> None:
    cells = [header, *([_text(value) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    numbers = ["", *(str(i) for i in range(len(rows)))]
    margin = max(map(len, numbers))
    for number, row in zip(numbers, cells):
        print("  ".join([number.ljust(margin), *(cell.rjust(width) for cell, width in zip(row, widths))]))


class Mark:
    """A function with the benchmarks to run it for."""

    def __init__(self, fn, benchmarks):
        self.fn = fn
        self.benchmarks = benchmarks

    def _measure(self, bench: Benchmark, arguments: dict) -> _Measured:
        measured = _Measured(bench)
        for x in bench.x_vals:
            given = bench.x_arguments(x)
            points = []
            for line in bench.line_vals:
                result = self.fn(**given, **{bench.line_arg: line}, **bench.args, **arguments)
                points.append(tuple(result) if isinstance(result, (list, tuple)) else (result, None, None))
            measured.rows.append((given, points))
        return measured

    def _plot(self, measured: _Measured, save_path: str, show_plots: bool) -> None:
        import matplotlib.pyplot as plt

        bench = measured.bench
        figure, axes = plt.subplots()
        xs = [x[bench.x_names[0]] for x, _ in measured.rows]  # the first stands for all on the axis
        for i in range(len(bench.line_names)):
            colour, line = bench.styles[i] if bench.styles else (None, None)
            values, lows, highs = zip(*(points[i] for _, points in measured.rows))
            (drawn,) = axes.plot(xs, values, label=bench.column(i), color=colour, ls=line)
            if None not in lows and None not in highs:
                axes.fill_between(xs, [float(v) for v in lows], [float(v) for v in highs], alpha=0.15, color=drawn.get_color())
        axes.legend()
        axes.set_xlabel(bench.xlabel or bench.x_names[0])
        axes.set_ylabel(bench.ylabel)
        axes.set_xscale("log" if bench.x_log else "linear")
        axes.set_yscale("log" if bench.y_log else "linear")
        if show_plots:
            plt.show()
        if save_path:
            figure.savefig(os.path.join(save_path, f"{bench.plot_name}.png"))
        plt.close(figure)

    def run(
        self, show_plots=False, print_data=False, save_path="", return_df=False, diff_col=False, save_precision=6, **kwargs
    ):
        """Measure everything. `save_path` is a folder that gets a CSV file and a plot of each benchmark, and a page of all plots."""
        single = isinstance(self.benchmarks, Benchmark)
        benchmarks = [self.benchmarks] if single else list(self.benchmarks)
        if save_path:
            os.makedirs(save_path, exist_ok=True)
        frames = []
        plotted = []
        for bench in benchmarks:
            measured = self._measure(bench, kwargs)
            header, rows = measured.table(diff_col)
            if bench.plot_name and (show_plots or save_path):
                self._plot(measured, save_path, show_plots)
                plotted.append(bench.plot_name)
            if print_data:
                print(f"{bench.plot_name}:")
                _print_table(header, rows)
            if save_path:
                with open(os.path.join(save_path, f"{bench.plot_name}.csv"), "w", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerow(header)
                    writer.writerows(
                        [f"{v:.{save_precision}f}" if isinstance(v, float) else v for v in row] for row in rows
                    )
            if return_df:
                import pandas

                frames.append(pandas.DataFrame(rows, columns=header))
        if save_path:
            with open(os.path.join(save_path, "results.html"), "w") as page:
                images = "\n".join(f'<img src="{name}.png" alt="{name}">' for name in plotted)
                page.write(f"<!doctype html>\n<html><body>\n{images}\n</body></html>\n")
        if return_df:
            return frames[0] if single else frames
        return None


def perf_report(benchmarks):
    """Make of a function something whose `run` measures it for a Benchmark, or for each of a list of them."""
    return lambda fn: Mark(fn, benchmarks)
