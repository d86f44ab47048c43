"""The space of @jit(autotune=True): what it is built from, and that a size that the kernel cannot do with is left out."""
from __future__ import annotations

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from triton_metal.errors import AutotunerError
from triton_metal.runtime.autotuner_defaults import DEFAULTS, GUIDE_TILES, default_for
from triton_metal.runtime.autotuner_space import Space


@pytest.fixture(autouse=True)
def no_results_of_other_tests(tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_METAL_CACHE_DIR", str(tmp_path / "cache"))


@triton.jit
def block_of(x_ptr, offsets, n, WIDTH: tl.constexpr):
    return tl.load(x_ptr + offsets + tl.arange(0, WIDTH), mask=offsets + tl.arange(0, WIDTH) < n, other=0.0)


@triton.jit
def stream_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr, SQUARE: tl.constexpr = False):
    start = tl.program_id(0) * BLOCK
    x = block_of(x_ptr, start, n, BLOCK)
    if SQUARE:
        x = x * x
    tl.store(out_ptr + start + tl.arange(0, BLOCK), x, mask=start + tl.arange(0, BLOCK) < n)


@triton.jit
def product_kernel(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, NUM_WARPS: tl.constexpr):
    rows, columns = tl.program_id(0) * BM + tl.arange(0, BM), tl.program_id(1) * BN + tl.arange(0, BN)
    sums = tl.zeros((BM, BN), tl.float32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        a = tl.load(a_ptr + rows[:, None] * K + k[None, :], mask=(rows < M)[:, None] & (k < K)[None, :], other=0.0)
        b = tl.load(b_ptr + k[:, None] * N + columns[None, :], mask=(k < K)[:, None] & (columns < N)[None, :], other=0.0)
        sums = tl.dot(a, b, sums)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], sums, mask=(rows < M)[:, None] & (columns < N)[None, :])


@triton.jit
def view_kernel(x_ptr, out_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, FACTOR: tl.constexpr, CAUSAL: tl.constexpr):
    length = ROWS * COLUMNS
    x = tl.load(x_ptr + tl.arange(0, length)) * FACTOR
    if CAUSAL:
        x = -x
    tl.store(out_ptr + tl.arange(0, ROWS), tl.sum(x.reshape((ROWS, COLUMNS)), 1))


def test_sizes_are_what_ends_in_shapes():
    assert Space(stream_kernel).sizes == ["BLOCK"] and not Space(stream_kernel).dot  # through the call of another function
    space = Space(product_kernel)
    assert space.sizes == ["BM", "BN", "BK"] and space.dot
    assert Space(view_kernel).sizes == ["ROWS", "COLUMNS"]
    with pytest.raises(AutotunerError, match="no values can be proposed for FACTOR, CAUSAL.*pass them to the launch, or give configs"):
        Space(view_kernel).configs({}, {}, "cpu", "cpu")
    assert Space(view_kernel).configs({"FACTOR": 2, "CAUSAL": False}, {}, "cpu", "cpu")


def test_begins_with_the_shipped_default_and_leaves_given_sizes_alone():
    first, *rest = Space(product_kernel).configs({}, {}, "cpu", "cpu")
    row = default_for("cpu", 3, True)
    assert tuple(first.kwargs[name] for name in ("BM", "BN", "BK")) == row.sizes and first.kwargs["NUM_WARPS"] == first.num_warps == 4
    assert rest and len({config.spelled() for config in rest}) == len(rest) <= 31
    given = Space(product_kernel).configs({"BM": 32, "BK": 16}, {}, "cpu", "cpu")
    assert all(set(config.kwargs) == {"BN", "NUM_WARPS"} for config in given)
    assert {config.num_warps for config in Space(stream_kernel).configs({}, {"num_warps": 2}, "metal", "apple-m1")} == {2}


@pytest.mark.parametrize("chip, warps, tiles", [("apple-m1", {4, 8}, {16, 32, 64}), ("apple-m2-pro", {4, 8}, {32, 64, 128}),
                                                ("apple-m3", {8, 16}, {32, 64, 128}), ("apple-m5-max", {8, 16}, {32, 64, 128})])
def test_the_guides_ranges_are_in_the_space_of_each_chip(chip, warps, tiles):
    streams = Space(stream_kernel).configs({}, {}, "metal", chip)
    assert warps <= {config.num_warps for config in streams}
    products = Space(product_kernel).configs({"BK": 16}, {}, "metal", chip)
    assert tiles <= {config.kwargs["BM"] for config in products} and tiles <= {config.kwargs["BN"] for config in products}
    assert set(GUIDE_TILES) == {13, 14, 15}


@pytest.mark.parametrize("chip, block, warps", [("apple-m1-ultra", 512, 4), ("apple-m2", 512, 4), ("apple-m3-pro", 1024, 8),
                                                 ("apple-m5", 1024, 8)])
