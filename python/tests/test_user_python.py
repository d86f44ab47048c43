"""How kernels are defined and called in practice: helpers, loops, early returns, decorators, closures, notebooks."""
import linecache
import threading

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl

torch = pytest.importorskip("torch")

SCALE = tl.constexpr(3)
LOG2E = tl.constexpr(1.4426950408889634)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def close(got, expected, rtol=1e-5, atol=1e-5):
    torch.testing.assert_close(torch.as_tensor(got).double(), torch.as_tensor(expected).double(), rtol=rtol, atol=atol)


@triton.jit
def early_return_kernel(x_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    if pid * BLOCK >= n:
        return
    if pid % 2 == 1:
        tl.store(x_ptr + pid * BLOCK + tl.arange(0, BLOCK), -1.0, mask=pid * BLOCK + tl.arange(0, BLOCK) < n)
        return
    i = pid * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + i, i.to(tl.float32), mask=i < n)


@pytest.mark.parametrize("warps", [1, 4, 8])
def test_early_return(device, warps):
    x = np.zeros(150, np.float32)
    early_return_kernel[(9, )](x, 150, BLOCK=32, num_warps=warps, device=device)
    i = np.arange(150)
    np.testing.assert_array_equal(x, np.where(i // 32 % 2 == 1, -1, i))


@triton.jit
def binary_search(ptr, n, value):
    lo = 0
    hi = n
    while lo < hi:
        mid = (lo + hi) // 2
        v = tl.load(ptr + mid)
        if v < value:
            lo = mid + 1
        else:
            hi = mid
    return lo


@triton.jit
def searchsorted_kernel(sorted_ptr, n, values_ptr, out_ptr):
    pid = tl.program_id(0)
    tl.store(out_ptr + pid, binary_search(sorted_ptr, n, tl.load(values_ptr + pid)))


@pytest.mark.parametrize("warps", [1, 4, 8])
def test_searchsorted(device, warps, rng):
    table, values = np.sort(rng.standard_normal(101)).astype(np.float32), rng.standard_normal(17).astype(np.float32)
    out = np.zeros(17, np.int32)
    searchsorted_kernel[(17, )](table, 101, values, out, num_warps=warps, device=device)
    np.testing.assert_array_equal(out, np.searchsorted(table, values))


@triton.jit
def collatz_kernel(x_ptr, steps_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=1)
    steps = tl.zeros([BLOCK], tl.int32)
    while tl.max(x, 0) > 1:
        active = x > 1
        x = tl.where(active, tl.where(x % 2 == 0, x // 2, 3 * x + 1), x)
        steps += active.to(tl.int32)
    tl.store(steps_ptr + i, steps, mask=i < n)


@pytest.mark.parametrize("warps", [1, 4, 8])
def test_while_on_a_reduction(device, warps):
    x = np.arange(1, 51, dtype=np.int64)
    out = np.zeros(50, np.int32)
    collatz_kernel[(1, )](x, out, 50, BLOCK=64, num_warps=warps, device=device)

    def steps(v):
        return 0 if v == 1 else 1 + steps(v // 2 if v % 2 == 0 else 3 * v + 1)

    np.testing.assert_array_equal(out, [steps(v) for v in range(1, 51)])


@triton.jit
def poly(x, COEFFICIENTS: tl.constexpr):
    y = tl.zeros_like(x)
    for i in tl.static_range(len(COEFFICIENTS)):
        y = y * x + COEFFICIENTS[i]
    return y


@triton.jit
def apply(x, FN: tl.constexpr, n: tl.constexpr):
    for _ in tl.static_range(n):
        x = FN(x)
    return x


@triton.jit
def half(x):
    return x / 2


@triton.jit
def constexpr_tuple_kernel(x_ptr, y_ptr, COEFFICIENTS: tl.constexpr, SHAPE: tl.constexpr, FN: tl.constexpr):
    M: tl.constexpr = SHAPE[0]
    N: tl.constexpr = SHAPE[1]
    i = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    x = tl.load(x_ptr + i)
    y = apply(poly(x, COEFFICIENTS), FN, 2)
    assert M * N == 64, "the tile"
    tl.static_assert(y.shape[0] == M and y.shape[1] == N)
    tl.store(y_ptr + i, y * SCALE + LOG2E)


def test_constexpr_tuple(device, rng):
    x = rng.standard_normal(64).astype(np.float32)
    y = np.zeros_like(x)
    constexpr_tuple_kernel[(1, )](x, y, (1.0, -2.0, 0.5), (4, 16), half, device=device)
    np.testing.assert_allclose(y, (x * x - 2 * x + 0.5) / 4 * 3 + 1.4426950408889634, rtol=1e-5, atol=1e-5)


@triton.jit
def int64_kernel(x_ptr, o_ptr, base, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0).to(tl.int64)
    i = pid * BLOCK + tl.arange(0, BLOCK)
    far = i + base  # beyond 2**32
    v = tl.load(x_ptr + (far - base), mask=i < n, other=0)
    tl.store(o_ptr + i, (far % 1000003) * 7 + v // 3 - (v >> 2), mask=i < n)


def test_int64(device, rng):
    x = rng.integers(-2**62, 2**62, 77)
    out = np.zeros_like(x)
    base = 2**40 + 12345
    int64_kernel[(3, )](x, out, base, 77, BLOCK=32, device=device)
    quotient = np.sign(x) * (np.abs(x) // 3)
    np.testing.assert_array_equal(out, (np.arange(77) + base) % 1000003 * 7 + quotient - (x >> 2))


@triton.autotune(configs=[triton.Config({"BLOCK": 64}, num_warps=1), triton.Config({"BLOCK": 128}, num_warps=4, num_stages=2)],
                 key=["n"])
@triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})
@triton.jit
def tuned_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr, EVEN: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if EVEN:
        x = tl.load(x_ptr + i)
    else:
        x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, x * x, mask=i < n)


def test_autotune_and_heuristics(device, rng):
    for n in (255, 256):
        x = torch.from_numpy(rng.standard_normal(n).astype(np.float32))
        y = torch.zeros_like(x)
        tuned_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]), )](x, y, n, device=device)
        assert torch.equal(y, x * x)
    assert tuned_kernel.best_config.kwargs["BLOCK"] in (64, 128)


