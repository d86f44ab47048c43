"""Reductions of 1-D to 3-D tensors along every axis, with built-in and user-written combine functions."""
import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from arrays import kernel_from_text, sample, to_numpy, empty, to_device

SHAPES = [(1,), (2,), (32,), (256,), (2048,), (8, 1), (1, 8), (16, 32), (32, 128), (4, 8, 16)]


def index_text(shape):
    """Row-major offsets of a tensor of the shape."""
    terms, stride = [], 1
    for axis in reversed(range(len(shape))):
        subscript = ", ".join(":" if i == axis else "None" for i in range(len(shape)))
        terms.append(f"tl.arange(0, {shape[axis]})[{subscript}] * {stride}")
        stride *= shape[axis]
    return " + ".join(terms)


def reduce(expression, array, dtype, out_shape, out_dtype, device, prelude=""):
    where = index_text(out_shape) if out_shape else "0"
    text = f"""
{prelude}
@triton.jit
def kernel(x_ptr, out_ptr):
    x = tl.load(x_ptr + {index_text(array.shape)})
    tl.store(out_ptr + {where}, {expression})
"""
    out = empty(out_shape or (1,), out_dtype)
    kernel_from_text(text)[(1,)](to_device(array, dtype), out, device=device)
    return to_numpy(out) if out_shape else to_numpy(out)[0]


def cases():
    return [(shape, axis) for shape in SHAPES for axis in range(len(shape))]


@pytest.mark.parametrize("shape, axis", cases())
@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint32", "float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", ["sum", "max", "min"])
def test_reduce(device, name, dtype, shape, axis):
    x = sample(dtype, int(np.prod(shape)), 2, edges=dtype.startswith(("int", "uint"))).reshape(shape)
    out_shape = shape[:axis] + shape[axis + 1:]
    out = {"int8": "int32"}.get(dtype, dtype)
    wide = np.float64 if dtype in ("float16", "bfloat16", "float32") else np.dtype(out)
    expected = x.astype(wide).sum(axis=axis, dtype=wide) if name == "sum" else getattr(x, name)(axis=axis)
    got = reduce(f"tl.{name}(x, axis={axis})", x, dtype, out_shape, out, device)
    if wide is np.float64 and name == "sum":
        unit = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 2**-23}[dtype]
        limit = unit * 4 * np.sqrt(shape[axis]) * np.abs(x.astype(np.float64)).sum(axis=axis) + unit
        assert np.all(np.abs(got.astype(np.float64) - expected) <= limit)
    else:
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("shape, axis", cases())
@pytest.mark.parametrize("dtype", ["int32", "float32"])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_arg(device, name, dtype, shape, axis):
    """The leftmost index on ties."""
    x = (sample("int32", int(np.prod(shape)), 4) % 7).reshape(shape).astype(dtype)
    out_shape = shape[:axis] + shape[axis + 1:]
    got = reduce(f"tl.{name}(x, axis={axis})", x, dtype, out_shape, "int32", device)
    np.testing.assert_array_equal(got, getattr(np, name)(x, axis=axis))


def test_max_ignores_nan(device):
    x = sample("float32", 256, 1)
    got = reduce("tl.max(x, axis=0)", x, "float32", (), "float32", device)
    assert got == np.nanmax(x)


@pytest.mark.parametrize("keep", [True, False])
def test_keep_dims(device, keep):
    x = sample("int32", 16 * 32).reshape(16, 32)
    got = reduce(f"tl.sum(x, axis=1, keep_dims={keep})", x, "int32", (16, 1) if keep else (16,), "int32", device)
    np.testing.assert_array_equal(got, x.sum(axis=1, dtype=np.int32, keepdims=keep))


def test_all_axes(device):
    x = sample("int32", 16 * 32).reshape(16, 32)
    assert reduce("tl.sum(x)", x, "int32", (), "int32", device) == x.sum(dtype=np.int32)


@pytest.mark.parametrize("shape, axis", [((128,), 0), ((16, 32), 0), ((16, 32), 1), ((1, 1), 0)])
def test_user_function(device, shape, axis):
    prelude = """
@triton.jit
def combine(a, b):
    return a ^ (b + 0)
"""
    x = sample("int32", int(np.prod(shape))).reshape(shape)
    got = reduce(f"tl.reduce(x, {axis}, combine)", x, "int32", shape[:axis] + shape[axis + 1:], "int32", device, prelude)
    np.testing.assert_array_equal(got, np.bitwise_xor.reduce(x, axis=axis))


