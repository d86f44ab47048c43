"""tl.device_print and tl.device_assert: the text on file descriptor 1, and the fault that a failing assertion gives."""
from __future__ import annotations

import linecache

import numpy as np
import pytest
from arrays import kernel_from_text

import triton_metal as triton
import triton_metal.language as tl


@pytest.fixture(params=["cpu", "metal", "metal, checked"])
def device(request):
    with triton.knobs.metal.scope():
        triton.knobs.metal.checked = "checked" in request.param
        yield request.param.split(",")[0]


def printed(capfd, kernel, grid, *args, **options) -> list[str]:
    capfd.readouterr()
    kernel[grid](*args, **options)
    return capfd.readouterr().out.splitlines()


@triton.jit
def print_tensor(x_ptr, N: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, N))
    tl.device_print("x", x)


def test_one_line_an_element(capfd, device):
    x = np.arange(128, dtype=np.int32)
    lines = printed(capfd, print_tensor, (1,), x, N=128, device=device)
    assert lines == [f"pid (0, 0, 0) idx ({i:3d}) x: {i}" for i in range(128)]


def test_a_line_a_program(capfd, device):
    @triton.jit
    def kernel():
        tl.device_print("hello")

    lines = printed(capfd, kernel, (2, 3, 2), device=device)
    assert sorted(lines) == sorted(f"pid ({x}, {y}, {z}) hello" for x in range(2) for y in range(3) for z in range(2))


def test_scalars_and_operands(capfd, device):
    @triton.jit
    def kernel(a, b):
        tl.device_print("", a)
        tl.device_print("both: ", a, b)

    lines = printed(capfd, kernel, (1,), 3, -2.5, device=device)
    assert lines == ["pid (0, 0, 0) idx (): 3", "pid (0, 0, 0) idx () both: (operand 0) 3",
                     "pid (0, 0, 0) idx () both: (operand 1) -2.500000"]


def test_two_dimensions(capfd, device):
    @triton.jit
    def kernel(N: tl.constexpr, M: tl.constexpr):
        tl.device_print("v", tl.arange(0, N)[:, None] * 100 + tl.arange(0, M)[None, :])

    lines = printed(capfd, kernel, (1,), N=2, M=16, device=device)
    assert lines == [f"pid (0, 0, 0) idx ({i}, {j:2d}) v: {i * 100 + j}" for i in range(2) for j in range(16)]


@pytest.mark.parametrize("dtype, hexadecimal, value, text", [
    ("int8", False, -3, "-3"), ("int8", True, -3, "0xfd"), ("uint8", False, 253, "253"), ("int16", True, 255, "0x00ff"),
    ("int32", True, -1, "0xffffffff"), ("uint32", False, 2**32 - 1, "4294967295"), ("int64", False, -2**63, str(-2**63)),
    ("uint64", False, 2**64 - 1, str(2**64 - 1)), ("uint64", True, 1, "0x0000000000000001"), ("float16", False, 0.5, "0.500000"),
    ("float32", False, -1.25, "-1.250000"), ("float32", True, 1.5, "0x1.8p+0"), ("float64", False, 1e10, "10000000000.000000"),
    ("float32", False, np.inf, "inf"),
])
def test_types(capfd, device, dtype, hexadecimal, value, text):
    kernel = kernel_from_text(f"""
def kernel(x_ptr):
    tl.device_print("x", tl.load(x_ptr), hex={hexadecimal})
""")
    assert printed(capfd, kernel, (1,), np.array([value], dtype), device=device) == [f"pid (0, 0, 0) idx () x: {text}"]


def test_pointers(capfd, device):
    @triton.jit
    def kernel(x_ptr):
        tl.device_print("p", x_ptr + tl.arange(0, 2))

    x = np.zeros(2, np.float32)
    address = x.__array_interface__["data"][0]
    lines = printed(capfd, kernel, (1,), x, device=device)
    assert lines == [f"pid (0, 0, 0) idx ({i}) p: {address + 4 * i:#x}" for i in range(2)]


