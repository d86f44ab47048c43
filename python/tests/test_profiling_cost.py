"""Bytes and operations of launches by analysis, held against sums over all programs in NumPy."""
from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
import textwrap

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from triton_metal.profiling.bound import bind
from triton_metal.profiling.cost import launch_cost, launch_costs


def cost_of(kernel, args, grid, device="cpu", **options):
    return launch_cost(*bind(kernel, args, grid, device, **options))


@triton.jit
def add(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=mask) + tl.load(y_ptr + i, mask=mask), mask=mask)


@triton.jit
def grouped(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, GROUP: tl.constexpr):
    """As in Triton's tutorial: programs in groups of rows, pointers that move."""
    pid = tl.program_id(0)
    num_m, num_n = tl.cdiv(M, BM), tl.cdiv(N, BN)
    in_group = GROUP * num_n
    first = pid // in_group * GROUP
    size = min(num_m - first, GROUP)
    pid_m, pid_n = first + (pid % in_group) % size, (pid % in_group) // size
    rows, columns = (pid_m * BM + tl.arange(0, BM)) % M, (pid_n * BN + tl.arange(0, BN)) % N
    k = tl.arange(0, BK)
    a, b = a_ptr + rows[:, None] * K + k[None, :], b_ptr + k[:, None] * N + columns[None, :]
    sums = tl.zeros((BM, BN), tl.float32)
    for step in range(0, tl.cdiv(K, BK)):
        sums += tl.dot(tl.load(a, mask=k[None, :] < K - step * BK, other=0.0), tl.load(b, mask=k[:, None] < K - step * BK, other=0.0))
        a += BK
        b += BK * N
    rows, columns = pid_m * BM + tl.arange(0, BM), pid_n * BN + tl.arange(0, BN)
    mask = (rows[:, None] < M) & (columns[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], sums.to(c_ptr.dtype.element_ty), mask=mask)


@triton.jit
def borders(x_ptr, out_ptr, H, W, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    row, column = i // W, i % W
    inside = (row > 0) & (row < H - 1) & (column > 0) & (column < W - 1)
    around = tl.load(x_ptr + i - W, mask=inside) + tl.load(x_ptr + i + W, mask=inside)
    tl.store(out_ptr + i, tl.where(inside, around, 0.0), mask=i < H * W)


@triton.jit
def causal(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    rows, columns = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, BLOCK)
    sums = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, (tl.program_id(0) + 1) * BLOCK, BLOCK):
        keys = start + columns
        mask = (rows[:, None] >= keys[None, :]) & (keys[None, :] < n)
        sums += tl.sum(tl.load(x_ptr + rows[:, None] * n + keys[None, :], mask=mask, other=0.0), 1)
    tl.store(out_ptr + rows, sums, mask=rows < n)


@triton.jit
def histogram(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr + tl.load(x_ptr + i, mask=i < n, other=0), 1, mask=i < n)


@pytest.mark.parametrize("n", [1, 255, 256, 257, 2**24 - 5])
def test_streams(n, device):
    x, out = np.zeros(4, np.float16), np.zeros(4, np.float16)
    cost = cost_of(add, (x, x, out, n), lambda meta: (triton.cdiv(n, meta["BLOCK"]),), device, BLOCK=256)
    assert cost.is_exact and (cost.bytes_loaded, cost.bytes_stored, cost.bytes) == (4 * n, 2 * n, 6 * n)
    assert cost.float_operations == triton.cdiv(n, 256) * 256 and cost.dot_operations == cost.special_operations == 0


