"""Takes each pass out in turn and demands that its own lit test then fails: a test that passes without its pass tests nothing.

    ./dev run python tools/empty_passes.py [FLAG...]

The flags are those of the Pass records in the .td files, and the software Metal's passes. A pass's own test is the file of its name
(tt-reorder-broadcast: reorder-broadcast.mlir) or, failing that, every file whose RUN lines name the flag. `triton-metal-opt` leaves a
pass out of its command line when TRITON_METAL_OPT_WITHOUT names it, `softmetal-opt` when SOFTMETAL_OPT_WITHOUT does.
A pass whose source can report an error must have a case of it in its test as well.
"""
from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
BUILD = pathlib.Path(os.environ.get("TRITON_METAL_BUILD_DIR", ROOT / "build"))
# Left out on purpose, with the reason.
EXEMPT: dict[str, str] = {}


# How a pass comes to report something.
REPORTS = re.compile(r"emit(Op)?Error|emitUnsupported|emitWarning|emitRemark|apply(Full|Partial)Conversion|translation\.fail|addSite")
DIAGNOSTIC = re.compile(r"RUN: not |expected-(error|warning|remark)|; site \d")


def passes() -> dict[str, str]:
    """Every pass of the tree: its flag and its name, in order of file and record."""
    found = {}
    for file in sorted((ROOT / "include").rglob("*Passes.td")):
        found |= {flag: name for name, flag in re.findall(r'def (\w+)\s*:\s*Pass<"([\w-]+)"', file.read_text())}
    names = re.findall(r"^SOFTMETAL_PASS\((\w+)\)", (ROOT / "softmetal" / "Passes" / "Passes.h").read_text(), re.M)
    return found | {re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower(): name for name in ["Prepare", *names]}


def can_report(name: str) -> bool:
    """Whether the source of a pass has a diagnostic."""
    files = [*(ROOT / "lib").rglob(f"{name}.cpp"), *(ROOT / "softmetal" / "Passes").glob(f"{name}.cpp")]
    return any(REPORTS.search(file.read_text()) for file in files)


def tests_of(flag: str) -> list[pathlib.Path]:
    """The lit files of a pass."""
    mentions = re.compile(r"RUN:.*[-\s{(,\"']" + re.escape(flag) + r"(?![\w-])")
    files = [f for f in sorted((ROOT / "test").rglob("*")) if f.suffix in (".mlir", ".ttir", ".ll") and mentions.search(f.read_text())]
    own = [f for f in files if flag.endswith(f.stem)]
    return own or files


def main() -> int:
    wrong = []
    known = passes()
    for flag in sys.argv[1:] or known:
        if flag in EXEMPT:
            print(f"{flag}: exempt, {EXEMPT[flag]}")
            continue
        files = tests_of(flag)
        if not files:
            wrong.append(f"{flag}: no lit test runs it")
            continue
        built = [str(BUILD / "test" / f.relative_to(ROOT / "test")) for f in files]
        if can_report(known[flag]) and not any(DIAGNOSTIC.search(file.read_text()) for file in files):
            wrong.append(f"{flag}: its diagnostic has no case in {', '.join(f.name for f in files)}")
        without = dict(os.environ, TRITON_METAL_OPT_WITHOUT=flag, SOFTMETAL_OPT_WITHOUT=flag)
        status = subprocess.run(["lit", "-q", *built], env=without, capture_output=True).returncode
        if status == 0:
            wrong.append(f"{flag}: {', '.join(f.name for f in files)} passes without the pass")
        else:
            print(f"{flag}: {len(files)} files fail without it, as they should")
    print("\n".join(wrong))
    print(f"{len(wrong)} passes are not tested" if wrong else "every pass is tested")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
