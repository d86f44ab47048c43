"""Mathematical functions against NumPy in float64, within the bounds of the design: 4 ulp, sqrt and division 1 ulp."""
import math

import numpy as np
import pytest

from arrays import assert_ulp, elementwise, sample

ERF = np.vectorize(math.erf, otypes=[np.float64])


def inputs(dtype, domain):
    """Dense values of a domain and every edge value."""
    rng = np.random.default_rng(5)
    low, high = domain
    values = np.concatenate([sample(dtype, 32), rng.uniform(low, high, 2000).astype(dtype),
                             (rng.standard_normal(200) * 1e-3).astype(dtype)])
    return values


def flushed(values):
    """fp32 denormals count as zeros: the metal device flushes them, as Apple's GPUs do."""
    return np.where(np.abs(values) < np.finfo(np.float32).tiny, 0, values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, domain, reference, ulp", [
    ("exp", (-87, 88), np.exp, 4), ("exp2", (-125, 127), np.exp2, 4), ("log", (1e-6, 1e6), np.log, 4), ("log2", (1e-6, 1e6), np.log2, 4),
    ("sin", (-100, 100), np.sin, 4), ("cos", (-100, 100), np.cos, 4), ("sqrt", (0, 1e6), np.sqrt, 1),
    ("rsqrt", (1e-6, 1e6), lambda x: 1 / np.sqrt(x), 4), ("erf", (-5, 5), ERF, 4), ("floor", (-1e6, 1e6), np.floor, 0),
    ("ceil", (-1e6, 1e6), np.ceil, 0), ("abs", (-1e6, 1e6), np.abs, 0)])
def test_function(device, dtype, name, domain, reference, ulp):
    x = inputs(dtype, domain)
    with np.errstate(all="ignore"):
        expected = reference(x.astype(np.float64))
        if dtype == "float32":
            expected = np.where(np.abs(expected) > np.finfo(np.float32).max, np.inf * np.sign(expected), expected)
            expected = flushed(expected)
    got = elementwise(f"tl.{name}(a)", [(x, dtype)], dtype, device)
    if name in ("sin", "cos"):  # near a zero of the function the absolute error counts, as in every library's statement of it
        usable = np.abs(expected) > 1e-3
        got, expected = got[usable | ~np.isfinite(expected)], expected[usable | ~np.isfinite(expected)]
    assert_ulp(flushed(got) if dtype == "float32" else got, expected, ulp, dtype)


@pytest.mark.parametrize("expression, reference, ulp", [
    ("tl.sqrt_rn(tl.abs(a))", lambda a, b: np.sqrt(np.abs(a)), 0.5), ("tl.div_rn(a, b)", lambda a, b: a / b, 0.5),
    ("tl.fdiv(a, b)", lambda a, b: a / b, 1), ("tl.sigmoid(a)", lambda a, b: 1 / (1 + np.exp(-a)), 8)])
def test_rounded(device, expression, reference, ulp):
    a, b = sample("float32", 999, 0), sample("float32", 999, 1)
    with np.errstate(all="ignore"):
        expected = reference(a.astype(np.float64), b.astype(np.float64))
    got = elementwise(expression, [(a, "float32"), (b, "float32")], "float32", device)
    assert_ulp(flushed(got), flushed(expected), ulp + 0.01)


def test_fma(device):
    """One rounding: the product is not rounded before the sum."""
    a, b = (np.float32(1) + np.random.default_rng(0).random((2, 500), np.float32))
    c = -(a * b)
    expected = (a.astype(np.float64) * b + c).astype(np.float32)
    got = elementwise("tl.fma(a, b, c)", [(a, "float32"), (b, "float32"), (c, "float32")], "float32", device)
    np.testing.assert_array_equal(got, expected)
