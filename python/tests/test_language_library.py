"""The language's library and its iterators: softmax, sort, topk, flip, map_elementwise, loop options, compile-time printing, hints."""
import numpy as np
import pytest

import triton_metal as triton
from arrays import kernel_from_text, messages, sample


def run(body: str, device: str, *arguments, parameters="x_ptr, out_ptr", before="", **constants):
    """A kernel of one program with these lines; `M`, `N` are its tile and `at` the offsets of the tile's elements."""
    names = "".join(f", {name}: tl.constexpr" for name in constants)
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    kernel_from_text(f"{before}\n@triton.jit\ndef kernel({parameters}{names}):\n{lines}\n")[(1,)](*arguments, **constants, device=device)


def rows(expression: str, x: np.ndarray, device: str, out_shape=None, dtype=None, before="") -> np.ndarray:
    """`expression` over the whole tile x [M, N]."""
    (m, n), (p, q) = x.shape, out_shape or x.shape
    out = np.zeros((p, q), dtype or x.dtype)
    run(f"""
x = tl.load(x_ptr + tl.arange(0, {m})[:, None] * {n} + tl.arange(0, {n})[None, :])
tl.store(out_ptr + tl.arange(0, {p})[:, None] * {q} + tl.arange(0, {q})[None, :], {expression})
""", device, x, out, before=before)
    return out


@pytest.mark.parametrize("call, axis", [("tl.softmax(x)", 0), ("tl.softmax(x, 1)", 1), ("tl.softmax(x, dim=1, keep_dims=True)", 1),
                                        ("x.softmax(dim=0)", 0), ("tl.softmax(x, dim=1, ieee_rounding=True)", 1)])
def test_softmax(device, call, axis):
    x = np.random.default_rng(0).standard_normal((8, 32), dtype=np.float32)
    e = np.exp(x - x.max(axis, keepdims=True))
    np.testing.assert_allclose(rows(call, x, device), e / e.sum(axis, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "int32", "int16", "uint8", "float16"])
@pytest.mark.parametrize("descending", [False, True])
def test_sort(device, dtype, descending):
    x = np.stack([sample(dtype, 64, seed, edges=False) for seed in range(4)])
    expected = np.sort(x, 1)[:, ::-1] if descending else np.sort(x, 1)
    np.testing.assert_array_equal(rows(f"tl.sort(x, descending={descending})", x, device), expected)


@pytest.mark.parametrize("k", [1, 2, 8, 32])
def test_topk(device, k):
    x = np.random.default_rng(1).permutation(4 * 32).reshape(4, 32).astype(np.float32)
    np.testing.assert_array_equal(rows(f"tl.topk(x, {k})", x, device, (4, k)), -np.sort(-x, 1)[:, :k])


def test_bitonic_merge(device):
    x = np.concatenate([np.arange(16), np.arange(16)[::-1] + 0.5]).astype(np.float32)[None]
    np.testing.assert_array_equal(rows("tl.bitonic_merge(x)", x, device), np.sort(x, 1))


@pytest.mark.parametrize("call, reference", [("tl.flip(x)", lambda x: x[:, ::-1]), ("tl.flip(x, 0)", lambda x: x[::-1]),
                                             ("tl.cumsum(x, 0)", lambda x: x.cumsum(0)),
                                             ("tl.cumsum(x, 1, reverse=True)", lambda x: x[:, ::-1].cumsum(1)[:, ::-1]),
                                             ("tl.cumprod(x, 1)", lambda x: x.cumprod(1))])
def test_order(device, call, reference):
    x = np.random.default_rng(2).integers(1, 3, (4, 8)).astype(np.float32)
    np.testing.assert_array_equal(rows(call, x, device), reference(x))


@pytest.mark.never_refused
@pytest.mark.parametrize("call, message", [("tl.sort(x, 0)", "only minor dimension"), ("tl.topk(x, 3)", "power of two"),
                                           ("tl.topk(x, 64)", "not larger than the dimension"), ("tl.topk(x, 0)", "k > 0"),
                                           ("tl.flip(x, 2)", "out of range")])
def test_library_refuses(call, message):
    with pytest.raises(triton.CompilationError) as error:
        rows(call, np.zeros((4, 8), np.float32), "cpu")
    assert message in messages(error)


MAPPED = """
@triton.jit
def one(a, b):
    return a * 2 + b

@triton.jit
def two(a, b):
    return tl.where(a > b, a, b), a - b

@triton.jit
def packed(a0, a1, b0, b1):
    return a0 + a1, b0 - b1, a0 * 2, b1 * 3

@triton.jit
def four(a, b, c, d):
    return d, c, b, a

@triton.jit
def branching(a):
    if a > 0:
        a = a * 2
    return a
"""


def test_map_elementwise(device):
    x = np.random.default_rng(3).standard_normal((4, 16), dtype=np.float32)
    np.testing.assert_allclose(rows("tl.map_elementwise(one, x, 3.0)", x, device, before=MAPPED), x * 2 + 3, rtol=1e-6)
    got = rows("tl.map_elementwise(two, x, 0.25)[0] + 10 * tl.map_elementwise(two, x, 0.25)[1]", x, device, before=MAPPED)
    np.testing.assert_allclose(got, np.maximum(x, 0.25) + 10 * (x - 0.25), rtol=1e-5)


