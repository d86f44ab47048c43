"""Import time beyond NumPy's and sizes of what is shipped."""
from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

from rounds import Row, Times, compare, interleave

ROOT = pathlib.Path(__file__).resolve().parent.parent


def strip(library: pathlib.Path, to: pathlib.Path) -> float:
    """A shared object as the wheel holds it, without symbols; its megabytes."""
    subprocess.run(["llvm-strip", "--strip-unneeded", "-o", to, library], check=True)
    return to.stat().st_size / 1e6


def measure(rounds: int) -> list[Row]:
    import triton_metal

    def run(code):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)
    times = interleave({"ours": run("import numpy, triton_metal"), "numpy": run("import numpy")}, rounds)
    extra = Times([max(a - b, 0.0) for a, b in zip(times["ours"].seconds, times["numpy"].seconds)])
    rows = [compare("footprint", "import beyond numpy", extra, most=40.0)]
    package = pathlib.Path(triton_metal.__file__).parent

    def megabytes(name, size, limit):
        rows.append(Row("footprint", name, size, size, size, "MB", most=limit))
    with tempfile.TemporaryDirectory() as folder:
        for pattern, limit in (("_core*.so", 60), ("libsoftmetal*", 85)):
            for library in sorted(package.glob(pattern)):
                megabytes(library.name.split(".")[0], strip(library.resolve(), pathlib.Path(folder, library.name)), limit)
    wheels = sorted((ROOT / "out").glob("*.whl"), key=lambda file: file.stat().st_mtime)
    if wheels:
        megabytes(f"wheel, {wheels[-1].name.split('-')[2]}", wheels[-1].stat().st_size / 1e6, 45)
    else:
        print("# no wheel in out/: ./dev test package makes one", flush=True)
    return rows
