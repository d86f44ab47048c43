"""Arithmetic, bitwise, shift, comparison, logical and selection operators over dtypes, with edge values, on every device."""
import numpy as np
import pytest

from arrays import ALL, FLOATS, INTS, assert_ulp, bits, elementwise, is_float, round_to, sample

SIGNED = ("int8", "int16", "int32", "int64")


def binary(dtype, n=259):
    return sample(dtype, n, 0), sample(dtype, n, 1)


@pytest.mark.parametrize("n", [0, 1, 127, 128, 129, 259])
@pytest.mark.parametrize("block", [1, 16, 128, 1024])
def test_sizes(device, n, block):
    a, b = binary("float32", n)
    np.testing.assert_array_equal(elementwise("a + b", [(a, "float32"), (b, "float32")], "float32", device, block), a + b)


@pytest.mark.parametrize("operator", ["+", "-", "*"])
@pytest.mark.parametrize("dtype", ALL)
def test_arithmetic(device, dtype, operator):
    a, b = binary(dtype)
    with np.errstate(all="ignore"):
        expected = round_to(eval(f"a {operator} b"), dtype)
    got = elementwise(f"a {operator} b", [(a, dtype), (b, dtype)], dtype, device)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64", "int8", "uint16"])
@pytest.mark.parametrize("operator", ["//", "%"])
def test_integer_division(device, dtype, operator):
    """Truncates towards zero at run time; a divisor of zero and MIN / -1 give some value but never trap."""
    a, b = binary(dtype)
    usable = (b != 0) & ~((b == -1) & (a == np.iinfo(dtype).min) if dtype in SIGNED else False)
    got = elementwise(f"a {operator} b", [(a, dtype), (b, dtype)], dtype, device)
    d = np.where(usable, b, 1).astype(dtype)
    with np.errstate(all="ignore"):
        quotient = a // d
        quotient = (quotient + (((a % d) != 0) & ((a < 0) != (d < 0)))).astype(dtype)
        expected = quotient if operator == "//" else (a - quotient * d).astype(dtype)
    np.testing.assert_array_equal(got[usable], expected[usable])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_float_division(device, dtype):
    a, b = binary(dtype)
    with np.errstate(all="ignore"):
        expected = a / b if dtype == "float64" else a.astype(np.float32) / b.astype(np.float32)
    out = "float64" if dtype == "float64" else "float32"
    assert_ulp(elementwise("a / b", [(a, dtype), (b, dtype)], out, device), expected, 1, out)


@pytest.mark.parametrize("dtype", INTS)
@pytest.mark.parametrize("operator", ["&", "|", "^"])
def test_bitwise(device, dtype, operator):
    a, b = binary(dtype)
    got = elementwise(f"a {operator} b", [(a, dtype), (b, dtype)], dtype, device)
    np.testing.assert_array_equal(got, eval(f"a {operator} b"))


@pytest.mark.parametrize("dtype", INTS)
@pytest.mark.parametrize("operator", ["<<", ">>"])
def test_shift(device, dtype, operator):
    a, b = binary(dtype)
    b = (b & (bits(dtype) - 1)).astype(dtype)
    got = elementwise(f"a {operator} b", [(a, dtype), (b, dtype)], dtype, device)
    np.testing.assert_array_equal(got, eval(f"a {operator} b").astype(dtype))


@pytest.mark.parametrize("dtype", INTS)
def test_invert(device, dtype):
    a = sample(dtype)
    np.testing.assert_array_equal(elementwise("~a", [(a, dtype)], dtype, device), ~a)


@pytest.mark.parametrize("dtype", SIGNED + FLOATS)
def test_negate(device, dtype):
    a = sample(dtype)
    with np.errstate(all="ignore"):
        got = elementwise("-a", [(a, dtype)], dtype, device)
        np.testing.assert_array_equal(got, -a)
    if is_float(dtype):
        keep = ~np.isnan(a)
        np.testing.assert_array_equal(np.signbit(got[keep]), np.signbit((-a)[keep]))


