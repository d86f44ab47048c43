"""What is refused of shared arrays: with the line, a caret, what it is and what to do; and the limit of 32 KB."""
import re

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl

from arrays import kernel_from_text

pytestmark = pytest.mark.never_refused

ONE = "s = tl.shared_memory((8,), tl.float32)\n    "
# Statements of a kernel, the part under the caret, the message, a part of the remedy.
ERRORS = {
    "a dtype that is none": ("s = tl.shared_memory((8,), 'float32')", "tl.shared", "must be one of triton.language", "tl.float32"),
    "a dtype of pointers": ("s = tl.shared_memory((8,), x_ptr.dtype)", "tl.shared", "holds numbers, not pointer<fp32>", "tl.float32"),
    "a size that is not known": ("s = tl.shared_memory((n,), tl.float32)", "tl.shared", "dimension 0 must be a constexpr",
                                 "tl.constexpr"),
    "a size of 0": ("s = tl.shared_memory((8, 0), tl.float32)", "tl.shared", "dimension 1 has the size 0", "leave dimensions"),
    "too many indices": (ONE + "x = s[1, 2]", "s[1, 2]", "2 indices for a shared array of 1 dimension", "at most one index"),
    "an index beyond the end": (ONE + "x = s[8]", "s[8]", "index 8 is out of range for dimension 0 of size 8", "from 0 up to the size"),
    "an index before the start": (ONE + "x = s[-9]", "s[-9]", "index -9 is out of range", "from -1 downwards"),
    "an index that is written to": (ONE + "s[9] = 1.0", "s[9]", "index 9 is out of range", "from 0 up to the size"),
    "a float as index": (ONE + "x = s[tl.zeros((8,), tl.float32)]", "s[tl", "indices are integers", ".to(tl.int32)"),
    "a mask as index": (ONE + "x = s[tl.arange(0, 8) < n]", "s[tl", "is a mask; pass it as mask=", ""),
    "a slice of 3": (ONE + "x = s[0:3]", "s[0:3]", "has 3 elements", "slice a power of two"),
    "a slice that is not known": (ONE + "x = s[n:]", "s[n:]", "must be known at compile time", "start + tl.arange"),
    "an empty slice": (ONE + "x = s[3:3]", "s[3:3]", "is empty", "at least one"),
    "a value of another shape": (ONE + "s[0:4] = tl.arange(0, 8)", "s[0:4]", "incompatible dimensions", "the same shape"),
    "a pointer as value": (ONE + "s[0] = x_ptr", "s[0]", "cannot cast pointer<fp32>[] to fp32", ""),
    "text as value": (ONE + "s.store(0, 'text')", "s.store", "cannot convert text", ""),
    "an augmented assignment": (ONE + "s[0] += 1", "s[0]", "\nan augmented assignment reads and writes elements", "s.atomic_add"),
    "its pointer stored": (ONE + "tl.store(x_ptr, s.data_ptr)", "tl.store", "is no address", "load the element"),
    "its pointer as a number": (ONE + "i = s.data_ptr.to(tl.int64)", "s.data_ptr", "is no address", "load the element"),
    "a pointer of either kind": (ONE + "p = tl.where(n > 1, x_ptr, s.data_ptr)", "tl.where", "pointer<fp32> and shared_pointer<fp32>",
                                 "do not mix"),
    "an attribute that it lacks": (ONE + "y = s.T", "s.T", "a shared array has no attribute 'T'", "s[index]"),
    "the array as a tensor": (ONE + "y = tl.exp(s)", "tl.exp", "cannot convert a shared array (8,) of fp32 to tensor", "s[index]"),
    "the array as an operand": (ONE + "y = s + 1", "s + 1", "for +: 'shared array (8,) of fp32' and 'int'", "s[index]"),
    "a tuple as a tensor": ("y = tl.exp((x_ptr, n))", "tl.exp", "of type <class 'tuple'> to tensor", "element of the tuple"),
    "arrays of two shapes": (ONE + "t = tl.shared_memory((4,), tl.float32)\n    if n > 1:\n        s = t", "if n",
                             "shared array (4,) of fp32", ""),
    "a method without indices": (ONE + "s.store(1.0)", "s.store", "needs indices", "one index for each"),
    "a column for a row": (ONE + "s[0:8] = tl.zeros((8, 1), tl.float32)", "s[0:8]",
                           "elements of shape (8,) of a shared array do not take a value of shape (8, 1)", "reshape the value"),
    "a mask that is a column": (ONE + "s.store(tl.arange(0, 8), 1.0, mask=tl.arange(0, 8)[:, None] < n)", "s.store",
                                "do not take a mask of shape (8, 1)", "the same shape"),
    "a tensor for one element": (ONE + "s[0] = tl.zeros((8,), tl.float32)", "s[0]", "does not take a value of shape (8,)", "s[0:N]"),
    "a sum as pointers": (ONE + "tl.store(s + tl.arange(0, 8), 1.0)", "s + tl", "for +: 'shared array (8,) of fp32' and 'tensor'",
                          "s.ptr(index)"),
    "its negative": (ONE + "y = -s", "-s", "shared array (8,) of fp32", "s[index]"),
    "a product of its pointer": (ONE + "p = s.ptr(0) * 2", "s.ptr(0) * 2", "shared_pointer<fp32>", "only integers are added"),
    "a name of another language": ("tl.syncthreads()", "tl.syncthreads",
                                   "\ntriton_metal.language has no attribute 'syncthreads'; did you mean tl.barrier?", ""),
    "a name that is almost right": ("s = tl.shared_mem((8,), tl.float32)", "tl.shared_mem", "'shared_mem'; did you mean tl.shared_memory?",
                                    ""),
    "a name like no other": ("tl.qqqqq()", "tl.qqqqq", "has no attribute 'qqqqq'", ""),
    "an atomic of 16 bits": ("s = tl.shared_memory((8,), tl.int16)\n    s.atomic_add(0, 1)", "s.atomic_add", "does not support int16", ""),
    "an element of a tensor": ("s = tl.arange(0, 8)\n    s[0] = 1", "s[0]", "__setitem__ is not supported", "tl.where"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error(device, case):
    body, under, message, remedy = ERRORS[case]
    text = f"def kernel(x_ptr, n):\n    {body}\n"
    with pytest.raises(triton.CompilationError) as caught:
        kernel_from_text(text)[(1,)](np.zeros(8, np.float32), 5, device=device)
    lines = str(caught.value).splitlines()
    caret = next(i for i, line in enumerate(lines) if line.strip() == "^")
    assert lines[caret - 1][lines[caret].index("^"):].startswith(under), caught.value
    assert message in "\n".join(lines[caret:]) and remedy in "\n".join(lines[caret:]), caught.value
    if remedy:
        assert any(line.startswith("remedy: ") for line in lines[caret:]), caught.value


def test_outside_of_a_kernel():
    for call in (lambda: tl.shared_memory((8,), tl.float32), tl.barrier):
        with pytest.raises(ValueError, match="triton.jit"):
            call()


@triton.jit
def large_kernel(x_ptr, out_ptr, A: tl.constexpr, B: tl.constexpr):
    keys = tl.shared_memory((A, 16), tl.float32)
    values = tl.shared_memory((B,), tl.float16)
    i = tl.arange(0, 16)
    keys[0, i] = tl.load(x_ptr + i)
    values[i] = 1
    tl.barrier()
    tl.store(out_ptr + i, keys[0, 15 - i] * values[i])


def test_limit(device):
    """32768 bytes fit, one row more does not; the error has the sum by array."""
    x, out = np.arange(16, dtype=np.float32), np.zeros(16, np.float32)
    large_kernel[(1,)](x, out, A=256, B=8192, device=device)
    np.testing.assert_array_equal(out, x[::-1])
    with pytest.raises(triton.OutOfResources) as caught:
        large_kernel[(1,)](x, out, A=257, B=8192, device=device)
    error = caught.value
    assert (error.required, error.limit, error.name) == (32832, 32768, "threadgroup memory")
    file, line = re.escape(__file__), large_kernel.fn.__code__.co_firstlineno
    assert re.search(rf"kernel large_kernel: keys: \(257, 16\) x fp32, 16448 bytes at {file}:{line + 2}; "
                     rf"values: \(8192,\) x fp16, 16384 bytes at {file}:{line + 3}; use smaller arrays", str(error))


@triton.jit
def with_pool_kernel(x_ptr, out_ptr, N: tl.constexpr):
    held = tl.shared_memory((N,), tl.float32)
    i = tl.arange(0, 1024)
    held[i] = tl.load(x_ptr + i)
    tl.barrier()
    tl.store(out_ptr, tl.sum(held[1023 - i]))


def test_limit_with_the_compilers_own(device):
    """On Metal a sum over several SIMD-groups takes threadgroup memory too, which is a line of its own."""
    x, out = np.ones(1024, np.float32), np.zeros(1, np.float32)
    with_pool_kernel[(1,)](x, out, N=8000, device=device)
    assert out[0] == 1024
    if device == "cpu":
        with_pool_kernel[(1,)](x, out, N=8192, device=device)
        return
    with pytest.raises(triton.OutOfResources, match=r"held: .8192,. x fp32, 32768 bytes at \S+:\d+; the compiler's own: 16 bytes; "):
        with_pool_kernel[(1,)](x, out, N=8192, device=device)


def test_facts():
    """Threadgroup memory by owner."""
    x, out = np.ones(1024, np.float32), np.zeros(1, np.float32)
    facts = with_pool_kernel[(1,)](x, out, N=1030, device="metal").metadata.facts
    assert facts["shared_arrays"] == [("held", "(1030,) x fp32", 4128)]
    assert facts["pool_bytes"] == 16 and facts["threadgroup_bytes"] == 4144