@pytest.mark.parametrize("M, N, K", [(128, 128, 64), (100, 70, 50), (333, 65, 1), (1, 1, 300), (1000, 999, 998)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_grouped_products(M, N, K, dtype):
    a, out = np.zeros(4, dtype), np.zeros(4, dtype)
    BM, BN, BK = 64, 32, 16
    programs = triton.cdiv(M, BM) * triton.cdiv(N, BN)
    cost = cost_of(grouped, (a, a, out, M, N, K), (programs,), BM=BM, BN=BN, BK=BK, GROUP=4)
    assert cost.is_exact
    assert cost.bytes_loaded == programs * K * (BM + BN) * a.itemsize and cost.bytes_stored == M * N * a.itemsize
    assert cost.dot_operations == programs * triton.cdiv(K, BK) * 2 * BM * BN * BK and cost.float_operations == 0


@pytest.mark.parametrize("H, W", [(16, 16), (31, 17), (1, 5), (5, 1)])
def test_masks_of_pictures(H, W):
    x, out = np.zeros(4, np.float32), np.zeros(4, np.float32)
    cost = cost_of(borders, (x, out, H, W), lambda meta: (triton.cdiv(H * W, meta["BLOCK"]),), BLOCK=64)
    inside = max(H - 2, 0) * max(W - 2, 0)
    assert cost.is_exact and (cost.bytes_loaded, cost.bytes_stored) == (2 * 4 * inside, 4 * H * W)


@pytest.mark.parametrize("n", [16, 50, 64])
def test_triangles(n):
    x, out = np.zeros(4, np.float32), np.zeros(4, np.float32)
    programs = triton.cdiv(n, 16)
    rows = np.arange(programs * 16)
    cost = cost_of(causal, (x, out, n), (programs,), BLOCK=16)
    assert cost.is_exact and cost.bytes_loaded == 4 * np.minimum(rows + 1, n).sum() and cost.bytes_stored == 4 * n
    assert cost.float_operations == programs * (programs + 1) // 2 * (16 * 15 + 16)


def test_atomics_and_data():
    x, out = np.zeros(100, np.int32), np.zeros(100, np.int32)
    cost = cost_of(histogram, (x, out, 100), (2,), BLOCK=64)
    assert cost.is_exact and cost.bytes_loaded == cost.bytes_atomic == 400 and cost.bytes == 800  # addresses are no masks

    @triton.jit
    def row(starts_ptr, x_ptr, out_ptr):
        total = 0.0
        for i in range(tl.load(starts_ptr), tl.load(starts_ptr + 1)):
            total += tl.load(x_ptr + i)
        tl.store(out_ptr, total)

    cost = cost_of(row, (x, np.zeros(4, np.float32), np.zeros(4, np.float32)), (1,))
    assert not cost.is_exact and cost.bytes == 8 + 4 + 4
    (reason,) = cost.reasons
    assert reason.what == "the number of iterations depends on loaded data: counted as one" and reason.file == __file__
    assert str(reason).startswith(f"{__file__}:{reason.line}: ")


def test_reasons_name_the_data_behind_floats_and_reductions():
    @triton.jit
    def positive(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        x = tl.load(x_ptr + i, mask=i < n, other=0.0)
        tl.store(out_ptr + i, x, mask=(tl.exp(x) > 2.0) & (i < n))
        if tl.max(x, 0) > 1.0:
            tl.store(out_ptr, 0.0)

    x, out = np.zeros(100, np.float32), np.zeros(100, np.float32)
    cost = cost_of(positive, (x, out, 100), (1,), BLOCK=128)
    assert [reason.what.partition(":")[0] for reason in cost.reasons] == [
        "the mask of this store depends on loaded data", "this condition depends on loaded data"]
    assert (cost.bytes_loaded, cost.bytes_stored) == (400, 400 + 4)  # what is known of a mask holds; an unknown condition does


@pytest.mark.parametrize("n", [-(2**63), -(2**63) + 1, -1, 0, 5, 2**62, 2**63 - 1])
def test_bounds_at_the_ends_of_64_bits(n):
    @triton.jit
    def clipped(x_ptr, out_ptr, n: tl.int64, BLOCK: tl.constexpr):
        i = (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)).to(tl.int64)
        x = tl.load(x_ptr + i, mask=i < n) + tl.load(x_ptr + i, mask=n >= i)
        tl.store(out_ptr + i, x, mask=tl.minimum(i, n) == i)
        tl.store(out_ptr + i, x, mask=i - n < 0)  # wraps

    x, i = np.zeros(4, np.float32), np.arange(3 * 64)
    cost = cost_of(clipped, (x, x, n), (3,), BLOCK=64)
    with np.errstate(over="ignore"):
        wraps = i - np.int64(n) < 0
    assert cost.is_exact and cost.bytes_loaded == 4 * ((i < n).sum() + (i <= n).sum())
    assert cost.bytes_stored == 4 * ((i <= n).sum() + wraps.sum())


def test_loops_whose_length_has_no_64_bits():
    @triton.jit
    def repeated(out_ptr, first: tl.int64, last: tl.int64):
        for i in range(first, last, 2):
            tl.store(out_ptr, i)

    out = np.zeros(4, np.int64)
    cost = cost_of(repeated, (out, 10, -(2**63)), (1,))
    (reason,) = cost.reasons
    assert cost.bytes_stored == 8 and reason.what == "the number of iterations is not followed: counted as one"
    last = 2**63 - 1
    cost = cost_of(repeated, (out, last - 6, last), (1,))
    assert cost.is_exact and cost.bytes_stored == 3 * 8


def test_many_different_programs_take_little_memory():
    text = """
        import resource, sys
        import numpy as np
        import triton_metal as triton
        import triton_metal.language as tl
        from triton_metal.profiling.bound import bind
        from triton_metal.profiling.cost import launch_cost

        @triton.jit
        def scattered(out_ptr, n, BLOCK: tl.constexpr):
            i = tl.arange(0, BLOCK)
            tl.store(out_ptr + i, 1.0, mask=(i ^ tl.program_id(0)) < n)

        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        args = (np.zeros(4, np.float32), 7)
        launch_cost(*bind(scattered, args, (4,), "cpu", BLOCK=16))
        before = peak()
        cost = launch_cost(*bind(scattered, args, (5_900_000,), "cpu", BLOCK=16))
        assert "different programs" in cost.reasons[0].what
        print(peak() - before)
    """
    # A kernel's source is read from its file.
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "grown.py")
        path.write_text(textwrap.dedent(text))
        grown = int(subprocess.run([sys.executable, path], check=True, capture_output=True, text=True).stdout)
    assert grown < 64 << 20


def test_reasons_call_an_atomic_an_atomic():
    @triton.jit
    def marked(x_ptr, out_ptr, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        x = tl.load(x_ptr + i)
        tl.atomic_add(out_ptr + i, x, mask=x > 0)

    x = np.zeros(64, np.float32)
    (reason,) = cost_of(marked, (x, x), (1,), BLOCK=64).reasons
    assert reason.what.startswith("the mask of this atomic depends on loaded data")


def test_the_same_launch_is_counted_once(monkeypatch):
    from triton_metal import _core

    calls = []
    count = _core.launch_costs
    monkeypatch.setattr(_core, "launch_costs", lambda *args: calls.append(args) or count(*args))
    kernel = triton.jit(add.fn)
    x, out = np.zeros(400, np.float32), np.zeros(400, np.float32)
    costs = [cost_of(kernel, (x, y, out, n), (4,), BLOCK=128) for n in (400, 401, 400) for y in (x, out)]
    assert len(calls) <= 4  # once for each n, of aligned and aliasing arrays; addresses make no difference
    assert costs[0] == costs[4] != costs[2]


def test_many_launches_are_counted_together():
    x = np.zeros(4000, np.float32)
    lengths = (100, 3999, 100, 101)
    bounds = [bind(add, (x, x, x, n), (4,), "cpu", BLOCK=1024) for n in lengths]
    compiled = bounds[0].compiled
    launches = [(bound.params, grid) for bound in bounds for grid in ((4, 1, 1), (1, 1, 1))]
    together = launch_costs(compiled, launches)
    assert [cost.bytes_stored for cost in together] == [4 * min(n, 1024 * programs) for n in lengths for programs in (4, 1)]
    assert together == [launch_cost(compiled, *launch) for launch in launches] and launch_costs(compiled, []) == []


def test_refusals():
    from triton_metal import _core

    bound = bind(add, (*[np.zeros(4, np.float32)] * 3, 4), (1,), "cpu", BLOCK=64)
    with pytest.raises(triton.TritonError, match="the block of parameters has 8 bytes"):
        _core.launch_costs(bound.compiled.asm["ttir"], [(bound.params[:8], (1, 1, 1))])
    with pytest.raises(ValueError, match="negative"):
        _core.launch_costs(bound.compiled.asm["ttir"], [(bound.params, (-1, 1, 1))])


@pytest.mark.parametrize("chip, bound, balance", [("apple-m1", "memory", 38.5), ("apple-m1-max", "memory", 26.5)])
def test_intensity(chip, bound, balance):
    a, c = np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32)
    found = triton.compute_intensity(grouped, (a, a, c, 1024, 1024, 1024), (256,), "metal", chip, BM=64, BN=64, BK=16, GROUP=8)
    assert found.operations == 2 * 1024**3 and found.bytes == 16 * 2 * 4 * 1024**2 + 4 * 1024**2
    assert found.intensity == found.operations / found.bytes and found.bound == bound
    assert found.balance == pytest.approx(balance, rel=0.01)
    assert "memory-bound on " + chip in str(found) and "15.5" in str(found)


def test_a_product_with_large_tiles_is_bound_by_arithmetic():
    a, c = np.zeros((4, 4), np.float16), np.zeros((4, 4), np.float16)
    found = triton.compute_intensity(grouped, (a, a, c, 4096, 4096, 4096), (1024,), "metal", "apple-m1", BM=128, BN=128, BK=16, GROUP=8)
    assert found.bound == "compute" and found.intensity > found.balance


def test_an_addition_on_the_cpu():
    x, out = np.zeros(4, np.float32), np.zeros(4, np.float32)
    found = triton.compute_intensity(add, {"x_ptr": x, "y_ptr": x, "out_ptr": out, "n": 4096, "BLOCK": 256}, (16,), "cpu")
    assert found.intensity == 1 / 12 and "0.08 FLOP/byte" in str(found) and found.device == "cpu"
    assert found.bound in (None, "memory")  # where the roofs of the CPU are known
