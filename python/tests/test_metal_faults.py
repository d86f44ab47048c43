"""Each kind of fault, planted in the Metal text of a compiled kernel or in its Python, is reported with MSL's and Python's line."""
import pathlib
import re

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from arrays import needs_softmetal

pytestmark = [needs_softmetal, pytest.mark.never_refused, pytest.mark.usefixtures("checked_metal")]
BARRIER = "metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);"


@triton.jit
def exchange_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    shares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, n, BLOCK):
        x = tl.load(x_ptr + start + offsets)
        shares += x / tl.sum(x, axis=0)
    tl.store(out_ptr + offsets, shares * tl.max(shares, axis=0))


@triton.jit
def overlapping_kernel(x_ptr, out_ptr, STEP: tl.constexpr):
    offsets = tl.program_id(0) * STEP + tl.arange(0, 64)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets))


@triton.jit
def in_place_kernel(x_ptr, counter_ptr, out_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    for _ in range(3):
        x = tl.load(x_ptr + offsets)
        tl.store(x_ptr + offsets, x + 1)
    n = tl.load(counter_ptr)
    tl.store(counter_ptr, n + 1)
    tl.store(out_ptr + n * BLOCK + offsets, tl.load(x_ptr + offsets))


def python_line(words):
    """The number of the first line of this file that has these words: it is a kernel's."""
    return next(i for i, line in enumerate(pathlib.Path(__file__).read_text().splitlines(), 1) if words in line)


def compiled():
    x, out = np.random.default_rng(0).random(1024, np.float32) + 1, np.zeros(512, np.float32)
    return exchange_kernel[(1,)](x, out, 1024, BLOCK=512, device="metal"), x, out


def replaced(text, old, new, which=0):
    """The text with one occurrence of `old` changed, and the number of the line it stands in."""
    places = [m.start() for m in re.finditer(re.escape(old), text)]
    at = places[which]
    return text[:at] + new + text[at + len(old):], text.count("\n", 0, at) + 1


LOAD, SUM, MAX = "tl.load(x_ptr + start", "tl.sum(x", "tl.max(shares"
PLANTED = {
    "race": ("race in threadgroup memory", BARRIER, "", 0, SUM),
    "no flag": ("race in threadgroup memory", BARRIER, BARRIER.replace("mem_threadgroup", "mem_none"), 0, SUM),
    "dropped before the first read": ("threadgroup memory read before it is written", BARRIER, "", 2, MAX),
    "initialisation": ("threadgroup memory read before it is written", "if (lane == 0u)", "if (lane == 40u)", 0, SUM),
    "threadgroup bounds": ("out of bounds in threadgroup memory", "[simdgroup] =", "[simdgroup + 4096u] =", 0, MAX),
    "bounds": ("out of bounds", "(params.x_ptr", "(params.x_ptr + 1024", 0, LOAD),
    "alignment": ("misaligned access", "(params.x_ptr", "(params.x_ptr + 1", 0, LOAD),
    "divergence": ("divergence", BARRIER, f"if (lane < 16u) {BARRIER} else {BARRIER}", 0, SUM),
    "inactive lane": ("value of an inactive lane", "metal::simd_shuffle_xor(x_sum, ushort(1))",
                      "metal::simd_shuffle(x_sum, ushort(40))", 0, SUM),
    "divergent SIMD operation": ("divergence", "x_sum += metal::simd_shuffle_xor(x_sum, ushort(1));",
                                 "if (lane < 3u) x_sum += metal::simd_shuffle_xor(x_sum, ushort(1));", 0, SUM),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_in_the_text(fault):
    kernel, x, out = compiled()
    what, old, new, which, source = PLANTED[fault]
    text, line = replaced(kernel.asm["msl"], old, new, which)
    with pytest.raises(triton.DeviceFault, match=what) as caught:
        kernel.with_msl(text)[(1,)](x, out, 1024)
    found = [int(n) for n in re.findall(r"\(line (\d+) of the Metal text\)", str(caught.value))]
    assert found and abs(found[0] - line) <= 4  # a barrier's absence shows at the access behind it
    assert caught.value.where["file"] == __file__
    assert caught.value.where["line"] == python_line(source)
    assert source in str(caught.value)


def test_the_complete_text_is_silent():
    kernel, x, out = compiled()
    kernel.with_msl(kernel.asm["msl"])[(1,)](x, out, 1024)
    shares = (x.reshape(2, 512) / x.reshape(2, 512).sum(1, keepdims=True)).sum(0)
    np.testing.assert_allclose(out, shares * shares.max(), rtol=1e-5)


def test_two_programs_that_write_one_place():
    x, out = np.zeros(256, np.float32), np.zeros(256, np.float32)
    overlapping_kernel[(4,)](x, out, STEP=64, device="metal")
    with pytest.raises(triton.DeviceFault, match=r"race in device memory(.|\n)*\(line \d+ of the Metal text\)") as caught:
        overlapping_kernel[(4,)](x, out, STEP=48, device="metal")
    assert caught.value.where["line"] == python_line("tl.store(out_ptr + offsets, tl.load")


@pytest.mark.parametrize("block", [1, 4, 32, 64, 128, 512])
def test_copies_of_elements_are_no_race(block):
    """Fewer elements than threads: some lanes hold copies, which are read before one lane writes the element."""
    x, counter, out = np.zeros(block, np.int32), np.ones(1, np.int32), np.zeros((3, block), np.int32)
    in_place_kernel[(1,)](x, counter, out, BLOCK=block, device="metal")
    assert (x == 3).all() and counter[0] == 2
    np.testing.assert_array_equal(out, np.outer([0, 3, 0], np.ones(block)))


@triton.jit
def doubled(p, i):
    return tl.load(p + i * 2)  # in the helper


@triton.jit
def calling_kernel(x_ptr, index_ptr, out_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out_ptr + i, doubled(x_ptr, i) + tl.load(  # the call
        index_ptr + i))


@pytest.mark.parametrize("device", ["cpu", "metal"])
@pytest.mark.parametrize("argument, line", [("x_ptr", "# in the helper"), ("index_ptr", "doubled(x_ptr, i) + tl.load("),
                                            ("out_ptr", "tl.store(out_ptr + i, doubled(")])
def test_each_access_of_a_statement_has_its_place(device, argument, line):
    """One statement of the text holds two loads and a store, from lines and functions of their own."""
    sizes = {name: 8 if name == argument else 128 for name in ("x_ptr", "index_ptr", "out_ptr")}
    with triton.knobs.cpu.scope():
        triton.knobs.cpu.checked = True
        with pytest.raises(triton.DeviceFault) as caught:
            calling_kernel[(2,)](*(np.zeros(size, np.float32) for size in sizes.values()), BLOCK=64, device=device)
    error = caught.value
    assert f"'{argument}'" in str(error) and "[kernel calling_kernel, program (" in str(error)
    assert error.where["line"] == python_line(line), error
    source = pathlib.Path(__file__).read_text().splitlines()[error.where["line"] - 1]
    assert source[error.where["column"] - 1:].startswith("tl.store(" if argument == "out_ptr" else "tl.load("), error


def test_an_array_that_is_passed_twice_is_named_by_both():
    x = np.zeros(8, np.float32)
    with pytest.raises(triton.DeviceFault, match="array 'x_ptr' or 'index_ptr', which has 32 bytes"):
        calling_kernel[(1,)](x, x, np.zeros(64, np.float32), BLOCK=64, device="metal")