@pytest.mark.parametrize("shape, axis", [((256,), 0), ((16, 32), 0), ((16, 32), 1)])
def test_several_operands(device, shape, axis):
    """Welford's parallel combination of mean, sum of squares and count (Chan, Golub, LeVeque 1979)."""
    prelude = """
@triton.jit
def welford(mean_a, m2_a, n_a, mean_b, m2_b, n_b):
    n = n_a + n_b
    delta = mean_b - mean_a
    share = tl.where(n == 0.0, 0.0, n_b / n)
    return mean_a + delta * share, m2_a + m2_b + delta * delta * n_a * share, n
"""
    x = sample("float32", int(np.prod(shape)), 3, edges=False).reshape(shape)
    out_shape = shape[:axis] + shape[axis + 1:]
    got = reduce(f"tl.reduce((x, x * 0.0, x * 0.0 + 1.0), {axis}, welford)[1]", x, "float32", out_shape, "float32", device, prelude)
    n = shape[axis]
    np.testing.assert_allclose(got, x.astype(np.float64).var(axis=axis) * n, rtol=1e-4)


@pytest.mark.parametrize("axis", [0, 1])
def test_combine_that_chooses_by_branches(device, axis):
    """Nested `if`s, several results, an early return: the larger distance from 7 wins, ties by the smaller index."""
    prelude = """
@triton.jit
def farther(a, i, b, j):
    da, db = tl.abs(a - 7), tl.abs(b - 7)
    if da == db:
        if j < i:
            a, i = b, j
    elif db > da:
        return b, j
    return a, i
"""
    x = sample("int32", 16 * 32).reshape(16, 32) % 100
    out_shape = (32,) if axis == 0 else (16,)
    index = f"tl.broadcast_to(tl.arange(0, {x.shape[axis]})[{':, None' if axis == 0 else 'None, :'}], 16, 32)"
    call = f"tl.reduce((x, {index}), {axis}, farther)[1]"
    got = reduce(call, x, "int32", out_shape, "int32", device, prelude)
    np.testing.assert_array_equal(got, np.abs(x - 7).argmax(axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_combine_with_a_branch(device, axis):
    """A combine function with an `if` whose condition is a value."""
    prelude = """
@triton.jit
def combine(a, b):
    if a % 2 == 0:
        r = a + b
    else:
        r = a ^ b
    return r
"""
    x = sample("int32", 16 * 32).reshape(16, 32) & ~3  # even numbers, for which the order of combination does not matter
    got = reduce(f"tl.reduce(x, {axis}, combine)", x, "int32", (32,) if axis == 0 else (16,), "int32", device, prelude)
    np.testing.assert_array_equal(got, x.sum(axis=axis, dtype=np.int32))


@triton.jit
def folded_maximum(x_ptr, out_ptr, n):
    cube = tl.arange(0, 4)[:, None, None] * 4 + tl.arange(0, 2)[None, :, None] * 2 + tl.arange(0, 2)[None, None, :]
    x = tl.load(x_ptr + cube, mask=cube < n, other=0)
    turned = tl.reshape(tl.trans(tl.reshape(x, (2, 8))), (4, 2, 2))
    out = tl.argmax(tl.maximum(turned, x), axis=1)
    tl.store(out_ptr + tl.arange(0, 4)[:, None] * 2 + tl.arange(0, 2)[None, :], out)


def test_masked_load_turned_round_below_a_reduction(device):
    """The place along the reduced axis is unknown where masks are tested beforehand; it goes through shifts and remainders there."""
    x, out = np.random.default_rng(0).standard_normal(16, dtype=np.float32), np.zeros((4, 2), np.int32)
    folded_maximum[(1,)](x, out, 13, device=device)
    x[13:] = 0
    expected = np.maximum(x.reshape(2, 8).T.reshape(4, 2, 2), x.reshape(4, 2, 2)).argmax(1)
    np.testing.assert_array_equal(out, expected)
