"""Binding, specialisation and refusals of a launch, on the CPU device."""

import threading

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from triton_metal.errors import LaunchError


@triton.jit
def scale_kernel(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr = 64):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * factor, mask=mask)


def fresh(function=scale_kernel):
    """The same kernel with an empty dispatch cache."""
    return triton.jit(function.fn)


def arrays(n=100):
    return np.arange(n, dtype=np.float32), np.zeros(n, np.float32)


@pytest.mark.parametrize("grid", [(2,), [2], 2, (2, 1, 1), lambda meta: (triton.cdiv(meta["n"], meta["BLOCK"]),)])
def test_grids(grid):
    x, out = arrays()
    scale_kernel[grid](x, out, 100, 3.0, device="cpu")
    np.testing.assert_array_equal(out, x * 3)


def test_keywords_and_defaults():
    x, out = arrays()
    scale_kernel[(4,)](factor=2.0, n=100, out_ptr=out, x_ptr=x, BLOCK=32, num_warps=8, device="cpu")
    np.testing.assert_array_equal(out, x * 2)


def test_empty_grid_launches_nothing():
    x, out = arrays()
    kernel = scale_kernel[(0,)](x, out, 100, 2.0, device="cpu")
    assert not out.any() and kernel.name == "scale_kernel"


def test_specialisations():
    kernel = fresh()
    x, out = arrays(128)

    def count(*args, **kwargs):
        kernel[(2,)](*args, device="cpu", **kwargs)
        return len(kernel._compiled())

    assert count(x, out, 100, 2.0) == 1
    assert count(x, out, 99, 3.0) == 1  # neither is a multiple of 16
    assert count(x, out, 96, 2.0) == 2
    assert count(x, out, 1, 2.0) == 3
    assert count(x[1:], out, 100, 2.0) == 4  # misaligned address
    assert count(x, out, 100, 2.0, BLOCK=32) == 5
    assert count(x, out, 100, 2.0, num_warps=8) == 6
    assert count(x, out, 100, 2) == 7  # an int, not a float
    assert count(x, out, 100, 2.0) == 7


def test_strided_and_zero_stride_arrays_are_addresses():
    x = np.arange(200, dtype=np.float32)
    out = np.zeros(100, np.float32)
    scale_kernel[(2,)](x[::2], out, 100, 1.0, device="cpu")
    np.testing.assert_array_equal(out, x[:100])


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    x, out = torch.arange(100, dtype=torch.float32), torch.zeros(100)
    scale_kernel[(2,)](x, out, 100, 3.0, device="cpu")
    torch.testing.assert_close(out, x * 3)


@pytest.mark.parametrize(
    "call, error, argument, text",
    [
        (lambda k, x, o: k[(1,)](x, o, 100, 2.0, foo=1), KeyError, "foo", "was specified but unrecognised"),
        (lambda k, x, o: k[(1,)](x, o, 100), TypeError, "factor", "missing a required argument"),
        (lambda k, x, o: k[(1,)](x, o, 100, 2.0, n=3), TypeError, "n", "multiple values"),
        (lambda k, x, o: k[(1,)](x, o, 100, 2.0, 64, 5), TypeError, None, "takes 5 arguments, but 6"),
        (lambda k, x, o: k[(1,)]("x", o, 100, 2.0), TypeError, "x_ptr", "failed to specialize argument of type: str"),
        (lambda k, x, o: k[(1,)](x.astype(complex), o, 100, 2.0), LaunchError, "x_ptr", "cannot be passed"),
        (lambda k, x, o: k[(1,)](x, o, 2**70, 2.0), OverflowError, "n", "does not fit into 64 bits"),
        (lambda k, x, o: k[(1, 1, 1, 1)](x, o, 100, 2.0), LaunchError, "grid", "has 4 dimensions"),
        (lambda k, x, o: k[(-1,)](x, o, 100, 2.0), LaunchError, "grid", "not between 0 and"),
        (lambda k, x, o: k[("a",)](x, o, 100, 2.0), LaunchError, "grid", "holds a str"),
        (lambda k, x, o: k[(1,)](x, o, 100, 2.0, device="tpu"), LaunchError, "device", "is no device"),
        (lambda k, x, o: k[(1,)](x, o, 100, 2.0, num_warps=3), LaunchError, "num_warps", "power of 2"),
    ],
)
def test_refusals(call, error, argument, text):
    with pytest.raises(LaunchError) as caught:
        call(fresh(), *arrays())
    assert isinstance(caught.value, error) and caught.value.argument == argument
    assert text in str(caught.value)


