"""tl.shared_memory and tl.barrier: what an index selects, dtypes, shapes, masks, loops, branches, functions, atomics."""
import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl

from arrays import ALL, empty, sample, to_device, to_numpy

pytestmark = pytest.mark.never_refused


@triton.jit
def shared_memory_kernel(x_ptr, output_ptr, n, BLOCK_SIZE: tl.constexpr):
    """The old guide's kernel, as it stands there."""
    # Allocate shared memory
    shared_mem = tl.shared_memory((BLOCK_SIZE,), dtype=tl.float32)

    # Load data into shared memory
    pid = tl.program_id(axis=0)
    block_start = pid * BLOCK_SIZE
    offsets = block_start + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n

    x = tl.load(x_ptr + offsets, mask=mask)
    shared_mem[tl.arange(0, BLOCK_SIZE)] = x

    # Ensure all threads have loaded
    tl.barrier()

    # Process data from shared memory
    shared_data = shared_mem[tl.arange(0, BLOCK_SIZE)]
    output = shared_data * 2.0

    # Store result
    tl.store(output_ptr + offsets, output, mask=mask)


@pytest.mark.parametrize("n", [1, 255, 256, 1000])
def test_guide(device, n):
    x, out = sample("float32", n), empty(n, "float32")
    shared_memory_kernel[(triton.cdiv(n, 256),)](x, out, n, BLOCK_SIZE=256, device=device)
    np.testing.assert_array_equal(out, x * 2)


@triton.jit
def reverse_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    held = tl.shared_memory((BLOCK,), x_ptr.dtype.element_ty)
    i = tl.arange(0, BLOCK)
    held[i] = tl.load(x_ptr + i, mask=i < n)
    tl.barrier()
    tl.store(out_ptr + i, held.load(n - 1 - i, mask=i < n), mask=i < n)


@pytest.mark.parametrize("dtype", ALL)
def test_dtypes(device, dtype):
    x, out = sample(dtype, 50), empty(50, dtype)
    if device == "metal" and dtype == "float64":
        with pytest.raises(triton.UnsupportedOnDevice, match="64-bit floating"):
            reverse_kernel[(1,)](x, out, 50, BLOCK=64, device=device)
        return
    reverse_kernel[(1,)](to_device(x, dtype), out, 50, BLOCK=64, device=device)
    np.testing.assert_array_equal(to_numpy(out), x[::-1])


def test_special_values(device):
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, np.float32(3.4e38), 1.0], np.float32)
    out = empty(7, "float32")
    reverse_kernel[(1,)](x, out, 7, BLOCK=8, device=device)
    np.testing.assert_array_equal(out.view(np.int32), x[::-1].view(np.int32))


def test_booleans(device):
    x, out = sample("int32", 64) % 2 == 0, np.zeros(64, bool)
    reverse_kernel[(1,)](x, out, 64, BLOCK=64, device=device)
    np.testing.assert_array_equal(out, x[::-1])


@triton.jit
def select_kernel(x_ptr, out_ptr, i, FORM: tl.constexpr, N: tl.constexpr):
    s = tl.shared_memory((4, 6, 8), tl.int32)
    j = tl.arange(0, 256)
    s.data_ptr  # the attributes exist
    tl.static_assert(s.shape == (4, 6, 8))
    tl.static_assert(s.dtype == tl.int32)
    tl.static_assert(s.numel == 192)
    tl.store(s.data_ptr + j, tl.load(x_ptr + j, mask=j < 192), mask=j < 192)
    tl.barrier()
    a, b = tl.arange(0, 4), tl.arange(0, 2)
    if FORM == "numbers":
        y = s[1, -1, 7] + tl.zeros((1,), tl.int32)
    elif FORM == "scalars":
        y = s[i, i + 1, 2 * i] + tl.zeros((1,), tl.int32)
    elif FORM == "row":
        y = s[i, 3, :]
    elif FORM == "rest":
        y = s[2, 2:4]
    elif FORM == "ellipsis":
        y = s[..., 5][:, None]
    elif FORM == "step":
        y = s[::2, 1:5, ::-2]
    elif FORM == "tensor":
        y = s[a, 0, 3]
    elif FORM == "together":
        y = s[a[:, None], b[None, :] * 3, 4:8]
    elif FORM == "apart":
        y = s[a, 0:4, a * 2]
    elif FORM == "beside a number":
        y = s[1, 4:6, a + 1]
    elif FORM == "wide":
        y = s[a.to(tl.int64), a.to(tl.int8), a.to(tl.uint16)]
    y = tl.ravel(y)
    tl.store(out_ptr + tl.arange(0, N), y)


