"""`layout=` of loads and stores: which forms are accepted, what the hints change, that results stay, what is said of those that cannot be
followed."""
from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from arrays import aligned, counted, kernel_from_text, needs_softmetal
from triton_metal import _core
from triton_metal.backends.metal import analyze_memory_access
from triton_metal.errors import LayoutHintWarning

HINTS = (None, "COALESCED", "BLOCK")


def line_of(function, text: str) -> int:
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if text in line)


# Forms --------------------------------------------------------------------------------------------------------------------------


@triton.jit
def copy_kernel(x_ptr, y_ptr, rows, columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LOAD: tl.constexpr, STORE: tl.constexpr):
    r, c = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    mask = (r[:, None] < rows) & (c[None, :] < columns)
    at = r[:, None] * COLUMNS + c[None, :]
    tl.store(y_ptr + at, tl.load(x_ptr + at, mask=mask, other=3, layout=LOAD), mask=mask, layout=STORE)


@pytest.mark.parametrize("layout, attribute", [("COALESCED", "coalesced"), ("BLOCK", "block"), (tl.MemoryLayout.COALESCED, "coalesced"),
                                               (triton.MemoryLayout.BLOCK, "block"), (tl.constexpr("BLOCK"), "block"), (None, "")])
def test_a_member_its_name_and_none_are_accepted(layout, attribute, device):
    x, y = np.arange(256, dtype=np.float32), np.zeros(256, np.float32)
    compiled = copy_kernel[(1,)](x, y, 16, 16, 16, 16, LOAD=layout, STORE=layout, device=device)
    assert (x == y).all()
    ttir = compiled.asm["ttir"]
    assert ttir.count(f'ttm.memory_layout = "{attribute}"') == (2 if attribute else 0)
    assert ttir.count("ttm.") == (2 if attribute else 0)
    again = _core.Module.parse(ttir).text()
    assert again == _core.Module.parse(again).text() and again.count("ttm.memory_layout") == ttir.count("ttm.memory_layout")


FORMS = {
    "member of the enumeration": "tl.store(y + at, tl.load(x + at, layout=tl.MemoryLayout.BLOCK), layout=triton.MemoryLayout.BLOCK)",
    "method": '(y + at).store(tl.load(x + at, layout="BLOCK"), layout="BLOCK")',
    "block pointers": """
    source = tl.make_block_ptr(x, (16, 16), (16, 1), (0, 0), (16, 16), (1, 0))
    target = tl.make_block_ptr(y, (16, 16), (16, 1), (0, 0), (16, 16), (1, 0))
    tl.store(target, tl.load(source, boundary_check=(0, 1), layout="BLOCK"), boundary_check=(0, 1), layout="BLOCK")""",
    "descriptors": """
    source = tl.make_tensor_descriptor(x, [16, 16], [16, 1], [16, 16])
    target = tl.make_tensor_descriptor(y, [16, 16], [16, 1], [16, 16])
    target.store([0, 0], source.load([0, 0], layout="BLOCK"), layout="BLOCK")""",
    "functions of descriptors": """
    source = tl.make_tensor_descriptor(x, [16, 16], [16, 1], [16, 16])
    target = tl.make_tensor_descriptor(y, [16, 16], [16, 1], [16, 16])
    value = tl.load_tensor_descriptor(source, [0, 0], layout="BLOCK")
    tl.store_tensor_descriptor(target, [0, 0], value, layout="BLOCK")""",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_load_and_store_takes_it(form, device):
    kernel = kernel_from_text(f"""
def kernel(x, y):
    at = tl.arange(0, 16)[:, None] * 16 + tl.arange(0, 16)[None, :]
    {FORMS[form].strip()}
""")
    x, y = np.arange(256, dtype=np.float32), np.zeros(256, np.float32)
    compiled = kernel[(1,)](x, y, device=device)
    assert (x == y).all() and compiled.asm["ttir"].count('ttm.memory_layout = "block"') == 2


@pytest.mark.parametrize("layout, message", [("ROWS", "unknown memory layout 'ROWS'; known are 'COALESCED' and 'BLOCK'"),
                                             ("coalesced", "unknown memory layout 'coalesced'"),
                                             (7, "layout must be a MemoryLayout, its name or None, got constexpr[7]")])
def test_an_unknown_name_is_an_error_at_its_place(layout, message, device):
    x = np.zeros(256, np.float32)
    with pytest.raises(triton.CompilationError) as caught:
        copy_kernel[(1,)](x, x, 16, 16, 16, 16, LOAD=layout, STORE=None, device=device)
    text = str(caught.value)
    source, caret = text.splitlines()[-3:-1]
    assert message in text and "tl.store(y_ptr + at, tl.load(" in source and source[caret.index("^"):].startswith("tl.load(")


# What they change -----------------------------------------------------------------------------------------------------------------


@needs_softmetal
def test_a_tile_touches_more_lines_than_rows_do():
    x, y = aligned(64 * 64), aligned(64 * 64)
    transactions = {hint: counted(copy_kernel[(1,)], (x, y, 64, 64, 64, 64, hint, hint))[0]["device_transactions"] for hint in HINTS}
    # A SIMD-group's vectors of 16 bytes: two rows of 256 bytes, or eight rows of 64.
    assert transactions == {None: 2 * 128, "COALESCED": 2 * 128, "BLOCK": 2 * 256}


@triton.jit
def product_kernel(a_ptr, b_ptr, c_ptr, K, M: tl.constexpr, N: tl.constexpr, BLOCK: tl.constexpr, A: tl.constexpr, B: tl.constexpr,
                   C: tl.constexpr):
    rows, columns, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, BLOCK)
    sums = tl.zeros((M, N), tl.float32)
    for start in range(0, K, BLOCK):
        a = tl.load(a_ptr + rows[:, None] * K + (start + k)[None, :], layout=A)
        b = tl.load(b_ptr + (start + k)[:, None] * N + columns[None, :], layout=B)
        sums = tl.dot(a, b, sums)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], sums, layout=C)


