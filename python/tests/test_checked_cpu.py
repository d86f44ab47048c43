"""The CPU device in checked mode: accesses outside the arrays passed, endless loops, interrupts."""
from __future__ import annotations

import linecache
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl


@pytest.fixture(autouse=True)
def checked():
    with triton.knobs.cpu.scope():
        triton.knobs.cpu.checked = True
        yield


def marked(error, mark: str) -> bool:
    """Whether the fault names the line of this file that ends with the comment."""
    return linecache.getline(__file__, error.where["line"]).endswith(f"# {mark}\n")


def fault(kernel, grid, *args, **options):
    with pytest.raises(triton.DeviceFault) as caught:
        kernel[grid](*args, device="cpu", **options)
    assert caught.value.where["file"] == __file__
    return caught.value


@triton.jit
def copy(x_ptr, y_ptr, n, N: tl.constexpr):
    offsets = tl.program_id(0) * N + tl.arange(0, N)
    x = tl.load(x_ptr + offsets, mask=offsets < n)  # load
    tl.store(y_ptr + offsets, x, mask=offsets < n)  # store


def test_right_kernel_passes():
    x, y = np.arange(1000, dtype=np.float32), np.zeros(1000, np.float32)
    copy[(8,)](x, y, 1000, N=128, device="cpu")
    np.testing.assert_array_equal(x, y)


def test_load_outside():
    whole = np.arange(1024, dtype=np.float32)
    error = fault(copy, (8,), whole[:1000], np.zeros(1024, np.float32), 1024, N=128)
    assert "load of 4 bytes outside array 'x_ptr': at byte offset 4000 of an array of 4000 bytes" in str(error)
    assert "program (7, 0, 0)" in str(error)
    assert marked(error, "load")


def test_store_outside():
    whole = np.zeros(1024, np.float32)
    error = fault(copy, (8,), np.arange(1024, dtype=np.float32), whole[:1000], 1024, N=128)
    assert "store of 4 bytes outside array 'y_ptr': at byte offset 4000" in str(error)
    assert marked(error, "store")
    assert not whole[1000:].any()


def test_before_the_first_element():
    whole = np.arange(8, dtype=np.float32)

    @triton.jit
    def kernel(x_ptr, y_ptr):
        tl.store(y_ptr, tl.load(x_ptr - 1))  # scalar

    error = fault(kernel, (1,), whole[1:], np.zeros(1, np.float32))
    assert "outside array 'x_ptr': at byte offset -4" in str(error)
    assert marked(error, "scalar")


def test_scattered_and_masked():
    @triton.jit
    def gather(x_ptr, i_ptr, y_ptr, limit, N: tl.constexpr):
        at = tl.arange(0, N)
        which = tl.load(i_ptr + at)
        tl.store(y_ptr + at, tl.load(x_ptr + which, mask=which < limit, other=-1))  # gather

    x, y = np.arange(16, dtype=np.float32), np.zeros(16, np.float32)
    which = np.array([0, 3, 5, 99, 1, 2, 15, 7, 0, 0, 0, 0, 0, 0, 0, 100], np.int32)
    gather[(1,)](x, which, y, 16, N=16, device="cpu")
    np.testing.assert_array_equal(y, np.where(which < 16, which, -1))
    error = fault(gather, (1,), x, which, y, 100, N=16)
    assert "at byte offset 396" in str(error)
    assert marked(error, "gather")


def test_strided_rows():
    @triton.jit
    def column(x_ptr, y_ptr, stride, N: tl.constexpr):
        at = tl.arange(0, N)
        tl.store(y_ptr + at, tl.load(x_ptr + at * stride))  # column

    x, y = np.arange(64, dtype=np.float32).reshape(8, 8), np.zeros(8, np.float32)
    column[(1,)](x, y, 8, N=8, device="cpu")
    np.testing.assert_array_equal(y, x[:, 0])
    error = fault(column, (1,), x, y, 10, N=8)
    assert "outside array 'x_ptr': at byte offset 280" in str(error)


