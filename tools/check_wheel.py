"""Builds the wheel as `pip install .` does, installs it into a fresh environment outside the repository, and runs a kernel on both devices.

    ./dev test package                          the layer that calls this
    python tools/check_wheel.py --python python3.13 --build-dir build/reused
"""
from __future__ import annotations

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_BYTES = 45_000_000
PROBE = """
import sys
import numpy as np
import triton_metal as triton
import triton_metal.language as tl

@triton.jit
def softmax(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + tl.program_id(0) * n + i, mask=i < n, other=-float("inf"))
    e = tl.exp(x - tl.max(x, axis=0))
    tl.store(out_ptr + tl.program_id(0) * n + i, e / tl.sum(e, axis=0), mask=i < n)

x = np.random.default_rng(0).standard_normal((16, 100), dtype=np.float32)
e = np.exp(x - x.max(axis=1, keepdims=True))
for device in ("cpu", "metal"):
    out = np.empty_like(x)
    softmax[(16,)](x, out, 100, BLOCK=128, device=device)
    np.testing.assert_allclose(out, e / e.sum(axis=1, keepdims=True), rtol=1e-5)
    print(f"  a softmax on {device} is right")
others = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - set(sys.builtin_module_names)
print("  imported:", ", ".join(sorted(name for name in others if not name.startswith("_"))))
"""


def call(*command, **options) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        print(done.stdout[-6000:], done.stderr[-6000:], sep="\n")
        sys.exit(f"failed: {' '.join(map(str, command[:6]))}")
    return done.stdout


def build(python: str, folder: pathlib.Path, build_dir: str | None) -> pathlib.Path:
    began = time.perf_counter()
    settings = [f"-Cbuild-dir={build_dir}"] if build_dir else []
    call(python, "-m", "pip", "wheel", "--no-deps", "-w", folder, *settings, ROOT)
    (wheel,) = folder.glob("*.whl")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, built in {time.perf_counter() - began:.0f} s")
    return wheel


def check_contents(wheel: pathlib.Path) -> list[str]:
    """What is wrong with it."""
    complaints = []
    if wheel.stat().st_size > MOST_BYTES:
        complaints.append(f"{wheel.stat().st_size} bytes are more than {MOST_BYTES}")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode()
        for name in names:
            if name.endswith((".so", ".dylib")):
                info = archive.getinfo(name)
                print(f"  {name}: {info.file_size / 1e6:.1f} MB, {info.compress_size / 1e6:.1f} in the wheel")
    tracked = call("git", "ls-files", "python/triton_metal", cwd=ROOT).split()
    expected = {name.removeprefix("python/") for name in tracked}
    packed = {name for name in names if name.startswith("triton_metal/") and not name.endswith((".so", ".dylib"))}
    complaints += [f"missing: {name}" for name in sorted(expected - packed)]
    complaints += [f"not of the sources: {name}" for name in sorted(packed - expected)]
    complaints += [f"outside of the package: {name}" for name in names if not name.startswith(("triton_metal/", "triton_metal-"))]
    needed = [line for line in metadata.split("\n") if line.startswith("Requires-Dist:")]
    if [line.partition(":")[2].strip().partition(">")[0] for line in needed] != ["numpy"]:
        complaints.append(f"asks for {needed}")
    if "Requires-Python: >=3.10" not in metadata:
        complaints.append("Requires-Python is not >=3.10")
    return complaints


def try_it(python: str, wheel: pathlib.Path, folder: pathlib.Path) -> None:
    """Install and use it, with an environment that knows nothing of the checkout."""
    call(python, "-m", "venv", folder / "venv")
    inside = folder / "venv" / "bin"
    call(inside / "python", "-m", "pip", "install", "-q", wheel)
    (folder / "probe.py").write_text(PROBE)
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    print(call(inside / "python", "probe.py", cwd=folder, env=clean).rstrip())
    print(call(inside / "triton-metal", "doctor", cwd=folder, env=clean).rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the Python that the wheel is for")
    parser.add_argument("--build-dir", help="a build folder to go on with (default: one for each Python, below build/)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        wheel = build(options.python, folder, options.build_dir)
        (ROOT / "out").mkdir(exist_ok=True)
        shutil.copy2(wheel, ROOT / "out")  # for ./dev bench
        complaints = check_contents(wheel)
        try_it(options.python, wheel, folder)
    print("\n".join(complaints) or "the wheel is right")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
