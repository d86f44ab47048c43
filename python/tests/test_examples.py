"""Every example, on both devices, at small sizes and at sizes that are no multiple of a block."""
import pathlib
import sys

import numpy as np
import pytest

import triton_metal

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.never_refused


@pytest.fixture(scope="module")
def load():
    sys.path.insert(0, str(EXAMPLES))
    import cases
    yield cases.load
    sys.path.remove(str(EXAMPLES))


def normal(*shape):
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("n", [1, 1000, 4096])
def test_add(load, device, n):
    x, y, out = normal(n), normal(n), np.zeros(n, np.float32)
    load("vector_add").add(x, y, out, device=device)
    np.testing.assert_array_equal(out, x + y)


@pytest.mark.parametrize("shape", [(1, 1), (5, 1000), (16, 1024)])
def test_softmax(load, device, shape):
    module, x = load("softmax"), normal(*shape)
    out = np.zeros_like(x)
    module.softmax(x, out, device=device)
    np.testing.assert_allclose(out, module.reference(x), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("shape", [(3, 17), (16, 1024)])
def test_layer_norm(load, device, shape):
    module, x = load("layer_norm"), normal(*shape)
    w, b, out = normal(shape[1]), normal(shape[1]), np.zeros_like(x)
    module.layer_norm(x, w, b, out, device=device)
    np.testing.assert_allclose(out, module.reference(x, w, b), rtol=1e-4, atol=1e-5)


def test_sum(load, device):
    x, partial, out = normal(50_003), np.zeros(13, np.float32), np.zeros(1, np.float32)
    load("sum").total(x, partial, out, device=device)
    assert abs(out[0] - x.sum(dtype=np.float64)) < 0.02


def test_atomic_sum(load, device):
    x, out = normal(50_003), np.zeros(1, np.float32)
    for _ in range(2):  # the second begins at zero as well
        load("sum").atomic_total(x, out, device=device)
        assert abs(out[0] - x.sum(dtype=np.float64)) < 0.02


@pytest.mark.parametrize("n", [1, 1000, 4096])
def test_elementwise(load, device, n):
    module, x, y = load("elementwise"), normal(n), normal(n)
    for function in (module.fused, module.unfused):
        out = np.zeros(n, np.float32)
        function(x, y, out, device=device)
        np.testing.assert_allclose(out, 2 * np.sin(x + y), atol=1e-6)
    changed = x.astype(np.float16)
    module.relu_in_place(changed, device=device)
    np.testing.assert_array_equal(changed, np.maximum(x.astype(np.float16), 0))
    out = np.zeros(n, np.float32)
    module.coalesced(x, out, device=device)
    np.testing.assert_array_equal(out, 2 * x)
    for kernel in (module.autotuned_kernel, module.per_chip_kernel):
        out = np.zeros(n, np.float32)
        module.double(x, out, kernel, device)
        np.testing.assert_array_equal(out, 2 * x)


@pytest.mark.parametrize("chip, threads", [("apple-m1-max", 128), ("apple-m2", 256), ("apple-m3-pro", 512), ("apple-m5", 512)])
def test_elementwise_by_chip(load, chip, threads):
    with triton_metal.knobs.metal.scope():
        triton_metal.knobs.metal.chip = chip
        x = normal(3000)
        out = np.zeros_like(x)
        kernel = load("elementwise").double(x, out, load("elementwise").per_chip_kernel, "metal")
    np.testing.assert_array_equal(out, 2 * x)
    assert kernel.metadata.facts["threads"] == threads


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("size", [(64, 64, 64), (100, 90, 77), (33, 1, 5)])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
def test_matmul(load, device, dtype, size, bias, transposed):
    (m, n, k), module = size, load("matmul")
    a, b = normal(m, k).astype(dtype), normal(k, n).astype(dtype)
    if transposed:
        a, b = np.asfortranarray(a), np.asfortranarray(b)
    c, beta = np.zeros((m, n), np.float32), normal(n) if bias else None
    module.matmul(a, b, c, beta, device=device)
    np.testing.assert_allclose(c, module.reference(a, b, beta), rtol=1e-4, atol=1e-3)


def test_dropout(load, device):
    module, x = load("dropout"), normal(3001)
    out = np.zeros_like(x)
    module.dropout(x, out, 0.3, 99, device=device)
    keep = module.philox_uniform(99, np.arange(3001)) > np.float32(0.3)
    np.testing.assert_allclose(out, np.where(keep, x / np.float32(0.7), 0), rtol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("shape", [(1, 64, 16), (2, 128, 64), (1, 100, 32)])
def test_attention(load, device, causal, shape):
    module = load("attention")
    q, k, v = normal(3, *shape)
    out = np.zeros_like(q)
    module.attention(q, k, v, out, causal, device=device)
    np.testing.assert_allclose(out, module.reference(q, k, v, causal), rtol=1e-4, atol=1e-5)


def test_attention_with_chosen_blocks(load):
    """On the cpu: test_demo.py searches on metal."""
    module = load("attention")
    q, k, v = normal(3, 2, 100, 32).astype(np.float16)
    out = np.zeros_like(q)
    module.attention(q, k, v, out, block=None, device="cpu")
    np.testing.assert_allclose(out, module.reference(q, k, v, False), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("kernel, stride, padding", [((3, 3), (1, 1), (1, 1)), ((5, 3), (2, 1), (2, 0)), ((1, 1), (1, 1), (0, 0)),
                                                     ((1, 1), (2, 2), (1, 1)), ((7, 7), (3, 2), (0, 6))])
def test_convolution(load, device, kernel, stride, padding):
    module, x, weights = load("convolution"), normal(2, 5, 13, 17), normal(9, 5, *kernel)
    extents = [module.output_extent(*axis) for axis in zip(x.shape[2:], kernel, stride, padding)]
    out = np.full((2, 9, *extents), np.nan, np.float32)
    module.convolution(x, weights, out, stride, padding, device=device)
    np.testing.assert_allclose(out, module.reference(x, weights, stride, padding), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("m, n, k, group", [(16, 64, 64, 32), (1, 1, 64, 64), (33, 70, 192, 64)])
def test_int4_matmul(load, device, m, n, k, group):
    module, a = load("int4_matmul"), normal(m, k).astype(np.float16)
    words, scales, zeros = module.quantise(normal(k, n), group)
    assert words.nbytes * 2 == k * n and words.min() < 0 or n == 1  # the high half's sign bit is a bit of the number
    b, c = module.dequantise(words, scales, zeros, group), np.full((m, n), np.nan, np.float32)
    assert np.abs(b - normal(k, n)).max() <= np.repeat(scales, group, 0).max()
    module.int4_matmul(a, words, scales, zeros, c, group, device=device)
    np.testing.assert_allclose(c, a.astype(np.float32) @ b.astype(np.float32), rtol=1e-4, atol=1e-4)


def test_int4_matmul_refuses_groups_that_a_step_straddles(load):
    module = load("int4_matmul")
    with pytest.raises(ValueError, match="a group of 48 rows"):
        module.int4_matmul(np.zeros((1, 96), np.float16), np.zeros((48, 4), np.int8), None, None, None, 48)


@pytest.mark.parametrize("n, width, heads", [(64, 64, 2), (37, 96, 3)])
def test_transformer_block(load, device, n, width, heads):
    module, x = load("transformer_block"), normal(n, width)
    weights, out = module.Weights.random(np.random.default_rng(2), width, 2 * width + 5), np.zeros_like(x)
    module.block(x, weights, heads, out, device=device)
    np.testing.assert_allclose(out, module.reference(x, weights, heads), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("shape", [(16, 64, 3), (37, 27, 4), (5, 1, 1)])
def test_sharpen(load, device, shape):
    module, image = load("image_filters"), np.random.default_rng(1).random(shape, dtype=np.float32)
    out = np.zeros_like(image)
    module.sharpen(image, out, device=device)
    np.testing.assert_allclose(out, module.sharpen_reference(image), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(16, 64), (37, 81)])
def test_image_filters(load, device, shape):
    module, image = load("image_filters"), np.abs(normal(*shape))
    out = np.zeros_like(image)
    module.blur(image, module.gaussian(), out, device=device)
    np.testing.assert_allclose(out, module.blur_reference(image, module.gaussian()), rtol=1e-4, atol=1e-5)
    module.sobel(image, out, device=device)
    np.testing.assert_allclose(out, module.sobel_reference(image), rtol=1e-4, atol=1e-5)


def test_measure(load, device):
    module, x = load("measure"), normal(3000)
    out = np.zeros_like(x)
    _, report = module.profiled_axpy(x, x, out, launches=3, device=device)
    np.testing.assert_array_equal(out, 3 * x)
    (row,) = report.kernels
    assert (row.name, row.device, row.launches, row.bytes) == ("axpy_kernel", device, 3, 3 * 3 * x.nbytes)
    np.testing.assert_allclose(module.intensities(256, device)[0], module.intensities_by_hand(256), rtol=1e-12)


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (32, 32), (70, 45)])
def test_shared_memory_tiles(load, device, shape, staged):
    module, x = load("shared_memory"), normal(*shape)
    turned, warm = np.zeros(shape[::-1], np.float32), np.zeros_like(x)
    module.transpose(x, turned, staged, device=device)
    np.testing.assert_array_equal(turned, x.T)
    module.heat(x, warm, staged, block=(16, 32), device=device)
    np.testing.assert_allclose(warm, module.heat_reference(x), atol=1e-6)


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("n", [1, 5000])
def test_shared_memory_histogram(load, device, n, staged):
    module, x = load("shared_memory"), np.random.default_rng(2).integers(0, 256, n, dtype=np.uint8)
    out = np.full(256, -1, np.int32)
    module.histogram(x, out, staged, block=256, rounds=4, device=device)
    np.testing.assert_array_equal(out, np.bincount(x, minlength=256))


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("shape", [(1, 1, 1), (70, 40, 33)])
def test_shared_memory_matmul(load, device, shape, staged):
    m, n, k = shape
    module, a, b, c = load("shared_memory"), normal(m, k), normal(k, n), np.zeros((m, n), np.float32)
    module.matmul(a, b, c, staged, block=(32, 32, 16), device=device)
    np.testing.assert_allclose(c, a @ b, rtol=1e-4, atol=1e-4)
