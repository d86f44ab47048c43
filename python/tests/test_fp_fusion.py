"""enable_fp_fusion: a * b + c rounded once or twice, seen in the bits."""
from __future__ import annotations

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def multiply_add(a_ptr, b_ptr, c_ptr, out_ptr, N: tl.constexpr):
    offsets = tl.arange(0, N)
    a, b, c = tl.load(a_ptr + offsets), tl.load(b_ptr + offsets), tl.load(c_ptr + offsets)
    tl.store(out_ptr + offsets, a * b + c)


@triton.jit
def matrix_product(a_ptr, b_ptr, out_ptr, N: tl.constexpr):
    rows = tl.arange(0, N)
    at = rows[:, None] * N + rows[None, :]
    tl.store(out_ptr + at, tl.dot(tl.load(a_ptr + at), tl.load(b_ptr + at), input_precision="ieee"))


def operands(n: int = 128, shape=None):
    rng = np.random.default_rng(3)
    return [rng.standard_normal(shape or n).astype(np.float32) for _ in range(3)]


def fused(a, b, c):
    """One rounding: the product of two floats is exact in double, and the sum of these is rounded to odd by longdouble's width."""
    return (a.astype(np.longdouble) * b.astype(np.longdouble) + c.astype(np.longdouble)).astype(np.float32)


def test_off_rounds_twice(device):
    a, b, c = operands()
    out = np.zeros_like(a)
    multiply_add[(1,)](a, b, c, out, N=128, enable_fp_fusion=False, device=device)
    np.testing.assert_array_equal(out.view(np.int32), (a * b + c).view(np.int32))


def test_on_rounds_once_on_the_cpu():
    a, b, c = operands()
    assert (fused(a, b, c) != a * b + c).any()
    out = np.zeros_like(a)
    multiply_add[(1,)](a, b, c, out, N=128, device="cpu")
    np.testing.assert_array_equal(out.view(np.int32), fused(a, b, c).view(np.int32))


def test_dot_off_rounds_every_product():
    a, b, _ = operands(shape=(32, 32))
    out = np.zeros_like(a)
    matrix_product[(1,)](a, b, out, N=32, enable_fp_fusion=False, device="cpu")
    expected = np.zeros_like(a)
    for k in range(32):
        expected += a[:, k:k + 1] * b[k:k + 1, :]
    np.testing.assert_array_equal(out.view(np.int32), expected.view(np.int32))


def test_the_two_settings_are_two_kernels(device):
    a, b, c = operands()
    out = np.zeros_like(a)
    first = multiply_add[(1,)](a, b, c, out, N=128, device=device)
    second = multiply_add[(1,)](a, b, c, out, N=128, enable_fp_fusion=False, device=device)
    assert first is not second
    stage = "llir" if device == "cpu" else "msl"
    assert first.asm[stage] != second.asm[stage]


@pytest.mark.parametrize("expression", ["tl.fma(a, b, c)"])
def test_an_explicit_fma_stays(device, expression):
    @triton.jit
    def kernel(a_ptr, b_ptr, c_ptr, out_ptr, N: tl.constexpr):
        at = tl.arange(0, N)
        tl.store(out_ptr + at, tl.fma(tl.load(a_ptr + at), tl.load(b_ptr + at), tl.load(c_ptr + at)))

    a, b, c = operands()
    out = np.zeros_like(a)
    kernel[(1,)](a, b, c, out, N=128, enable_fp_fusion=False, device=device)
    np.testing.assert_array_equal(out.view(np.int32), fused(a, b, c).view(np.int32))
