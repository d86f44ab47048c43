"""Tuples, named tuples and tensor descriptors as arguments of a launch."""
import collections
import typing

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from triton_metal.tools.tensor_descriptor import TensorDescriptor

Pair = collections.namedtuple("Pair", ["source", "scale"])


class Options(typing.NamedTuple):
    pointers: tuple
    count: int
    function: typing.Any = None


@triton.jit
def add_all(pointers, out, scales, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], tl.float32)
    for k in tl.static_range(len(pointers)):
        total += scales[k] * tl.load(pointers[k] + i, i < n, 0)
    tl.store(out + i, total, i < n)


def arrays(count, size=100):
    return tuple(np.random.default_rng(k).standard_normal(size).astype(np.float32) for k in range(count))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_tuples_of_arrays_and_numbers(device, count):
    xs, out = arrays(count), np.zeros(100, np.float32)
    scales = (2.0, 0.5, -1.0)[:count]
    add_all[(1,)](xs, out, scales, 100, BLOCK=128, device=device)
    np.testing.assert_allclose(out, sum(s * x for s, x in zip(scales, xs)), rtol=1e-6, atol=1e-6)


def test_each_structure_is_compiled_once(device):
    @triton.jit
    def kernel(values, out):
        tl.store(out, values[0] + values[1])

    out = np.zeros(1, np.int32)
    hashes = []
    for values in [(2, 3), (5, 7), (1, 3), (16, 3), (2, tl.constexpr(4)), (2, tl.constexpr(5)), (2, 3)]:
        hashes.append(kernel[(1,)](values, out, device=device).hash)
        plain = [v.value if isinstance(v, tl.constexpr) else v for v in values]
        assert out[0] == sum(plain)
    assert hashes[0] == hashes[1] == hashes[6]  # other values of one structure
    assert len(set(hashes)) == 5  # 1 is a constant, 16 is divisible by 16, constants are compiled in


