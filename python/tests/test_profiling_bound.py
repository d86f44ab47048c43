"""Launches that are bound and not run: arguments in their block, grids, tuners and heuristics."""
from __future__ import annotations

import struct

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from triton_metal.errors import LaunchError
from triton_metal.profiling.bound import Bound, bind


@triton.jit
def scale(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr = 64):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * factor, mask=mask)


@pytest.fixture
def arrays():
    return np.ones(100, np.float32), np.zeros(100, np.float32)


def unpacked(bound: Bound):
    addresses = struct.unpack_from("<QQ", bound.params)
    offsets = bound.compiled.signature.offsets
    return addresses, struct.unpack_from("<i", bound.params, offsets[2])[0], struct.unpack_from("<f", bound.params, offsets[3])[0]


def test_by_position_and_by_name(arrays, device):
    x, out = arrays
    grid = lambda meta: (triton.cdiv(meta["n"], meta["BLOCK"]),)  # noqa: E731
    bound = bind(scale, (x, out, 100, 2.5), grid, device, BLOCK=32)
    assert bound.grid == (4, 1, 1) and bound.compiled.metadata.target == device and len(bound.params) == 32
    assert unpacked(bound) == ((x.ctypes.data, out.ctypes.data), 100, 2.5) and not out.any()
    by_name = bind(scale, {"factor": 2.5, "n": 100, "out_ptr": out, "x_ptr": x, "BLOCK": 32}, grid, device, num_warps=4)
    assert by_name.params == bound.params and by_name.grid == bound.grid and not out.any()
    assert bind(scale, (x, out, 100, 2.5), device=device).grid == (1, 1, 1)


def test_compiled_kernels(arrays, device):
    x, out = arrays
    compiled = bind(scale, (x, out, 100, 2.0), device=device).compiled
    bound = bind(compiled, (x, out, 7, 4.0), (3, 2))
    assert bound.compiled is compiled and bound.grid == (3, 2, 1) and unpacked(bound)[1:] == (7, 4.0)


def configurations():
    return [triton.Config({"BLOCK": 32}), triton.Config({"BLOCK": 64})]


def tuned(**more):
    return triton.autotune(configurations(), key=["n"], **more)(triton.jit(scale.fn))


def test_tuners_give_their_first_configuration_or_the_chosen_one(arrays):
    x, out = arrays
    kernel = tuned(do_bench=lambda call, quantiles: pytest.fail("a launch that is only bound makes no trials"))
    grid = lambda meta: (meta["BLOCK"],)  # noqa: E731
    assert bind(kernel, (x, out, 100, 2.0), grid, "cpu").grid == (32, 1, 1)
    assert kernel.best_config is None and not kernel.cache
    times = iter([2.0, 1.0])
    kernel = tuned(do_bench=lambda call, quantiles: [next(times)] * 3)
    kernel[(4,)](x, out, 100, 2.0, device="cpu")
    assert kernel.best_config.kwargs["BLOCK"] == 64
    assert bind(kernel, (x, out, 100, 2.0), grid, "cpu").grid == (64, 1, 1)


def test_heuristics_are_computed(arrays, device):
    x, out = arrays
    grid = lambda meta: (meta["BLOCK"],)  # noqa: E731
    kernel = triton.heuristics({"BLOCK": lambda args: triton.next_power_of_2(args["n"])})(triton.jit(scale.fn))
    assert bind(kernel, (x, out, 100, 2.0), grid, device).grid == (128, 1, 1)
    around = triton.heuristics({"n": lambda args: 50})(tuned())
    bound = bind(around, {"x_ptr": x, "out_ptr": out, "factor": 2.0}, grid, device)
    assert bound.grid == (32, 1, 1) and unpacked(bound)[1] == 50


def test_refusals(arrays):
    x, out = arrays
    with pytest.raises(LaunchError, match="missing a required argument: 'factor'"):
        bind(scale, (x, out, 100), device="cpu")
    with pytest.raises(LaunchError, match="grid"):
        bind(scale, (x, out, 100, 2.0), (-1,), "cpu")

    class Foreign:
        fn, arg_names = staticmethod(scale.fn), ["x_ptr"]

        def run(self, *args, **kwargs):
            pass

    with pytest.raises(TypeError, match="cannot be bound without a launch"):
        bind(triton.autotune(configurations(), key=[])(Foreign()), (x,), device="cpu")
    with pytest.raises(TypeError, match="cannot be bound without a launch"):
        bind(scale.fn, (x,), device="cpu")
    assert not out.any()


def test_hooks_are_not_called(arrays):
    x, out = arrays
    kernel = triton.jit(scale.fn)
    kernel.add_pre_run_hook(lambda **arguments: pytest.fail("nothing is launched"))
    bind(kernel, (x, out, 100, 2.0), device="cpu")
