"""What a reader of the tree would trip over: file sizes, unfinished words, machine paths, CMake lists that miss a file.

    ./dev lint
"""
from __future__ import annotations

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
MOST_LINES, MOST_COLUMNS = 800, 140
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "Not" + "ImplementedError"]) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|farm|root|home/\w+)/")
FILECHECK = re.compile(r"\s*// [A-Z0-9-]+: ")  # one expectation is one line
CODE = {".cpp", ".h", ".td", ".py", ".S", ".metal", ".sh"}


def tracked() -> list[pathlib.Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def check_text(path: pathlib.Path, complaints: list[str]) -> None:
    if path.suffix not in CODE | {".md", ".txt", ".cmake", ".yml", ".toml"} and path.name not in ("dev", "CMakeLists.txt"):
        return
    lines = path.read_text().splitlines()
    name = path.relative_to(ROOT)
    if path.suffix in CODE and len(lines) > MOST_LINES:
        complaints.append(f"{name}: {len(lines)} lines; split it by concept (at most {MOST_LINES})")
    recorded = path.is_relative_to(ROOT / "python/tests/errors")  # whole messages, also upstream's
    for number, text in enumerate(lines, 1):
        if UNFINISHED.search(text) and not recorded:
            complaints.append(f"{name}:{number}: is this finished? {text.strip()}")
        if MACHINE_PATH.search(text):
            complaints.append(f"{name}:{number}: a path of some machine: {text.strip()}")
        if path.suffix in CODE - {".td"} and len(text) > MOST_COLUMNS and not FILECHECK.match(text):
            complaints.append(f"{name}:{number}: {len(text)} columns (at most {MOST_COLUMNS})")


def check_cmake(complaints: list[str]) -> None:
    """Every .cpp is named by the CMakeLists.txt of its directory, or of one above."""
    for path in tracked():
        if path.suffix != ".cpp" or path.is_relative_to(ROOT / "cmake"):
            continue
        folder, found = path.parent, False
        while folder != ROOT and not found:
            lists = folder / "CMakeLists.txt"
            found = lists.exists() and str(path.relative_to(folder)) in lists.read_text()
            folder = folder.parent
        if not found and "add_executable" not in path.read_text():
            complaints.append(f"{path.relative_to(ROOT)}: no CMakeLists.txt names it")


def main() -> int:
    complaints: list[str] = []
    for path in tracked():
        check_text(path, complaints)
    check_cmake(complaints)
    print("\n".join(complaints) or "nothing to complain about")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
