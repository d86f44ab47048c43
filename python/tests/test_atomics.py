"""Atomics: colliding lanes each happen, masked lanes do nothing, old values come back."""
import numpy as np
import pytest

import triton_metal
from arrays import kernel_from_text, sample


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "float32"])
def test_add_collides(device, dtype):
    text = """
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr + i % 5, tl.load(x_ptr + i, mask=i < n, other=0), mask=i < n)
"""
    n = 1000
    x = (sample("int32", n, edges=False) % 100).astype(dtype)
    out = np.zeros(5, dtype)
    kernel_from_text(text)[(8,)](x, out, n, BLOCK=128, device=device)
    np.testing.assert_array_equal(out, [x[k::5].sum(dtype=dtype) for k in range(5)])


def test_add_returns_the_old_value(device):
    text = """
def kernel(counter_ptr, out_ptr):
    i = tl.arange(0, 64)
    tl.store(out_ptr + i, tl.atomic_add(counter_ptr + i * 0, 1))
"""
    counter, out = np.zeros(1, np.int32), np.zeros(64, np.int32)
    kernel_from_text(text)[(1,)](counter, out, device=device)
    assert counter[0] == 64
    np.testing.assert_array_equal(np.sort(out), np.arange(64))


def test_scalar_add_once_a_program(device):
    text = """
def kernel(out_ptr):
    tl.atomic_add(out_ptr, 1)
"""
    out = np.zeros(1, np.int32)
    kernel_from_text(text)[(37,)](out, device=device)
    assert out[0] == 37


@pytest.mark.parametrize("name, combine", [("max", np.maximum), ("min", np.minimum), ("and", np.bitwise_and), ("or", np.bitwise_or),
                                           ("xor", np.bitwise_xor)])
@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_integer(device, name, combine, dtype):
    text = f"""
def kernel(x_ptr, out_ptr):
    i = tl.arange(0, 128)
    tl.atomic_{name}(out_ptr + i % 4, tl.load(x_ptr + i))
"""
    x, out = sample(dtype, 128), sample(dtype, 4, 9, edges=False)
    expected = np.array([combine.reduce(np.concatenate([[out[k]], x[k::4]])) for k in range(4)])
    kernel_from_text(text)[(1,)](x, out, device=device)
    np.testing.assert_array_equal(out, expected)


def test_exchange_and_compare(device):
    text = """
def kernel(x_ptr, out_ptr):
    i = tl.arange(0, 32)
    old = tl.atomic_xchg(x_ptr + i, i * 10)
    tl.store(out_ptr + i, old + tl.atomic_cas(x_ptr + i, i * 10, i + 1))
"""
    x, out = np.arange(32, dtype=np.int32) + 500, np.zeros(32, np.int32)
    kernel_from_text(text)[(1,)](x, out, device=device)
    np.testing.assert_array_equal(out, np.arange(32) + 500 + np.arange(32) * 10)
    np.testing.assert_array_equal(x, np.arange(32) + 1)


@pytest.mark.never_refused
@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16", "int16", "int8"])
def test_what_metal_lacks_is_refused(dtype):
    """64-bit words, and words that are narrower than 32 bits: the error says what is missing, and what to do instead."""
    text = """
def kernel(x_ptr):
    tl.atomic_add(x_ptr + tl.arange(0, 32), tl.full((32,), 1, x_ptr.dtype.element_ty))
"""
    with pytest.raises((triton_metal.UnsupportedOnDevice, triton_metal.CompilationError)) as caught:
        kernel_from_text(text)[(1,)](np.zeros(32, dtype), device="metal")
    if isinstance(caught.value, triton_metal.UnsupportedOnDevice):
        assert "64-bit" in caught.value.reason or "32 bits" in caught.value.reason
        assert "32-bit" in caught.value.remedy and 'device="cpu"' in caught.value.remedy
    else:  # no device has these
        assert dtype in ("int8", "int16") and "atomic_add" in str(caught.value)
