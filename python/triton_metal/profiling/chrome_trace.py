"""A report as a trace that Perfetto (ui.perfetto.dev) and chrome://tracing open: the JSON of the Trace Event Format.

A process is a device, a thread the thread that launched, a complete event ("X") a launch. Times are microseconds from the start of
profiling.
"""

from __future__ import annotations

import json
import os

from .document import document, write
from .report import Report


def _name(pid: int, tid: int, what: str, name: str) -> dict:
    return {"ph": "M", "pid": pid, "tid": tid, "name": what, "args": {"name": name}}


def trace(report: Report) -> dict:
    """The trace as a dict of JSON's types."""
    data = document(report)
    pids = {device["name"]: 1 + i for i, device in enumerate(data["devices"])}
    events = []
    for device in data["devices"]:
        kind = "software Metal: not a GPU's times" if device["is_software"] else device["chip"]
        events.append(_name(pids[device["name"]], 0, "process_name", f"{device['name']} ({kind})" if kind else device["name"]))
    labels = [row.label for row in report.kernels]
    launches = data["launches"]
    threads = set()
    for shape_index, thread, begin, duration in zip(*(launches[key] for key in ("shape", "thread", "begin_us", "duration_us"))):
        shape = data["shapes"][shape_index]
        pid, tid = pids[data["kernels"][shape["kernel"]]["device"]], 1 + thread
        if (pid, tid) not in threads:
            threads.add((pid, tid))
            events.append(_name(pid, tid, "thread_name", data["threads"][thread]))
        arguments = {"grid": shape["grid"]}
        for key, rate in (("bytes", "GB/s"), ("operations", "GFLOP/s")):
            if shape[key] is not None:
                arguments[key] = shape[key]
                if duration:
                    arguments[rate] = float(f"{shape[key] / duration / 1e3:.4g}")
        events.append({"ph": "X", "pid": pid, "tid": tid, "name": labels[shape["kernel"]], "cat": "kernel", "ts": begin,
                       "dur": duration, "args": arguments})  # fmt: skip
    return {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"notes": data["notes"]}}


def to_chrome_trace(report: Report, path: str | os.PathLike | None = None) -> str:
    return write(json.dumps(trace(report), separators=(",", ":"), allow_nan=False), path)