def test_closure(device, rng):

    def make(activation, factor):

        @triton.jit
        def kernel(x_ptr, n, BLOCK: tl.constexpr):
            i = tl.arange(0, BLOCK)
            tl.store(x_ptr + i, activation(tl.load(x_ptr + i, mask=i < n)) * factor, mask=i < n)

        return kernel

    @triton.jit
    def square(x):
        return x * x

    x = rng.standard_normal(50).astype(np.float32)
    two, four = tl.constexpr(2.0), tl.constexpr(4.0)
    for activation, factor, expected in [(square, two, x * x * 2), (half, two, x), (half, four, 2 * x)]:
        y = x.copy()
        # As many elements as threads: with fewer, the spare ones read in place what others write, and checked mode calls that a race.
        make(activation, factor)[(1, )](y, 50, BLOCK=128, device=device)
        np.testing.assert_array_equal(y, expected)


def test_notebook_cells(device):
    """A cell that is run again with other text is another kernel, though its name and file are the same."""
    namespace = {"triton": triton, "tl": tl}
    for version, factor in enumerate((2, 5)):
        text = f"""
@triton.jit
def k(x_ptr, B: tl.constexpr):
    i = x_ptr + tl.arange(0, B)
    tl.store(i, tl.load(i) * {factor})
"""
        file = f"<ipython-input-{version}>"
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        exec(compile(text, file, "exec"), namespace)
        x = np.arange(32, dtype=np.float32)
        namespace["k"][(1, )](x, B=32, device=device)
        np.testing.assert_array_equal(x, np.arange(32) * factor)


def test_exec_without_source():
    namespace = {"triton": triton, "tl": tl}
    with pytest.raises((ValueError, triton.TritonError), match="(?i)source|file"):
        exec("@triton.jit\ndef k(x_ptr):\n    tl.store(x_ptr, 1)\n", namespace)
        namespace["k"][(1, )](np.zeros(1, np.int32), device="cpu")


@triton.jit
def print_assert_kernel(x_ptr, n, B: tl.constexpr):
    i = tl.arange(0, B)
    x = tl.load(x_ptr + i, mask=i < n, other=0)
    tl.device_assert(x >= 0, "negative")
    tl.static_print("block", B)
    tl.store(x_ptr + i, x + 1, mask=i < n)


