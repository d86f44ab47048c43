"""The disk cache: whole entries, damage, limits, and what is part of a key."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import triton_metal.backends.metal as metal
from triton_metal import _core
from triton_metal.compiler import compiler

PROGRAM = """
    import numpy as np, triton_metal as triton, triton_metal.language as tl
    {scale}
    @triton.jit
    def helper(x):
        return x * {factor}

    @triton.jit
    def kernel(x_ptr, BLOCK: tl.constexpr):
        offsets = tl.arange(0, BLOCK)
        tl.store(x_ptr + offsets, helper(tl.load(x_ptr + offsets)))

    x = np.ones(16, np.float32)
    compiled = kernel[(1,)](x, BLOCK=16, device="{device}"{options})
    print(x[0], hash(repr((compiled.asm["ttir"], compiled.asm.get("msl"), compiled.metadata))))
"""


@pytest.fixture
def run(tmp_path):
    script = tmp_path / "program.py"
    cache = tmp_path / "cache"

    def run(factor="2", options="", scale="", device="cpu", **environment):
        script.write_text(textwrap.dedent(PROGRAM).format(factor=factor, options=options, scale=scale, device=device))
        variables = {**os.environ, "TRITON_METAL_CACHE_DIR": str(cache), "PYTHONHASHSEED": "0", **environment}
        done = subprocess.run([sys.executable, script], env=variables, capture_output=True, text=True, check=True)
        entries = sorted(path.parent for path in cache.rglob("manifest"))
        value, run.seen = done.stdout.split()
        return float(value), entries, done.stderr

    return run


FILES = {"cpu": {"kernel.json", "kernel.ttir", "kernel.llir", "kernel.o"},
         "metal": {"kernel.json", "kernel.ttir", "kernel.ttm", "kernel.metal"}}


@pytest.mark.parametrize("device", ["cpu", "metal"])
def test_second_process_reads_what_the_first_wrote(run, device):
    assert run(device=device)[0] == 2.0
    first = run.seen
    written = run(device=device)[1][0].stat().st_mtime_ns
    value, entries, _ = run(device=device)
    assert value == 2.0 and len(entries) == 1 and entries[0].stat().st_mtime_ns == written
    assert run.seen == first  # stages, facts and lines are those of the first process
    assert {path.name for path in entries[0].iterdir()} == FILES[device] | {"manifest"}


def test_what_is_read_is_what_runs(run):
    """An edited text with a right manifest runs as edited: nothing is compiled again."""
    _, (entry,), _ = run(device="metal")
    key, files = entry.name, {path.name: path.read_bytes() for path in entry.iterdir() if path.name != "manifest"}
    files["kernel.metal"] = re.sub(rb"2\.0", b"5.0", files["kernel.metal"])
    shutil.rmtree(entry)
    assert _core.DiskCache(str(entry.parent), 0).store(key, files) == ""
    assert run(device="metal")[0] == 5.0


def test_key_holds_callees_options_and_environment(run):
    run()
    value, entries, _ = run(factor="3")
    assert value == 3.0 and len(entries) == 2
    assert len(run(options=", num_warps=8")[1]) == 3
    assert len(run(TRITON_DEFAULT_FP_FUSION="0")[1]) == 4
    assert len(run()[1]) == 4


@pytest.mark.parametrize("name", ["compiler/options.py", "language/extra/libdevice.py", "runtime/autotuner_cost.py", "profiling/rates.py"])
def test_key_holds_the_python_files_of_the_package(name, tmp_path, monkeypatch):
    shutil.copytree(compiler._PACKAGE, tmp_path / "package", ignore=shutil.ignore_patterns("*.so"))
    monkeypatch.setattr(compiler, "_PACKAGE", str(tmp_path / "package"))
    keys = [compiler.triton_key.__wrapped__() for _ in range(2)]
    file = tmp_path / "package" / name
    os.utime(file, ns=(10**9, 10**9))
    keys.append(compiler.triton_key.__wrapped__())
    file.write_text(file.read_text() + "\n")
    os.utime(file, ns=(10**9, 10**9))
    keys.append(compiler.triton_key.__wrapped__())
    assert keys[0] == keys[1] and len(set(keys)) == 3


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "manifest"])
def test_damaged_entry_is_a_miss(run, damage):
    _, (entry,), _ = run()
    target = entry / ("manifest" if damage == "manifest" else "kernel.o")
    if damage == "remove":
        target.unlink()
    elif damage == "flip":
        content = bytearray(target.read_bytes())
        content[len(content) // 2] ^= 1
        target.write_bytes(content)
    else:
        target.write_bytes(target.read_bytes()[:-3])
    value, (again,), _ = run()
    assert value == 2.0 and again == entry and len(list(again.iterdir())) == 5


def test_unwritable_directory_is_said_once(run, tmp_path):
    (tmp_path / "cache").write_text("a file where the directory should be")
    value, _, errors = run(options="")
    assert value == 2.0 and errors.count("not kept on disk") == 1


def test_least_recently_used_entries_go_first(tmp_path):
    cache = _core.DiskCache(str(tmp_path), 10_000)
    for i in range(4):
        assert cache.store(f"E{i}", {"data": bytes(2000)}) == ""
        os.utime(tmp_path / f"E{i}" / "manifest", (i + 1, i + 1))
    assert set(cache.load("E0")) == {"data"}  # used just now
    assert cache.store("E4", {"data": bytes(3000)}) == ""
    assert cache.load("E1") is None
    assert cache.load("E0") is not None and cache.load("E4") is not None


def test_store_keeps_the_first_entry(tmp_path):
    cache = _core.DiskCache(str(tmp_path), 0)
    assert cache.store("K", {"a": b"1"}) == "" and cache.store("K", {"a": b"2"}) == ""
    assert cache.load("K") == {"a": b"1"}
    assert [path.name for path in tmp_path.iterdir()] == ["K"]


def test_clearing_leaves_what_is_being_written(tmp_path):
    cache = _core.DiskCache(str(tmp_path), 0)
    for name, age in ((".A.1.0", 0), (".B.1.0", 7200)):  # of a writer, and of one that died
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_bytes(bytes(100))
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    assert cache.store("E", {"data": bytes(2000)}) == ""
    size = sum(path.stat().st_size for path in (tmp_path / "E").iterdir())
    assert cache.clear() == size + 100
    assert [path.name for path in tmp_path.iterdir()] == [".A.1.0"] and cache.load("E") is None
    assert _core.DiskCache(str(tmp_path / "absent"), 0).clear() == 0


def test_clearing_beside_writers(tmp_path, monkeypatch):
    """Every entry is stored without complaint, and read whole or not at all."""
    monkeypatch.setenv("TRITON_METAL_CACHE_DIR", str(tmp_path))
    files = {f"file {i}": bytes(1000) for i in range(20)}
    until = time.monotonic() + 0.5
    problems = []

    def write():
        cache = _core.DiskCache(compiler.disk_cache_directory(), 0)
        while time.monotonic() < until:
            problems.append(cache.store("E", files))
            if cache.load("E") not in (files, None):
                problems.append("a part was read")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    while time.monotonic() < until:
        metal.clear_cache(memory=False)
    for writer in writers:
        writer.join()
    assert set(problems) == {""}


def test_cache_key_is_sha256_in_base_32():
    assert _core.cache_key(b"") == "4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ"
