"""The disk cache: whole entries, damage, limits, and what is part of a key."""

import os
import subprocess
import sys
import textwrap

import pytest

from triton_metal import _core

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
    kernel[(1,)](x, BLOCK=16, device="cpu"{options})
    print(x[0])
"""


@pytest.fixture
def run(tmp_path):
    script = tmp_path / "program.py"
    cache = tmp_path / "cache"

    def run(factor="2", options="", scale="", **environment):
        script.write_text(textwrap.dedent(PROGRAM).format(factor=factor, options=options, scale=scale))
        variables = {**os.environ, "TRITON_METAL_CACHE_DIR": str(cache), **environment}
        done = subprocess.run([sys.executable, script], env=variables, capture_output=True, text=True, check=True)
        entries = sorted(path.parent for path in cache.rglob("manifest"))
        return float(done.stdout), entries, done.stderr

    return run


def test_second_process_reads_what_the_first_wrote(run):
    assert run()[0] == 2.0
    value, entries, _ = run()
    assert value == 2.0 and len(entries) == 1
    assert {path.name for path in entries[0].iterdir()} == {"kernel.json", "kernel.ttir", "kernel.llir", "kernel.o", "manifest"}


def test_key_holds_callees_options_and_environment(run):
    run()
    value, entries, _ = run(factor="3")
    assert value == 3.0 and len(entries) == 2
    assert len(run(options=", num_warps=8")[1]) == 3
    assert len(run(TRITON_DEFAULT_FP_FUSION="0")[1]) == 4
    assert len(run()[1]) == 4


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


def test_cache_key_is_sha256_in_base_32():
    assert _core.cache_key(b"") == "4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ"
