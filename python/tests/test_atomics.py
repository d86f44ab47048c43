"""Atomics: colliding lanes each happen, masked lanes do nothing, old values come back."""
import numpy as np
import pytest

import triton_metal
from arrays import kernel_from_text, sample, to_device, to_numpy


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


OPERATIONS = {"add": np.add, "max": np.maximum, "min": np.minimum, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
INTEGERS, FLOATS = ("int32", "uint32", "int64", "uint64"), ("float16", "bfloat16", "float32", "float64")


def supported(operation, dtype):
    """What upstream has: additions of all, minima and maxima of floats of 32 bits and more, bits of integers."""
    if operation == "add" or dtype in INTEGERS:
        return True
    return operation in ("max", "min", "xchg") and dtype in ("float32", "float64")


ALL = [(operation, dtype) for operation in (*OPERATIONS, "xchg") for dtype in (*INTEGERS, *FLOATS)]


@pytest.mark.parametrize("scalar", [False, True])
@pytest.mark.parametrize("operation, dtype", [pair for pair in ALL if supported(*pair)])
def test_every_kind(device, operation, dtype, scalar):
    """Of tensors with a mask and old values, and of scalars in a loop of the program; results in place of what was there."""
    text = f"""
def kernel(x_ptr, out_ptr, old_ptr, n):
    if {scalar}:
        for j in range(0, n):
            tl.store(old_ptr + j, tl.atomic_{operation}(out_ptr + j % 3, tl.load(x_ptr + j), mask=j != 2))
    else:
        i = tl.arange(0, 64)
        x = tl.load(x_ptr + i, mask=i < n, other=0)
        tl.store(old_ptr + i, tl.atomic_{operation}(out_ptr + i % 3, x, mask=(i < n) & (i != 2)), mask=(i < n) & (i != 2))
"""
    n = 41 if dtype not in ("float16", "bfloat16") else 31  # sums of halves are exact
    random = np.random.default_rng(5)
    x = random.integers(-9, 9, n).astype("float32" if dtype == "bfloat16" else dtype)
    start = np.array([3, 250, 77], x.dtype)
    out, old = to_device(start.copy(), dtype), to_device(np.zeros(n, x.dtype), dtype)
    kernel_from_text(text)[(1,)](to_device(x, dtype), out, old, n, device=device)
    out, old = to_numpy(out), to_numpy(old)
    used = np.arange(n) != 2
    for k in range(3):
        mine = used & (np.arange(n) % 3 == k)
        if operation == "xchg":  # each value is seen once, in some order, and the last stays
            np.testing.assert_array_equal(np.sort([*old[mine], out[k]]), np.sort([start[k], *x[mine]]))
            continue
        expected = OPERATIONS[operation].reduce(np.concatenate([start[k:k + 1], x[mine]]), dtype=x.dtype)
        assert out[k] == expected
        # What each saw and did leads from the start to the end.
        if scalar:
            seen = start[k]
            for j in np.flatnonzero(mine):
                assert old[j] == seen
                seen = OPERATIONS[operation](seen, x[j])
        else:
            assert start[k] in old[mine]


@pytest.mark.parametrize("scalar", [False, True])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "bfloat16", "float32", "float64"])
def test_compare_and_swap(device, dtype, scalar):
    """By bits: NaN is found, -0 is not 0. Both halves of a word, and the one behind the end of an odd number of elements."""
    text = f"""
def kernel(out_ptr, expected_ptr, value_ptr, old_ptr, n: tl.constexpr):
    if {scalar}:
        for j in range(0, n):
            tl.store(old_ptr + j, tl.atomic_cas(out_ptr + j, tl.load(expected_ptr + j), tl.load(value_ptr + j)))
    else:
        i = tl.arange(0, 8)
        tl.store(old_ptr + i, tl.atomic_cas(out_ptr + i, tl.load(expected_ptr + i), tl.load(value_ptr + i)))
"""
    held = "float32" if dtype == "bfloat16" else dtype
    start = np.array([1, 2, 3, 4, 5, 6, 0, 8], held)
    expected = np.array([1, 9, 3, 9, 5, 9, 0, 9], held)
    if dtype in FLOATS:
        start[:2] = expected[:2] = np.nan, -0.0
        expected[1] = 0.0
    value = np.arange(8).astype(held) + 100
    n = 7 if scalar else 8
    out, old = to_device(start[:n].copy(), dtype), to_device(np.zeros(n, held), dtype)
    kernel_from_text(text)[(1,)](out, to_device(expected[:n].copy(), dtype), to_device(value[:n].copy(), dtype), old, n, device=device)
    hit = np.array([True, False] * 4)[:n]
    np.testing.assert_array_equal(to_numpy(old), start[:n])
    np.testing.assert_array_equal(to_numpy(out), np.where(hit, value[:n], start[:n]))


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("length", [5, 6])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_add_into_their_half_of_the_word(device, dtype, length, offset):
    """Neighbours keep their bits, NaN and all; many programs collide; the array begins and ends within a word."""
    text = """
def kernel(out_ptr, n):
    i = tl.arange(0, 64)
    tl.atomic_add(out_ptr + 2 * (i % 3), 0.5, mask=i < n)
"""
    whole = np.array([9, 9, 9, 9, 9, 9, 9, 9], "float32" if dtype == "bfloat16" else dtype)
    whole[offset:offset + length] = [1, np.nan, 2, -0.0, 3, np.inf][:length]
    array = to_device(whole.copy(), dtype)
    kernel_from_text(text)[(4,)](array[offset:offset + length], 60, device=device)
    whole[offset:offset + length:2] = 41, 42, 43  # twenty of 0.5 from each program
    seen = to_numpy(array)
    np.testing.assert_array_equal(seen, whole)
    assert np.signbit(seen[offset + 3])


