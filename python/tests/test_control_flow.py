"""Loops, branches, early returns, calls, compile-time values and tuples, on every device."""
import numpy as np
import pytest

from arrays import kernel_from_text, sample


def run(text, *arguments, n=64, device, dtype=np.int32, grid=1):
    out = np.zeros(n, dtype)
    kernel_from_text(text)[(grid,)](*arguments, out, device=device)
    return out


@pytest.mark.parametrize("bounds", [(0, 10, 1), (0, 10, 3), (5, 5, 1), (10, 0, -1), (3, 20, 4), (-4, 4, 2)])
@pytest.mark.parametrize("kind", ["range", "tl.range", "tl.static_range"])
def test_for(device, kind, bounds):
    text = f"""
def kernel(out_ptr):
    total = tl.zeros((64,), tl.int32)
    count = 0
    for i in {kind}({', '.join(map(str, bounds))}):
        total += i * tl.arange(0, 64)
        count += 1
    tl.store(out_ptr + tl.arange(0, 64), total + count * 1000)
"""
    steps = range(*bounds)
    np.testing.assert_array_equal(run(text, device=device), sum(steps) * np.arange(64) + len(steps) * 1000)


@pytest.mark.parametrize("start, end, step", [(0, 11, 1), (5, 5, 1), (9, 3, 2), (1, 3, 5)])
@pytest.mark.parametrize("runtime", [False, True])
def test_unrolled(device, start, end, step, runtime):
    """As without unrolling: also where there is no iteration, or fewer than the factor."""
    text = f"""
def kernel(start, end, step, out_ptr):
    total = 0
    for i in tl.range({'start, end, step' if runtime else f'{start}, {end}, {step}'}, loop_unroll_factor=4):
        total = total * 3 + i
    tl.store(out_ptr, total)
"""
    expected = 0
    for i in range(start, end, step):
        expected = expected * 3 + i
    assert run(text, start, end, step, n=1, device=device)[0] == expected


@pytest.mark.parametrize("start, end, step", [(0, 17, 1), (2, 17, 5), (7, 7, 1), (9, 3, 1)])
def test_for_with_runtime_bounds(device, start, end, step):
    text = """
def kernel(start, end, step, out_ptr):
    total = 0
    for i in range(start, end, step):
        total = total * 3 + i
    tl.store(out_ptr, total)
"""
    expected = 0
    for i in range(start, end, step):
        expected = expected * 3 + i
    assert run(text, start, end, step, n=1, device=device)[0] == np.int64(expected).astype(np.int32)


def test_nested_loops_with_tensors(device):
    text = """
def kernel(n, out_ptr):
    x = tl.arange(0, 64)
    y = x * 0
    for i in range(0, n):
        for j in range(0, i):
            x, y = y + j, x + i
    tl.store(out_ptr + tl.arange(0, 64), x * 100 + y)
"""
    x, y = np.arange(64), np.zeros(64, int)
    for i in range(6):
        for j in range(i):
            x, y = y + j, x + i
    np.testing.assert_array_equal(run(text, 6, device=device), x * 100 + y)


def test_while(device):
    text = """
def kernel(n, out_ptr):
    steps = 0
    while n > 1:
        n = tl.where(n % 2 == 0, n // 2, 3 * n + 1)
        steps += 1
    tl.store(out_ptr, steps)
"""
    assert run(text, 27, n=1, device=device)[0] == 111


@pytest.mark.parametrize("flag", [0, 1, 5])
def test_dynamic_if(device, flag):
    text = """
def kernel(flag, out_ptr):
    x = tl.arange(0, 64)
    if flag == 0:
        x = x + 1
        y = 10
    elif flag == 1:
        x = x * 2
        y = 20
    else:
        y = 30
    tl.store(out_ptr + tl.arange(0, 64), x + y)
"""
    i = np.arange(64)
    np.testing.assert_array_equal(run(text, flag, device=device), {0: i + 11, 1: i * 2 + 20, 5: i + 30}[flag])


def test_static_if_skips_the_other_branch(device):
    text = """
def kernel(out_ptr, FLAG: tl.constexpr = True):
    if FLAG:
        x = tl.arange(0, 64)
    else:
        x = this_name_does_not_exist
    tl.store(out_ptr + tl.arange(0, 64), x)
"""
    np.testing.assert_array_equal(run(text, device=device), np.arange(64))


def test_if_inside_loop_carries_tensors(device):
    text = """
def kernel(n, out_ptr):
    acc = tl.zeros((64,), tl.int32)
    best = 0
    for i in range(0, n):
        if i % 3 == 1:
            acc += i
        else:
            acc = acc * 2
            best = i
    tl.store(out_ptr + tl.arange(0, 64), acc + best * 10000)
"""
    acc, best = np.zeros(64, int), 0
    for i in range(9):
        if i % 3 == 1:
            acc = acc + i
        else:
            acc, best = acc * 2, i
    np.testing.assert_array_equal(run(text, 9, device=device), acc + best * 10000)