def test_read_only_arrays_may_only_be_read():
    x, out = arrays()
    x.flags.writeable = False
    scale_kernel[(2,)](x, out, 100, 2.0, device="cpu")
    np.testing.assert_array_equal(out, x * 2)
    out.flags.writeable = False
    with pytest.raises(LaunchError, match="read-only") as caught:
        scale_kernel[(2,)](x, out, 100, 2.0, device="cpu")
    assert caught.value.argument == "out_ptr"


def test_call_without_grid():
    with pytest.raises(RuntimeError, match="outside of the scope of a kernel"):
        scale_kernel(*arrays(), 100, 2.0)


def test_annotated_types():
    @triton.jit
    def fill(out_ptr, value: tl.int64, BLOCK: tl.constexpr):
        tl.store(out_ptr + tl.arange(0, BLOCK), value)

    out = np.zeros(16, np.int64)
    kernel = fill[(1,)](out, 1, BLOCK=16, device="cpu")
    assert (out == 1).all() and [p.type for p in kernel.signature.params] == ["*i64", "i64"]


def test_do_not_specialize():
    kernel = triton.jit(scale_kernel.fn, do_not_specialize=["n"])
    x, out = arrays()
    for n in (1, 16, 99):
        kernel[(2,)](x, out, n, 2.0, device="cpu")
    assert len(kernel._compiled()) == 1


FACTOR = tl.constexpr(2)


def test_changed_global_is_refused(monkeypatch):
    @triton.jit
    def kernel(out_ptr):
        tl.store(out_ptr, FACTOR)

    out = np.zeros(1, np.int32)
    kernel[(1,)](out, device="cpu")
    assert out[0] == 2
    monkeypatch.setitem(globals(), "FACTOR", tl.constexpr(3))
    with pytest.raises(RuntimeError, match="FACTOR has value"):
        kernel[(1,)](out, device="cpu")


def test_hooks_and_pre_run_hooks():
    kernel, seen = fresh(), []
    kernel.add_pre_run_hook(lambda **arguments: seen.append(arguments["n"]))
    enter = lambda metadata: seen.append(metadata["name"])  # noqa: E731
    triton.knobs.runtime.launch_enter_hook.add(enter)
    try:
        kernel[(2,)](*arrays(), 100, 2.0, device="cpu")
    finally:
        triton.knobs.runtime.launch_enter_hook.remove(enter)
    kernel[(2,)](*arrays(), 50, 2.0, device="cpu")
    assert seen == [100, "scale_kernel", 50]


def test_launches_from_several_threads():
    kernel, failures = fresh(), []

    def work(factor):
        x, out = arrays(1000)
        for _ in range(50):
            kernel[(16,)](x, out, 1000, float(factor), device="cpu")
        if not np.array_equal(out, x * factor):
            failures.append(factor)

    threads = [threading.Thread(target=work, args=(i + 2,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(kernel._compiled()) == 1


def test_compiled_kernel_launches_directly():
    x, out = arrays()
    compiled = fresh().warmup(x, out, 100, 2.0, device="cpu")
    assert not out.any()
    compiled[(2,)](x, out, 100, 2.0)
    np.testing.assert_array_equal(out, x * 2)


def test_autotune_and_heuristics():
    chosen = []

    @triton.autotune([triton.Config({"BLOCK": b}) for b in (32, 64)], key=["n"],
                     do_bench=lambda call, quantiles: (call(), chosen.append(1), [1.0] * 3)[2])
    @triton.heuristics({"factor": lambda args: float(args["n"])})
    @triton.jit
    def kernel(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        mask = offsets < n
        tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * factor, mask=mask)

    x, out = arrays()
    kernel[lambda meta: (triton.cdiv(100, meta["BLOCK"]),)](x, out, 100)
    np.testing.assert_array_equal(out, x * 100)
    assert len(chosen) == 2 and kernel.best_config.kwargs["BLOCK"] == 32
