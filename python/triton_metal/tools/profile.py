"""`triton-metal profile`: run a script and say what its kernels did."""

from __future__ import annotations

import argparse
import sys

from .scripts import check_script, run_script
from .sources import UsageError, check_output

EPILOG = """\
examples:
  triton-metal profile examples/softmax.py
      run the script as `python examples/softmax.py` would, then print a row for each kernel
  triton-metal profile --device metal --html softmax.html examples/softmax.py
      launches that name no device run on metal; the page has a roofline chart, a timeline, and each kernel's source beside its code
  triton-metal profile --trace trace.json --top 5 train.py --steps 100
      the five most expensive kernels, and a trace for ui.perfetto.dev; what follows the script is the script's
  triton-metal profile --json profile.json -m package.module
      a module instead of a file; the numbers for programs

columns: total, median and p95 (95 of 100 launches are faster) are times on the device; bytes and operations (on floats) are those that
the kernel asks for, '-' where the compiler cannot tell; "bound by" is the lower roof at FLOP/B, "of roof" how near a kernel comes to it.
On `metal` without a Mac the software Metal runs: its times say nothing about a GPU.
A script may call start_profiling() itself: what it launches in between is in its own report and in this one.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-d", "--device", choices=("cpu", "metal"), help="of launches that name none (default: this machine's)")
    parser.add_argument("--top", type=int, metavar="N", help="rows of the table (default: all)")
    parser.add_argument("--json", metavar="FILE", help="write the report for programs")
    parser.add_argument("--trace", metavar="FILE", help="write a trace for ui.perfetto.dev and chrome://tracing")
    parser.add_argument("--html", metavar="FILE", help="write one page with charts and sources")
    parser.add_argument("--limit", type=int, metavar="N", help="launches that are kept (default: a million)")
    parser.add_argument("-m", dest="module", action="store_true", help="SCRIPT is a module's name")
    parser.add_argument("script", metavar="SCRIPT", help="a Python file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="of the script").required = False


def profile_command(options) -> int:
    from ..devices import set_device
    from ..profiling.recording import LIMIT, profile_program

    check_script(options.script, options.module)
    for name in ("top", "limit"):
        if (value := getattr(options, name)) is not None and value < 1:
            raise UsageError(f"--{name} {value}: a number that is at least 1")
    for path in filter(None, (options.json, options.trace, options.html)):
        check_output(path)
    if options.device:
        set_device(options.device)
    with profile_program(options.limit or LIMIT) as report:
        status = run_script(options.script, options.arguments, options.module)
    return _show(report, options) or status  # a script that failed is told about as well


def _show(report, options) -> int:
    """Print the table and write the files. 1 where one of them could not be written, which loses none of the others."""
    status = 0
    sys.stdout.flush()
    print(report.table(options.top))
    for path, write in ((options.json, report.to_json), (options.trace, report.to_chrome_trace), (options.html, report.to_html)):
        if path:
            try:
                write(path)
            except OSError as error:
                print(f"triton-metal profile: {path} was not written: {error.strerror or error}", file=sys.stderr)
                status = 1
            else:
                print(f"wrote {path}")
    return status
