"""What the page shows of a kernel: its Python source, and its code line by line with the Python line that each comes from.

Lines of functions of this package (tl.softmax and the like) count as those of the call in the user's code.
"""

from __future__ import annotations

import ast
import functools
import linecache
import os
import re

from ..compiler.compiler import ASTSource, CompiledKernel

#: Stages in the order in which they are offered, the first is shown.
STAGES = {"cpu": ("ttir", "asm", "llir"), "metal": ("msl", "ttm", "ttir")}
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

Place = tuple[str, int]  # file, line


@functools.cache
def _functions(file: str) -> list[tuple[int, int]]:
    """First and last lines of the functions of a file, with their decorators."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:  # not the file that was compiled
        return []
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [(min([node.lineno, *(one.lineno for one in node.decorator_list)]), node.end_lineno) for node in found]


class Budget:
    """Characters that may be shown still."""

    def __init__(self, characters: float):
        self.left = characters

    def take(self, lines: list[str]) -> bool:
        """Whether these lines fit, which then are counted."""
        size = sum(map(len, lines)) + 8 * len(lines)
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits


class Listing:
    """Pieces of Python source that code refers to, as far as they fit: first the kernel, then functions that it calls."""

    def __init__(self, compiled: CompiledKernel, budget: Budget):
        self.pieces: list[dict] = []
        self.is_whole = True
        self._budget = budget
        self._found: dict[Place, tuple[int, int] | None] = {}
        source = compiled.src
        if isinstance(source, ASTSource):
            fn = source.fn
            self._add(fn.fn.__code__.co_filename, fn.starting_line_number, [line.rstrip("\n") for line in fn.raw_src])

    def _add(self, file: str, first: int, lines: list[str]) -> int | None:
        if not self._budget.take(lines):
            self.is_whole = False
            return None
        self.pieces.append({"file": file, "first": first, "lines": lines})
        return len(self.pieces) - 1

    def find(self, place: Place) -> tuple[int, int] | None:
        """(piece, line within it) of a place; None where its text is not at hand, or does not fit."""
        if place not in self._found:
            self._found[place] = self._search(*place)
        return self._found[place]

    def _search(self, file: str, line: int) -> tuple[int, int] | None:
        for i, piece in enumerate(self.pieces):
            if piece["file"] == file and piece["first"] <= line < piece["first"] + len(piece["lines"]):
                return i, line - piece["first"]
        around = [span for span in _functions(file) if span[0] <= line <= span[1]]
        if not around:
            return None
        first, last = max(around)
        lines = [text.rstrip("\n") for text in linecache.getlines(file)[first - 1 : last]]
        piece = self._add(file, first, lines)
        return None if piece is None else (piece, line - first)


_LOCATION = re.compile(r"\s*loc\((#loc\d*|unknown)\)$")
_INNER_LOCATION = re.compile(r"\s+loc\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
_DEFINITION = re.compile(r"^(#loc\d*) = loc\((.*)\)$")
_FILE = re.compile(r'^"(.*)":(\d+):\d+')
_NAMED = re.compile(r'^"[^"]*"\((#loc\d*)\)$')
_CALL = re.compile(r"^callsite\((#loc\d*) at (#loc\d*)\)$")


class _Locations:
    """The locations that a module's text defines."""

    def __init__(self, lines: list[str]):
        self._text = dict(match.groups() for match in map(_DEFINITION.match, lines) if match)
        self._places: dict[str, Place | None] = {}

    def place(self, name: str) -> Place | None:
        """The innermost place in the user's code."""
        if name not in self._places:
            self._places[name] = self._resolve(name)
        return self._places[name]

    def _resolve(self, name: str) -> Place | None:
        text = self._text.get(name, "")
        if match := _FILE.match(text):
            return None if _is_library(match[1]) else (match[1], int(match[2]))
        if match := _NAMED.match(text):
            return self.place(match[1])
        if match := _CALL.match(text):
            return self.place(match[1]) or self.place(match[2])
        return None


@functools.cache
def _is_library(file: str) -> bool:
    return file.startswith(_PACKAGE + os.sep) or os.path.realpath(file).startswith(os.path.realpath(_PACKAGE) + os.sep)


def read_module(text: str) -> tuple[list[str], list[Place | None]]:
    """Lines of TTIR or TTM without their locations, and the place of each."""
    lines = text.splitlines()
    locations = _Locations(lines)
    shown, places = [], []
    for line in lines:
        if not line.strip() or _DEFINITION.match(line):
            continue
        match = _LOCATION.search(line)
        shown.append(_INNER_LOCATION.sub("", line))
        places.append(locations.place(match[1]) if match else None)
    return shown, places


def _stage(compiled: CompiledKernel, name: str) -> tuple[list[str], list[Place | None]]:
    text = compiled.asm[name]
    if name in ("ttir", "ttm"):
        return read_module(text)
    lines = text.rstrip("\n").split("\n")
    places: list[Place | None] = [None] * len(lines)
    if name == "msl":
        for line, column, file, source_line, _ in compiled.metadata.facts["lines"]:
            if column == 0 or places[line - 1] is None:
                places[line - 1] = (file, source_line)
    return lines, places


def sources(compiled: CompiledKernel, budget: int) -> tuple[dict, int]:
    """Source and stages of a kernel as JSON's types, and the characters that they take; no piece and no stage that is longer than what
    is left of `budget` is among them, and `left_out` names these ("python" for pieces).

        {"pieces": [{"file", "first", "lines"}], "stages": [{"name", "lines", "at": [reference or -1]}], "references": [[piece, line]],
         "left_out": ["llir"]}
    """
    left = Budget(budget)
    listing = Listing(compiled, left)
    references: dict[tuple[int, int], int] = {}
    stages, left_out = [], []
    for name in STAGES[compiled.metadata.target]:
        lines, places = _stage(compiled, name)
        if not left.take(lines):
            left_out.append(name)
            continue
        at = []
        for place in places:
            found = listing.find(place) if place else None
            at.append(-1 if found is None else references.setdefault(found, len(references)))
        stages.append({"name": name, "lines": lines, "at": at})
    if not listing.is_whole:
        left_out.append("python")
    code = {"pieces": listing.pieces, "stages": stages, "references": [list(one) for one in references], "left_out": left_out}
    return code, budget - left.left
