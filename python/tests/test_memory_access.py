"""`analyze_memory_access`: transactions as counting mode counts them, patterns, and the reasons that are given."""
from __future__ import annotations

import inspect
import json
import time

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from triton_metal import knobs
from triton_metal.profiling.explain import explain
from arrays import aligned, counted, needs_softmetal


@triton.jit
def stream_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, x, mask=i < n)


@triton.jit
def strided_kernel(x_ptr, y_ptr, stride, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i * stride)
    tl.store(y_ptr + i, x)


@triton.jit
def rows_kernel(x_ptr, y_ptr, pitch, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAYOUT: tl.constexpr):
    r, c = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    x = tl.load(x_ptr + r[:, None] * pitch + c[None, :], layout=LAYOUT)
    tl.store(y_ptr + r[:, None] * COLUMNS + c[None, :], x, layout=LAYOUT)


@triton.jit
def transposed_kernel(x_ptr, y_ptr, N: tl.constexpr):
    r = tl.arange(0, N)
    x = tl.load(x_ptr + r[:, None] * N + r[None, :])
    tl.store(y_ptr + r[:, None] * N + r[None, :], tl.trans(x))


@triton.jit
def badly_transposed_kernel(x_ptr, y_ptr, N: tl.constexpr, BLOCK: tl.constexpr):
    r = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + r * N)
    tl.store(y_ptr + r, x)


@triton.jit
def broadcast_kernel(x_ptr, y_ptr, N: tl.constexpr):
    r = tl.arange(0, N)
    x = tl.load(x_ptr + r[:, None] * 0 + r[None, :])
    one = tl.load(y_ptr)
    tl.store(y_ptr + r[:, None] * N + r[None, :], x * one)


@triton.jit
def product_kernel(a_ptr, b_ptr, c_ptr, M, N, K, pitch, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    rows, columns, k = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M), tl.arange(0, BLOCK_N), tl.arange(0, BLOCK_K)
    a_ptrs = a_ptr + (rows % M)[:, None] * pitch + k[None, :]
    b_ptrs = b_ptr + k[:, None] * N + columns[None, :]
    sums = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, K, BLOCK_K):
        a = tl.load(a_ptrs, mask=k[None, :] < K - start, other=0.0)
        b = tl.load(b_ptrs, mask=k[:, None] < K - start, other=0.0)
        sums = tl.dot(a, b, sums)
        a_ptrs += BLOCK_K
        b_ptrs += BLOCK_K * N
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], sums, mask=(rows[:, None] < M) & (columns[None, :] < N))


@triton.jit
def mean_kernel(x_ptr, y_ptr, n, pitch, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, n, BLOCK):
        i = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * pitch + i, mask=i < n, other=0.0)
        total += x
    tl.store(y_ptr + row, tl.sum(total) / n)


