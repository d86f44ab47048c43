"""MLX's kernel headers, unmodified, through the software Metal's front end.

Test data only: the wheel is fetched once, checked by its SHA-256 and kept outside the repository.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

WHEEL = "mlx_metal-0.32.4-py3-none-macosx_14_0_arm64.whl"
SHA256 = "8019b2db622599267d66cc168b2f0dbf5af929790a6c3b3913e00eabc42a7947"
CACHE = pathlib.Path(os.environ.get("TRITON_METAL_TEST_CACHE", "~/.cache/triton-metal-tests")).expanduser()
ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOL = pathlib.Path(os.environ.get("TRITON_METAL_BUILD_DIR", ROOT / "build")) / "bin" / "softmetal-compile"
KERNELS = "mlx/backend/metal/kernels"

# Headers that no program includes alone: what MLX's own sources include before them.
BEFORE = {
    "steel/attn": ["utils.h", "steel/attn/attn.h"],
    "steel/conv": ["utils.h", "steel/gemm/mma.h", "steel/conv/params.h", "steel/conv/conv.h"],
    "steel": ["utils.h", "steel/gemm/gemm.h", "steel/utils.h"],
    "gemv_masked.h": ["utils.h", "steel/gemm/gemm.h", "steel/utils.h"],
    "quantized.h": ["utils.h", "steel/gemm/gemm.h"],
    "fp_quantized.h": ["utils.h", "steel/gemm/gemm.h"],
    "searchsorted.h": ["utils.h", "sort.h"],
    "reduc": ["utils.h", "atomic.h", "reduction/ops.h"],
    "indexing/scatter": ["utils.h", "atomic.h", "reduction/ops.h"],
}


@pytest.fixture(scope="session")
def include_dir(tmp_path_factory):
    CACHE.mkdir(parents=True, exist_ok=True)
    wheel = CACHE / WHEEL
    if not wheel.exists():
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--platform", "macosx_14_0_arm64",
             "--python-version", "3.11", "-d", str(CACHE), "mlx-metal==0.32.4"], capture_output=True, text=True)
        if done.returncode:
            pytest.skip("the wheel of mlx-metal cannot be fetched: " + done.stderr.strip()[-200:])
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
        pytest.fail(f"{wheel} is not the file that these tests are about")
    target = tmp_path_factory.mktemp("mlx")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("mlx/include/") and name.endswith(".h"):
                archive.extract(name, target)
    return target / "mlx" / "include"


def headers_of(include_dir):
    root = include_dir / KERNELS
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*.h") if "nax" not in p.name)


def compile_header(include_dir, header):
    before = next((files for key, files in BEFORE.items() if header.startswith(key) or f"/{key}" in header), ["utils.h"])
    text = "".join(f'#include "{KERNELS}/{name}"\n' for name in [*before, header])
    text = text.replace(f'#include "{KERNELS}/{header}"\n', f'using namespace metal;\n#include "{KERNELS}/{header}"\n')
    if header.startswith("steel/conv"):
        text = text.replace("using namespace metal;\n", "using namespace metal;\nusing namespace mlx::steel;\n")
    text += "kernel void one(device float *x [[buffer(0)]]) { x[0] = 1; }\n"
    return subprocess.run([TOOL, "-std=320", f"-I{include_dir}", "-o", os.devnull, "-"], input=text, capture_output=True, text=True)


def test_headers(include_dir):
    if not TOOL.exists():
        pytest.skip(f"{TOOL} is not built")
    headers = headers_of(include_dir)
    failures = {}
    for header in headers:
        done = compile_header(include_dir, header)
        if done.returncode:
            failures[header] = next((line for line in done.stderr.splitlines() if "error:" in line), done.stderr[-200:])
    assert len(headers) > 80
    assert not failures, "\n".join(f"{name}: {error}" for name, error in failures.items())
