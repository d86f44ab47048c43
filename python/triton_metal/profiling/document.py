"""A report as data: what `to_json` writes and the page of `to_html` reads.

    {"format": "triton-metal-profile", "version": 1,
     "duration_us": 1234.5, "dropped": 0, "trials": 0, "notes": ["..."], "threads": ["MainThread"],
     "devices":  [{"name", "chip", "is_software", "bandwidth_gbs", "gflops", "matrix_gflops", "roofs_are_measured", "roofs"}],
     "kernels":  [{"name", "variant", "device", "launches", "total_us", "median_us", "p95_us", "min_us", "bytes", "operations",
                   "is_exact", "gbs", "gflops", "intensity", "bound", "roof_fraction", "roof_gflops",
                   "occupancy": {"simdgroups", "most", "bound"}}],
     "shapes":   [{"kernel", "grid", "bytes", "operations"}],
     "launches": {"shape": [0], "thread": [0], "begin_us": [0.0], "duration_us": [0.0]}}

`kernel`, `shape` and `thread` are indices. Bytes and operations of a shape are those of one launch. null stands for what is not known.
"""

from __future__ import annotations

import dataclasses
import json
import os

from .report import Report
from .table import notes

FORMAT, VERSION = "triton-metal-profile", 1
_TIMES = ("total_us", "median_us", "p95_us", "min_us")
_RATES = ("bytes", "operations", "is_exact", "gbs", "gflops", "intensity", "bound", "roof_fraction")


def _device(device) -> dict:
    roofs = device.roofs
    return {
        "name": device.name,
        "chip": device.chip,
        "is_software": device.is_software,
        "bandwidth_gbs": roofs and roofs.bandwidth_gbs,
        "gflops": roofs and roofs.gflops,
        "matrix_gflops": roofs and roofs.matrix_gflops,
        "roofs_are_measured": roofs and roofs.is_measured,
        "roofs": roofs and roofs.how,
    }


def _kernel(row, device) -> dict:
    result = {name: getattr(row, name) for name in ("name", "variant", "device", "launches")}
    result |= {name: round(getattr(row, name), 3) for name in _TIMES}
    result |= {name: getattr(row, name) for name in _RATES}
    result["roof_gflops"] = device.roofs and device.roofs.gflops_of(row.compiled)
    result["occupancy"] = row.occupancy and dataclasses.asdict(row.occupancy)
    return result


def document(report: Report) -> dict:
    """The report as a dict of JSON's types."""
    records = report.records
    return {
        "format": FORMAT,
        "version": VERSION,
        "duration_us": report.duration_us,
        "dropped": report.dropped,
        "trials": report.trials,
        "notes": notes(report),
        "threads": report.threads,
        "devices": [_device(device) for device in report.devices.values()],
        "kernels": [_kernel(row, report.devices[row.device]) for row in report.kernels],
        "shapes": [
            {"kernel": shape.kernel, "grid": list(shape.grid), "bytes": shape.bytes, "operations": shape.operations}
            for shape in report.shapes
        ],
        "launches": {
            "shape": records["shape"].tolist(),
            "thread": records["thread"].tolist(),
            "begin_us": [ns / 1e3 for ns in (records["begin"].astype("i8") - report.began).tolist()],
            "duration_us": [ns / 1e3 for ns in (records["end"] - records["begin"]).tolist()],
        },
    }


def write(text: str, path: str | os.PathLike | None) -> str:
    """`text`, which is written to the path if there is one."""
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return text


def to_json(report: Report, path: str | os.PathLike | None = None) -> str:
    return write(json.dumps(document(report), separators=(",", ":"), allow_nan=False), path)