@triton.jit
def gather_kernel(index_ptr, x_ptr, y_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    index = tl.load(index_ptr + i)
    x = tl.load(x_ptr + index)
    tl.store(y_ptr + i, x, mask=x > 0)


def arrays(*sizes, dtype=np.float32):
    return [aligned(size, dtype) for size in sizes]


#: name: kernel, arguments, patterns of the accesses
CASES = {
    "contiguous": lambda: (stream_kernel, (*arrays(2048, 2048), 2048, 1024), ["contiguous"] * 2),
    "a few": lambda: (stream_kernel, (*arrays(2048, 2048), 3, 1024), ["contiguous"] * 2),
    "nothing": lambda: (stream_kernel, (*arrays(2048, 2048), 0, 1024), ["contiguous"] * 2),
    "masked": lambda: (stream_kernel, (*arrays(2048, 2048), 1003, 1024), ["contiguous"] * 2),
    "halves": lambda: (stream_kernel, (*arrays(2048, 2048, dtype=np.float16), 1008, 1024), ["contiguous"] * 2),
    "bytes": lambda: (stream_kernel, (*arrays(2048, 2048, dtype=np.int8), 1024, 1024), ["contiguous"] * 2),
    "int64": lambda: (stream_kernel, (*arrays(2048, 2048, dtype=np.int64), 1024, 1024), ["contiguous"] * 2),
    "of two widths": lambda: (stream_kernel, (aligned(2048, np.int64), aligned(2048), 1024, 1024), ["contiguous"] * 2),
    "unaligned": lambda: (stream_kernel, (aligned(2048)[1:], aligned(2048), 1024, 1024), ["contiguous"] * 2),
    "strided": lambda: (strided_kernel, (*arrays(4096, 1024), 3, 1024), ["strided by 3", "contiguous"]),
    "far apart": lambda: (strided_kernel, (*arrays(64 * 256, 256), 64, 256), ["strided by 64", "contiguous"]),
    "backwards": lambda: (strided_kernel, (aligned(1024)[::-1], aligned(1024), -1, 1024), ["reversed", "contiguous"]),
    "uniform": lambda: (strided_kernel, (*arrays(1, 1024), 0, 1024), ["uniform", "contiguous"]),
    "rows": lambda: (rows_kernel, (*arrays(64 * 96, 64 * 32), 96, 64, 32, None), ["rows of 32, 96 apart", "contiguous"]),
    "odd rows": lambda: (rows_kernel, (*arrays(64 * 67, 64 * 32), 67, 64, 32, None), ["rows of 32, 67 apart", "contiguous"]),
    "tiles": lambda: (rows_kernel, (*arrays(64 * 96, 64 * 32), 96, 64, 32, "BLOCK"), ["rows of 32, 96 apart", "contiguous"]),
    "transposed": lambda: (transposed_kernel, (*arrays(4096, 4096), 64), ["contiguous"] * 2),
    "a column": lambda: (badly_transposed_kernel, (*arrays(64 * 1024, 1024), 64, 1024), ["strided by 64", "contiguous"]),
    "broadcast": lambda: (broadcast_kernel, (*arrays(64, 4096), 64), ["contiguous, the same along dimension 0", "uniform", "contiguous"]),
    "a product": lambda: (product_kernel, (*arrays(64 * 48, 48 * 64, 64 * 64), 64, 64, 48, 48, 64, 64, 16),
                          ["rows of 16, 48 apart", "contiguous", "contiguous"]),
    "rows that wrap": lambda: (product_kernel, (*arrays(64 * 40, 40 * 64, 64 * 64), 60, 64, 40, 40, 64, 64, 16),
                               ["rows of 16 at irregular places", "contiguous", "contiguous"]),
    "a loop": lambda: (mean_kernel, (*arrays(1000, 4), 1000, 1000, 256), ["contiguous", "uniform"]),
    "a loop over unaligned rows": lambda: (mean_kernel, (aligned(1024)[1:], aligned(4), 1000, 999, 128), ["contiguous", "uniform"]),
}


@needs_softmetal
@pytest.mark.parametrize("case", CASES)
def test_transactions_are_those_that_are_counted(case):
    kernel, args, patterns = CASES[case]()
    report = metal.analyze_memory_access(kernel, args)
    counters, _ = counted(kernel[(1,)], args)
    assert report.exact and report.transactions == counters["device_transactions"]
    assert [access.pattern for access in report.accesses] == patterns
    assert all(access.ideal_transactions <= access.transactions for access in report.accesses)


@needs_softmetal
def test_what_data_decides_is_said_to_be_unknown():
    index, x, y = aligned(256, np.int32), aligned(256), aligned(256)
    report = metal.analyze_memory_access(gather_kernel, dict(index_ptr=index, x_ptr=x, y_ptr=y, N=256))
    known, gathered, stored = report.accesses
    assert known.exact and known.transactions == known.ideal_transactions
    assert gathered.pattern == "gather" and gathered.transactions is None and "loaded data" in gathered.unknown
    assert stored.transactions == 8 and not stored.exact and "mask" in stored.unknown
    assert not report.exact and report.transactions is None
    assert "the places come from memory (a gather)" in gathered.reasons[0].what


@triton.jit
def loop_of_data_kernel(count_ptr, x_ptr, y_ptr, N: tl.constexpr):
    i = tl.arange(0, N)
    total = tl.zeros((N,), tl.float32)
    for step in range(tl.load(count_ptr)):
        total += tl.load(x_ptr + step * N + i)
    tl.store(y_ptr + i, total)


def test_a_loop_that_data_ends():
    report = metal.analyze_memory_access(loop_of_data_kernel, (aligned(1, np.int32), *arrays(512, 512), 512))
    assert not report.exact and all("how often it runs" in access.unknown or "loaded data" in access.unknown for access in report.accesses)


def test_a_record_has_its_line_and_its_layout():
    x, y = arrays(2048, 2048)
    report = metal.analyze_memory_access(stream_kernel, (x, y, 2048, 1024), grid=(2,), num_warps=8)
    load, store = report.accesses
    lines, first = inspect.getsourcelines(stream_kernel.fn)
    assert (load.file, load.line, load.source) == (__file__, first + 3, lines[3].strip())
    assert (load.kind, load.element, load.shape, load.vector, load.vector_bytes, load.lane_stride) == ("load", "fp32", (1024,), 4, 16, 4)
    assert load.transactions_per_access == load.ideal_per_access == 4 and load.bytes == 4096 and load.masked and not load.reasons
    assert (store.kind, store.line) == ("store", first + 4) and report.num_warps == 8 and report.grid == (2, 1, 1)
    read = json.loads(report.to_json())
    assert read["transactions"] == report.transactions == 64 and read["accesses"][0]["pattern"] == "contiguous"
    text = str(report)
    assert lines[3].strip() in text and "4 (16 B)" in text and "64 transactions in all" in text


@triton.jit(do_not_specialize=["x_ptr", "one"])
def unspecialised_kernel(x_ptr, y_ptr, one, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i)
    y = tl.load(x_ptr + i * one)
    tl.store(y_ptr + i, x + y)


@triton.jit
def reasons_kernel(x_ptr, y_ptr, n, modulus, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    wrapped = tl.load(x_ptr + i % modulus)
    other = tl.load(x_ptr + i, mask=i < n, other=wrapped)
    late = tl.load(x_ptr + 2 + i)
    tl.store(y_ptr + i, other + late)


def reasons_of(kernel, args, number, **options):
    access = metal.analyze_memory_access(kernel, args, **options).accesses[number]
    assert all(reason.remedy for reason in access.reasons)
    return access, " | ".join(reason.what for reason in access.reasons)


@pytest.mark.parametrize("case, number, vector, words", [
    ("unaligned", 0, 1, ["x_ptr does not start at a multiple of 16 bytes", "begin inside of a transaction"]),
    ("unaligned", 1, 1, ["a lane holds single elements, because it shares the layout of the load at line"]),
    ("strided", 0, 1, ["neighbours are 3 elements apart in memory (stride = 3)", "of each transaction of 128 bytes 42 bytes"]),
    ("odd rows", 0, 1, ["pitch = 67 is no multiple of 16", "begin inside of a transaction"]),
    ("tiles", 1, 4, ['one access has 64 bytes in a row, because layout="BLOCK" asks for a tile']),
    ("a product", 1, 2, ["a lane holds 2 neighbours and one access has 32 bytes in a row", "fragments of the matrix product of line"]),
    ("rows that wrap", 0, 1, ["pitch = 40 is no multiple of 16"]),
    ("masked", 0, 4, ["the mask may end inside of a vector"]),
    ("halves", 0, 4, ["Metal's vectors have 4 elements at most, here 8 of the 16 bytes"]),
    ("of two widths", 1, 2, ["a lane holds 2 neighbours, because it shares the layout of the load at line"]),
    ("contiguous", 0, 4, []),
    ("uniform", 0, 1, []),
])
def test_reasons(case, number, vector, words):
    kernel, args, _ = CASES[case]()
    access, said = reasons_of(kernel, args, number)
    assert access.vector == vector and all(word in said for word in words), said
    assert bool(said) == bool(words)


@triton.jit
def two_products_kernel(a_ptr, b_ptr, c_ptr, d_ptr, N: tl.constexpr):
    r = tl.arange(0, N)
    at = r[:, None] * N + r[None, :]
    a, b, c = tl.load(a_ptr + at), tl.load(b_ptr + at), tl.load(c_ptr + at)
    first = tl.dot(a, b)
    second = tl.dot(first, c)
    tl.store(d_ptr + at, second)


@pytest.mark.parametrize("number, product", [(0, "first ="), (1, "first ="), (2, "second ="), (3, "second =")])
def test_the_product_that_a_reason_names(number, product):
    lines, start = inspect.getsourcelines(two_products_kernel.fn)
    line = start + next(i for i, text in enumerate(lines) if product in text)
    assert f"of the matrix product of line {line}" in reasons_of(two_products_kernel, (*arrays(*[1024] * 4), 32), number)[1]


def test_reasons_of_arguments_that_are_not_specialised():
    x, y = arrays(1024, 1024)
    _, said = reasons_of(unspecialised_kernel, (x, y, 1, 1024), 0)
    assert said.startswith("the alignment of x_ptr is not known when the kernel is compiled, although it is aligned here")
    _, said = reasons_of(unspecialised_kernel, (x, y, 1, 1024), 1)
    assert said.startswith("one = 1 is not known when the kernel is compiled")


def test_reasons_of_offsets_and_of_other():
    x, y = arrays(2048, 1024)
    assert "the offsets go through `%`" in reasons_of(reasons_kernel, (x, y, 1024, 1000, 1024), 0)[1]
    assert "other= is a tensor" in reasons_of(reasons_kernel, (x, y, 1024, 1000, 1024), 1)[1]
    assert "the offsets are multiples of 2 elements only" in reasons_of(reasons_kernel, (x, y, 1024, 1000, 1024), 2)[1]
    assert "fewer elements than 128 lanes of 4" in reasons_of(stream_kernel, (x, y, 64, 64), 0)[1]


@triton.jit
def renamed_kernel(a_ptr, b_ptr, scale_ptr, c_ptr, N: tl.constexpr):
    r = tl.arange(0, N)
    at = r[:, None] * N + r[None, :]
    scale = tl.load(scale_ptr + r)
    a, b = tl.load(a_ptr + at), tl.load(b_ptr + at)
    tl.store(c_ptr + at, tl.dot(a, b * scale[None, :]))


@triton.jit
def walk_kernel(x_ptr, y_ptr, n, SCATTERS: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), tl.float32)
    step = 0
    while step < n:
        if SCATTERS:
            total += tl.load(x_ptr + (i ^ step) % 37)
        else:
            total += tl.load(x_ptr + i + step, mask=i < 1000, other=0)
        step += 1
    tl.store(y_ptr + i, total)


def test_many_runs_of_an_access_are_counted_in_bounded_time():
    began = time.process_time()
    report = metal.analyze_memory_access(walk_kernel, (*arrays(32768, 4096), 20_000, False, 4096))
    few = metal.analyze_memory_access(walk_kernel, (*arrays(32768, 4096), 32, False, 4096))
    (many, stored), (once, _) = report.accesses, few.accesses
    assert report.exact and many.runs == 20_000 and stored.transactions == 128
    assert many.transactions * 32 == once.transactions * 20_000 and many.bytes == 20_000 * 4000  # places in a line come round after 32
    scattered, stored = metal.analyze_memory_access(walk_kernel, (*arrays(37, 4096), 20_000, True, 4096)).accesses
    assert not scattered.exact and scattered.transactions is None and "differ too often to be counted" in scattered.unknown
    assert "runs too long to be followed to its end" in stored.unknown
    assert time.process_time() - began < 3


def test_what_a_product_takes_through_a_broadcast():
    access, said = reasons_of(renamed_kernel, (*arrays(1024, 1024, 32, 1024), 32), 0)
    assert access.vector == 1 and not access.exact and "takes it renamed (tl.trans, a broadcast)" in said
    assert reasons_of(renamed_kernel, (*arrays(1024, 1024, 32, 1024), 32), 1)[0].vector == 2


def test_tuned_kernels_and_compiled_ones():
    x, y = arrays(1024, 1024)
    tuned = triton.jit(configs=[triton.Config({"BLOCK": 512, "NUM_WARPS": 2})])(stream_kernel.fn)
    report = metal.analyze_memory_access(tuned, (x, y, 1024))
    assert report.num_warps == 2 and report.accesses[0].shape == (512,)
    compiled = stream_kernel.warmup(x, y, 1024, BLOCK=256, grid=(1,), device="metal")
    assert metal.analyze_memory_access(compiled, (x, y, 1024)).accesses[0].shape == (256,)


def test_a_compiled_kernel_keeps_its_chip():
    with knobs.metal.scope():
        knobs.metal.chip = "apple-m1"
        compiled = stream_kernel.warmup(*arrays(1024, 1024), 1024, BLOCK=256, grid=(1,), device="metal")
        knobs.metal.chip = "apple-m4"
        assert compiled.metadata.chip == compiled.with_msl(compiled.asm["msl"]).metadata.chip == "apple-m1"
        assert metal.analyze_memory_access(compiled, (*arrays(1024, 1024), 1024)).chip == "apple-m1"
        assert explain(compiled, (*arrays(1024, 1024), 1024), device="metal").chip == "apple-m1"
        assert triton.compute_intensity(compiled, (*arrays(1024, 1024), 1024)).device == "apple-m1"
        assert metal.analyze_memory_access(stream_kernel, (*arrays(1024, 1024), 1024, 256)).chip == "apple-m4"
