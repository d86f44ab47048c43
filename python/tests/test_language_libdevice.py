"""tl.extra.libdevice on both devices: values against NumPy in float64, and what is refused by name."""
import math

import numpy as np
import pytest

import triton_metal as triton
from arrays import assert_ulp, elementwise, kernel_from_text, sample

TINY = float(np.finfo(np.float32).tiny)


def vector(function):
    return np.vectorize(function, otypes=[np.float64])


def values(dtype, low, high, edges=True):
    rng = np.random.default_rng(3)
    parts = [rng.uniform(low, high, 600), rng.standard_normal(100) * 1e-3]
    if edges:
        parts.append(sample(dtype, 64).astype(np.float64))
    return np.concatenate(parts).astype(dtype)


def flushed(x, dtype):
    """fp32 denormals count as zeros: the metal device flushes them."""
    return np.where(np.abs(x) < TINY, 0, x) if dtype == "float32" else x


def overflowed(x, dtype):
    with np.errstate(over="ignore"):
        return x.astype(dtype).astype(np.float64)


UNARY = [
    ("rsqrt", (1e-6, 1e6), lambda x: 1 / np.sqrt(x), 4), ("sqrt", (0, 1e6), np.sqrt, 1), ("exp", (-80, 80), np.exp, 4),
    ("exp2", (-120, 120), np.exp2, 4), ("exp10", (-30, 30), lambda x: np.power(10.0, x), 8), ("expm1", (-4, 4), np.expm1, 10),
    ("log", (1e-6, 1e6), np.log, 4), ("log2", (1e-6, 1e6), np.log2, 4), ("log10", (1e-6, 1e6), np.log10, 6),
    ("log1p", (-0.9, 4), np.log1p, 10), ("tanh", (-6, 6), np.tanh, 12), ("sinh", (-20, 20), np.sinh, 12),
    ("cosh", (-20, 20), np.cosh, 8), ("asinh", (-20, 20), np.arcsinh, 12), ("acosh", (1, 20), np.arccosh, 16),
    ("atanh", (-0.99, 0.99), np.arctanh, 16), ("atan", (-20, 20), np.arctan, 6), ("asin", (-1, 1), np.arcsin, 10),
    ("acos", (-0.99, 0.9), np.arccos, 10), ("erf", (-4, 4), vector(math.erf), 4), ("cbrt", (-1000, 1000), np.cbrt, 8),
    ("trunc", (-100, 100), np.trunc, 0), ("rint", (-100, 100), np.rint, 0), ("nearbyint", (-100, 100), np.rint, 0),
    ("round", (-100, 100), lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x), 0), ("floor", (-100, 100), np.floor, 0),
    ("ceil", (-100, 100), np.ceil, 0), ("abs", (-100, 100), np.abs, 0),
    ("logb", (-100, 100), lambda x: np.floor(np.log2(np.abs(x))), 0),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, domain, reference, ulp", UNARY)
def test_unary(device, dtype, name, domain, reference, ulp):
    x = values(dtype, *domain, edges=name not in ("logb", "round"))
    if name == "logb":
        x = x[np.abs(x) > 1e-3]
    with np.errstate(all="ignore"):
        expected = flushed(overflowed(reference(x.astype(np.float64)), dtype), dtype)
    got = elementwise(f"tl.extra.libdevice.{name}(a)", [(x, dtype)], dtype, device)
    assert_ulp(flushed(got, dtype), expected, ulp, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, reference, ulp", [
    ("atan2", np.arctan2, 8), ("hypot", np.hypot, 4), ("fmod", np.fmod, 0), ("copysign", np.copysign, 0),
    ("fdim", lambda x, y: np.where(x > y, x - y, np.where(np.isnan(x + y) & (np.isnan(x) | np.isnan(y)), np.nan, 0)), 1)])
def test_binary(device, dtype, name, reference, ulp):
    x, y = (np.concatenate([values(dtype, -20, 20, edges=False), sample(dtype, 64, seed).astype(dtype)]) for seed in (0, 1))
    y = y[::-1].copy() if name != "fmod" else np.where(y == 0, 1, y).astype(dtype)
    with np.errstate(all="ignore"):
        expected = flushed(reference(x.astype(np.float64), y.astype(np.float64)), dtype)
    got = elementwise(f"tl.extra.libdevice.{name}(a, b)", [(x, dtype), (y, dtype)], dtype, device)
    assert_ulp(flushed(got, dtype), expected, ulp, dtype)


