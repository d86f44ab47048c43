"""Conversions between all dtypes, with the values whose result is defined."""
import numpy as np
import pytest

from arrays import ALL, bits, elementwise, is_float, round_to, sample


@pytest.mark.parametrize("to", ALL)
@pytest.mark.parametrize("dtype", ALL)
def test_cast(device, dtype, to):
    a = sample(dtype)
    if is_float(dtype) and not is_float(to):  # only what fits: the rest is undefined
        low, high = (0, 100) if to.startswith("u") else (-100, 100)
        a = np.where(np.isfinite(a) & (a >= low) & (a <= high), a, 5).astype(a.dtype)
    with np.errstate(all="ignore"):
        if to == "bfloat16" and not is_float(dtype):
            expected = round_to(a.astype(np.float32), to)
        elif to in ("float16", "bfloat16") and dtype == "float64":
            expected = round_to(a, to) if to == "float16" else round_to(a.astype(np.float32), to)
        else:
            expected = round_to(a, to)
    got = elementwise(f"a.to(tl.{to})", [(a, dtype)], to, device)
    if to in ("float16", "bfloat16") and (dtype == "float64" or not is_float(dtype)):
        # through fp32 there are two roundings, which may differ by one unit from one
        np.testing.assert_allclose(got.astype(np.float64), expected.astype(np.float64), rtol=2.0 ** (-9 if to == "float16" else -6))
    else:
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype, to", [("float32", "int32"), ("int32", "float32"), ("float32", "uint32"), ("float16", "int16"),
                                       ("int64", "float64"), ("int8", "uint8")])
def test_bitcast(device, dtype, to):
    a = sample(dtype, edges=not is_float(to))
    if is_float(to):
        a = np.abs(a) >> 3
    got = elementwise(f"a.to(tl.{to}, bitcast=True)", [(a, dtype)], to, device)
    np.testing.assert_array_equal(got, a.view(to))


def test_to_bool(device):
    for dtype in ("int32", "float32"):
        a = sample(dtype)
        got = elementwise("a.to(tl.int1)", [(a, dtype)], "int1", device)
        np.testing.assert_array_equal(got, a != 0)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int64"])
def test_integer_truncation_wraps(device, dtype):
    a = sample("int64")
    np.testing.assert_array_equal(elementwise(f"a.to(tl.{dtype})", [(a, "int64")], dtype, device), a.astype(dtype))
    assert bits(dtype) in (8, 16, 64)