A, B = np.arange(4), np.arange(2)
SELECT = {
    "numbers": lambda s, i: s[1, -1, 7], "scalars": lambda s, i: s[i, i + 1, 2 * i], "row": lambda s, i: s[i, 3, :],
    "rest": lambda s, i: s[2, 2:4], "step": lambda s, i: s[::2, 1:5, ::-2], "tensor": lambda s, i: s[A, 0, 3],
    "together": lambda s, i: s[A[:, None], B[None, :] * 3, 4:8], "apart": lambda s, i: s[A, 0:4, A * 2],
    "beside a number": lambda s, i: s[1, 4:6, A + 1], "wide": lambda s, i: s[A, A, A],
}


@pytest.mark.parametrize("form", SELECT)
def test_select(device, form):
    """An index selects what NumPy's selects, in the same shape."""
    x = np.arange(192, dtype=np.int32)
    expected = np.ravel(SELECT[form](x.reshape(4, 6, 8), 2))
    out = empty(expected.size, "int32")
    select_kernel[(1,)](x, out, 2, FORM=form, N=expected.size, device=device)
    np.testing.assert_array_equal(out, expected)


@triton.jit
def write_kernel(out_ptr, i, FORM: tl.constexpr):
    s = tl.shared_memory((6, 8), tl.float32)
    flat = tl.arange(0, 64)
    tl.store(s.data_ptr + flat, flat * 0.0 - 1.0, mask=flat < 48)
    tl.barrier()
    a = tl.arange(0, 4)
    if FORM == "number":
        s[1, 2] = 5
    elif FORM == "scalar":
        s[i, i + 1] = i
    elif FORM == "row":
        s[i] = tl.arange(0, 8)
    elif FORM == "block":
        s[2:4, 4:] = 7.5
    elif FORM == "column":
        s[0:4, 3] = a
    elif FORM == "scatter":
        s[a, 7 - a] = a * 2.0
    elif FORM == "grid":
        s[a[:, None] + 1, a[None, :] * 2] = a[:, None] * 10 + a[None, :]
    elif FORM == "masked":
        s.store(a, 5, a, mask=a != 2)
    elif FORM == "pointer":
        tl.store(s.ptr(a, a), a, mask=a > 0)
    elif FORM == "unpacked":
        s[0, 0], s[5, 7] = i, i + 1
    elif FORM == "all":
        s[:] = i
    elif FORM == "slice of any length":
        s[1:6, 7:0:-3] = 2.5
    tl.barrier()
    tl.store(out_ptr + flat, s.load(flat // 8, flat % 8, mask=flat < 48, other=9.0), mask=flat < 64)


WRITE = {
    "number": lambda s, i: s.__setitem__((1, 2), 5), "scalar": lambda s, i: s.__setitem__((i, i + 1), i),
    "row": lambda s, i: s.__setitem__(i, np.arange(8)), "block": lambda s, i: s.__setitem__((slice(2, 4), slice(4, None)), 7.5),
    "column": lambda s, i: s.__setitem__((slice(0, 4), 3), A), "scatter": lambda s, i: s.__setitem__((A, 7 - A), A * 2.0),
    "grid": lambda s, i: s.__setitem__((A[:, None] + 1, A[None, :] * 2), A[:, None] * 10 + A[None, :]),
    "masked": lambda s, i: s.__setitem__((A[A != 2], 5), A[A != 2]), "pointer": lambda s, i: s.__setitem__((A[1:], A[1:]), A[1:]),
    "all": lambda s, i: s.__setitem__(slice(None), i),
    "slice of any length": lambda s, i: s.__setitem__((slice(1, 6), slice(7, 0, -3)), 2.5),
    "unpacked": lambda s, i: (s.__setitem__((0, 0), i), s.__setitem__((5, 7), i + 1)),
}


@pytest.mark.parametrize("form", WRITE)
def test_write(device, form):
    expected = np.full((6, 8), -1, np.float32)
    WRITE[form](expected, 3)
    out = empty(64, "float32")
    write_kernel[(1,)](out, 3, FORM=form, device=device)
    np.testing.assert_array_equal(out, np.append(expected.ravel(), np.full(16, 9, np.float32)))


@triton.jit
def rotate_kernel(x_ptr, out_ptr, rounds, BLOCK: tl.constexpr):
    a = tl.shared_memory((BLOCK,), tl.int32)
    b = tl.shared_memory((BLOCK,), tl.int32)
    i = tl.arange(0, BLOCK)
    a[i] = tl.load(x_ptr + i)
    tl.barrier()
    for _ in range(rounds):
        b[i] = a[(i + 1) % BLOCK] + 1
        tl.barrier()
        a, b = b, a
    tl.store(out_ptr + i, a[i])


@pytest.mark.parametrize("rounds", [0, 1, 5])
def test_two_arrays_change_places(device, rounds, warps):
    x, out = np.arange(64, dtype=np.int32), empty(64, "int32")
    rotate_kernel[(1,)](x, out, rounds, BLOCK=64, num_warps=warps, device=device)
    np.testing.assert_array_equal(out, np.roll(x, -rounds) + rounds)


@triton.jit
def sum_tree(s, SIZE: tl.constexpr):
    width = SIZE // 2
    while width > 0:
        i = tl.arange(0, SIZE)
        far = s.load(i + width, mask=i < width, other=0.0)
        near = s.load(i, mask=i < width, other=0.0)
        tl.barrier()
        s.store(i, near + far, mask=i < width)
        tl.barrier()
        width = width // 2
    return s[0]


@triton.jit
def tree_kernel(x_ptr, out_ptr, n, SIZE: tl.constexpr):
    s = tl.shared_memory(SIZE, tl.float32)
    i = tl.arange(0, SIZE)
    s[i] = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.barrier()
    tl.store(out_ptr, sum_tree(s, SIZE))


@pytest.mark.parametrize("n", [1, 100, 128])
def test_function_and_while(device, n):
    x, out = np.arange(n, dtype=np.float32), empty(1, "float32")
    tree_kernel[(1,)](x, out, n, SIZE=128, device=device)
    assert out[0] == x.sum()


@triton.jit
def make_and_turn(x, SIZE: tl.constexpr):
    s = tl.shared_memory((SIZE,), tl.float32)
    i = tl.arange(0, SIZE)
    s[i] = x
    tl.barrier()
    return s[SIZE - 1 - i]


@triton.jit
def twice_kernel(x_ptr, out_ptr, turn, SIZE: tl.constexpr):
    i = tl.arange(0, SIZE)
    x = tl.load(x_ptr + i)
    y = make_and_turn(x, SIZE)
    if turn > 1:
        y = make_and_turn(y, SIZE)
    tl.store(out_ptr + i, y)


@pytest.mark.parametrize("turn", [1, 2])
def test_array_of_a_function_in_a_branch(device, turn):
    x, out = sample("float32", 64), empty(64, "float32")
    twice_kernel[(1,)](x, out, turn, SIZE=64, device=device)
    np.testing.assert_array_equal(out, x[::-1] if turn == 1 else x)


@triton.jit(noinline=True)
def turn_out_of_line(s, at, x):
    own = tl.shared_memory((1,), tl.float32)
    own[0] = x
    tl.barrier()
    s[at] = own[0] + 1.0


@triton.jit
def noinline_kernel(out_ptr, rounds):
    s = tl.shared_memory((8,), tl.float32)
    s[tl.arange(0, 8)] = 0.0
    for i in range(rounds):
        tl.barrier()
        turn_out_of_line(s, i, i * 2.0)
    tl.barrier()
    tl.store(out_ptr + tl.arange(0, 8), s[tl.arange(0, 8)])


def test_function_that_is_called(device):
    out = empty(8, "float32")
    noinline_kernel[(1,)](out, 5, device=device)
    assert out.tolist() == [1, 3, 5, 7, 9, 0, 0, 0]


@triton.jit(noinline=True)
def last_of(s):
    return s[s.shape[0] - 1]


@triton.jit
def two_shapes_kernel(out_ptr):
    a = tl.shared_memory((4,), tl.int32)
    b = tl.shared_memory((16,), tl.int32)
    a[:] = tl.arange(0, 4)
    b[:] = tl.arange(0, 16)
    tl.barrier()
    tl.store(out_ptr, last_of(a))
    tl.store(out_ptr + 1, last_of(b))


def test_function_that_is_called_with_two_shapes(device):
    out = empty(2, "int32")
    two_shapes_kernel[(1,)](out, device=device)
    assert out.tolist() == [3, 15]


@triton.jit
def either_kernel(out_ptr, which):
    a = tl.shared_memory((8,), tl.int32)
    b = tl.shared_memory((8,), tl.int32)
    i = tl.arange(0, 8)
    a[i] = i
    b[i] = i * 10
    tl.barrier()
    s = a
    if which == 1:
        s = b
    tl.store(out_ptr + i, s[7 - i])


@pytest.mark.parametrize("which", [0, 1])
def test_array_chosen_in_a_branch(device, which):
    out = empty(8, "int32")
    either_kernel[(1,)](out, which, device=device)
    np.testing.assert_array_equal(out, np.arange(8)[::-1] * (10 if which else 1))


@triton.jit
def walk_kernel(out_ptr, which, ROWS: tl.constexpr):
    """Pointers that a loop moves on, in an array that a conditional expression chose."""
    a = tl.shared_memory((ROWS, 16), tl.int32)
    b = tl.shared_memory((ROWS, 16), tl.int32)
    i = tl.arange(0, 16)
    for row in range(ROWS):
        a[row, i] = row * 100 + i
        b[row, i] = -row
    tl.barrier()
    s = a if which > 1 else b
    pointers = s.ptr(0, 15 - i)
    total = tl.zeros((16,), tl.int32)
    for row in range(ROWS):
        total += tl.load(pointers)
        pointers += 16
    tl.store(out_ptr + i, total)


@pytest.mark.parametrize("which", [1, 2])
def test_pointers_in_a_loop(device, which):
    out = empty(16, "int32")
    walk_kernel[(1,)](out, which, ROWS=5, device=device)
    np.testing.assert_array_equal(out, np.full(16, -10) if which == 1 else 1000 + 5 * np.arange(16)[::-1])


@triton.jit
def staged_dot_kernel(a_ptr, b_ptr, c_ptr, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    a_tile = tl.shared_memory((BM, BK + 1), tl.float32)
    b_tile = tl.shared_memory((BK, BN), tl.float32)
    m, n, k = tl.arange(0, BM), tl.arange(0, BN), tl.arange(0, BK)
    acc = tl.zeros((BM, BN), tl.float32)
    for start in range(0, K, BK):
        a_tile[:, 0:BK] = tl.load(a_ptr + m[:, None] * K + start + k[None, :], mask=start + k[None, :] < K, other=0.0)
        b_tile[:, :] = tl.load(b_ptr + (start + k[:, None]) * BN + n[None, :], mask=start + k[:, None] < K, other=0.0)
        tl.barrier()
        acc = tl.dot(a_tile[:, 0:BK], b_tile[:, :], acc)
        tl.barrier()
    tl.store(c_ptr + m[:, None] * BN + n[None, :], acc)


@pytest.mark.parametrize("k", [16, 50])
def test_operands_of_a_dot(device, k, warps):
    a, b = np.random.default_rng(1).standard_normal((32, k), np.float32), np.random.default_rng(2).standard_normal((k, 32), np.float32)
    c = empty((32, 32), "float32")
    staged_dot_kernel[(1,)](a, b, c, k, BM=32, BN=32, BK=16, num_warps=warps, device=device)
    np.testing.assert_allclose(c, a @ b, rtol=1e-5, atol=1e-5)


@triton.jit
def narrow_index_kernel(index_ptr, out_ptr):
    s = tl.shared_memory((100, 40), tl.int32)
    i = tl.arange(0, 64)
    index = tl.load(index_ptr + i)
    s[index, 39] = i
    tl.barrier()
    tl.store(out_ptr + i, s[index, 39])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint32", "int64"])
def test_index_of_a_narrow_type(device, dtype):
    """What an index is multiplied by need not fit its type."""
    out = empty(64, "int32")
    narrow_index_kernel[(1,)]((99 - np.arange(64)).astype(dtype), out, device=device)
    np.testing.assert_array_equal(out, np.arange(64))


@triton.jit
def atomic_kernel(x_ptr, out_ptr, old_ptr, n, OP: tl.constexpr, START: tl.constexpr, BLOCK: tl.constexpr):
    s = tl.shared_memory((8,), x_ptr.dtype.element_ty)
    bins = tl.arange(0, 8)
    s[bins] = tl.full((8,), START, x_ptr.dtype.element_ty)
    tl.barrier()
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0)
    if OP == "add":
        s.atomic_add(i % 8, x, mask=i < n)
    elif OP == "max":
        s.atomic_max(i % 8, x, mask=i < n)
    elif OP == "min":
        s.atomic_min(i % 8, x, mask=i < n)
    elif OP == "and":
        s.atomic_and(i % 8, x, mask=i < n)
    elif OP == "or":
        s.atomic_or(i % 8, x, mask=i < n)
    elif OP == "xor":
        tl.atomic_xor(s.ptr(i % 8), x, mask=i < n)
    elif OP == "xchg":
        tl.store(old_ptr + i, s.atomic_xchg(i, x, mask=i < 8), mask=i < 8)
    elif OP == "cas":
        tl.store(old_ptr + i, s.atomic_cas(i % 8, START, x))
    tl.barrier()
    tl.store(out_ptr + bins, s[bins])


REDUCE = {"add": np.add, "max": np.maximum, "min": np.minimum, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}


ATOMICS = [(op, dtype, warps) for op in (*REDUCE, "xchg", "cas") for dtype in ("int32", "uint32", "float32")
           for warps in ((1, 8) if op in ("add", "cas") else (4,)) if dtype != "float32" or op not in ("and", "or", "xor")]


@pytest.mark.parametrize("op, dtype, warps", ATOMICS)
def test_atomics(device, op, dtype, warps):
    """Every kind, on as many elements as 8 bins take several of."""
    n = 8 if op in ("xchg", "cas") else 100
    x = np.random.default_rng(3).integers(1, 50, n).astype(dtype) * (-1 if op == "min" and dtype != "uint32" else 1)
    start = 3
    out, old = empty(8, dtype), empty(8, dtype)
    atomic_kernel[(1,)](x, out, old, n, OP=op, START=start, BLOCK=128 if n == 100 else 8, num_warps=warps, device=device)
    if op in REDUCE:
        expected = np.full(8, start, dtype)
        REDUCE[op].at(expected, np.arange(n) % 8, x)
        np.testing.assert_array_equal(out, expected)
    else:
        np.testing.assert_array_equal(out, x)
        np.testing.assert_array_equal(old, np.full(8, start, dtype))


@triton.jit
def narrow_atomic_kernel(out_ptr, N: tl.constexpr):
    s = tl.shared_memory((N,), out_ptr.dtype.element_ty)
    i = tl.arange(0, 64)
    s.store(i, 0.0, mask=i < N)
    tl.barrier()
    s.atomic_add(i % N, 1.0)
    tl.barrier()
    tl.store(out_ptr + i, s.load(i, mask=i < N), mask=i < N)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_atomics_of_16_bits(device, dtype):
    out = empty(6, dtype)
    narrow_atomic_kernel[(1,)](out, N=6, device=device)
    np.testing.assert_array_equal(to_numpy(out), [11, 11, 11, 11, 10, 10])
    if device == "metal":  # where the word of the last element would reach beyond the array
        with pytest.raises(triton.UnsupportedOnDevice, match="array 's' ends within one"):
            narrow_atomic_kernel[(1,)](empty(7, dtype), N=7, device=device)


@triton.jit
def scalar_atomic_kernel(out_ptr, n):
    s = tl.shared_memory((1,), tl.int32)
    s[0] = 40
    tl.barrier()
    before = s.atomic_add(0, n)
    tl.barrier()
    tl.store(out_ptr, before)
    tl.store(out_ptr + 1, s[0])


def test_scalar_atomic(device):
    out = empty(2, "int32")
    scalar_atomic_kernel[(1,)](out, 2, device=device)
    assert out.tolist() == [40, 42]


@triton.jit
def stack_kernel(x_ptr, out_ptr, rows, COLUMNS: tl.constexpr):
    s = tl.shared_memory((3, COLUMNS + 2), tl.float32)
    j = tl.arange(0, COLUMNS)
    for row in range(rows):
        tl.barrier()
        s[row % 3, j + 1] = tl.load(x_ptr + row * COLUMNS + j)
        s[row % 3, 0] = 0.0
        s[row % 3, COLUMNS + 1] = 0.0
        tl.barrier()
        tl.store(out_ptr + row * COLUMNS + j, s[row % 3, j] + s[row % 3, j + 2])


def test_odd_sizes_and_halo(device):
    x, out = sample("float32", 5 * 32).reshape(5, 32), empty((5, 32), "float32")
    stack_kernel[(1,)](x, out, 5, COLUMNS=32, device=device)
    padded = np.pad(x, ((0, 0), (1, 1)))
    np.testing.assert_array_equal(out, padded[:, :-2] + padded[:, 2:])


def test_text_round_trip(device, tmp_path):
    """What is printed reads back as the same text, and runs."""
    x, out = sample("float32", 100), empty(100, "float32")
    compiled = shared_memory_kernel[(1,)](x, out, 100, BLOCK_SIZE=128, device=device)
    file = tmp_path / "kernel.ttir"
    file.write_text(compiled.asm["ttir"])
    assert 'tt.shared_memory "shared_mem" [128] : <f32, "shared">' in file.read_text() and "tt.shared_barrier" in file.read_text()
    module = triton._core.Module.parse(file.read_text(), "kernel.ttir")
    assert triton._core.Module.parse(module.text(locations=False), "kernel.ttir").text(locations=False) == module.text(locations=False)
    again = empty(100, "float32")
    triton.compile(str(file), target=device)[(1,)](x, again, 100)
    np.testing.assert_array_equal(again, x * 2)