def test_atomics():
    @triton.jit
    def count(x_ptr, at, n, N: tl.constexpr):
        offsets = tl.arange(0, N)
        tl.atomic_add(x_ptr + at + offsets, 1, mask=offsets < n)  # atomic

    x = np.zeros(8, np.int32)
    count[(1,)](x, 4, 4, N=8, device="cpu")
    np.testing.assert_array_equal(x, [0, 0, 0, 0, 1, 1, 1, 1])
    error = fault(count, (1,), x, 4, 5, N=8)
    assert "atomic access of 4 bytes outside array 'x_ptr': at byte offset 32" in str(error)


def test_pointer_that_moves_through_a_loop():
    @triton.jit
    def total(x_ptr, out_ptr, steps, N: tl.constexpr):
        sum = tl.zeros((N,), tl.float32)
        p = x_ptr + tl.arange(0, N)
        for _ in range(steps):
            sum += tl.load(p)  # step
            p += N
        tl.store(out_ptr, tl.sum(sum))

    x, out = np.ones(64, np.float32), np.zeros(1, np.float32)
    total[(1,)](x, out, 4, N=16, device="cpu")
    assert out[0] == 64
    error = fault(total, (1,), x, out, 5, N=16)
    assert "outside array 'x_ptr': at byte offset 256" in str(error)
    assert marked(error, "step")


def test_chosen_pointer():
    @triton.jit
    def either(a_ptr, b_ptr, out_ptr, which, at):
        p = a_ptr if which else b_ptr
        tl.store(out_ptr, tl.load(p + at))

    a, b, out = np.ones(4, np.float32), np.full(4, 2, np.float32), np.zeros(1, np.float32)
    for which in (2, 0):
        either[(1,)](a, b, out, which, 3, device="cpu")
        assert out[0] == (1 if which else 2)
        assert "outside all arrays passed" in str(fault(either, (1,), a, b, out, which, 1 << 20))


def test_reversed_view():
    x, y = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)

    @triton.jit
    def kernel(x_ptr, y_ptr, stride, N: tl.constexpr):
        at = tl.arange(0, N)
        tl.store(y_ptr + at, tl.load(x_ptr + at * stride))

    kernel[(1,)](x[::-1], y, -1, N=8, device="cpu")
    np.testing.assert_array_equal(y, x[::-1])
    assert "at byte offset 32 of an array of 32 bytes" in str(fault(kernel, (1,), x[::-1], y, 1, N=8))


def test_addresses_from_memory_are_not_checked():
    @triton.jit
    def through(table_ptr, out_ptr):
        p = tl.load(table_ptr).to(tl.pointer_type(tl.float32))
        tl.store(out_ptr, tl.load(p))

    x, out = np.full(1, 7, np.float32), np.zeros(1, np.float32)
    through[(1,)](np.array([x.__array_interface__["data"][0]], np.int64), out, device="cpu")
    assert out[0] == 7


@triton.jit
def endless(flag_ptr):
    while tl.load(flag_ptr, volatile=True) == 0:
        pass


@pytest.mark.parametrize("programs", [1, 4])
def test_timeout_ends_an_endless_loop(programs):
    triton.knobs.cpu.timeout = 0.3
    started = time.monotonic()
    with pytest.raises(triton.DeviceFault, match="timeout"):
        endless[(programs,)](np.zeros(1, np.int32), device="cpu")
    assert 0.25 < time.monotonic() - started < 20
    copy[(1,)](np.ones(4, np.float32), np.zeros(4, np.float32), 4, N=4, device="cpu")


def test_ctrl_c_ends_an_endless_loop(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent("""
        import numpy as np
        import triton_metal as triton
        import triton_metal.language as tl

        @triton.jit
        def endless(flag_ptr):
            i = 0
            while tl.load(flag_ptr, volatile=True) == 0:
                i += 1

        flag = np.zeros(1, np.int32)
        endless.warmup(flag, grid=(1,), device="cpu")
        print("ready", flush=True)
        try:
            endless[(2,)](flag, device="cpu")
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """))
    environment = {**os.environ, "TRITON_METAL_CHECKED": "1"}
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == "interrupted\n" and process.returncode == 0


def test_checked_code_is_other_code():
    x, y = np.ones(4, np.float32), np.zeros(4, np.float32)
    with_checks = copy[(1,)](x, y, 4, N=4, device="cpu")
    triton.knobs.cpu.checked = False
    without = copy[(1,)](x, y, 4, N=4, device="cpu")
    assert "triton_metal_check" in with_checks.asm["llir"] and "triton_metal_check" not in without.asm["llir"]