@pytest.mark.parametrize("dtype, ulp", [("float32", 4), ("float64", 16)])
def test_pow(device, dtype, ulp):
    rng = np.random.default_rng(0)
    base = np.concatenate([rng.uniform(0.01, 20, 500), rng.uniform(0.9, 1.1, 200), -np.arange(1.0, 21),
                           [0, -0.0, np.inf, -np.inf, 1, np.nan, 2, 0]])
    power = np.concatenate([rng.uniform(-20, 20, 500), rng.uniform(-300, 300, 200), np.arange(-10.0, 10),
                            [2, 3, -2, 3, np.nan, 0, np.inf, -1]])
    x, y = base.astype(dtype), power.astype(dtype)
    with np.errstate(all="ignore"):
        expected = flushed(overflowed(np.power(x.astype(np.float64), y.astype(np.float64)), dtype), dtype)
    got = elementwise("tl.extra.libdevice.pow(a, b)", [(x, dtype), (y, dtype)], dtype, device)
    assert_ulp(flushed(got, dtype), expected, ulp, dtype)
    whole = rng.integers(-5, 6, len(x)).astype(np.int32)
    with np.errstate(all="ignore"):
        expected = flushed(overflowed(np.power(x.astype(np.float64), whole), dtype), dtype)
    got = elementwise("tl.extra.libdevice.pow(a, b)", [(x, dtype), (whole, "int32")], dtype, device)
    assert_ulp(flushed(got, dtype), expected, ulp, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_classes(device, dtype):
    x = values(dtype, -3, 3)
    for name, reference in [("isnan", np.isnan), ("isinf", np.isinf), ("isfinited", np.isfinite), ("finitef", np.isfinite),
                            ("signbit", np.signbit)]:
        got = elementwise(f"tl.extra.libdevice.{name}(a)", [(x, dtype)], "int1", device)
        np.testing.assert_array_equal(got, reference(x), err_msg=name)


def test_scaling(device):
    x = np.array([1.0, -3.5, 0.75, 1e-30, 3e38, 0.0, np.inf, np.nan, 1e10], np.float32)
    n = np.array([3, -2, 100, 80, 20, 5, -7, 1, -60], np.int32)
    with np.errstate(all="ignore"):
        expected = np.ldexp(x, n)
    for name in ("ldexp", "scalbn"):
        got = elementwise(f"tl.extra.libdevice.{name}(a, b)", [(x, "float32"), (n, "int32")], "float32", device)
        np.testing.assert_array_equal(got, expected)
    got = elementwise("tl.extra.libdevice.ilogb(a)", [(x, "float32")], "int32", device)
    np.testing.assert_array_equal(got, [0, 1, -1, -100, 127, -2**31, 2**31 - 1, -2**31, 33])


def test_rounding_to_integers(device):
    x = np.array([0.5, 1.5, -0.5, -2.5, 3.49, 2.0**31, -1e12, 0.49999997], np.float32)
    np.testing.assert_array_equal(elementwise("tl.extra.libdevice.llrint(a)", [(x, "float32")], "int64", device), np.rint(x))
    expected = np.array([1, 2, -1, -3, 3, 2.0**31, np.float32(-1e12), 0])
    np.testing.assert_array_equal(elementwise("tl.extra.libdevice.llround(a)", [(x, "float32")], "int64", device), expected)


def test_division_toward_zero(device):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-10, 10, 1000).astype(np.float32), rng.uniform(0.1, 10, 1000).astype(np.float32)
    q = (x.astype(np.float64) / y)
    nearest = q.astype(np.float32)
    expected = np.where(np.abs(nearest.astype(np.float64)) > np.abs(q), np.nextafter(nearest, np.float32(0)), nearest)
    got = elementwise("tl.extra.libdevice.div_rz(a, b)", [(x, "float32"), (y, "float32")], "float32", device)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32"])
def test_bits(device, dtype):
    x = np.concatenate([sample(dtype, 200), np.zeros(1, dtype)])
    width = np.dtype(dtype).itemsize * 8
    text = [np.binary_repr(int(v) & (2**width - 1), width) for v in x]
    for name, expected in [("popc", [t.count("1") for t in text]), ("clz", [len(t) - len(t.lstrip("0")) for t in text]),
                           ("ffs", [0 if "1" not in t else width - t.rindex("1") for t in text])]:
        got = elementwise(f"tl.extra.libdevice.{name}(a)", [(x, dtype)], "int32", device)
        np.testing.assert_array_equal(got, expected, err_msg=name)
    if width == 32:
        got = elementwise("tl.extra.libdevice.brev(a)", [(x, dtype)], dtype, device)
        assert [np.binary_repr(int(v) & (2**width - 1), width) for v in got] == [t[::-1] for t in text]


def test_fast_names_and_literals(device):
    x = np.linspace(0.1, 3, 64, dtype=np.float32)
    expression = " + ".join(f"tl.extra.libdevice.{call}" for call in ("fast_powf(a, 2.0)", "fast_tanhf(a)", "fma(a, 2.0, 1.0)"))
    got = elementwise(expression, [(x, "float32")], "float32", device)
    np.testing.assert_allclose(got, x.astype(np.float64)**2 + np.tanh(x) + 2 * x + 1, rtol=2e-6)


@pytest.mark.never_refused
@pytest.mark.parametrize("expression, message", [
    ("tl.extra.libdevice.j0(a)", "'libdevice.j0' is not supported by this compiler"),
    ("tl.extra.libdevice.erfcinv(a)", "'libdevice.erfcinv' is not supported by this compiler"),
    ("tl.extra.libdevice.exp(a.to(tl.float16))", "Expect fp32 or fp64"),
    ("tl.extra.libdevice.popc(a)", "Expect an integer of 32 or 64 bits"),
    ("tl.extra.cuda.smid()", "'smid' is not supported by this compiler")])
def test_refused(expression, message):
    kernel = kernel_from_text(f"def kernel(x_ptr):\n    a = tl.load(x_ptr)\n    tl.store(x_ptr, {expression})\n")
    with pytest.raises(triton.CompilationError) as error:
        kernel[(1,)](np.zeros(1, np.float32), device="cpu")
    causes, link = [], error.value
    while link is not None:
        causes.append(str(link))
        link = link.__cause__
    assert any(message in text for text in causes), causes