@pytest.mark.parametrize("n", [0, 5])
def test_early_return(device, n):
    text = """
def kernel(n, out_ptr):
    if n == 0:
        return
    tl.store(out_ptr, n)
"""
    assert run(text, n, n=1, device=device)[0] == n


def test_conditional_expression(device):
    text = """
def kernel(n, out_ptr, C: tl.constexpr = 3):
    x = 1 if C > 2 else this_name_does_not_exist
    y = n if n > 3 else -n
    tl.store(out_ptr, x * 100 + y)
"""
    assert run(text, 2, n=1, device=device)[0] == 98


def test_calls(device):
    text = """
@triton.jit
def several(a, b=3, *, c: tl.constexpr = 2):
    return a + b, a * c

@triton.jit
def twice(f, x):
    return f(f(x))

@triton.jit
def increment(x):
    return x + 1

@triton.jit
def kernel(out_ptr):
    x = tl.arange(0, 64)
    s, p = several(x)
    t, q = several(x, b=5, c=7)
    tl.store(out_ptr + x, s + p + t + q + twice(increment, x))
"""
    i = np.arange(64)
    np.testing.assert_array_equal(run(text, device=device), (i + 3) + i * 2 + (i + 5) + i * 7 + (i + 2))


def test_noinline(device):
    text = """
@triton.jit(noinline=True)
def scaled(a, b):
    return a * b + 1

@triton.jit
def kernel(n, out_ptr):
    tl.store(out_ptr, scaled(n, n + 1))
"""
    assert run(text, 6, n=1, device=device)[0] == 43


def test_tuples_and_constexprs(device):
    text = """
@triton.jit
def kernel(out_ptr, SIZES: tl.constexpr = (1, 2, 4, 8)):
    x = tl.arange(0, 64)
    pair = (x, x + 1)
    a, b = pair
    tail: tl.constexpr = SIZES[1:3]
    total = a + pair[1]
    for i in tl.static_range(len(tail)):
        total += tail[i]
    tl.static_assert(SIZES[-1] == 8)
    tl.store(out_ptr + x, total)
"""
    i = np.arange(64)
    np.testing.assert_array_equal(run(text, device=device), i + (i + 1) + 6)


def test_globals_and_closures(device):
    text = """
SCALE = tl.constexpr(5)

def make(offset):
    @triton.jit
    def kernel(out_ptr):
        x = tl.arange(0, 64)
        tl.store(out_ptr + x, x * SCALE + OFFSET)
    OFFSET = tl.constexpr(offset)
    return kernel

kernel = make(9)
"""
    np.testing.assert_array_equal(run(text, device=device), np.arange(64) * 5 + 9)


def test_boolean_operators_short_circuit_at_compile_time(device):
    text = """
def kernel(x_ptr, out_ptr, HAS: tl.constexpr = False):
    i = tl.arange(0, 64)
    if HAS and x_ptr.no_such_attribute:
        tl.store(out_ptr + i, i)
    else:
        tl.store(out_ptr + i, i + 1)
"""
    x = sample("int32", 64)
    np.testing.assert_array_equal(run(text, x, device=device), np.arange(64) + 1)


def test_element_types(device):
    text = """
def kernel(x_ptr, out_ptr):
    i = tl.arange(0, 64)
    x = tl.load(x_ptr + i)
    if x.dtype == tl.float16 and x_ptr.dtype.element_ty == tl.float16:
        tl.store(out_ptr + i, (x.to(tl.float32) * 2).to(out_ptr.dtype.element_ty) + x.shape[0])
"""
    x = np.arange(64, dtype=np.float16)
    np.testing.assert_array_equal(run(text, x, device=device, dtype=np.float32), np.arange(64) * 2 + 64)


@pytest.mark.parametrize("size", [64, 2048])
@pytest.mark.parametrize("loop", ["for i in range(n):", "while i < n:"])
def test_carried_tensors_change_places(device, loop, size):
    """Each becomes what the other was; the results of the loop are used after it."""
    text = f"""
def kernel(n, out_ptr):
    a = tl.arange(0, {size})
    b = a * 3
    i = 0
    {loop}
        a, b = b, a + tl.cumsum(b, axis=0)
        i += 1
    for j in range(n):
        a, b = b, a ^ j
    tl.store(out_ptr + tl.arange(0, {size}), a)
    tl.store(out_ptr + {size} + tl.arange(0, {size}), b)
"""
    a = np.arange(size, dtype=np.int32)
    b = a * 3
    for _ in range(3):
        a, b = b, a + np.cumsum(b, dtype=np.int32)
    for j in range(3):
        a, b = b, a ^ j
    np.testing.assert_array_equal(run(text, 3, n=2 * size, device=device), np.concatenate([a, b]))
