"""Operations that only rearrange: expand, broadcast, reshape, trans, permute, join, split, cat, on every device."""
import numpy as np
import pytest

from arrays import kernel_from_text, sample
from test_reductions import index_text


def rearrange(expression, x, out_shape, device, dtype="int32"):
    text = f"""
def kernel(x_ptr, out_ptr):
    x = tl.load(x_ptr + {index_text(x.shape)})
    tl.store(out_ptr + {index_text(out_shape)}, {expression})
"""
    out = np.zeros(out_shape, dtype)
    kernel_from_text(text)[(1,)](x, out, device=device)
    return out


def array(*shape):
    return sample("int32", int(np.prod(shape)), edges=False).reshape(shape)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (16, 64), (64, 16), (1, 32), (128, 2)])
@pytest.mark.parametrize("expression", ["tl.trans(x)", "x.T", "tl.permute(x, (1, 0))", "x.permute(1, 0)"])
def test_transpose(device, shape, expression):
    x = array(*shape)
    np.testing.assert_array_equal(rearrange(expression, x, shape[::-1], device), x.T)


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 0, 2), (2, 0, 1), (2, 1, 0)])
def test_permute_3d(device, order):
    x = array(4, 8, 16)
    np.testing.assert_array_equal(rearrange(f"tl.permute(x, {order})", x, tuple(x.shape[i] for i in order), device), x.transpose(order))


@pytest.mark.parametrize("source, target", [((64,), (8, 8)), ((8, 8), (64,)), ((16, 4), (4, 16)), ((2, 4, 8), (8, 8)), ((32,), (1, 32)),
                                            ((1, 1), (1,)), ((16, 64), (64, 16)), ((1024,), (4, 16, 16))])
@pytest.mark.parametrize("call", ["tl.reshape(x, {})", "x.reshape({})", "tl.view(x, {})"])
def test_reshape(device, source, target, call):
    x = array(*source)
    text = call.format("(" + ", ".join(map(str, target)) + ",)")
    np.testing.assert_array_equal(rearrange(text, x, target, device), x.reshape(target))


@pytest.mark.parametrize("source, target", [((1, 16), (8, 16)), ((8, 1), (8, 16)), ((1, 1), (4, 4)), ((1,), (32,)), ((4, 1, 8), (4, 2, 8))])
def test_broadcast_to(device, source, target):
    x = array(*source)
    np.testing.assert_array_equal(rearrange(f"tl.broadcast_to(x, {target})", x, target, device), np.broadcast_to(x, target))


def test_broadcast_of_both_operands(device):
    x = array(32)
    got = rearrange("x[:, None] * 100 + x[None, :]", x, (32, 32), device)
    np.testing.assert_array_equal(got, (x[:, None] * 100 + x[None, :]).astype(np.int32))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_expand_dims(device, axis):
    x = array(4, 8)
    expected = np.expand_dims(x, axis)
    np.testing.assert_array_equal(rearrange(f"tl.expand_dims(x, {axis})", x, expected.shape, device), expected)


@pytest.mark.parametrize("shape", [(16,), (4, 8)])
def test_join_and_split(device, shape):
    x = array(*shape)
    joined = rearrange("tl.join(x, x + 1)", x, (*shape, 2), device)
    np.testing.assert_array_equal(joined, np.stack([x, x + 1], axis=-1))
    text = f"""
def kernel(x_ptr, out_ptr):
    x = tl.load(x_ptr + {index_text((*shape, 2))})
    a, b = tl.split(x)
    tl.store(out_ptr + {index_text(shape)}, a * 3 - b)
"""
    out = np.zeros(shape, np.int32)
    kernel_from_text(text)[(1,)](joined, out, device=device)
    np.testing.assert_array_equal(out, x * 3 - (x + 1))


@pytest.mark.parametrize("rows", [1, 16, 64, 512])
def test_exchange_of_pairs(device, rows):
    """Halves of what was just computed, joined the other way round and used more than once: a rotary embedding's shape."""
    x, out = np.arange(rows * 2, dtype=np.float32), np.zeros((2, rows * 2), np.float32)
    kernel_from_text(f"""
def kernel(x_ptr, out_ptr):
    pairs = tl.arange(0, {rows})[:, None] * 2 + tl.arange(0, 2)[None, :]
    a, b = tl.split(tl.sqrt(tl.load(x_ptr + pairs % 13)))
    swapped = tl.join(b, a)
    tl.store(out_ptr + pairs, swapped)
    tl.store(out_ptr + {rows * 2} + pairs, swapped + 1)
""")[(1,)](x, out, device=device)
    expected = np.sqrt(x[np.arange(rows * 2) % 13]).reshape(-1, 2)[:, ::-1].reshape(-1)
    np.testing.assert_allclose(out, [expected, expected + 1], rtol=1e-6)


def test_interleave(device):
    x = array(16)
    np.testing.assert_array_equal(rearrange("tl.interleave(x, -x)", x, (32,), device), np.stack([x, -x], -1).reshape(-1))


def test_zeros_full(device):
    x = array(16)
    np.testing.assert_array_equal(rearrange("tl.zeros((16,), tl.int32) + tl.full((16,), 3, tl.int32) + tl.zeros_like(x)", x, (16,), device),
                                  np.full(16, 3))
