"""A report as one HTML page that needs nothing else: no network, no other file. The page's parts lie in page/."""

from __future__ import annotations

import importlib.resources
import json
import os

import numpy as np

from .document import document
from .report import Report
from .sources import sources

#: Characters of sources and code that a page holds; those of the most expensive kernels come first.
CODE_BUDGET = 2_000_000
#: Launches that the timeline holds, the first ones, and how many of them may differ in kernel, arguments or grid.
MOST_LAUNCHES, MOST_SHAPES = 50_000, 15_000
_SCRIPTS = ("format.js", "table.js", "roofline.js", "timeline.js", "code.js", "main.js")


def page_data(report: Report) -> dict:
    """What the page's script reads: the document of the report, the label of each kernel, its source and code."""
    data = document(report)
    left = CODE_BUDGET
    for kernel, row in zip(data["kernels"], report.kernels):
        kernel["label"] = row.label
        kernel["code"], used = sources(row.compiled, left)
        left -= used
    data["launch_count"] = len(data["launches"]["shape"])
    _shorten_timeline(data)
    return data


def _shorten_timeline(data: dict) -> None:
    """The first launches only, and the shapes that these have, numbered anew."""
    _, first = np.unique(data["launches"]["shape"][:MOST_LAUNCHES], return_index=True)
    count = int(np.sort(first)[MOST_SHAPES]) if len(first) > MOST_SHAPES else MOST_LAUNCHES
    launches = data["launches"] = {name: values[:count] for name, values in data["launches"].items()}
    used, shape = np.unique(np.array(launches["shape"], np.int64), return_inverse=True)
    launches["shape"] = shape.tolist()
    data["shapes"] = [data["shapes"][i] for i in used]


def _part(name: str) -> str:
    return importlib.resources.files(__package__).joinpath("page", name).read_text("utf-8")


def html(report: Report) -> str:
    """The page."""
    data = json.dumps(page_data(report), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    script = "\n".join(map(_part, _SCRIPTS))
    page = _part("page.html")
    for place, text in (("/*STYLE*/", _part("page.css")), ("/*SCRIPT*/", script), ("/*DATA*/", data)):
        before, _, after = page.partition(place)
        page = before + text + after
    return page


def to_html(report: Report, path: str | os.PathLike) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(html(report))
