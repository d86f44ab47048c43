"""Aggregates and constexpr functions: construction, methods, operators, loops, branches, replacement, refusals."""
import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from arrays import kernel_from_text


@triton.aggregate
class Complex:
    re: tl.tensor
    im: tl.tensor

    @triton.jit
    def __add__(self, other):
        return Complex(self.re + other.re, self.im + other.im)

    @triton.jit
    def __mul__(self, other):
        return Complex(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)

    @triton.jit
    def __rsub__(self, number):
        return Complex(number - self.re, 0.0 - self.im)

    @triton.jit
    def __lt__(self, other):
        return self.norm() < other.norm()

    @triton.jit
    def norm(self):
        return self.re * self.re + self.im * self.im


@triton.aggregate
class Window:
    ptr: tl.tensor
    size: tl.constexpr
    scale: tl.tensor

    @triton.constexpr_function
    def __init__(self, ptr, size, scale=1.0):
        assert size > 0, "a window has a size"
        self.ptr = ptr
        self.size = tl.constexpr(size)
        self.scale = scale

    @triton.jit
    def load(self, start):
        return tl.load(self.ptr + start + tl.arange(0, self.size)) * self.scale


@triton.aggregate
class Shifted(Window):
    shift: tl.tensor

    def __init__(self, ptr, size, shift):
        self.ptr, self.size, self.scale, self.shift = ptr, size, 1.0, shift

    @triton.jit
    def load(self, start):
        return tl.load(self.ptr + start + self.shift + tl.arange(0, self.size))


@triton.aggregate
class Pair:
    first: Complex
    count: tl.constexpr = 3


@triton.constexpr_function
def halved(n):
    return n // 2


@triton.jit
def power_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    z = Complex(tl.load(x_ptr + at), tl.load(x_ptr + BLOCK + at))
    w = Complex(re=tl.full((BLOCK,), 1.0, tl.float32), im=tl.zeros((BLOCK,), tl.float32))
    for i in range(n):
        w = w * z
    if n > 2:
        w = w + z
    else:
        w = 1.0 - z
    tl.store(out_ptr + at, w.re)
    tl.store(out_ptr + BLOCK + at, w.im)


@pytest.mark.parametrize("n", [0, 2, 5])
def test_operators_loops_branches(device, n):
    x = np.random.default_rng(0).standard_normal((2, 16), dtype=np.float32)
    out = np.zeros_like(x)
    power_kernel[(1,)](x, out, n, BLOCK=16, device=device)
    z = x[0] + 1j * x[1]
    expected = z**n + z if n > 2 else 1 - z
    np.testing.assert_allclose(out[0] + 1j * out[1], expected, rtol=1e-4, atol=1e-5)


@triton.jit
def window_kernel(x_ptr, out_ptr, scale):
    window = Window(x_ptr, 8, scale=scale)
    tl.static_assert(window.size == 8)
    tl.static_assert(isinstance(window, Window))
    tl.store(out_ptr + tl.arange(0, 8), window.load(2))
    plain = Window(x_ptr, halved(16))
    tl.store(out_ptr + 8 + tl.arange(0, 8), plain.load(4))
    shifted = Shifted(x_ptr, 8, shift=3)
    tl.static_assert(isinstance(shifted, Window))
    tl.store(out_ptr + 16 + tl.arange(0, 8), shifted.load(1))


def test_constructors_and_inheritance(device):
    x, out = np.arange(32, dtype=np.float32), np.zeros(24, np.float32)
    window_kernel[(1,)](x, out, 2.5, device=device)
    np.testing.assert_array_equal(out, np.concatenate([x[2:10] * 2.5, x[4:12], x[4:12]]))


@triton.jit
def nested_kernel(x_ptr, out_ptr):
    pair = Pair(Complex(tl.load(x_ptr), tl.load(x_ptr + 1)))
    other = tl.aggregate_replace(pair, count=5)
    changed = tl.aggregate_replace(pair.first, im=2.0)
    tl.store(out_ptr, pair.first.norm() * pair.count)
    tl.store(out_ptr + 1, other.first.norm() * other.count)
    tl.store(out_ptr + 2, changed.norm())
    smaller = pair.first < changed
    tl.store(out_ptr + 3, tl.where(smaller, 1.0, 0.0))


def test_nested_defaults_replacement_comparison(device):
    x, out = np.array([3.0, 1.0], np.float32), np.zeros(4, np.float32)
    nested_kernel[(1,)](x, out, device=device)
    np.testing.assert_array_equal(out, [30, 50, 13, 1])


def test_constexpr_function_on_the_host():
    assert halved(10) == 5


@pytest.mark.never_refused
@pytest.mark.parametrize("body, message", [
    ("Window(x_ptr, 0)", "a window has a size"), ("Complex(1.0)", "missing a required argument: 'im'"),
    ("Complex(1.0, 2.0, 3.0)", "too many positional arguments"), ("Complex(1.0, 2.0).phase", "'Complex' object has no attribute 'phase'"),
    ("tl.aggregate_replace(Complex(1.0, 2.0), phase=1.0)", "'Complex' object has no attribute 'phase'"),
    ("Complex(1.0, 2.0) - 1.0", "unsupported operand type(s) for -"), ("Window(x_ptr, tl.load(x_ptr))", "not supported between instances"),
    ("Pair(Complex(1.0, 2.0), tl.load(x_ptr))", "field 'count' of Pair is a constexpr")])
def test_refused(body, message):
    kernel = kernel_from_text(f"def kernel(x_ptr):\n    a = {body}\n    tl.store(x_ptr, 1.0)\n")
    kernel.fn.__globals__.update(Complex=Complex, Window=Window, Pair=Pair)
    with pytest.raises(triton.CompilationError) as error:
        kernel[(1,)](np.zeros(1, np.float32), device="cpu")
    link, texts = error.value, []
    while link is not None:
        texts.append(str(link))
        link = link.__cause__
    assert any(message in text for text in texts), texts


def test_decorator_refuses():
    with pytest.raises(TypeError, match="can inherit from aggregates only"):
        triton.aggregate(type("Wrong", (dict,), {}))


def test_fields_are_immutable():
    kernel = kernel_from_text("def kernel(x_ptr):\n    a = Complex(1.0, 2.0)\n    a.re = 2.0\n")
    kernel.fn.__globals__.update(Complex=Complex)
    with pytest.raises(triton.CompilationError, match="Attribute assignment"):
        kernel[(1,)](np.zeros(1, np.float32), device="cpu")