def test_map_elementwise_packed(device):
    x = np.arange(64, dtype=np.float32).reshape(4, 16)
    first, second = (rows(f"tl.map_elementwise(packed, x, x + 1, pack=2)[{i}]", x, device, before=MAPPED) for i in range(2))
    even, odd = x[:, 0::2], x[:, 1::2]
    np.testing.assert_array_equal(first, np.stack([even + odd, even - odd], 2).reshape(4, 16))
    np.testing.assert_array_equal(second, np.stack([even * 2, (odd + 1) * 3], 2).reshape(4, 16))


def test_map_elementwise_packed_by_four(device):
    x = np.arange(64, dtype=np.float32).reshape(4, 16)
    got = rows("tl.map_elementwise(four, x, pack=4)", x, device, before=MAPPED)
    np.testing.assert_array_equal(got, x.reshape(4, 4, 4)[:, :, ::-1].reshape(4, 16))


@pytest.mark.never_refused
@pytest.mark.parametrize("call, message", [("tl.map_elementwise(branching, x)", "write the choice with tl.where"),
                                           ("tl.map_elementwise(3, x)", "decorated with @triton.jit"),
                                           ("tl.map_elementwise(one, x, x, pack=3)", "pack must be a power of two"),
                                           ("tl.map_elementwise(one, x)", "missing a required argument: 'b'"),
                                           ("tl.map_elementwise(one)", "at least one input")])
def test_map_elementwise_refuses(call, message):
    with pytest.raises(triton.CompilationError) as error:
        rows(call, np.zeros((4, 8), np.float32), "cpu", before=MAPPED)
    assert message in messages(error)


@pytest.mark.parametrize("options", ["", "num_stages=3", "loop_unroll_factor=4", "loop_unroll_factor=1", "disallow_acc_multi_buffer=True",
                                     "flatten=True", "warp_specialize=True", "disable_licm=True", "num_stages=2, loop_unroll_factor=2"])
@pytest.mark.parametrize("bounds", ["0, n", "n", "n, 0, -1", "1, n, 3"])
def test_range_options(device, bounds, options):
    """Hints change nothing of what a loop computes."""
    n, out = 11, np.zeros(1, np.int32)
    loop = f"for i in tl.range({bounds}{', ' + options if options else ''}):\n    total = total * 3 + i"
    run(f"total = 0\n{loop}\ntl.store(out_ptr, total)", device, out, n, parameters="out_ptr, n")
    expected = 0
    for i in range(*eval(bounds, {"n": n}) if "," in bounds else [n]):
        expected = expected * 3 + i
    assert out[0] == np.int64(expected).astype(np.int32)


def test_while_condition(device):
    out = np.zeros(1, np.int32)
    run("i = 0\nwhile tl.condition(i < n, disable_licm=True):\n    i += 2\ntl.store(out_ptr, i)", device, out, 7, parameters="out_ptr, n")
    assert out[0] == 8


def test_static_range(device):
    out = np.zeros(1, np.int32)
    run("total = 0\nfor i in tl.static_range(5, 0, -2):\n    total += i * N\ntl.store(out_ptr, total)", device, out,
        parameters="out_ptr", N=10)
    assert out[0] == 90


def test_static_print(device, capfd):
    out = np.zeros(4, np.float32)
    run("x = tl.arange(0, 4)\ntl.static_print('tile', N, x, sep='|', end='!\\n')\ntl.static_print(f'{N:04d} {x.dtype}')\n"
        "tl.store(out_ptr + x, x.to(tl.float32))", device, out, parameters="out_ptr", N=4)
    assert capfd.readouterr().out == "tile|4|int32[constexpr[4]]!\n0004 int32\n"
    assert out.tolist() == [0, 1, 2, 3]


def test_assume_and_hints(device):
    out = np.zeros(16, np.int32)
    run("""
tl.assume(n > 0)
at = tl.max_contiguous(tl.multiple_of(tl.arange(0, 16), 16), 16)
same = tl.max_constancy(at * 0 + n, 16)
tl.store(out_ptr + at, same)
""", device, out, 5, parameters="out_ptr, n")
    assert (out == 5).all()


@pytest.mark.never_refused
@pytest.mark.parametrize("body, message", [
    ("with x_ptr:\n    pass", "without `with`"), ("for i in tl.static_range(n):\n    pass", ""),
    ("tl.static_assert(N == 5, 'five')", "five"),
    ("tl.static_assert(n == 5)", "could not be determined at compile-time"), ("x = [i for i in (1, 2) for j in (3, 4)]", "nested"),
    ("x = {1: 2}", ""), ("x = {1, 2}", ""), ("try:\n    pass\nexcept ValueError:\n    pass", ""), ("raise ValueError()", ""),
    ("x = lambda y: y", ""), ("def f():\n    pass", "nested function definitions"), ("class A:\n    pass", ""), ("del n", ""),
    ("global n", ""), ("import math", ""), ("yield n", ""), ("x = y = n", "multiple assignment"), ("a, *b = (1, 2)", "starred"),
    ("while n:\n    break", ""), ("for i in range(n):\n    continue", ""), ("for i in range(n):\n    pass\nelse:\n    pass", ""),
    ("match n:\n    case 1:\n        pass", ""), ("x = n @ n", "MatMult"), ("x = n in (1, 2)", "In"), ("x_ptr[0] = 1", ""),
    ("x = await n", ""), ("async def f():\n    pass", ""), ("x = (i for i in (1, 2))", ""), ("print(**{})", "")])
def test_refused_syntax(body, message):
    """Every construct that kernels lack is an error with a place, and no crash."""
    try:
        with pytest.raises(triton.CompilationError) as error:
            run(body, "cpu", np.zeros(4, np.float32), 5, parameters="x_ptr, n", N=4)
    except SyntaxError:  # what Python itself refuses
        return
    assert message in messages(error)