@needs_softmetal
def test_operands_of_a_product():
    """BLOCK is how products take their operands; COALESCED reads each line once and passes it through threadgroup memory."""
    a, b, c = aligned(64 * 32), aligned(32 * 64), aligned(64 * 64)
    counters = {hint: counted(product_kernel[(1,)], (a, b, c, 32), M=64, N=64, BLOCK=16, A=hint, B=hint, C=hint)[0] for hint in HINTS}
    assert counters[None] == counters["BLOCK"] and counters[None].get("threadgroup_bytes", 0) == 0
    # A step of A has rows of 64 bytes, half a line each.
    assert counters["COALESCED"]["device_transactions"] == 2 * 64 + (b.nbytes + c.nbytes) // 128 < counters[None]["device_transactions"]
    assert counters["COALESCED"]["threadgroup_bytes"] > 0


# What they never change -----------------------------------------------------------------------------------------------------------


@triton.jit
def mixed_kernel(x_ptr, y_ptr, sum_ptr, turned_ptr, rows_ptr, columns_ptr, rows, columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    r, c = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    mask = (r[:, None] < rows) & (c[None, :] < columns)
    at, turned = r[:, None] * COLUMNS + c[None, :], r[:, None] + c[None, :] * ROWS
    x = tl.load(x_ptr + at, mask=mask, other=1, layout="COALESCED")
    y = tl.load(y_ptr + turned, mask=mask, other=2, layout="BLOCK")
    tl.store(sum_ptr + at, x + y, layout="BLOCK")
    tl.store(turned_ptr + tl.trans(turned), tl.trans(x), mask=tl.trans(mask), layout="COALESCED")
    tl.store(rows_ptr + r, tl.max(x, axis=1), layout="COALESCED")
    tl.store(columns_ptr + c, tl.max(y, axis=0), mask=c < columns)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "int64"])
@pytest.mark.parametrize("shape", [(32, 16), (8, 64)])
def test_results_stay(dtype, shape, device):
    rows, columns = shape
    random = np.random.default_rng(0)
    x = random.integers(-20, 20, shape).astype(dtype)
    y = random.integers(-20, 20, (columns, rows)).astype(dtype)
    for many, wide in [(rows, columns), (rows - 3, columns - 1), (1, 5), (0, 0)]:
        mask = (np.arange(rows)[:, None] < many) & (np.arange(columns)[None, :] < wide)
        total, turned = np.zeros(shape, dtype), np.full((columns, rows), 9, dtype)
        longest, widest = np.zeros(rows, dtype), np.full(columns, 9, dtype)
        mixed_kernel[(1,)](x, y, total, turned, longest, widest, many, wide, rows, columns, device=device, num_warps=2)
        want_x, want_y = np.where(mask, x, 1).astype(dtype), np.where(mask, y.T, 2).astype(dtype)
        np.testing.assert_array_equal(total, want_x + want_y)
        np.testing.assert_array_equal(turned, np.where(mask, x, 9).T)
        np.testing.assert_array_equal(longest, want_x.max(axis=1))
        np.testing.assert_array_equal(widest, np.where(np.arange(columns) < wide, want_y.max(axis=0), 9))


