"""Every example, on both devices, at small sizes and at sizes that are no multiple of a block."""
import pathlib
import sys

import numpy as np
import pytest

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


@pytest.mark.parametrize("shape", [(16, 64), (37, 81)])
def test_image_filters(load, device, shape):
    module, image = load("image_filters"), np.abs(normal(*shape))
    out = np.zeros_like(image)
    module.blur(image, module.gaussian(), out, device=device)
    np.testing.assert_allclose(out, module.blur_reference(image, module.gaussian()), rtol=1e-4, atol=1e-5)
    module.sobel(image, out, device=device)
    np.testing.assert_allclose(out, module.sobel_reference(image), rtol=1e-4, atol=1e-5)
