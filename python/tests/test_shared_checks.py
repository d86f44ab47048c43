"""Checked mode on shared arrays: missing barriers, uninitialised elements, bounds; on both devices, with the Python lines."""
import re

import numpy as np
import pytest

import triton_metal as triton

from arrays import kernel_from_text, needs_softmetal

pytestmark = [pytest.mark.never_refused, needs_softmetal]


@pytest.fixture(autouse=True)
def checked():
    with triton.knobs.cpu.scope(), triton.knobs.metal.scope():
        triton.knobs.cpu.checked = triton.knobs.metal.checked = True
        yield


def run(device, text, *arguments, warps=4, **options):
    kernel = kernel_from_text(text)
    kernel[(2,)](*arguments, **options, num_warps=warps, device=device)
    return kernel


def fault(device, text, *arguments, warps=4, **options):
    """The fault of a kernel; the line that it names is the one marked `# here`, the other one `# other`. Lanes of the software Metal
    run one after the other up to a barrier, so there the two may change places."""
    with pytest.raises(triton.DeviceFault) as caught:
        run(device, text, *arguments, warps=warps, **options)
    error, lines = caught.value, text.splitlines()
    marks = {number for number, line in enumerate(lines, 1) if line.endswith("# other")}
    here = {number for number, line in enumerate(lines, 1) if line.endswith("# here")}
    assert error.where["line"] in (here if device == "cpu" else here | marks), error
    assert re.search(r"\[kernel kernel, program \([01], 0, 0\)\]", str(error))
    for number in marks | here - {error.where["line"]}:
        assert re.search(rf"{re.escape(error.where['file'])}:{number}\b", str(error)), error
    return str(error)


GUIDE = """
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    held = tl.shared_memory((BLOCK,), dtype=tl.float32)
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    held[tl.arange(0, BLOCK)] = tl.load(x_ptr + offsets, mask=mask)  # other
    tl.barrier()
    y = held[tl.arange(0, BLOCK)] * 2.0  # here
    tl.store(out_ptr + offsets, y, mask=mask)
"""


@pytest.mark.parametrize("block", [16, 128, 1024])
def test_barrier_between_a_write_and_a_read(device, block, warps):
    """The read of the very element that the lane wrote counts too: which lane that is depends on the layout."""
    x, out = np.ones(2 * block, np.float32), np.zeros(2 * block, np.float32)
    run(device, GUIDE, x, out, x.size, BLOCK=block, warps=warps)
    assert (out == 2).all()
    text = fault(device, GUIDE.replace("    tl.barrier()\n", "\n"), x, out, x.size, BLOCK=block, warps=warps)
    assert "race in" in text and "held" in text and "tl.barrier()" in text


@pytest.mark.parametrize("index", ["(i + 1) % BLOCK", "BLOCK - 1 - i"])
def test_barrier_before_what_another_lane_wrote(device, warps, index):
    """On Metal a lane reads the element before the lane that writes it has had its turn: a race all the same, at the read."""
    text = f"""
def kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    a = tl.shared_memory((BLOCK,), tl.float32)
    i = tl.arange(0, BLOCK)
    a[i] = tl.load(x_ptr + i)  # other
    tl.store(out_ptr + i, a[{index}])  # here
"""
    message = fault(device, text, np.ones(256, np.float32), np.zeros(256, np.float32), BLOCK=256, warps=warps)
    assert "race in" in message and "put tl.barrier() between them" in message and "before it is written" not in message


def test_what_a_lane_reads_before_it_writes_it_is_no_race(device):
    """No barrier would help: the store comes too late."""
    text = """
def kernel(out_ptr, BLOCK: tl.constexpr):
    tile = tl.shared_memory((BLOCK,), tl.float32)
    i = tl.arange(0, BLOCK)
    x = tile[i]  # here
    tile[i] = x + 1.0
"""
    assert "read before it is written" in fault(device, text, np.zeros(64, np.float32), BLOCK=64)