@triton.jit
def scattered_kernel(index_ptr, x_ptr, out_ptr, copy_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, FIRST: tl.constexpr,
                     SECOND: tl.constexpr):
    at = tl.arange(0, ROWS)[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    index = tl.load(index_ptr + at, layout=FIRST)
    x = tl.load(x_ptr + index, layout=SECOND)
    tl.store(out_ptr + index, x + 1, layout="BLOCK")
    tl.store(copy_ptr + at, x, layout=FIRST)


@pytest.mark.parametrize("first, second", [("COALESCED", "BLOCK"), ("BLOCK", None)])
def test_pointers_that_serve_accesses_with_several_hints(first, second, device):
    index = np.random.default_rng(1).permutation(512).astype(np.int32)
    x, out, copy = np.arange(512, dtype=np.float32), np.zeros(512, np.float32), np.zeros(512, np.float32)
    scattered_kernel[(1,)](index, x, out, copy, 16, 32, first, second, device=device)
    want = np.zeros(512, np.float32)
    want[index] = index + 1
    np.testing.assert_array_equal(out, want)
    np.testing.assert_array_equal(copy, index)


@triton.jit
def in_place_kernel(index_ptr, x_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    at = tl.arange(0, ROWS)[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    places = x_ptr + tl.load(index_ptr + at, layout="COALESCED")
    x = tl.load(places, layout="BLOCK")
    tl.store(places, x + 1)


def test_pointers_change_their_layout(device):
    index, x = np.random.default_rng(3).permutation(32 * 64).astype(np.int32), np.arange(32 * 64, dtype=np.float32)
    compiled = in_place_kernel[(1,)](index, x, 32, 64, device=device)
    np.testing.assert_array_equal(x, np.arange(1, 32 * 64 + 1))
    if device == "metal":
        assert "device float* threadgroup*" in compiled.asm["msl"]


@triton.jit
def masked_kernel(x_ptr, mask_ptr, y_ptr, z_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAYOUT: tl.constexpr):
    at = tl.arange(0, ROWS)[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    mask = tl.load(mask_ptr + at) > 0
    x = tl.load(x_ptr + at, mask=mask, other=7, layout=LAYOUT)
    tl.store(y_ptr + at, x)
    tl.store(z_ptr + at, x, mask=mask, layout="COALESCED")


@pytest.mark.parametrize("layout", HINTS)
@pytest.mark.parametrize("columns", [32, 128])
def test_masks_that_are_loaded(layout, columns, device):
    """Each element of a mask is loaded once, also where vectors look at their elements one by one."""
    random = np.random.default_rng(4)
    x, mask = random.standard_normal((16, columns)).astype(np.float32), random.standard_normal((16, columns)).astype(np.float32)
    y, z = np.zeros_like(x), np.zeros_like(x)
    compiled = masked_kernel[(1,)](x, mask, y, z, 16, columns, layout, device=device)
    np.testing.assert_array_equal(y, np.where(mask > 0, x, 7))
    np.testing.assert_array_equal(z, np.where(mask > 0, x, 0))
    if device == "metal":
        assert compiled.asm["msl"].count("params.mask_ptr") == 1


@pytest.mark.parametrize("hints", [("COALESCED", "BLOCK", "COALESCED"), ("BLOCK", "COALESCED", "BLOCK")])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_products_stay(hints, dtype, device):
    random = np.random.default_rng(2)
    a, b = random.standard_normal((32, 32)).astype(dtype), random.standard_normal((32, 16)).astype(dtype)
    plain, hinted = np.zeros((32, 16), np.float32), np.zeros((32, 16), np.float32)
    product_kernel[(1,)](a, b, plain, 32, 32, 16, 16, None, None, None, device=device)
    product_kernel[(1,)](a, b, hinted, 32, 32, 16, 16, *hints, device=device)
    np.testing.assert_array_equal(plain, hinted)
    np.testing.assert_allclose(hinted, a.astype(np.float64) @ b, rtol=1e-4, atol=1e-4)


# What cannot be followed ------------------------------------------------------------------------------------------------------------


@triton.jit
def impossible_kernel(index_ptr, x_ptr, stride, N: tl.constexpr):
    i = tl.arange(0, N)
    index = tl.load(index_ptr + i, layout="BLOCK")
    total = tl.load(x_ptr, layout="COALESCED")
    total += tl.sum(tl.load(x_ptr + index, layout="COALESCED"))
    total += tl.sum(tl.load(x_ptr + i * stride, layout="COALESCED"))
    tl.store(x_ptr + i[:, None] * 2 + tl.arange(0, 2)[None, :], total, layout="BLOCK")


REASONS = [("index = ", "hint BLOCK is ignored: the tensor of shape 32 has one dimension"),
           ("total = tl.load", "hint COALESCED is ignored: one element is accessed"),
           ("x_ptr + index", "because the places come from memory (a gather); the load is compiled as without it"),
           ("i * stride", "no dimension has a step that is 1 at compile time"),
           ("tl.store", "hint BLOCK is ignored: the tensor of shape 32x2 is too small")]


def run_impossible(kernel, device):
    index, x = np.arange(32, dtype=np.int32), np.ones(128, np.float32)
    kernel[(1,)](index, x, 2, 32, device=device)
    assert (x[:64] == 65).all() and (x[64:] == 1).all()


def test_impossible_hints_are_warned_of_at_their_lines(monkeypatch):
    for from_disk in (False, True):
        kernel = triton.jit(impossible_kernel.fn)
        if from_disk:  # nothing is compiled: the warnings come out of the entry
            monkeypatch.setattr("triton_metal.compiler.metal.build", None)
        with pytest.warns(LayoutHintWarning) as caught:
            run_impossible(kernel, "metal")
        assert [(warning.filename, warning.lineno) for warning in caught] == [
            (__file__, line_of(impossible_kernel.fn, text)) for text, _ in REASONS]
        for warning, (_, reason) in zip(caught, REASONS):
            assert reason in str(warning.message)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run_impossible(kernel, "metal")  # once a compilation, not once a launch


@triton.jit
def tiles_kernel(x_ptr, y_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, TURNS: tl.constexpr, LOAD: tl.constexpr, STORE: tl.constexpr):
    at = tl.arange(0, ROWS)[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    x = tl.load(x_ptr + at, layout=LOAD)
    if TURNS:
        x = tl.trans(x)
        at = tl.arange(0, COLUMNS)[:, None] * ROWS + tl.arange(0, ROWS)[None, :]
    tl.store(y_ptr + at, x, layout=STORE)


@pytest.mark.parametrize("hints", [("COALESCED", "BLOCK"), ("BLOCK", "COALESCED")])
def test_hints_that_take_too_much_threadgroup_memory_are_dropped(hints):
    x, y = aligned(128 * 128), aligned(128 * 128)
    x[:] = np.arange(x.size)
    args = (x, y, 128, 128, False, *hints)
    with pytest.warns(LayoutHintWarning) as caught:
        tiles_kernel[(1,)](*args, device="metal")
    assert (x == y).all()
    assert [(warning.filename, warning.lineno) for warning in caught] == [
        (__file__, line_of(tiles_kernel.fn, text)) for text in ("tl.load", "tl.store")]
    for hint, warning in zip(hints, caught):
        assert str(warning.message).startswith(f"layout hint {hint} is ignored: with the kernel's hints, values change their layout "
                                               "through 65536 bytes of threadgroup memory, and there are 32768; the ")
    plain, hinted = (analyze_memory_access(tiles_kernel, (*args[:5], *layouts)) for layouts in ((None, None), hints))
    assert [access.hint for access in hinted.accesses] == [None, None] and hinted.transactions == plain.transactions


def test_a_kernel_that_needs_too_much_without_hints_fails_as_it_is_written():
    x, y = aligned(128 * 64), aligned(128 * 64)
    for hints, required in [((None, None), 33776), (("BLOCK", "COALESCED"), 34800)]:
        with pytest.raises(triton.OutOfResources) as caught:
            tiles_kernel[(1,)](x, y, 128, 64, True, *hints, device="metal")
        assert caught.value.required == required


def test_the_same_hint_is_warned_of_in_each_file():
    text = "def kernel(x_ptr):\n    tl.store(x_ptr, 1.0, layout='COALESCED')\n"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")  # once for each place
        for kernel in (kernel_from_text(text), kernel_from_text(text)):
            for size in (1, 2):
                kernel[(1,)](np.zeros(size, np.float32), device="metal", num_warps=size)
    assert len({warning.filename for warning in caught}) == len(caught) == 2


def test_hints_mean_nothing_on_the_cpu():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_impossible(impossible_kernel, "cpu")