def test_values_are_those_of_the_moment(capfd, device):
    @triton.jit
    def kernel(x_ptr, N: tl.constexpr):
        offsets = tl.arange(0, N)
        for i in range(2):
            x = tl.load(x_ptr + offsets)
            tl.device_print("x", x)
            tl.store(x_ptr + offsets, x + 10)

    lines = printed(capfd, kernel, (1,), np.arange(128, dtype=np.int32), N=128, device=device)
    assert lines == [f"pid (0, 0, 0) idx ({i:3d}) x: {10 * step + i}" for step in range(2) for i in range(128)]


def test_long_text(capfd, device):
    """More than is kept before it is written, from many programs: nothing is lost, and lines stay whole."""
    @triton.jit
    def kernel(N: tl.constexpr):
        tl.device_print("some text that makes the lines longer", tl.program_id(0) * N + tl.arange(0, N))

    lines = printed(capfd, kernel, (64,), N=64, device=device)
    values = sorted(int(line.rsplit(" ", 1)[1]) for line in lines)
    assert values == list(range(64 * 64))
    assert all(line.startswith("pid (") and " some text that makes the lines longer: " in line for line in lines)


@triton.jit
def positive(x_ptr, y_ptr, n, N: tl.constexpr):
    offsets = tl.program_id(0) * N + tl.arange(0, N)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=1)
    tl.device_assert(x > 0, "x must be positive")  # the line of the fault
    tl.store(y_ptr + offsets, x, mask=offsets < n)


def test_assertion_that_holds(device):
    x = np.arange(1, 1001, dtype=np.int32)
    y = np.zeros_like(x)
    positive[(8,)](x, y, 1000, N=128, debug=True, device=device)
    np.testing.assert_array_equal(x, y)


def test_assertion_that_fails(device):
    x = np.arange(1, 1001, dtype=np.int32)
    x[700] = 0
    y = np.zeros_like(x)
    with pytest.raises(triton.DeviceFault) as caught:
        positive[(8,)](x, y, 1000, N=128, debug=True, device=device)
    message = str(caught.value)
    assert "x must be positive" in message and "program (5, 0, 0)" in message and "positive" in message
    assert caught.value.where["file"] == __file__
    assert linecache.getline(__file__, caught.value.where["line"]).endswith("# the line of the fault\n")
    assert not y[640:768].any()  # the program ended there
    # The device goes on.
    x[700] = 1
    positive[(8,)](x, y, 1000, N=128, debug=True, device=device)
    np.testing.assert_array_equal(x, y)


def test_assertion_without_debug(device):
    x = np.zeros(4, np.int32)
    positive[(1,)](x, np.zeros_like(x), 4, N=4, debug=False, device=device)


def test_assertion_with_mask(device):
    @triton.jit
    def kernel(x_ptr, n, N: tl.constexpr):
        offsets = tl.arange(0, N)
        tl.device_assert(tl.load(x_ptr + offsets) > 0, "masked", mask=offsets < n)

    x = np.array([1, 1, 1, 0], np.int32)
    kernel[(1,)](x, 3, N=4, debug=True, device=device)
    with pytest.raises(triton.DeviceFault, match="masked"):
        kernel[(1,)](x, 4, N=4, debug=True, device=device)


def test_scalar_assertion_guards_what_follows(device):
    """What stands after a failing assertion is not done, in a loop neither."""
    @triton.jit
    def kernel(out_ptr, n, limit):
        for i in range(n):
            tl.device_assert(i < limit, "too far")
            tl.store(out_ptr + i, i + 1)

    out = np.zeros(8, np.int32)
    with pytest.raises(triton.DeviceFault, match="too far"):
        kernel[(1,)](out, 8, 5, debug=True, device=device)
    np.testing.assert_array_equal(out, [1, 2, 3, 4, 5, 0, 0, 0])