def test_an_atomic_on_what_nobody_wrote(device):
    text = """
def kernel(out_ptr, BLOCK: tl.constexpr):
    tile = tl.shared_memory((BLOCK,), tl.int32)
    tile.atomic_add(tl.arange(0, BLOCK) // 2, 1)  # here
"""
    assert "read before it is written" in fault(device, text, np.zeros(64, np.float32), BLOCK=64)


def test_debug_barrier_orders_too(device):
    x, out = np.ones(128, np.float32), np.zeros(128, np.float32)
    run(device, GUIDE.replace("tl.barrier()", "tl.debug_barrier()"), x, out, x.size, BLOCK=64)
    assert (out == 2).all()


LOOP = """
def kernel(x_ptr, out_ptr, rounds, BLOCK: tl.constexpr):
    tile = tl.shared_memory((BLOCK,), tl.float32)
    i = tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), tl.float32)
    for k in range(rounds):
        tile[i] = tl.load(x_ptr + i) * k  # other
        tl.barrier()
        acc += tile[BLOCK - 1 - i]
        tl.barrier()  # last
    tl.store(out_ptr + tl.program_id(0) * BLOCK + i, acc)
"""


def test_barrier_at_the_end_of_a_loop(device):
    x, out = np.ones(64, np.float32), np.zeros(128, np.float32)
    run(device, LOOP, x, out, 3, BLOCK=64)
    assert (out == 3).all()
    with pytest.raises(triton.DeviceFault, match=r"(?s)race in .*tile.*tl\.barrier\(\)"):
        run(device, LOOP.replace("tl.barrier()  # last", "pass"), x, out, 3, BLOCK=64)


@pytest.mark.parametrize("first, second", [("tile[i] = 1.0", "tile[i] = 2.0"), ("tile[i] = 1.0", "tile[BLOCK - 1 - i] = 2.0"),
                                           ("tile[0] = 1.0", "tile[0] = 2.0"), ("tile[i] = 1.0", "tile.atomic_add(i, 1.0)"),
                                           ("tile.atomic_add(i, 1.0)", "tile[i] = 2.0")])
def test_two_writes(device, first, second):
    text = f"""
def kernel(out_ptr, BLOCK: tl.constexpr):
    tile = tl.shared_memory((BLOCK,), tl.float32)
    i = tl.arange(0, BLOCK)
    tile[i] = 0.0
    tl.barrier()
    {first}  # other
    {second}  # here
"""
    assert "race in" in fault(device, text, np.zeros(64, np.float32), BLOCK=64)


def test_one_store_to_one_element_twice(device):
    text = """
def kernel(out_ptr, BLOCK: tl.constexpr):
    tile = tl.shared_memory((BLOCK,), tl.float32)
    tile[tl.arange(0, BLOCK) // 2] = tl.arange(0, BLOCK) * 1.0  # here
"""
    assert "race in" in fault(device, text, np.zeros(64, np.float32), BLOCK=64)


def test_right_kernels_pass(device, warps):
    """Atomics among themselves, reads among themselves, different elements and different arrays need no barrier."""
    text = """
def kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    a = tl.shared_memory((2, BLOCK), tl.int32)
    b = tl.shared_memory((8,), tl.int32)
    i = tl.arange(0, BLOCK)
    a[0, i] = tl.load(x_ptr + i)
    a[1, i] = 1
    b[tl.arange(0, 8)] = 0
    tl.barrier()
    b.atomic_add(i % 8, a[0, i])
    b.atomic_add(a[0, i] % 8, a[1, BLOCK - 1 - i])
    tl.barrier()
    tl.store(out_ptr + tl.program_id(0) * 8 + tl.arange(0, 8), b[tl.arange(0, 8)] + b[0] * 0)
"""
    x, out = np.arange(64, dtype=np.int32), np.zeros(16, np.int32)
    run(device, text, x, out, BLOCK=64, warps=warps)
    expected = x.reshape(8, 8).sum(0) + 8
    np.testing.assert_array_equal(out, np.append(expected, expected))