@pytest.mark.never_refused
@pytest.mark.parametrize("call", ["tl.atomic_add(out_ptr + i, 0.5)", "tl.atomic_cas(out_ptr + i, 9.0, 0.5)"])
@pytest.mark.parametrize("begin, index", [(0, 3), (1, -1), (0, -1), (1, 3)])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_checks_find_halves_beside_a_view(device, dtype, begin, index, call):
    """The word around the element reaches into the view, the element does not; nothing is changed."""
    kernel = kernel_from_text(f"""
def kernel(out_ptr, i):
    {call.replace("9.0, 0.5", "tl.cast(9.0, out_ptr.dtype.element_ty), tl.cast(0.5, out_ptr.dtype.element_ty)")}
""")
    array = to_device(np.full(8, 9, "float32" if dtype == "bfloat16" else dtype), dtype)
    view = array[2 + begin:5 + begin]
    with triton_metal.knobs.cpu.scope(), triton_metal.knobs.metal.scope():
        triton_metal.knobs.cpu.checked = triton_metal.knobs.metal.checked = True
        kernel[(1,)](view, 1, device=device)
        with pytest.raises(triton_metal.DeviceFault, match="out of bounds|outside"):
            kernel[(1,)](view, index, device=device)
    expected = np.full(8, 9.0)
    expected[2 + begin + 1] = 0.5 if "cas" in call else 9.5
    np.testing.assert_array_equal(to_numpy(array), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("operation", ["add", "cas"])
def test_halves_in_shared_memory(device, operation, dtype):
    text = f"""
def kernel(x_ptr, out_ptr, n: tl.constexpr):
    i, bins = tl.arange(0, n), tl.arange(0, 8)
    s = tl.shared_memory((8,), x_ptr.dtype.element_ty)
    s[bins] = tl.full((8,), 2, x_ptr.dtype.element_ty)
    tl.barrier()
    x = tl.load(x_ptr + i)
    if "{operation}" == "add":
        s.atomic_add(i % 5, x)
    else:
        s.atomic_cas(i % 5, tl.full((n,), 2, x.dtype), x)
    tl.barrier()
    tl.store(out_ptr + bins, s[bins])
"""
    x = (np.arange(32) % 7 + 3).astype("float32" if dtype == "bfloat16" else dtype)
    out = to_device(np.zeros(8, x.dtype), dtype)
    kernel_from_text(text)[(1,)](to_device(x, dtype), out, 32, device=device)
    out = to_numpy(out)
    np.testing.assert_array_equal(out[5:], [2, 2, 2])
    for k in range(5):
        assert out[k] == 2 + x[k::5].sum() if operation == "add" else out[k] in x[k::5]


@pytest.mark.never_refused
@pytest.mark.parametrize("operation, dtype", [("add", "int64"), ("xchg", "uint64"), ("cas", "int64"), ("max", "uint64"),
                                              ("add", "float64")])
def test_what_metal_lacks_is_refused(operation, dtype):
    """64-bit words: the error says what is missing, and what to do instead."""
    values = "tl.full((32,), 1, x_ptr.dtype.element_ty)"
    text = f"""
def kernel(x_ptr):
    tl.atomic_{operation}(x_ptr + tl.arange(0, 32), {values}{", " + values if operation == "cas" else ""})
"""
    with pytest.raises(triton_metal.UnsupportedOnDevice) as caught:
        kernel_from_text(text)[(1,)](np.zeros(32, dtype), device="metal")
    assert "64-bit" in caught.value.reason
    assert "32" in caught.value.remedy and 'device="cpu"' in caught.value.remedy


@pytest.mark.never_refused
@pytest.mark.parametrize("operation, dtype", [pair for pair in ALL if not supported(*pair)]
                         + [(name, dtype) for name in ("add", "max", "xor", "xchg") for dtype in ("int8", "int16", "uint16")])
def test_what_no_device_has_is_an_error(device, operation, dtype):
    text = f"""
def kernel(x_ptr):
    tl.atomic_{operation}(x_ptr + tl.arange(0, 32), tl.full((32,), 1, x_ptr.dtype.element_ty))
"""
    with pytest.raises(triton_metal.CompilationError, match=f"atomic_{operation}") as caught:
        kernel_from_text(text)[(1,)](to_device(np.zeros(32, "float32" if dtype == "bfloat16" else dtype), dtype), device=device)
    assert not isinstance(caught.value, triton_metal.UnsupportedOnDevice)