def test_device_assert_is_off_without_debug(device):
    x = np.arange(20, dtype=np.int32) - 3
    print_assert_kernel[(1, )](x, 20, B=32, device=device, debug=False)
    np.testing.assert_array_equal(x, np.arange(20) - 2)


@triton.jit
def strided_reduce_kernel(x_ptr, out_ptr, M, N, stride_m, stride_n, B: tl.constexpr):
    m = tl.program_id(0)
    n = tl.arange(0, B)
    x = tl.load(x_ptr + m * stride_m + n * stride_n, mask=n < N, other=0.0)
    tl.store(out_ptr + m, tl.sum(x))


@pytest.mark.parametrize("warps", [1, 4, 8])
def test_strided_tensors(device, warps, rng):
    base = torch.from_numpy(rng.standard_normal((40, 30)).astype(np.float32))
    for x in (base.T, base[::3, ::2], base[:, 5:6].expand(-1, 9), base[1:, 1:]):
        out = torch.zeros(x.shape[0])
        strided_reduce_kernel[(x.shape[0], )](x, out, *x.shape, *x.stride(), B=64, num_warps=warps, device=device)
        close(out, x.sum(1), 1e-4, 1e-4)


def test_strided_numpy(device, rng):
    base = rng.standard_normal((40, 30)).astype(np.float32)
    backwards = [base[::-1]] if device == "cpu" else []  # Metal's buffers have no negative offsets
    for x in (base.T, base[::3, ::2], np.asfortranarray(base), *backwards):
        out = np.zeros(x.shape[0], np.float32)
        strides = [s // x.itemsize for s in x.strides]
        strided_reduce_kernel[(x.shape[0], )](x, out, *x.shape, *strides, B=64, device=device)
        np.testing.assert_allclose(out, x.sum(1), rtol=1e-4, atol=1e-4)


@triton.jit
def optional_kernel(x_ptr, bias_ptr, out_ptr, n, B: tl.constexpr, ACT: tl.constexpr = "relu"):
    i = tl.arange(0, B)
    x = tl.load(x_ptr + i, mask=i < n)
    if bias_ptr is not None:
        x += tl.load(bias_ptr + i, mask=i < n)
    if ACT == "relu":
        x = tl.where(x > 0, x, 0)
    elif ACT == "tanh":
        x = 2 * tl.sigmoid(2 * x) - 1
    tl.store(out_ptr + i, x, mask=i < n)


@pytest.mark.parametrize("act", ["relu", "tanh", None])
def test_optional_arguments(device, rng, act):
    x, bias = rng.standard_normal((2, 50)).astype(np.float32)
    for b in (bias, None):
        out = np.zeros(50, np.float32)
        optional_kernel[(1, )](x, b, out, 50, B=64, ACT=act, device=device)
        y = x + (0 if b is None else b)
        y = np.maximum(y, 0) if act == "relu" else np.tanh(y) if act == "tanh" else y
        np.testing.assert_allclose(out, y, rtol=1e-5, atol=1e-6)


@triton.jit
def counter_kernel(x_ptr, step):
    tl.atomic_add(x_ptr, step)


def test_threads(device):
    """Launches of one kernel from many threads, the first of them included."""
    x = np.zeros(1, np.int32)
    errors = []

    def work():
        try:
            for _ in range(20):
                counter_kernel[(5, )](x, 1, device=device)
        except Exception as error:  # reported below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and x[0] == 6 * 20 * 5


def test_grids(device):
    x = np.zeros(1, np.int32)
    counter_kernel[(3, 2, 2)](x, 1, device=device)
    counter_kernel[3, ](x, 1, device=device)
    counter_kernel[lambda meta: (2, )](x, meta := 1, device=device)
    counter_kernel[(0, )](x, 1, device=device)
    counter_kernel[(np.int64(2), )](x, True, device=device)
    counter_kernel[[2]](x, 1, device=device)
    assert x[0] == 12 + 3 + 2 + 2 + 2


@triton.jit
def nested_loops_kernel(x_ptr, out_ptr, n_rows, n_cols, B: tl.constexpr):
    best = -1.0e30
    where = -1
    for r in range(n_rows):
        acc = tl.zeros((B, ), tl.float32)
        for c in range(0, n_cols, B):
            i = c + tl.arange(0, B)
            acc += tl.load(x_ptr + r * n_cols + i, mask=i < n_cols, other=0.0)
        s = tl.sum(acc)
        if s > best:
            best = s
            where = r
    tl.store(out_ptr, where)


@pytest.mark.parametrize("warps", [1, 4, 8])
def test_nested_loops(device, warps, rng):
    x = rng.standard_normal((11, 70)).astype(np.float32)
    out = np.zeros(1, np.int32)
    nested_loops_kernel[(1, )](x, out, 11, 70, B=32, num_warps=warps, device=device)
    assert out[0] == x.sum(1).argmax()


@triton.jit
def persistent_kernel(x_ptr, y_ptr, n, B: tl.constexpr):
    for tile in tl.range(tl.program_id(0), tl.cdiv(n, B), tl.num_programs(0), num_stages=3, flatten=True):
        i = tile * B + tl.arange(0, B)
        tl.store(y_ptr + i, tl.exp2(tl.load(x_ptr + i, mask=i < n) * LOG2E), mask=i < n)


def test_persistent(device, rng):
    x = rng.standard_normal(1000).astype(np.float32)
    y = np.zeros_like(x)
    persistent_kernel[(3, )](x, y, 1000, B=64, device=device)
    np.testing.assert_allclose(y, np.exp(x), rtol=1e-5)


def define(text, name, file):
    """What a cell of a notebook defines."""
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace = {"triton": triton, "tl": tl, "FACTOR": tl.constexpr(2)}
    exec(compile(text, file, "exec"), namespace)
    return namespace, namespace[name]


def test_changed_global_of_a_helper():
    """A constant that only a called function reads is baked into the kernel as well: a launch after its change is refused."""
    text = """
@triton.jit
def helper(x):
    return x * FACTOR

@triton.jit
def first(x_ptr):
    tl.store(x_ptr, helper(tl.load(x_ptr)))

@triton.jit
def second(x_ptr):
    tl.store(x_ptr, helper(tl.load(x_ptr)) + 1)
"""
    namespace, first = define(text, "first", "<cell of a helper>")
    x = np.ones(1, np.float32)
    first[(1, )](x, device="cpu")
    assert x[0] == 2
    namespace["FACTOR"] = tl.constexpr(3)
    for kernel in (first, namespace["second"]):  # the second was never compiled, but its helper's key is that of 2
        with pytest.raises(RuntimeError, match="FACTOR"):
            kernel[(1, )](x, device="cpu")
    assert x[0] == 2


def test_key_of_functions_in_tuples():
    """Functions that a kernel gets in a tuple are part of its key by their source, not by their names."""
    from triton_metal.compiler import ASTSource

    def source(body):
        text = f"""
@triton.jit
def f(x):
    return {body}

@triton.jit
def k(x_ptr, FNS: tl.constexpr):
    tl.store(x_ptr, FNS[0](tl.load(x_ptr)))
"""
        namespace, k = define(text, "k", "<cell of a tuple>")
        return ASTSource(k, {"x_ptr": "*fp32", "FNS": "constexpr"}, {"FNS": (namespace["f"], )})

    assert source("x + 1").hash() == source("x + 1").hash() != source("x + 2").hash()


def test_name_is_part_of_the_key():
    from triton_metal.compiler import ASTSource

    keys = set()
    for name in ("one", "two"):
        namespace, k = define("def k(x_ptr):\n    tl.store(x_ptr, 1.0)\n", "k", "<cell of a name>")
        keys.add(ASTSource(triton.jit(k, repr=lambda _: name), {"x_ptr": "*fp32"}).hash())
    assert len(keys) == 2


@triton.jit
def multiply_add_kernel(a_ptr, b_ptr, c_ptr, o_ptr, B: tl.constexpr):
    i = tl.arange(0, B)
    tl.store(o_ptr + i, tl.load(a_ptr + i) * tl.load(b_ptr + i) + tl.load(c_ptr + i))


def test_no_fp_fusion_on_metal(rng):
    """Without fusion products are rounded before they are added."""
    a, b = rng.standard_normal((2, 64)).astype(np.float32)
    c = -(a * b)
    out = np.ones_like(a)
    kernel = multiply_add_kernel[(1, )](a, b, c, out, B=64, enable_fp_fusion=False, device="metal")
    assert not out.any()
    assert "#pragma clang fp contract(off)" in kernel.asm["msl"]
    assert "contract" not in multiply_add_kernel[(1, )](a, b, c, out, B=64, device="metal").asm["msl"]


@triton.jit
def barrier_kernel(x_ptr, B: tl.constexpr):
    i = tl.arange(0, B)
    tl.store(x_ptr + i, i)
    tl.debug_barrier()
    neighbour = tl.load(x_ptr + (B - 1 - i))
    tl.debug_barrier()
    tl.store(x_ptr + i, neighbour)


@pytest.mark.never_refused
@pytest.mark.parametrize("warps", [1, 4, 8])
def test_debug_barrier(device, warps):
    """Stores of other threads are seen after a barrier, and loads before it are over."""
    x = np.zeros(256, np.int32)
    barrier_kernel[(1, )](x, B=256, num_warps=warps, device=device)
    np.testing.assert_array_equal(x, np.arange(256)[::-1])


@triton.jit
def transpose_tile_kernel(from_ptr, to_ptr, B: tl.constexpr):
    i, j = tl.arange(0, B)[:, None], tl.arange(0, B)[None, :]
    tl.store(to_ptr + j * B + i, tl.load(from_ptr + i * B + j))


@triton.jit
def shift_kernel(from_ptr, to_ptr, B: tl.constexpr):
    i = tl.arange(0, B)
    tl.store(to_ptr + i + 1, tl.load(from_ptr + i))


@triton.jit
def store_twice_kernel(a_ptr, b_ptr, B: tl.constexpr):
    i = tl.arange(0, B)
    tl.store(a_ptr + i + 1, 1.0 + i)
    tl.store(b_ptr + i, 1000.0 + i)


def test_arguments_that_share_memory():
    """Two arguments may be one array: what is loaded is loaded before what comes after it is stored."""
    for x in (np.arange(1024, dtype=np.float32).reshape(32, 32), torch.arange(1024.0).reshape(32, 32)):
        apart = np.zeros_like(np.asarray(x))
        transpose_tile_kernel[(1, )](x, apart, B=32, device="cpu")
        transpose_tile_kernel[(1, )](x, x, B=32, device="cpu")
        np.testing.assert_array_equal(np.asarray(x), np.arange(1024).reshape(32, 32).T)
        np.testing.assert_array_equal(apart, np.asarray(x))
    x = np.arange(66, dtype=np.float32)
    shift_kernel[(1, )](x, x[1:], B=64, device="cpu")
    np.testing.assert_array_equal(x[2:], np.arange(64))
    x = np.zeros(65, np.float32)
    store_twice_kernel[(1, )](x, x, B=64, device="cpu")
    np.testing.assert_array_equal(x, [*np.arange(1000, 1064), 64])


@triton.jit
def sleepy_kernel(x_ptr, n):
    total = 0
    for i in range(n):
        total += i & 3
    tl.store(x_ptr, total)


def test_threads_wait_for_their_own_launches():
    """A launch is done when it returns, also where another thread waits at the same time."""
    wrong = []

    def work(n):
        for _ in range(10):
            x = np.zeros(1, np.int32)
            sleepy_kernel[(1, )](x, n, device="metal")
            if x[0] != sum(i & 3 for i in range(n)):
                wrong.append(int(x[0]))

    threads = [threading.Thread(target=work, args=(n, )) for n in (3000, 50, 1000, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@triton.jit
def type_of_constant_kernel(out_ptr, VALUES: tl.constexpr):
    tl.store(out_ptr, 7 // VALUES[0] if isinstance(VALUES[0], int) else -1)


def test_types_in_tuples_are_part_of_the_key():
    """(2,), (2.0,) and (True,) are equal in Python and other constants to a kernel."""
    out = np.zeros(1, np.int32)
    for values, expected in [((2, ), 3), ((2.0, ), -1), ((2, ), 3), ((1, ), 7), ((1.0, ), -1)]:
        type_of_constant_kernel[(1, )](out, values, device="cpu")
        assert out[0] == expected


def test_switches_without_effect_warn(monkeypatch):
    """Upstream's switches that steer nothing here say so when they are set, by assignment or in the environment."""
    with triton.knobs.compilation.scope(), pytest.warns(UserWarning, match="TRITON_DISABLE_LINE_INFO.*no effect.*locations"):
        triton.knobs.compilation.disable_line_info = True
    import subprocess
    import sys
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    done = subprocess.run([sys.executable, "-c", "import triton_metal"], capture_output=True, text=True, check=True)
    assert "TRITON_INTERPRET" in done.stderr and "cpu.checked" in done.stderr