@pytest.mark.parametrize("dtype", ALL)
def test_abs(device, dtype):
    a = sample(dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(elementwise("tl.abs(a)", [(a, dtype)], dtype, device), np.abs(a))


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
def test_comparison(device, dtype, operator):
    a, b = binary(dtype)
    b[::3] = a[::3]
    got = elementwise(f"a {operator} b", [(a, dtype), (b, dtype)], "int1", device)
    np.testing.assert_array_equal(got, eval(f"a {operator} b"))


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("function", ["minimum", "maximum"])
def test_minimum_maximum(device, dtype, function):
    """A NaN operand is ignored (the default, PropagateNan.NONE)."""
    a, b = binary(dtype)
    if is_float(dtype):
        expected = (np.fmin if function == "minimum" else np.fmax)(a, b)
    else:
        expected = getattr(np, function)(a, b)
    got = elementwise(f"tl.{function}(a, b)", [(a, dtype), (b, dtype)], dtype, device)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("function", ["minimum", "maximum"])
def test_propagate_nan(device, function):
    a, b = binary("float32")
    got = elementwise(f"tl.{function}(a, b, propagate_nan=tl.PropagateNan.ALL)", [(a, "float32"), (b, "float32")], "float32", device)
    np.testing.assert_array_equal(got, getattr(np, function)(a, b))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_clamp(device, dtype):
    a = sample(dtype)
    a = np.where(np.isnan(a), 0, a).astype(dtype)
    np.testing.assert_array_equal(elementwise("tl.clamp(a, b * 0 - 1, b * 0 + 2)", [(a, dtype), (np.ones_like(a), dtype)], dtype, device),
                                  np.clip(a, -1, 2))


@pytest.mark.parametrize("dtype", ALL)
def test_where(device, dtype):
    a, b = binary(dtype)
    condition = sample("int32", len(a), 3) % 2
    got = elementwise("tl.where(a != 0, b, c)", [(condition, "int32"), (a, dtype), (b, dtype)], dtype, device)
    np.testing.assert_array_equal(got, np.where(condition != 0, a, b))


@pytest.mark.parametrize("expression, expected", [
    ("(a > 0) & (b > 0)", lambda a, b: (a > 0) & (b > 0)),
    ("(a > 0) | (b > 0)", lambda a, b: (a > 0) | (b > 0)),
    ("(a > 0) ^ (b > 0)", lambda a, b: (a > 0) ^ (b > 0)),
    ("(a > 0) and (b > 0)", lambda a, b: (a > 0) & (b > 0)),
    ("(a > 0) or not (b > 0)", lambda a, b: (a > 0) | ~(b > 0)),
    ("a < b <= 7", lambda a, b: (a < b) & (b <= 7)),
])
def test_logical(device, expression, expected):
    a, b = binary("int32")
    np.testing.assert_array_equal(elementwise(expression, [(a, "int32"), (b, "int32")], "int1", device), expected(a, b))


@pytest.mark.parametrize("left, right, result", [
    ("int8", "int32", "int32"), ("int32", "int64", "int64"), ("uint8", "int8", "uint8"), ("uint32", "int32", "uint32"),
    ("int32", "float16", "float16"), ("int64", "float32", "float32"), ("float16", "float32", "float32"),
    ("float16", "bfloat16", "float32"), ("bfloat16", "float32", "float32"), ("uint16", "int32", "int32"),
])
def test_promotion(device, left, right, result):
    """The type of a mixed operation is upstream's; values small enough to be exact in every type."""
    a = (sample("uint8", 259, 0) % 8).astype(np.float32)
    b = (sample("uint8", 259, 1) % 8).astype(np.float32)
    got = elementwise("a + b", [(round_to(a, left), left), (round_to(b, right), right)], result, device)
    np.testing.assert_array_equal(got, a + b)


@pytest.mark.parametrize("dtype, literal", [("float16", "0.1"), ("float32", "0.1"), ("int32", "3"), ("bfloat16", "2.0")])
def test_weak_numbers(device, dtype, literal):
    """A Python number takes the tensor's type in arithmetic."""
    a = sample(dtype, edges=False)
    with np.errstate(all="ignore"):
        expected = round_to(a * round_to(np.float64(literal), dtype), dtype)
    np.testing.assert_array_equal(elementwise(f"a * {literal}", [(a, dtype)], dtype, device), expected)


def test_cdiv(device):
    a = np.abs(sample("int32", edges=False) // 4)
    np.testing.assert_array_equal(elementwise("tl.cdiv(a, 7)", [(a, "int32")], "int32", device), (a + 6) // 7)


def test_unsigned_high_product(device):
    a, b = binary("uint32")
    expected = (a.astype(np.uint64) * b >> np.uint64(32)).astype(np.uint32)
    np.testing.assert_array_equal(elementwise("tl.umulhi(a, b)", [(a, "uint32"), (b, "uint32")], "uint32", device), expected)