def test_nesting_and_named_fields(device):
    @triton.jit
    def twice(x):
        return x * 2

    @triton.jit
    def kernel(options, nested, out, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        first, second = options.pointers
        x = tl.load(first + i) + tl.load(second.source + i) * second.scale
        x = options.function(x) + nested[0][1] + options.count
        if nested[1] is None:
            x += 1000
        tl.store(out + i, x)

    a, b = arrays(2, 16)
    out = np.zeros(16, np.float32)
    kernel[(1,)](Options((a, Pair(b, 3.0)), 7, twice), ((1, 40), None), out, BLOCK=16, device=device)
    np.testing.assert_allclose(out, (a + b * 3) * 2 + 40 + 7 + 1000, rtol=1e-6)


def test_empty_and_defaults(device):
    @triton.jit
    def kernel(out, values=(), more=(3, 4)):
        tl.store(out, len(values) * 100 + more[0] * 10 + more[1])

    out = np.zeros(1, np.int32)
    kernel[(1,)](out, device=device)
    assert out[0] == 34
    kernel[(1,)](out, (5, 6, 7), more=(8, 9), device=device)
    assert out[0] == 389


def test_arrays_in_tuples_that_overlap(device):
    """The arrays share memory; the elements that are read are not those that are written, whose order is not defined."""
    @triton.jit
    def shift(pair, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        tl.store(pair[1] + BLOCK + i, tl.load(pair[0] + i) + 1)

    x = np.arange(65, dtype=np.float32)
    expected = np.concatenate([x[:33], x[:32] + 1])
    shift[(1,)]((x[:64], x[1:]), BLOCK=32, device=device)
    np.testing.assert_array_equal(x, expected)


def test_read_only_elements_and_wrong_types_are_named(device):
    x, out = arrays(1)[0], np.zeros(100, np.float32)
    out.flags.writeable = False
    with pytest.raises(triton.LaunchError, match=r"argument 'scales\[1\]' has type str, .*pass an array") as error:
        add_all[(1,)]((x, x), np.zeros(100, np.float32), (1.0, "2"), 100, BLOCK=128, device=device)
    assert error.value.argument == "scales[1]"

    @triton.jit
    def fill(outs):
        tl.store(outs[0], 1.0)

    with pytest.raises(triton.LaunchError, match=r"argument 'outs\[0\]' is a read-only array"):
        fill[(1,)]((out,), device=device)


def test_grid_functions_and_hooks_see_the_tuple(device):
    seen = {}
    x, out = arrays(1), np.zeros(100, np.float32)

    def grid(meta):
        seen.update(meta)
        return (1,)

    add_all[grid](x, out, (1.0,), 100, BLOCK=128, device=device)
    assert seen["pointers"] is x and seen["scales"] == (1.0,) and seen["BLOCK"] == 128


@triton.jit
def copy_tile(source, target, row, column):
    target.store([0, 0], source.load([row, column]).to(target.dtype))


@pytest.mark.parametrize("place", [(0, 0), (8, 16), (-3, -5), (17, 30), (40, 0)])
@pytest.mark.parametrize("padding", ["zero", "nan"])
def test_descriptors(device, padding, place):
    x = np.random.default_rng(0).standard_normal((19, 36)).astype(np.float32)
    out = np.full((8, 16), 7, np.float32)
    copy_tile[(1,)](TensorDescriptor.from_tensor(x, [8, 16], padding), TensorDescriptor.from_tensor(out, [8, 16]), *place,
                    device=device)
    expected = np.full((8, 16), np.nan if padding == "nan" else 0, np.float32)
    for i in range(8):
        for j in range(16):
            r, c = place[0] + i, place[1] + j
            if 0 <= r < 19 and 0 <= c < 36:
                expected[i, j] = x[r, c]
    np.testing.assert_array_equal(out, expected)


def test_descriptors_of_other_shapes_share_a_kernel(device):
    out = TensorDescriptor.from_tensor(np.zeros((8, 16), np.float32), [8, 16])
    hashes = set()
    for shape in [(8, 20), (9, 28), (1, 4)]:
        x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
        hashes.add(copy_tile[(1,)](TensorDescriptor.from_tensor(x, [8, 16]), out, 0, 0, device=device).hash)
        tile = np.zeros((8, 16), np.float32)
        tile[: shape[0], : shape[1]] = x[:8, :16]
        np.testing.assert_array_equal(out.base, tile)
    assert len(hashes) == 1


def test_attributes_of_descriptors(device):
    @triton.jit
    def kernel(desc, out):
        tl.static_assert(desc.block_shape[0] == 2 and desc.dtype == tl.float16)
        tl.store(out, desc.shape[0])
        tl.store(out + 1, desc.shape[1])
        tl.store(out + 2, desc.strides[0].to(tl.int32))
        tl.store(out + 3, desc.strides[1])

    out = np.zeros(4, np.int32)
    x = np.zeros((5, 24), np.float16)[:, :17]
    kernel[(1,)](TensorDescriptor.from_tensor(x, [2, 8]), out, device=device)
    np.testing.assert_array_equal(out, [5, 17, 24, 1])


def test_descriptors_inside_tuples_and_of_torch_tensors(device):
    torch = pytest.importorskip("torch")

    @triton.jit
    def add(pair, out):
        out.store([0], pair[0].load([0]) + pair[1].load([0]))

    a, b, out = torch.randn(30), torch.randn(30), torch.zeros(32)
    add[(1,)]((TensorDescriptor.from_tensor(a, [32]), TensorDescriptor.from_tensor(b, [32])), TensorDescriptor.from_tensor(out, [32]),
              device=device)
    torch.testing.assert_close(out[:30], a + b)
    assert out[30:].eq(0).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda x: TensorDescriptor(x, [4], [8, 1], [4, 4]), "rank mismatch"),
        (lambda x: TensorDescriptor(x, [4, 8], [8, 1], [3, 8]), "powers of two"),
        (lambda x: TensorDescriptor(x, [4, 8], [9, 1], [4, 8]), "16-byte aligned"),
        (lambda x: TensorDescriptor(x, [4, 0], [8, 1], [4, 8]), "must be positive"),
        (lambda x: TensorDescriptor(x, [4, 8], [8, 2], [4, 8]), "must be contiguous"),
        (lambda x: TensorDescriptor(x, [4, 8], [8, 1], [4, 8], "ones"), "padding must be"),
        (lambda x: TensorDescriptor(x.astype(np.int32), [4, 8], [8, 1], [4, 8], "nan"), "floating point"),
    ],
)
def test_wrong_descriptors(make, message):
    with pytest.raises(AssertionError, match=message):
        make(np.zeros((4, 8), np.float32))
