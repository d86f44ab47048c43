"""Import time beyond NumPy's and sizes of what is shipped."""
from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

from rounds import Row, Times, compare, interleave


def stripped_megabytes(library: pathlib.Path) -> float:
    """Size of a shared object as the wheel holds it, without symbols."""
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["llvm-strip", "--strip-unneeded", "-o", copy.name, str(library)], check=True)
        return pathlib.Path(copy.name).stat().st_size / 1e6


def measure(rounds: int) -> list[Row]:
    import triton_metal

    def run(code):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)
    times = interleave({"ours": run("import numpy, triton_metal"), "numpy": run("import numpy")}, rounds)
    extra = Times([max(a - b, 0.0) for a, b in zip(times["ours"].seconds, times["numpy"].seconds)])
    rows = [compare("footprint", "import beyond numpy", extra, most_ms=40.0)]
    folder = pathlib.Path(triton_metal.__file__).parent
    for pattern, limit in (("_core*.so", 60), ("libsoftmetal*", 85)):
        for library in sorted(folder.glob(pattern)):
            size = stripped_megabytes(library.resolve())
            rows.append(Row("footprint", library.name, size, size, "MB", target=f"<= {limit} MB", met=size <= limit))
    return rows
