"""`triton-metal tune`: run a script, and show what the tuner chose for each of its kernels and why."""

from __future__ import annotations

import json
import sys

from .. import knobs
from ..devices import current_device, set_device
from ..runtime.autotuner_report import TuningReport, report_observers
from .scripts import run_script
from .sources import check_output

EPILOG = """\
examples:
  triton-metal tune examples/elementwise.py
      run the script; kernels with configs= or autotune search, the report of each follows: every configuration, its time or why it has none
  triton-metal tune --fresh examples/attention.py --device cpu
      search anew although winners of earlier processes are on disk; all behind the script goes to the script
  triton-metal tune --export tuned.json train.py
      the reports as JSON as well: kernel, key, device, chip, and each configuration with its milliseconds

Winners stay on disk, so that the script's next run searches nothing. Kernels with `configs=` but without `autotune` are searched here only:
the report says what the first that fits, which their programs take, is worth. Off a Mac, times on metal are estimates of a model, not times
of a GPU; the report says so.
"""


def _show(reports: list[TuningReport], export: str | None) -> None:
    sys.stdout.flush()
    for report in reports:
        print(f"\n{report}")
    if export is not None:
        with open(export, "w") as file:
            json.dump([json.loads(report.to_json()) for report in reports], file, indent=1)


def tune_command(options) -> int:
    """The script's exit status; 1 where it succeeded and tuned nothing. UsageError for a wrong command line."""
    if options.export is not None:
        check_output(options.export)
    reports: list[TuningReport] = []
    before = current_device()
    if options.device is not None:
        set_device(options.device)
    report_observers.append(reports.append)
    try:
        with knobs.autotuning.scope():
            knobs.autotuning.fresh, knobs.autotuning.always = options.fresh, True
            status = run_script(options.file, options.arguments)
    finally:  # what a script tuned before it failed is told as well
        report_observers.remove(reports.append)
        set_device(before)
        _show(reports, options.export)
    if not reports and not status:
        print(f"{options.file} launched no kernel with configurations: @triton_metal.jit(autotune=True), configs=[...] or "
              "@triton_metal.autotune makes one", file=sys.stderr)  # fmt: skip
        return 1
    return status
