"""What the front end builds, as text of the tt dialect."""
import pytest

triton = pytest.importorskip("triton_metal")
jit_module = pytest.importorskip("triton_metal.runtime.jit")

import triton_metal.language as tl  # noqa: E402
from triton_metal import _core  # noqa: E402
from triton_metal.runtime.jit import jit  # noqa: E402


def build(fn, signature, constants=None, attrs=None, **options):
    module = _core.build_module(fn, signature, constants or {}, attrs or {}, options)
    module.verify()
    return str(module)


@jit
def add(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    tl.store(out_ptr + offs, tl.load(x_ptr + offs, mask=mask) + tl.load(y_ptr + offs, mask=mask), mask=mask)


def test_vector_add():
    text = build(add, ["*fp32"] * 3 + ["i32", "constexpr"], {4: 1024}, {(0,): {"tt.divisibility": 16}})
    assert "tt.func public @add(%arg0: !tt.ptr<f32> {tt.divisibility = 16 : i32}" in text
    assert text.count("tt.load") == 2 and "arith.addf" in text and "tt.store" in text


def test_locations_have_the_lines_and_names_of_the_source():
    module = _core.build_module(add, ["*fp32"] * 3 + ["i32", "constexpr"], {4: 1024}, {}, {})
    text = module.text(locations=True)
    assert 'loc("mask"(' in text and "test_frontend_build.py" in text


@jit
def early(x, n):
    pid = tl.program_id(0)
    if pid >= n:
        return
    if pid == 3:
        return
    tl.store(x + pid, 1.0)


def test_early_return_stays_structured():
    text = build(early, ["*fp32", "i32"])
    assert "cf.br" not in text and "cf.cond_br" not in text and text.count("scf.if") == 2


@jit
def _pick(a, k=2, *, m=3):
    if a > 0:
        return a * k
    return a + m


@jit
def loops(x, n):
    acc = 0.0
    for i in tl.range(n, 0, -1, num_stages=3):
        for j in range(i):
            if j > 3:
                acc += _pick(j).to(tl.float32)
            else:
                acc = tl.minimum(acc, 5.0)
    i = 0
    while i < n:
        i += 1
    if 0 <= i < n:
        t = (i, acc)
    else:
        t = (i + 1, acc - 1)
    a, b = t
    tl.store(x + a, b)


def test_loops_and_conditionals():
    text = build(loops, ["*fp32", "i32"])
    assert text.count("scf.for") == 2 and "scf.while" in text and "tt.num_stages = 3" in text


@jit(noinline=True)
def _apart(a, b):
    return a + b


@jit
def caller(x, n):
    tl.store(x, _apart(n, n + 1) + _apart(n, n))


def test_noinline_functions_are_called():
    text = build(caller, ["*i32", "i32"])
    assert text.count("tt.call") == 2 and text.count("tt.func private") == 1


@jit
def promotions(h, i, u, out, B: tl.constexpr):
    o = tl.arange(0, B)
    a = tl.load(h + o)
    b = tl.load(i + o)
    c = tl.load(u + o)
    tl.static_assert((a * 0.1).dtype == tl.float16)
    tl.static_assert((a + b).dtype == tl.float16)
    tl.static_assert((a / 2).dtype == tl.float32)
    tl.static_assert((b / b).dtype == tl.float32)
    tl.static_assert((b + c).dtype == tl.uint32)
    tl.static_assert((b * 2.0).dtype == tl.float32)
    tl.static_assert(tl.maximum(a, 0.0).dtype == tl.float32)
    tl.static_assert(tl.sum(a, 0).dtype == tl.float16)
    tl.static_assert(tl.max(a, 0).dtype == tl.float32)
    x = 1
    tl.static_assert(x.dtype == tl.int32)
    tl.store(out + o, a)


def test_promotion():
    build(promotions, ["*fp16", "*i32", "*u32", "*fp16", "constexpr"], {4: 16})


@jit
def library(x, y, B: tl.constexpr):
    o = tl.arange(0, B)
    v = tl.load(x + o)
    w = tl.sigmoid(v) + tl.softmax(v) + tl.flip(v) + tl.sort(v) + tl.cumsum(v, 0) + tl.cumprod(v, 0)
    s, t = tl.max(v, 0, return_indices=True)
    p, q = tl.split(tl.join(v, w))
    n1, n2, n3, n4 = tl.randn4x(1, o)
    k = tl.sum(tl.topk(v, 4)) + tl.argmin(v, 0) + tl.cdiv(t, 3)
    tl.store(y + o, p + q + s + n1 + n2 + n3 + n4 + tl.rand(5, o.to(tl.int64)) + k)
    tl.atomic_max(y + o, v)


def test_library_functions():
    text = build(library, ["*fp32", "*fp32", "constexpr"], {2: 64})
    assert "tt.scan" in text and "tt.mulhiui" in text and "tt.atomic_rmw umin" in text


@jit
def tiles(x, n):
    bp = tl.make_block_ptr(x, (n, n), (n, 1), (0, 0), (8, 8), (1, 0))
    for _ in range(3):
        v = tl.load(bp, boundary_check=(0, 1), padding_option="zero")
        tl.store(bp, v + 1, boundary_check=(0,))
        bp = tl.advance(bp, (8, 0))


def test_block_pointers():
    text = build(tiles, ["*fp32", "i32"])
    assert "tt.make_tensor_ptr" not in text and "tensor<8x8x!tt.ptr<f32>>" in text