def test_in_a_loop_between_scalars(capfd, device):
    """The order is that of the program, although lanes print on their own: a scalar is printed by one, a tensor by all."""
    @triton.jit
    def kernel(n, N: tl.constexpr):
        for i in range(n):
            tl.device_print("i", i)
            if i % 2 == 1:
                tl.device_print("odd", tl.arange(0, N) + i)
        tl.device_print("end")

    lines = printed(capfd, kernel, (1,), 4, N=64, device=device)
    expected = []
    for i in range(4):
        expected.append(f"pid (0, 0, 0) idx () i: {i}")
        if i % 2 == 1:
            expected += [f"pid (0, 0, 0) idx ({j:2d}) odd: {i + j}" for j in range(64)]
    assert lines == expected + ["pid (0, 0, 0) end"]


@pytest.mark.parametrize("num_warps", [1, 4, 8])
@pytest.mark.parametrize("shape", [(4, 2), (16, 64)])
def test_each_element_once(capfd, device, shape, num_warps):
    """Also where a tensor is smaller than the threadgroup or several times as large, and holds what is not the lane's number."""
    @triton.jit
    def kernel(x_ptr, N: tl.constexpr, M: tl.constexpr):
        x = tl.load(x_ptr + tl.arange(0, N)[:, None] * M + tl.arange(0, M)[None, :])
        tl.device_print("sum", tl.sum(x, axis=1))
        tl.device_print("x", tl.trans(x))

    n, m = shape
    x = np.arange(n * m, dtype=np.float32).reshape(shape)
    lines = printed(capfd, kernel, (1,), x, N=n, M=m, num_warps=num_warps, device=device)
    of, at = len(str(n - 1)), len(str(m - 1))
    assert lines == [f"pid (0, 0, 0) idx ({i:{of}d}) sum: {x[i].sum():f}" for i in range(n)] \
        + [f"pid (0, 0, 0) idx ({j:{at}d}, {i:{of}d}) x: {x[i, j]:f}" for j in range(m) for i in range(n)]


def test_two_dimensional_assertion(device):
    @triton.jit
    def kernel(x_ptr, y_ptr, N: tl.constexpr, M: tl.constexpr):
        offsets = tl.arange(0, N)[:, None] * M + tl.arange(0, M)[None, :]
        x = tl.load(x_ptr + offsets)
        tl.device_assert(x < 1000, "small")
        tl.store(y_ptr + offsets, x)

    x = np.arange(32 * 32, dtype=np.int32).reshape(32, 32)
    y = np.zeros_like(x)
    with pytest.raises(triton.DeviceFault, match="small"):
        kernel[(1,)](x, y, N=32, M=32, debug=True, device=device)
    assert not y.any()
    kernel[(1,)](x[:16], y, N=16, M=32, debug=True, device=device)
    np.testing.assert_array_equal(y[:16], x[:16])


@pytest.mark.never_refused
def test_a_log_for_kernels_that_say_something_only():
    x = np.ones(128, np.int32)
    silent, loud = (positive[(1,)](x, x.copy(), 128, N=128, debug=debug, device="metal") for debug in (False, True))
    assert "log" not in silent.asm["msl"]
    assert "  device uint* log;\n};\n" in loud.asm["msl"]
    assert "append_record(params.log, 1u, " in loud.asm["msl"]


@pytest.mark.never_refused
def test_a_full_log_says_so(capfd):
    @triton.jit
    def kernel(n, N: tl.constexpr):
        for i in range(n):
            tl.device_print("x", tl.arange(0, N))

    with pytest.warns(RuntimeWarning, match="the last 1024 found no room and are lost, the next launch has more"):
        assert len(printed(capfd, kernel, (1,), 65, N=1024, device="metal")) == 1 << 16
    assert len(printed(capfd, kernel, (1,), 65, N=1024, device="metal")) == 65 * 1024


def test_debug_barrier(device):
    @triton.jit
    def kernel(x_ptr, N: tl.constexpr):
        offsets = tl.arange(0, N)
        tl.store(x_ptr + offsets, offsets)
        tl.debug_barrier()
        x = tl.load(x_ptr + N - 1 - offsets)
        tl.debug_barrier()
        tl.store(x_ptr + offsets, x)

    x = np.zeros(16, np.int32)
    kernel[(1,)](x, N=16, device=device)
    np.testing.assert_array_equal(x, np.arange(16)[::-1])
