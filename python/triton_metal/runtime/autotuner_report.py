"""What a search found, as a table, and how it goes while it runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import AutotunerError

MEASURED = "measured time"
ESTIMATED = "estimate from what the software Metal counts, for {chip}: there is no Apple GPU here, so no time of one was measured"
CUSTOM = "time by the given do_bench"
UNMEASURED = "nothing was run"


#: Functions that get the report of each choice among configurations, also of one without a search.
report_observers: list[Callable[[TuningReport], None]] = []


@dataclass
class Row:
    """One configuration. `seconds` is None where it was not run."""

    config: object
    seconds: float | None = None
    spread: float | None = None
    samples: int = 0
    outcome: str = ""


@dataclass
class TuningReport:
    """One search: every configuration with its time or the reason why it has none."""

    kernel: str
    key: tuple
    device: str
    chip: str
    method: str = UNMEASURED
    rows: list[Row] = field(default_factory=list)
    chosen: object = None
    seconds: float = 0.0
    source: str = "search"

    @property
    def skipped(self) -> list[Row]:
        return [row for row in self.rows if row.seconds is None]

    def __str__(self) -> str:
        head = f"{self.kernel} on {self.device}" + (f" ({self.chip})" if self.chip != self.device else "")
        lines = [f"{head}, key {self.key}: {self.chosen.short() if self.chosen else 'nothing fits'}",
                 f"  by {self.method}; {self.source}, {self.seconds:.2f} s"]
        measured = sorted((row for row in self.rows if row.seconds is not None), key=lambda row: row.seconds)
        for row in measured + self.skipped:
            figure = f"{row.seconds * 1e3:10.4f} ms" if row.seconds is not None else f"{'-':>10}   "
            spread = f" ±{row.spread:4.0%}" if row.spread is not None else "      "
            lines.append(f"  {figure}{spread}  {row.config.short():40}  {row.outcome}")
        return "\n".join(lines)

    def to_json(self) -> str:
        def line(row):
            return {"config": str(row.config), "ms": None if row.seconds is None else row.seconds * 1e3, "spread": row.spread,
                    "samples": row.samples, "outcome": row.outcome}  # fmt: skip

        return json.dumps({
            "kernel": self.kernel, "key": [repr(part) for part in self.key], "device": self.device, "chip": self.chip,
            "method": self.method, "source": self.source, "seconds": self.seconds, "chosen": str(self.chosen),
            "configurations": [line(row) for row in self.rows],
        }, indent=1)  # fmt: skip


def nothing_left(kernel: str, reasons, where: str = "") -> AutotunerError:
    """The error where no configuration can be used; `reasons` are pairs of a configuration and why not."""
    lines = [f"  {config.short()}: {reason}" for config, reason in reasons]
    return AutotunerError(f"{kernel}: none of {len(lines)} configurations can be used{where}:\n" + "\n".join(lines))


class Progress:
    """One line of a terminal that says how far a search is; silent elsewhere and for searches that end at once."""

    def __init__(self, kernel: str, show: bool | None):
        self._kernel = kernel
        self._show = sys.stderr.isatty() if show is None else show
        self._start = self._last = time.perf_counter()
        self._written = False

    def __call__(self, text: str) -> None:
        now = time.perf_counter()
        if self._show and now - self._start > 0.3 and now - self._last > 0.1:
            self._last = now
            self._written = True
            sys.stderr.write(f"\r\x1b[Ktuning {self._kernel}: {text} ({now - self._start:.1f} s)")
            sys.stderr.flush()

    def done(self) -> None:
        if self._written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
