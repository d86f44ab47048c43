"""Tensor descriptors made in kernels: bounds checks on every side, padding, gather, scatter, atomics, attributes, refusals."""
import numpy as np
import pytest

import triton_metal as triton
from arrays import kernel_from_text, messages


def run(body: str, device: str, *arguments, grid=(1,), parameters="x_ptr, out_ptr", **constants):
    names = "".join(f", {name}: tl.constexpr" for name in constants)
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    kernel_from_text(f"def kernel({parameters}{names}):\n{lines}\n")[grid](*arguments, **constants, device=device)


def tile(x, row, column, rows, columns, fill=0):
    """What a load gives: elements outside are `fill`."""
    out = np.full((rows, columns), fill, x.dtype)
    for i in range(rows):
        for j in range(columns):
            if 0 <= row + i < x.shape[0] and 0 <= column + j < x.shape[1]:
                out[i, j] = x[row + i, column + j]
    return out


@pytest.mark.parametrize("offset", [(0, 0), (8, 16), (-3, -5), (14, 24), (100, 0), (-8, -16)])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "int8"])
def test_load(device, dtype, offset):
    x = np.random.default_rng(0).integers(-100, 100, (19, 35)).astype(dtype)
    out = np.full((8, 16), 7, dtype)
    run("""
d = tl.make_tensor_descriptor(x_ptr, [19, 35], [35, 1], [8, 16])
o = tl.make_tensor_descriptor(out_ptr, [8, 16], [16, 1], [8, 16])
o.store([0, 0], d.load([i, j]))
""", device, x, out, *offset, parameters="x_ptr, out_ptr, i, j")
    np.testing.assert_array_equal(out, tile(x, *offset, 8, 16))


def test_padding(device):
    x, out = np.arange(40, dtype=np.float32).reshape(4, 10), np.zeros((4, 8), np.float32)
    run("""
d = tl.make_tensor_descriptor(x_ptr, [4, 10], [10, 1], [4, 8], padding_option="nan")
o = tl.make_tensor_descriptor(out_ptr, [4, 8], [8, 1], [4, 8])
tl.store_tensor_descriptor(o, [0, 0], tl.load_tensor_descriptor(d, [2, 6]))
""", device, x, out)
    np.testing.assert_array_equal(out, tile(x, 2, 6, 4, 8, np.nan))


