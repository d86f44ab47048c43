"""Kernels that Apple's compiler made for MLX, run by the software Metal and compared with NumPy in float64."""
import functools
import re
import statistics
import time

import numpy as np
import pytest

import metal_corpus
import softmetal_native as sm

pytestmark = pytest.mark.skipif(sm.library_path() is None, reason="libsoftmetal is not built")
CHECKS = [pytest.param(0, id="fast"), pytest.param(sm.ALL & ~sm.DIVERGENCE, id="checked")]
random = np.random.default_rng(0)


@functools.lru_cache(None)
def library(system=14):
    return sm.Library(path=metal_corpus.metallib(system))


def normal(*shape, dtype=np.float32, scale=1):
    return (random.standard_normal(shape) * scale).astype(dtype)


def to_bf16(x):
    """The bits of float32 values as bfloat16, to nearest even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(x):
    return (x.astype(np.uint32) << 16).view(np.float32)


def softmax(x):
    x = x.astype(np.float64)
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


BINARY = {"Add": np.add, "Subtract": np.subtract, "Multiply": np.multiply, "Divide": np.divide, "Maximum": np.maximum,
          "Minimum": np.minimum}


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, checks):
    a, b, c = normal(1000), normal(1000) + 3, np.zeros(1000, np.float32)
    library().kernel(f"vv_{name}float32", checks=checks).run({0: a, 1: b, 2: c, 3: np.uint32(1000)}, grid=(1000,), threads=(256,))
    assert np.array_equal(c, BINARY[name](a, b))


UNARY = {"Exp": np.exp, "Log": np.log, "Sqrt": np.sqrt, "Tanh": np.tanh, "Sin": np.sin, "Square": np.square}


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    a, c = np.abs(normal(777)) + 0.1, np.zeros(777, np.float32)
    library().kernel(f"v_{name}float32float32").run({0: a, 1: c, 2: np.uint32(777)}, grid=(777,), threads=(256,))
    assert np.allclose(c, UNARY[name](a.astype(np.float64)), rtol=3e-6, atol=1e-6)


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("kind, threads", [("block", 256), ("looped", 1024)])
def test_softmax(kind, threads, checks):
    x, y = normal(16, 1000, scale=3), np.zeros((16, 1000), np.float32)
    kernel = library().kernel(f"{kind}_softmax_float32", checks=checks)
    kernel.run({0: x, 1: y, 2: np.int32(1000)}, groups=(16,), threads=(threads,), seed=3)
    assert np.abs(y - softmax(x)).max() < 1e-6


def test_softmax_half():
    x, y = normal(16, 1000, dtype=np.float16, scale=3), np.zeros((16, 1000), np.float16)
    library().kernel("block_softmax_precise_float16").run({0: x, 1: y, 2: np.int32(1000)}, groups=(16,), threads=(256,))
    assert np.abs(y - softmax(x)).max() < 4e-4


@pytest.mark.parametrize("checks", CHECKS)
def test_rms_norm(checks):
    x, w, y = normal(8, 1000), normal(1000), np.zeros((8, 1000), np.float32)
    library().kernel("rmsfloat32", {20: True}, checks=checks).run(
        {0: x, 1: w, 2: y, 3: np.float32(1e-5), 4: np.uint32(1000), 5: np.uint32(1)}, groups=(8,), threads=(256,))
    reference = x / np.sqrt((x.astype(np.float64)**2).mean(1, keepdims=True) + 1e-5) * w
    assert np.abs(y - reference).max() < 1e-5


@pytest.mark.parametrize("checks", CHECKS)
def test_layer_norm(checks):
    x, w, b, y = normal(8, 1024), normal(1024), normal(1024), np.zeros((8, 1024), np.float32)
    library().kernel("layer_normfloat32", {20: True}, checks=checks).run(
        {0: x, 1: w, 2: b, 3: y, 4: np.float32(1e-5), 5: np.uint32(1024), 6: np.uint32(1), 7: np.uint32(1)}, groups=(8,), threads=(128,))
    d = x.astype(np.float64)
    reference = (d - d.mean(1, keepdims=True)) / np.sqrt(d.var(1, keepdims=True) + 1e-5) * w + b
    assert np.abs(y - reference).max() < 1e-5


@pytest.mark.parametrize("name, function", [("sum", np.sum), ("max", np.max), ("min", np.min)])
def test_row_reduce(name, function):
    x, y = normal(60, 3000), np.zeros(60, np.float32)
    kernel = library().kernel(f"row_reduce_simple_{name}float32")
    kernel.run({0: x, 1: y, 2: np.uint64(3000), 3: np.int64(60)}, groups=(1, 15), threads=(256,))
    assert np.allclose(y, function(x.astype(np.float64), axis=1), rtol=1e-5, atol=1e-4)


def test_all_reduce():
    x, y = normal(100000), np.zeros(1, np.float32)
    library().kernel("all_reduce_sumfloat32").run({0: x, 1: y, 2: np.uint64(100000), 3: np.uint64(100000)}, groups=(1, 1), threads=(1024,))
    assert abs(y[0] - x.astype(np.float64).sum()) < 1e-3


@pytest.mark.parametrize("name, function", [("argmax", np.argmax), ("argmin", np.argmin)])
def test_arg_reduce(name, function):
    x, y = normal(6, 777), np.zeros(6, np.uint32)
    buffers = {0: x, 1: y, 2: np.int32([6]), 3: np.int64([777]), 4: np.int64([1]), 5: np.uint64(1), 6: np.int64(1), 7: np.uint64(777)}
    library().kernel(f"{name}_float32").run(buffers, groups=(1, 6), threads=(256,))
    assert np.array_equal(y, function(x, axis=1))


def test_scan():
    x, y = normal(8, 1000), np.zeros((8, 1000), np.float32)
    library().kernel("contig_scan_inclusive_sum_float32_float32").run({0: x, 1: y, 2: np.uint64(1000)}, groups=(1, 8), threads=(256,))
    assert np.abs(y - np.cumsum(x.astype(np.float64), axis=1)).max() < 1e-4


def gemm_params(m, n, k, bm, bn, bk, transposed=False):
    """MLX's GEMMParams: M, N, K, three leading dimensions, tiles, three batch strides, swizzle, aligned K iterations, batch."""
    params = np.zeros(18, np.int32)
    params[:8] = m, n, k, k, (k if transposed else n), n, -(-n // bn), -(-m // bm)
    params[8:14].view(np.int64)[:] = m * k, k * n, m * n
    params[14:17] = 0, k // bk, 1
    return params


GEMM_CONSTANTS = {10: False, 100: False, 110: False, 200: True, 201: True, 202: True, 300: False}


@pytest.mark.parametrize("m, n, k", [(128, 128, 128), (100, 90, 77)])
@pytest.mark.parametrize("dtype, layout", [("float32", "nn"), ("float16", "nt"), ("bfloat16", "nn")])
def test_gemm(dtype, layout, m, n, k):
    a, b = normal(m, k), normal(*((n, k) if layout == "nt" else (k, n)))
    store = {"float32": np.ascontiguousarray, "float16": lambda x: x.astype(np.float16), "bfloat16": to_bf16}[dtype]
    load = from_bf16 if dtype == "bfloat16" else lambda x: x
    a, b = store(a), store(b)
    c = store(np.zeros((m, n), np.float32))
    constants = GEMM_CONSTANTS | {200: m % 64 == 0, 201: n % 64 == 0, 202: k % 16 == 0}
    kernel = library().kernel(f"steel_gemm_fused_{layout}_{dtype}_{dtype}_bm64_bn64_bk16_wm2_wn2", constants)
    kernel.run({0: a, 1: b, 3: c, 4: gemm_params(m, n, k, 64, 64, 16, layout == "nt"), 6: np.int32([1]), 7: np.int64([0, 0])},
               groups=(-(-n // 64), -(-m // 64)), threads=(32, 2, 2))
    left, right = load(a).astype(np.float64), load(b).astype(np.float64)
    reference = left @ (right.T if layout == "nt" else right)
    assert np.abs(load(c) - reference).max() < {"float32": 5e-5, "float16": 0.04, "bfloat16": 0.2}[dtype]


def by_name(lib, name, **values):
    """A kernel whose function constants are given by name, those not named being false."""
    constants = {}
    while True:
        try:
            return lib.kernel(name, constants)
        except sm.SoftMetalError as error:
            missing = re.search(r"function constant (\d+) \((\w*)\) has no value", str(error))
            assert missing and int(missing[1]) not in constants, error
            constants[int(missing[1])] = values.get(missing[2], False)


def test_strided_copy():
    x, y = normal(70, 50), np.zeros((50, 70), np.float32)
    library().kernel("g2_copyfloat32float32").run({0: x, 1: y, 3: np.int64([1, 50])}, grid=(70, 50), threads=(16, 16))
    assert np.array_equal(y, x.T)


def test_sort():
    x, y = normal(5, 200), np.zeros((5, 200), np.float32)
    buffers = {0: x, 1: y, 2: np.int32(200), 3: np.int32(1), 4: np.int32(1), 5: np.int32(200), 6: np.int32(200)}
    library().kernel("c_block_sort_float32_float32_bn128_tn4").run(buffers, groups=(1, 5), threads=(128,))
    assert np.array_equal(y, np.sort(x, axis=1))


def test_gemv():
    m, v, y = normal(300, 512), normal(512), np.zeros(300, np.float32)
    buffers = {0: m, 1: v, 3: y, 4: np.int32(512), 5: np.int32(300), 6: np.int32(512), 9: np.int32(1), 10: np.int32([1]), 11: np.int64([0]),
               12: np.int64([0])}
    name = next(n for n in library().functions() if n.startswith("gemv_float32_bm4_bn1_sm1_sn32_tm4_tn4_nc0_axpby0"))
    library().kernel(name).run(buffers, groups=(-(-300 // 16),), threads=(32, 1, 4))
    assert np.abs(y - m.astype(np.float64) @ v).max() < 1e-4


def test_attention_of_one_query():
    heads, length, size = 4, 300, 64
    q, k, v, y = normal(heads, size), normal(heads, length, size), normal(heads, length, size), np.zeros((heads, size), np.float32)
    stride = np.uint64(length * size)
    buffers = {0: q, 1: k, 2: v, 3: y, 4: np.int32(1), 5: np.int32(length), 6: stride, 7: np.uint64(size), 8: stride, 9: np.uint64(size),
               10: np.float32(0.125), 17: np.int32(heads)}
    by_name(library(), "sdpa_vector_float_64_64").run(buffers, groups=(heads, 1), threads=(1024,))
    weights = softmax(np.einsum("hd,hnd->hn", q.astype(np.float64), k) * 0.125)
    assert np.abs(y - np.einsum("hn,hnd->hd", weights, v)).max() < 1e-6


def test_quantised_matrix_vector_product():
    inner, outer, group = 512, 64, 64
    codes = random.integers(0, 16, (outer, inner), np.uint32)
    packed = (codes.reshape(outer, -1, 8) << np.arange(0, 32, 4, dtype=np.uint32)).sum(-1).astype(np.uint32)
    scales, biases, x, y = normal(outer, inner // group), normal(outer, inner // group), normal(inner), np.zeros(outer, np.float32)
    buffers = {0: packed, 1: scales, 2: biases, 3: x, 4: y, 5: np.int32(inner), 6: np.int32(outer)}
    library().kernel("affine_qmv_float_gs_64_b_4_batch_0_pr_0_hgs_0_r_4").run(buffers, groups=(1, outer // 8), threads=(32, 2))
    weights = codes * np.repeat(scales, group, 1).astype(np.float64) + np.repeat(biases, group, 1)
    assert np.abs(y - weights @ x).max() < 1e-3


def test_quantised_matrix_product():
    rows, inner, outer, group = 40, 128, 96, 64
    codes = random.integers(0, 16, (outer, inner), np.uint32)
    packed = (codes.reshape(outer, -1, 8) << np.arange(0, 32, 4, dtype=np.uint32)).sum(-1).astype(np.uint32)
    scales, biases = normal(outer, inner // group), normal(outer, inner // group)
    x, y = normal(rows, inner), np.zeros((rows, outer), np.float32)
    buffers = {0: packed, 1: scales, 2: biases, 3: x, 4: y, 5: np.int32(inner), 6: np.int32(outer), 7: np.int32(rows)}
    library().kernel("affine_qmm_t_float_gs_64_b_4_alN_true_batch_0").run(buffers, groups=(outer // 32, -(-rows // 32)), threads=(32, 2, 2))
    weights = codes * np.repeat(scales, group, 1).astype(np.float64) + np.repeat(biases, group, 1)
    assert np.abs(y - x @ weights.T).max() < 1e-3


def test_gemm_of_the_m5():
    m, n, k = 128, 64, 256
    a, b, c = normal(m, k, dtype=np.float16), normal(k, n, dtype=np.float16), np.zeros((m, n), np.float16)
    kernel = by_name(library(26), "steel_gemm_fused_nax_nn_float16_float16_bm64_bn64_bk256_wm2_wn2", align_M=True, align_N=True,
                     align_K=True)
    kernel.run({0: a, 1: b, 3: c, 4: gemm_params(m, n, k, 64, 64, 256), 6: np.int32([1]), 7: np.int64([0, 0])}, groups=(1, 2),
               threads=(32, 2, 2))
    assert np.abs(c - a.astype(np.float64) @ b).max() < 0.06


def test_machine_code_of_a_hundred_kernels_takes_at_most_20_ms_each_in_the_median():
    """Milliseconds of the processor: other work of the machine does not count."""
    names = library().functions()
    library().kernel("vv_Addfloat32")  # LLVM's own set-up
    times = []
    for name in names[::len(names) // 250]:
        begin = time.process_time()
        try:
            library().kernel(name)
        except sm.SoftMetalError as error:
            assert "has no value" in str(error)  # a function constant that only MLX knows
            continue
        times.append((time.process_time() - begin) * 1e3)
        if len(times) == 100:
            break
    assert len(times) == 100 and statistics.median(times) < 20


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("system", [14, 26])
def test_a_sample_of_the_library_loads_lowers_and_verifies(system, checks):
    refused = []
    for name in library(system).functions()[::200]:
        constants = {}
        while True:
            try:
                library(system).ir(name, constants, checks=checks)
            except sm.SoftMetalError as error:
                missing = re.search(r"function constant (\d+) ", str(error))
                if missing and "has no value" in str(error) and int(missing[1]) not in constants:
                    constants[int(missing[1])] = False
                    continue
                refused.append((name, str(error)))
            break
    assert not refused


def test_counters():
    x, y = normal(4, 1000), np.zeros((4, 1000), np.float32)
    kernel = library().kernel("block_softmax_float32", count=True)
    kernel.run({0: x, 1: y, 2: np.int32(1000)}, groups=(4,), threads=(256,))
    assert kernel.counters["deviceBytes"] >= 2 * x.nbytes
    # Every lane reads and writes four neighbours, one at a time: a SIMD-group's 512 bytes are four lines each time.
    assert kernel.counters["deviceTransactions"] >= x.nbytes // 128 * 2
    assert kernel.counters["barriers"] == 4 * 5 and kernel.counters["lanes"] == 1024