def test_read_before_written(device):
    text = """
def kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    tile = tl.shared_memory((BLOCK + 1,), tl.float32)
    i = tl.arange(0, BLOCK)
    tile[i] = tl.load(x_ptr + i)
    tl.barrier()
    tl.store(out_ptr + tl.program_id(0) * BLOCK + i, tile[i + 1])  # here
"""
    message = fault(device, text, np.zeros(64, np.float32), np.zeros(128, np.float32), BLOCK=64)
    assert "read before it is written" in message and "tile" in message


@pytest.mark.parametrize("call", ["s.atomic_add(j, y)", "s.atomic_cas(j, y, y)"])
def test_the_other_half_of_a_word_needs_no_value(device, call):
    """An atomic on 16 bits goes through the word around its element, of which checks ask for the element alone."""
    text = f"""
def kernel(out_ptr, j, k):
    s = tl.shared_memory((4,), tl.float16)
    y = tl.cast(1.0, tl.float16)
    s[k] = y
    tl.barrier()
    {call}  # here
    tl.barrier()
    tl.store(out_ptr + tl.program_id(0), s[k])
"""
    for k in range(4):
        out = np.zeros(2, np.float16)
        run(device, text, out, k, k, warps=1)
        assert (out == (2 if "add" in call else 1)).all()
        assert "read before it is written" in fault(device, text, out, k ^ 1, k, warps=1)
    for j in (-1, 4):
        with pytest.raises(triton.DeviceFault, match="outside shared array 's'|out of bounds in threadgroup memory"):
            run(device, text, np.zeros(2, np.float16), j, 1, warps=1)


@pytest.mark.parametrize("access", ["tl.store(out_ptr + i, tile[i + shift])", "tile[i + shift] = 1.0", "tile.atomic_add(i + shift, 1.0)",
                                    "tile[shift * 18 + 30] = 1.0"])
@pytest.mark.parametrize("shift", [2, -2])
def test_outside(device, access, shift):
    text = f"""
def kernel(out_ptr, shift, BLOCK: tl.constexpr):
    before = tl.shared_memory((BLOCK,), tl.float32)
    tile = tl.shared_memory((BLOCK,), tl.float32)
    after = tl.shared_memory((BLOCK,), tl.float32)
    i = tl.arange(0, BLOCK)
    before[i] = 0.0
    tile[i] = 0.0
    after[i] = 0.0
    tl.barrier()
    {access}  # here
    tl.barrier()
    tl.store(out_ptr + i, before[i] + after[i])
"""
    with pytest.raises(triton.DeviceFault, match="outside shared array 'tile'|out of bounds in threadgroup memory") as caught:
        run(device, text, np.zeros(64, np.float32), shift, BLOCK=64)
    assert text.splitlines()[caught.value.where["line"] - 1].endswith("# here")


@pytest.mark.parametrize("access", ["tl.store(s.data_ptr - 1, 77.0)", "tl.store(s.data_ptr + tl.arange(0, 2) - 2, 77.0)",
                                    "tl.store(out_ptr, tl.load(s.data_ptr - 1))", "s.atomic_add(i - 1, 1.0)", "s[i] = s[i - 1]"])
def test_just_before_the_first_array(device, access):
    """Where the first array begins at the start of threadgroup memory, the access ends at offset 0."""
    text = f"""
def kernel(out_ptr, first, BLOCK: tl.constexpr):
    s = tl.shared_memory((BLOCK,), tl.float32)
    i = first + tl.arange(0, BLOCK)
    s[tl.arange(0, BLOCK)] = 0.0
    tl.barrier()
    {access}  # here
"""
    with pytest.raises(triton.DeviceFault, match="outside shared array 's'|out of bounds in threadgroup memory") as caught:
        run(device, text, np.zeros(1, np.float32), 0, BLOCK=32)
    assert text.splitlines()[caught.value.where["line"] - 1].endswith("# here")


def test_unchecked_runs_on(device):
    """Without checks nothing is looked at, and the CPU, where a program runs in order, gives what the text says."""
    with triton.knobs.cpu.scope():
        triton.knobs.cpu.checked = False
        x, out = np.ones(128, np.float32), np.zeros(128, np.float32)
        run("cpu", GUIDE.replace("    tl.barrier()\n", "\n"), x, out, x.size, BLOCK=64)
        assert (out == 2).all()