@pytest.mark.parametrize("offset", [(0, 0), (-2, -3), (7, 5)])
def test_store_is_clipped_and_cast(device, offset):
    x, out = np.arange(32, dtype=np.float32).reshape(4, 8) + 0.75, np.full((9, 11), -1, np.int32)
    run("""
d = tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [4, 8])
o = tl.make_tensor_descriptor(out_ptr, [9, 11], [11, 1], [4, 8])
o.store([i, j], d.load([0, 0]))
""", device, x, out, *offset, parameters="x_ptr, out_ptr, i, j")
    expected = np.full((9, 11), -1, np.int32)
    for i in range(4):
        for j in range(8):
            if 0 <= i + offset[0] < 9 and 0 <= j + offset[1] < 11:
                expected[i + offset[0], j + offset[1]] = int(x[i, j])
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("shape, block", [((50,), (16,)), ((3, 5, 20), (2, 4, 8)), ((2, 3, 4, 9), (2, 2, 4, 4))])
def test_ranks(device, shape, block):
    x, out = np.random.default_rng(1).standard_normal(shape, dtype=np.float32), np.zeros(block, np.float32)
    strides = tuple(np.array(x.strides) // 4)
    own = tuple(np.array(out.strides) // 4)
    run(f"""
d = tl.make_tensor_descriptor(x_ptr, {list(shape)}, {[int(s) for s in strides]}, {list(block)})
o = tl.make_tensor_descriptor(out_ptr, {list(block)}, {[int(s) for s in own]}, {list(block)})
o.store({[0] * len(shape)}, d.load({[1] * len(shape)}))
""", device, x, out)
    part = x[tuple(slice(1, 1 + b) for b in block)]
    expected = np.zeros(block, np.float32)
    expected[tuple(slice(0, s) for s in part.shape)] = part
    np.testing.assert_array_equal(out, expected)


def test_matmul(device):
    """Descriptors that are used in a loop and passed to a function."""
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((50, 40), dtype=np.float32), rng.standard_normal((40, 30), dtype=np.float32)
    c = np.zeros((50, 30), np.float32)
    kernel = kernel_from_text("""
@triton.jit
def product(a, b, acc, i, j, k):
    return tl.dot(a.load([i, k]), b.load([k, j]), acc, input_precision="ieee")

@triton.jit
def kernel(a_ptr, b_ptr, c_ptr, m, n, k, B: tl.constexpr):
    a = tl.make_tensor_descriptor(a_ptr, [m, k], [k, 1], [B, B])
    b = tl.make_tensor_descriptor(b_ptr, [k, n], [n, 1], [B, B])
    c = tl.make_tensor_descriptor(c_ptr, [m, n], [n, 1], [B, B])
    i, j = tl.program_id(0) * B, tl.program_id(1) * B
    acc = tl.zeros((B, B), tl.float32)
    for at in range(0, k, B):
        acc = product(a, b, acc, i, j, at)
    c.store([i, j], acc)
""")
    kernel[(4, 2)](a, b, c, 50, 30, 40, B=16, device=device)
    np.testing.assert_allclose(c, a @ b, rtol=1e-4, atol=1e-4)


def test_gather_scatter(device):
    rng = np.random.default_rng(3)
    x, out = rng.standard_normal((20, 32), dtype=np.float32), np.zeros((20, 32), np.float32)
    rows = np.array([3, 19, 0, 7, 25, -1, 4, 11], np.int32)
    run("""
d = tl.make_tensor_descriptor(x_ptr, [20, 32], [32, 1], [1, 16])
o = tl.make_tensor_descriptor(out_ptr, [20, 32], [32, 1], [1, 16])
rows = tl.load(rows_ptr + tl.arange(0, 8))
o.scatter(d.gather(rows, 8) * 2, rows, 8)
""", device, x, out, rows, parameters="x_ptr, out_ptr, rows_ptr")
    expected = np.zeros_like(x)
    inside = rows[(rows >= 0) & (rows < 20)]
    expected[inside, 8:24] = 2 * x[inside, 8:24]
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("op, reference", [("add", np.add), ("max", np.maximum), ("min", np.minimum), ("and", np.bitwise_and),
                                           ("or", np.bitwise_or), ("xor", np.bitwise_xor)])
def test_atomics(device, op, reference):
    rng = np.random.default_rng(4)
    x, out = rng.integers(-99, 99, (4, 8), dtype=np.int32), rng.integers(-99, 99, (6, 10), dtype=np.int32)
    expected = out.copy()
    expected[3:6, 4:10] = reference(out[3:6, 4:10], x[:3, :6])
    run(f"""
d = tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [4, 8])
o = tl.make_tensor_descriptor(out_ptr, [6, 10], [10, 1], [4, 8])
o.atomic_{op}([3, 4], d.load([0, 0]))
""", device, x, out)
    np.testing.assert_array_equal(out, expected)


def test_attributes(device):
    out = np.zeros(4, np.int32)
    run("""
d = tl.make_tensor_descriptor(x_ptr, [n, 16], [16, 1], [4, 8])
tl.static_assert(d.dtype == tl.float32)
tl.static_assert(d.block_shape == (4, 8))
tl.static_assert(d.block_type.shape == [4, 8])
tl.store(out_ptr, d.shape[0])
tl.store(out_ptr + 1, d.shape[1])
tl.store(out_ptr + 2, d.strides[0].to(tl.int32))
""", device, np.zeros((5, 16), np.float32), out, 5, parameters="x_ptr, out_ptr, n")
    assert out.tolist() == [5, 16, 16, 0]


@pytest.mark.never_refused
@pytest.mark.parametrize("body, message", [
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 2], [4, 8])", "Tensor descriptor last dim must be 1"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [4, 2])", "at least 16 bytes in the last dimension"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [1], [4, 8])", "Expected 2 strides but got 1"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [8])", "Expected block_shape to have 2 dimensions but got 1"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [3, 8])", "power of 2"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [4, 8], 'ones')", "Padding option ones not supported"),
    ("tl.make_tensor_descriptor(1, [4, 8], [8, 1], [4, 8])", "Expected `base` to be a scalar pointer"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [4, 8]).load([0])", "expected 2 offsets, but got 1"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [4, 8]).gather(tl.arange(0, 8), 0)", "need a descriptor of blocks [1, columns]"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [4, 8]).prefetch()", "has no attribute 'prefetch'"),
    ("tl.make_tensor_descriptor(x_ptr, [4, 8], [8, 1], [4, 8]) + 1", "unsupported operand type(s) for +: 'tensor_descriptor' and 'int'"),
    ("tl.load_tensor_descriptor(x_ptr, [0, 0])", "expected a tensor descriptor")])
def test_refused(body, message):
    with pytest.raises(triton.CompilationError) as error:
        run(body, "cpu", np.zeros(64, np.float32), parameters="x_ptr")
    assert message in messages(error)