def test_the_chip_says_where_a_search_begins(chip, block, warps):
    first, second, *_ = Space(stream_kernel).configs({}, {}, "metal", chip)
    assert (first.kwargs, first.num_warps) == ({"BLOCK": block}, warps)
    assert second != first


def test_shipped_table_has_a_row_for_every_shape():
    for chip in ("cpu", "apple-m1", "apple-m5-max"):
        for sizes in (1, 2, 3):
            for dot in (False, True):
                row = default_for(chip, sizes, dot)
                assert row and all(size & (size - 1) == 0 for size in row.sizes)
    assert default_for("cpu", 7, False) is None and len(DEFAULTS) == len(set(DEFAULTS))


def test_defaults_of_the_kernel_are_known_good():

    def kernel(x_ptr, BLOCK: tl.constexpr = 256):
        tl.store(x_ptr + tl.arange(0, BLOCK), tl.arange(0, BLOCK))

    assert Space(triton.jit(kernel)).configs({}, {}, "cpu", "cpu")[0].kwargs == {"BLOCK": 256}


def test_tunes_without_configurations(device):
    tuned = triton.jit(stream_kernel.fn, autotune=True)
    x, out = np.arange(3000, dtype=np.float32), np.zeros(3000, np.float32)
    tuned[lambda meta: (triton.cdiv(3000, meta["BLOCK"]),)](x, out, 3000, device=device)
    np.testing.assert_array_equal(out, x)
    assert len(tuned.report.rows) >= 7 and tuned.best_config.kwargs["BLOCK"] >= 64


def test_rows_that_do_not_fit_the_block_are_left_out(device):
    """A size that must cover a row cannot be chosen freely: what is too small gives other results, and is never timed."""

    def softmax(x_ptr, out_ptr, columns, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        row = tl.program_id(0)
        x = tl.load(x_ptr + row * columns + i, mask=i < columns, other=float("-inf"))
        e = tl.exp(x - tl.max(x, 0))
        tl.store(out_ptr + row * columns + i, e / tl.sum(e, 0), mask=i < columns)

    tuned = triton.jit(softmax, autotune=True)
    x = np.random.default_rng(0).standard_normal((5, 300)).astype(np.float32)
    out = np.zeros_like(x)
    tuned[(5,)](x, out, 300, device=device)
    e = np.exp(x - x.max(1, keepdims=True))
    np.testing.assert_allclose(out, e / e.sum(1, keepdims=True), rtol=1e-5)
    assert tuned.best_config.kwargs["BLOCK"] >= 512
    wrong = {row.config.kwargs["BLOCK"] for row in tuned.report.rows if "differ from the largest configuration" in row.outcome}
    assert wrong == {64, 128, 256}


def test_sizes_beyond_the_array_are_left_out(device):
    """Without a mask a block must not be larger than the array; the check on the cpu sees it before anything is run for real."""

    def copy(x_ptr, out_ptr, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(out_ptr + i, tl.load(x_ptr + i))

    tuned = triton.jit(copy, autotune=True)
    memory = np.zeros(8192, np.float32)
    out = memory[:256]  # what lies behind would be hit
    x = np.arange(256, dtype=np.float32)
    tuned[lambda meta: (triton.cdiv(256, meta["BLOCK"]),)](x, out, device=device)
    np.testing.assert_array_equal(out, x)
    assert not memory[256:].any() and tuned.best_config.kwargs["BLOCK"] <= 256
    assert {row.config.kwargs["BLOCK"] for row in tuned.report.rows if row.outcome.startswith("wrong")} >= {512, 1024, 4096}


def test_written_arguments_come_back_from_the_check():

    def add_one(x_ptr, n, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(x_ptr + i, tl.load(x_ptr + i, mask=i < n) + 1, mask=i < n)

    x = np.zeros(1000, np.float32)
    triton.jit(add_one, autotune=True)[lambda meta: (triton.cdiv(1000, meta["BLOCK"]),)](x, 1000, device="cpu")
    assert (x == 1).all()


def test_what_the_caller_fixes_makes_another_search():
    tuned = triton.jit(stream_kernel.fn, autotune=True)
    x, out = np.arange(100, dtype=np.float32), np.zeros(100, np.float32)
    tuned[(1,)](x, out, 100, BLOCK=128, device="cpu")
    assert "BLOCK" not in tuned.best_config.kwargs
    tuned[lambda meta: (triton.cdiv(100, meta["BLOCK"]),)](x, out, 100, device="cpu")
    assert tuned.best_config.kwargs["BLOCK"] and len(tuned.cache) == 2


def test_a_space_and_its_errors_need_a_jit_function():

    class Foreign:
        arg_names = ["x"]

        def run(self, *args, **kwargs):
            return None

    from triton_metal.runtime.autotuner import Autotuner
    with pytest.raises(TypeError, match="cannot be built for a Foreign"):
        Autotuner(Foreign(), ["x"], [triton.Config({})], None)
