"""The same MLX kernel twice, compiled by Apple and by us from MLX's own headers: both run on the same inputs and agree bit for bit.

The headers are those of the pinned wheel (metal_corpus), unmodified; the lines that instantiate a kernel are ours.
"""
import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

import metal_corpus
import softmetal_native as sm

ROOT = Path(__file__).resolve().parents[2]
TOOL = Path(os.environ.get("TRITON_METAL_BUILD_DIR", ROOT / "build")) / "bin" / "softmetal-compile"
pytestmark = pytest.mark.skipif(sm.library_path() is None or not TOOL.exists(), reason="libsoftmetal or softmetal-compile is not built")
KERNELS = "mlx/backend/metal/kernels"
random = np.random.default_rng(7)


@functools.lru_cache(None)
def apple():
    return sm.Library(path=metal_corpus.metallib(14))


def ours(headers, instantiation, prelude=""):
    text = f'#include <metal_stdlib>\nusing namespace metal;\n{prelude}\n#include "{KERNELS}/utils.h"\n'
    text += "".join(f'#include "{KERNELS}/{name}"\n' for name in headers) + instantiation + "\n"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "kernel.bc"
        done = subprocess.run([TOOL, "-std=320", f"-I{metal_corpus.headers()}", "-o", target, "-"], input=text,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return sm.Library(data=target.read_bytes())


def normal(*shape, dtype=np.float32, scale=1):
    return (random.standard_normal(shape) * scale).astype(dtype)


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


def bfloat(x):
    """The upper halves of float32 values: bfloat16, rounded towards zero, which is good enough for inputs."""
    return (np.ascontiguousarray(x, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def gemm_params(m, n, k, transposed=False, tile=64, depth=16):
    params = np.zeros(18, np.int32)
    params[:8] = m, n, k, k, (k if transposed else n), n, -(-n // tile), -(-m // tile)
    params[8:14].view(np.int64)[:] = m * k, k * n, m * n
    params[14:17] = 0, k // depth, 1
    return params


def attention_params(heads, queries, keys, size):
    params = np.zeros(38, np.int32)
    params[:7] = 1, heads, size, queries, keys, 1, 0
    params[7:14] = -(-queries // 32), -(-keys // 16), queries // 32, keys // 16, queries % 32, keys % 16, 0
    params[6:7].view(np.float32)[:] = size**-0.5
    params[14:38].view(np.int64)[:] = np.concatenate([[heads * n * size, n * size, size] for n in (queries, keys, keys, queries)])
    return params


class Pair:
    """One kernel: its name in Apple's library, the template and its arguments, and a launch. `result` is the index of the output."""

    def __init__(self, name, headers, template, buffers, result, constants={}, prelude="", **launch):
        self.name, self.headers, self.template, self.buffers, self.result = name, headers, template, buffers, result
        self.constants, self.prelude, self.launch = constants, prelude, launch

    def run(self, library):
        buffers = {index: value.copy() if isinstance(value, np.ndarray) else value for index, value in self.buffers.items()}
        constants = dict(self.constants)
        while True:  # headers declare more function constants than a kernel uses: those without a value here are false
            try:
                kernel = library.kernel(self.name, constants)
                break
            except sm.SoftMetalError as error:
                missing = re.search(r"function constant (\d+) .* has no value", str(error))
                assert missing and int(missing[1]) not in constants, error
                constants[int(missing[1])] = False
        kernel.run(buffers, **self.launch)
        return buffers[self.result]


def rows(x, y, threads, groups=16, extra=None):
    return {"buffers": {0: x, 1: y, 2: np.int32(x.shape[-1])}, "result": 1, "groups": (groups,), "threads": (threads,)}


GEMM = ["steel/gemm/gemm.h", "steel/gemm/kernels/steel_gemm_fused.h"]
SCALARS = {"float32": ("float", np.float32), "float16": ("half", np.float16), "bfloat16": ("bfloat16_t", None)}


def gemm(layout, dtype, m, n, k):
    scalar, numpy = SCALARS[dtype]
    store = bfloat if numpy is None else lambda x: x.astype(numpy)
    right = (n, k) if layout == "nt" else (k, n)
    constants = {10: False, 100: False, 110: False, 200: m % 64 == 0, 201: n % 64 == 0, 202: k % 16 == 0, 300: False}
    buffers = {0: store(normal(m, k)), 1: store(normal(*right)), 3: store(zeros(m, n)), 4: gemm_params(m, n, k, layout == "nt"),
               6: np.int32([1]),
               7: np.int64([0, 0])}
    return Pair(f"steel_gemm_fused_{layout}_{dtype}_{dtype}_bm64_bn64_bk16_wm2_wn2", GEMM,
                f"gemm, {scalar}, 64, 64, 16, 2, 2, false, {'true' if layout == 'nt' else 'false'}", buffers, 3, constants,
                groups=(-(-n // 64), -(-m // 64)), threads=(32, 2, 2))


def elementwise(kind, op, dtype="float32", size=1000):
    scalar, numpy = SCALARS[dtype]
    store = bfloat if numpy is None else lambda x: x.astype(numpy)
    if kind == "binary":
        buffers = {0: store(normal(size)), 1: store(normal(size)), 2: store(zeros(size)), 3: np.uint32(size)}
        return Pair(f"vv_{op}{dtype}", ["binary_ops.h", "binary.h"], f"binary_vv, {scalar}, {scalar}, {op}, 1", buffers, 2, grid=(size,),
                    threads=(256,))
    buffers = {0: store(normal(size, scale=2)), 1: store(zeros(size)), 2: np.uint32(size)}
    return Pair(f"v_{op}{dtype}{dtype}", ["unary_ops.h", "unary.h"], f"unary_v, {scalar}, {scalar}, {op}, 1", buffers, 1, grid=(size,),
                threads=(256,))


def vector_products(transposed):
    rows_, columns = (300, 512) if not transposed else (512, 300)
    buffers = {0: normal(rows_, columns), 1: normal(512), 3: zeros(300), 4: np.int32(512), 5: np.int32(300), 6: np.int32(columns),
               9: np.int32(1),
               10: np.int32([1]), 11: np.int64([0]), 12: np.int64([0])}
    if transposed:
        return Pair("gemv_t_float32_bm1_bn4_sm8_sn4_tm4_tn4_nc0_axpby0", ["gemv.h"],
                    "gemv_t, float, 1, 4, 8, 4, 4, 4, false, false", buffers, 3,
                    groups=(-(-300 // 64),), threads=(32, 4, 1))
    return Pair("gemv_float32_bm4_bn1_sm1_sn32_tm4_tn4_nc0_axpby0", ["gemv.h"], "gemv, float, 4, 1, 1, 32, 4, 4, false, false", buffers, 3,
                groups=(-(-300 // 16),), threads=(32, 1, 4))


def attention_of_one_query(scalar, dtype):
    heads, length, size = 4, 100, 64
    stride = np.uint64(length * size)
    buffers = {0: normal(heads, size, dtype=dtype), 1: normal(heads, length, size, dtype=dtype),
               2: normal(heads, length, size, dtype=dtype),
               3: zeros(heads, size, dtype=dtype), 4: np.int32(1), 5: np.int32(length), 6: stride, 7: np.uint64(size), 8: stride,
               9: np.uint64(size), 10: np.float32(0.125), 17: np.int32(heads)}
    return Pair(f"sdpa_vector_{'float' if scalar == 'float' else 'float16_t'}_64_64", ["sdpa_vector.h"],
                f"sdpa_vector, {scalar}, 64, 64", buffers, 3,
                {20: False, 21: False, 22: False, 23: False, 24: False, 25: False, 26: 1}, groups=(heads, 1), threads=(1024,))


def flash_attention():
    heads, queries, keys, size = 2, 40, 50, 128
    buffers = {0: normal(heads, queries, size), 1: normal(heads, keys, size), 2: normal(heads, keys, size), 3: zeros(heads, queries, size),
               4: attention_params(heads, queries, keys, size)}
    return Pair("steel_attention_float32_bq32_bk16_bd128_bv128_wm4_wn1_maskfloat32",
                ["steel/attn/attn.h", "steel/attn/kernels/steel_attention.h"],
                "attention, float, 32, 16, 128, 128, 4, 1, float", buffers, 3,
                {200: False, 201: False, 300: False, 301: False, 302: False, 303: False}, groups=(2, heads, 1), threads=(32, 4, 1))


def quantised():
    inner, outer, group = 512, 64, 64
    packed = random.integers(0, 2**32, (outer, inner // 8), np.uint32)
    buffers = {0: packed, 1: normal(outer, inner // group), 2: normal(outer, inner // group), 3: normal(inner), 4: zeros(outer),
               5: np.int32(inner), 6: np.int32(outer)}
    return Pair("affine_qmv_float_gs_64_b_4_batch_0_pr_0_hgs_0_r_4", ["steel/gemm/gemm.h", "quantized_utils.h", "quantized.h"],
                "affine_qmv, float, 64, 4, false, false, false, 4", buffers, 4, groups=(1, outer // 8), threads=(32, 2))


REDUCE = ["atomic.h", "reduction/ops.h", "reduce.h"]
X = normal(16, 1000, scale=3)
PAIRS = [
    *(elementwise("binary", op) for op in ("Add", "Divide", "Maximum", "Power", "LogAddExp", "Remainder")),
    elementwise("binary", "Multiply", "float16"), elementwise("binary", "Add", "bfloat16"),
    *(elementwise("unary", op) for op in ("Exp", "Tanh", "Erf", "Sigmoid", "Sin", "Log1p", "Round")),
    elementwise("unary", "Exp", "float16"), elementwise("unary", "Square", "bfloat16"),
    Pair("g2_copyfloat32float32", ["copy.h"], "copy_g_nd2, float, float, int",
         {0: normal(70, 50), 1: zeros(50, 70), 3: np.int64([1, 50])}, 1,
         grid=(70, 50), threads=(16, 16)),
    Pair("v_copyfloat32float16", ["copy.h"], "copy_v, float, half, 1",
         {0: normal(777), 1: zeros(777, dtype=np.float16), 2: np.uint32(777)}, 1,
         grid=(777,), threads=(256,)),
    Pair("v_copyfloat16bfloat16", ["copy.h"], "copy_v, half, bfloat16_t, 1",
         {0: normal(777, dtype=np.float16), 1: zeros(777, dtype=np.uint16),
         2: np.uint32(777)}, 1, grid=(777,), threads=(256,)),
    Pair("v_Selectfloat32", ["ternary_ops.h", "ternary.h"], "ternary_v, float, Select, false, false, 1",
         {0: random.integers(0, 2, 500, np.uint8), 1: normal(500), 2: normal(500), 3: zeros(500), 4: np.uint32(500)}, 3,
         grid=(500,), threads=(128,)),
    Pair("arangefloat32", ["arange.h"], "arange, float", {0: np.float32(1.5), 1: np.float32(0.1), 2: zeros(1000)}, 2,
         grid=(1000,), threads=(256,)),
    Pair("block_softmax_float32", ["softmax.h"], "softmax_single_row, float", **rows(X, zeros(16, 1000), 256)),
    Pair("looped_softmax_float32", ["softmax.h"], "softmax_looped, float", **rows(X, zeros(16, 1000), 1024)),
    Pair("block_softmax_float16", ["softmax.h"], "softmax_single_row, half",
         **rows(X.astype(np.float16), zeros(16, 1000, dtype=np.float16), 256)),
    Pair("block_softmax_precise_float16", ["softmax.h"], "softmax_single_row, half, float",
         **rows(X.astype(np.float16), zeros(16, 1000, dtype=np.float16), 256)),
    Pair("block_logsumexp_float32", ["logsumexp.h"], "logsumexp, float", **rows(X, zeros(16), 256)),
    Pair("all_reduce_sumfloat32", REDUCE, "all_reduce, float, float, Sum<float>",
         {0: normal(20000), 1: zeros(1), 2: np.uint64(20000), 3: np.uint64(20000)}, 1, groups=(1, 1), threads=(512,)),
    Pair("row_reduce_simple_sumfloat32", REDUCE, "row_reduce_simple, float, float, Sum<float>",
         {0: normal(12, 3000), 1: zeros(12), 2: np.uint64(3000), 3: np.int64(12)}, 1, groups=(1, 3), threads=(256,)),
    Pair("row_reduce_simple_maxfloat16", REDUCE, "row_reduce_simple, half, half, Max<half>",
         {0: normal(12, 3000, dtype=np.float16), 1: zeros(12, dtype=np.float16), 2: np.uint64(3000), 3: np.int64(12)}, 1, groups=(1, 3),
         threads=(256,)),
    Pair("contig_scan_inclusive_sum_float32_float32", ["scan.h"], "contiguous_scan, float, float, CumSum<float>, 4, true, false",
         {0: normal(8, 1000), 1: zeros(8, 1000), 2: np.uint64(1000)}, 1, groups=(1, 8), threads=(256,)),
    Pair("strided_scan_inclusive_sum_float32_float32", ["scan.h"], "strided_scan, float, float, CumSum<float>, 4, true, false",
         {0: normal(100, 64), 1: zeros(100, 64), 2: np.uint64(100), 3: np.uint64(64), 4: np.uint64(2)}, 1, groups=(1, 2), threads=(256,)),
    Pair("c_block_sort_float32_float32_bn128_tn4", ["sort.h"], "block_sort, float, float, false, 128, 4",
         {0: normal(5, 200), 1: zeros(5, 200), 2: np.int32(200), 3: np.int32(1), 4: np.int32(1), 5: np.int32(200), 6: np.int32(200)}, 1,
         groups=(1, 5), threads=(128,)),
    vector_products(False), vector_products(True),
    gemm("nn", "float32", 128, 64, 96), gemm("nn", "float32", 100, 90, 77), gemm("nt", "float16", 64, 128, 64),
    gemm("nn", "bfloat16", 70, 90, 77),
    attention_of_one_query("float", np.float32), attention_of_one_query("half", np.float16), flash_attention(), quantised(),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.name}-{np.asarray(pair.buffers[0]).size}")
def test_pair(pair):
    theirs = pair.run(apple())
    mine = pair.run(ours(pair.headers, f'instantiate_kernel("{pair.name}", {pair.template})', pair.prelude))
    assert np.count_nonzero(theirs) > theirs.size // 8  # it did something
    assert np.array_equal(theirs.view(np.uint8), mine.view(np.uint8)), np.abs(theirs.astype(np.float64) - mine).max()
