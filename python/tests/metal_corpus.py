"""MLX's kernels as Apple's compiler made them: fetched once, pinned by hash, kept outside the repository, never shipped."""
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PINNED = {
    14: ("mlx_metal-0.32.4-py3-none-macosx_14_0_arm64.whl", "8019b2db622599267d66cc168b2f0dbf5af929790a6c3b3913e00eabc42a7947"),
    26: ("mlx_metal-0.32.4-py3-none-macosx_26_0_arm64.whl", "514df92d41a286895d2564b4b18f4da45096bd7a4a0c47e1042f345ad5a7f936"),
}


def cache():
    return Path(os.environ.get("TRITON_METAL_TEST_CACHE", Path.home() / ".cache" / "triton-metal-tests"))


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@functools.lru_cache(None)  # one try is enough where there is no network
def _download(system, wheel):
    """Fetches the wheel for macOS `system` from where pip finds packages; whole or not at all, also beside another process."""
    part = wheel.parent / f"download.{os.getpid()}"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--platform", f"macosx_{system}_0_arm64",
               "--python-version", "3.11", "-d", str(part), "mlx-metal==0.32.4"]
    part.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, capture_output=True).returncode == 0
    if done:
        os.replace(part / wheel.name, wheel)
    shutil.rmtree(part, ignore_errors=True)
    return done


@functools.lru_cache(None)
def metallib(system):
    """Path of mlx.metallib of the wheel for macOS `system`; skips the test where it cannot be had."""
    name, pinned = PINNED[system]
    folder = cache()
    wheel, library = folder / name, folder / f"mlx-0.32.4-macos{system}.metallib"
    if library.exists():
        return library
    if not wheel.exists() and not _download(system, wheel):
        pytest.skip("mlx-metal 0.32.4 is not in the cache and cannot be downloaded")
    assert _digest(wheel) == pinned, f"{wheel} is not the pinned file; delete it"
    part = library.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(wheel).open("mlx/lib/mlx.metallib") as source, open(part, "wb") as target:
        while block := source.read(1 << 22):
            target.write(block)
    os.replace(part, library)
    return library


@functools.lru_cache(None)
def headers():
    """The include directory with MLX's kernel headers, unpacked beside the wheel; skips the test where it cannot be had."""
    metallib(14)
    name, pinned = PINNED[14]
    folder = cache() / "mlx-0.32.4-include"
    if not folder.exists():
        if not (cache() / name).exists():
            pytest.skip("the wheel of mlx-metal 0.32.4, which holds the headers, is not in the cache")
        assert _digest(cache() / name) == pinned, f"{cache() / name} is not the pinned file; delete it"
        part = folder.with_suffix(f".{os.getpid()}")
        with zipfile.ZipFile(cache() / name) as archive:
            for member in archive.namelist():
                if member.startswith("mlx/include/mlx/") and member.endswith(".h"):
                    archive.extract(member, part)
        try:
            os.replace(part / "mlx" / "include", folder)
        except OSError:  # another process was first
            assert folder.exists()
        shutil.rmtree(part, ignore_errors=True)
    return folder
