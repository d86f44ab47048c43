"""Kernels with options: configurations, the tuner's choice, what it does with arguments, hooks, errors and results."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from triton_metal.errors import AutotunerError

torch = pytest.importorskip("torch")


def scale(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=i < n) * 2, mask=i < n)


def increment(x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + i, tl.load(x_ptr + i, mask=i < n) + 1, mask=i < n)


def add_up(x_ptr, sum_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(sum_ptr, tl.sum(tl.load(x_ptr + i, mask=i < n, other=0.0), 0))


def configs(*blocks, **options):
    return [triton.Config({"BLOCK": block}, **options) for block in blocks]


def grid(n):
    return lambda meta: (triton.cdiv(n, meta["BLOCK"]),)


def arrays(n=1000):
    x = np.arange(n, dtype=np.float32)
    return x, np.zeros_like(x)


@pytest.fixture(autouse=True)
def no_results_of_other_tests(tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_METAL_CACHE_DIR", str(tmp_path / "cache"))


# Forms -----------------------------------------------------------------------------------------------------------------


def test_jit_with_configurations_tunes(device):
    kernel = triton.jit(scale, configs=configs(32, 64, 128), autotune=True, key=["n"])
    x, out = arrays()
    kernel[grid(1000)](x, out, 1000, device=device)
    np.testing.assert_array_equal(out, 2 * x)
    assert kernel.best_config in kernel.configs and kernel.report.chosen == kernel.best_config
    assert {row.config for row in kernel.report.rows} == set(kernel.configs)
    assert not isinstance(kernel, triton.JITFunction) and kernel.base_fn.arg_names == ["x_ptr", "out_ptr", "n", "BLOCK"]


def test_num_warps_and_num_stages_set_the_launch_and_the_constexpr():

    def kernel(out_ptr, BLOCK: tl.constexpr, NUM_WARPS: tl.constexpr):
        i = tl.arange(0, BLOCK)
        tl.store(out_ptr + i, i * 0 + NUM_WARPS)

    tuned = triton.jit(kernel, configs=[triton.Config({"BLOCK": 64, "NUM_WARPS": 2, "NUM_STAGES": 1})], autotune=True)
    out = np.zeros(64, np.int32)
    compiled = tuned[(1,)](out, device="metal")
    assert (out == 2).all() and compiled.metadata.num_warps == 2 and compiled.metadata.num_stages == 1
    assert "max_total_threads_per_threadgroup(64)" in compiled.asm["msl"]


def test_configurations_without_autotune_mean_the_first_that_fits(device):

    def product(a_ptr, out_ptr, M: tl.constexpr, K: tl.constexpr):
        i, k = tl.arange(0, M), tl.arange(0, K)
        a = tl.load(a_ptr + i[:, None] * K + k[None, :])
        tl.static_assert(K <= 64, "K is too large")
        tl.store(out_ptr + i, tl.sum(a, 1))

    kernel = triton.jit(product, configs=[triton.Config({"M": 32, "K": k}) for k in (128, 64, 32)])
    a, out = np.ones((32, 64), np.float32), np.zeros(32, np.float32)
    kernel[(1,)](a, out, device=device)
    assert (out == 64).all() and kernel.best_config.kwargs["K"] == 64
    rows = {row.config.kwargs["K"]: row for row in kernel.report.rows}
    assert "K is too large" in rows[128].outcome and rows[64].outcome == "the first that fits" and rows[64].seconds is None


def test_first_that_fits_leaves_out_too_many_threads():
    kernel = triton.jit(scale, configs=[triton.Config({"BLOCK": 64}, num_warps=64), triton.Config({"BLOCK": 64}, num_warps=2)])
    x, out = arrays()
    kernel[grid(1000)](x, out, 1000, device="metal")
    assert kernel.best_config.num_warps == 2 and "2048 threads a threadgroup; 1024 is the most" in str(kernel.report)


def test_options_of_tuning_need_a_tuner():
    for option in ({"key": ["n"]}, {"round_sizes": True}, {"restore_value": ["x_ptr"]}):
        with pytest.raises(TypeError, match="belong to configs= or autotune=True"):
            triton.jit(scale, **option)


def test_configurations_of_chips():
    kernel = triton.jit(scale, autotune=True, key=[], configs=[
        triton.Config({"BLOCK": 32}, chips=["apple-m1*"]), triton.Config({"BLOCK": 64}, chips=["apple-m3", "apple-m4*"]),
        triton.Config({"BLOCK": 128}, chips="apple-m3*")])  # yapf: disable
    x, out = arrays()
    with triton.knobs.metal.scope():
        for chip, blocks in (("apple-m1", {32}), ("apple-m3", {64, 128}), ("apple-m4-max", {64})):
            triton.knobs.metal.chip = chip
            kernel[grid(1000)](x, out, 1000, device="metal")
            assert kernel.best_config.kwargs["BLOCK"] in blocks
    assert "meant for apple-m1*, not for apple-m3" in str(kernel.reports[("float32", "float32", "metal", "apple-m3")])
    kernel[grid(1000)](x, out, 1000, device="cpu")  # which is none of these chips, and takes them all
    assert len(kernel.report.rows) == 3


def test_values_from_the_caller_conflict_with_those_of_a_configuration():
    kernel = triton.autotune(configs(32, 64), key=["n"])(triton.jit(scale))
    x, out = arrays()
    with pytest.raises(ValueError, match="Conflicting meta-parameters: BLOCK"):
        kernel[(32,)](x, out, 1000, BLOCK=32, device="cpu")
    kernel[grid(1000)](x, out, 1000, device="cpu")
    with pytest.raises(ValueError, match="Conflicting meta-parameters: BLOCK"):
        kernel[(32,)](x, out, 1000, BLOCK=32, device="cpu")
    with pytest.raises(triton.errors.UnknownArgument):
        triton.autotune([triton.Config({"BLOCK": 32, "BLOK": 1})], key=[])(triton.jit(scale))[(1,)](x, out, 1000, device="cpu")


def test_options_of_the_caller_win():
    kernel = triton.autotune(configs(32, 64), key=["n"])(triton.jit(scale))
    x, out = arrays()
    assert kernel[grid(1000)](x, out, 1000, device="metal", num_warps=2).metadata.num_warps == 2


# What a launch costs Python ---------------------------------------------------------------------------------------------


def test_python_is_asked_once_for_each_key(device):
    asked = []
    kernel = triton.autotune(configs(32, 64), key=["n"])(triton.jit(scale))
    choose = kernel._choose
    kernel._choose = lambda *args: asked.append(args[1]["n"]) or choose(*args)
    x, out = arrays()
    for n in (100, 100, 1, 1, 200, 100, 1):
        kernel[grid(n)](x, out, n, device=device)
    assert asked == [100, 1, 200]
    kernel[grid(100)](x.astype(np.float64).astype(np.int32), np.zeros(1000, np.int32), 100, device=device)  # other dtypes
    assert asked[3:] == [100] and len(kernel.cache) == 4
    kernel.forget()
    kernel[grid(100)](x, out, 100, device=device)
    assert asked[4:] == [100]


def test_round_sizes():
    kernel = triton.jit(scale, configs=configs(32, 64), autotune=True, key=["n"], round_sizes=True)
    sizes = triton.jit(scale, configs=configs(32, 64), autotune=True)  # by default all integers, rounded
    exact = triton.autotune(configs(32, 64), key=["n"])(triton.jit(scale))
    x, out = arrays()
    for n in (100, 128, 65, 129, 256, 1):
        for tuned in (kernel, exact, sizes):
            tuned[grid(n)](x, out, n, device="cpu")
    assert [len(tuned.cache) for tuned in (kernel, exact, sizes)] == [3, 6, 3]


def test_arguments_that_are_no_keys_choose_nothing():

    def scaled(x_ptr, n, factor, seed, MODE: tl.constexpr, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        tl.store(x_ptr + i, i * factor + seed + (n if MODE == "n" else 0))

    with pytest.warns(UserWarning, match="scaled: key names 'absent', which no parameter has .* the kernel has x_ptr, ") as caught:
        kernel = triton.autotune(configs(16, 32), key=["n", "absent"])(triton.jit(scaled))
    assert caught[0].filename == __file__
    x = np.zeros(32, np.float32)
    for factor, seed, mode in ((1.0, 1, "n"), (2.0, 16, "m"), (0.5, 2**40, "n")):
        kernel[(1,)](x, 7, factor, seed, MODE=mode, device="cpu")
        assert x[1] == np.float32(factor + seed + (7 if mode == "n" else 0))
    assert len(kernel.cache) == 1


def test_two_threads_search_once():
    searches = []
    kernel = triton.autotune(configs(32, 64), key=["n"],
                             do_bench=lambda call, quantiles: (searches.append(1), call(), [1.0])[2])(triton.jit(scale))
    x, _ = arrays()
    outs = [np.zeros_like(x) for _ in range(4)]
    threads = [threading.Thread(target=lambda out=out: kernel[grid(1000)](x, out, 1000, device="cpu")) for out in outs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((out == 2 * x).all() for out in outs) and len(searches) == 2


# Arguments --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [np.ones, torch.ones], ids=["numpy", "torch"])
def test_what_trials_write_is_put_back(device, make):
    kernel = triton.autotune(configs(32, 64, 128), key=["n"])(triton.jit(increment))
    x = make(1000)
    x = x.astype(np.float32) if make is np.ones else x
    kernel[grid(990)](x, 990, device=device)
    assert (x[:990] == 2).all() and (x[990:] == 1).all()
    kernel[grid(990)](x, 990, device=device)
    assert (x[:990] == 3).all()


def test_strided_views_are_put_back():
    kernel = triton.autotune(configs(32, 64), key=["n"])(triton.jit(increment))
    whole = np.zeros(2000, np.float32)
    kernel[grid(1999)](whole[::2], 1999, device="cpu")  # pointer arithmetic ignores the stride and reaches the gaps as well
    assert (whole[::2][:999] == 1).all()


def test_reset_to_zero(device):
    kernel = triton.autotune(configs(32, 64, 128), key=["n"], reset_to_zero=["sum_ptr"])(triton.jit(add_up))
    x, total = np.ones(1000, np.float32), np.full(1, 5, np.float32)
    kernel[grid(1000)](x, total, 1000, device=device)
    assert total[0] == 1000  # the launch after a search begins with zero as well
    kernel[grid(1000)](x, total, 1000, device=device)
    assert total[0] == 2000


def test_sums_are_not_added_twice_by_default(device):
    kernel = triton.autotune(configs(32, 64, 128), key=["n"])(triton.jit(add_up))
    x, total = torch.ones(1000), torch.full((1,), 5.0)
    kernel[grid(1000)](x, total, 1000, device=device)
    assert total[0] == 1005


def test_restore_value_names_what_is_put_back():
    kernel = triton.autotune(configs(32, 64), key=["n"], restore_value=[])(triton.jit(increment))
    x = np.zeros(1000, np.float32)
    kernel[grid(1000)](x, 1000, device="cpu")
    assert x[0] > 1  # nothing was
    kernel = triton.autotune(configs(32, 64), key=["n"], restore_value=["x_ptr"])(triton.jit(increment))
    x[:] = 0
    kernel[grid(1000)](x, 1000, device="cpu")
    assert (x == 1).all()


def test_arguments_come_back_from_failed_searches():

    def check(x_ptr, n, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        value = tl.load(x_ptr + i, mask=i < n)
        tl.store(x_ptr + i, value + 1, mask=i < n)
        tl.device_assert(value == 0, "not zero", mask=i < n)

    kernel = triton.autotune(configs(32, 64), key=["n"])(triton.jit(check, debug=True))
    x = np.ones(100, np.float32)
    with pytest.raises(triton.DeviceFault, match="not zero"):
        kernel[grid(100)](x, 100, device="cpu")
    assert (x == 1).all() and not kernel.cache


def test_what_cannot_be_put_back_is_refused():

    class Pointer:
        dtype = torch.float32

        def __init__(self, array):
            self.array = array

        def data_ptr(self):
            return self.array.ctypes.data

    x = np.zeros(1000, np.float32)
    kernel = triton.autotune(configs(32, 64), key=["n"])(triton.jit(increment))
    with pytest.raises(AutotunerError, match="argument 'x_ptr'.*is a Pointer.*restore_value"):
        kernel[grid(1000)](Pointer(x), 1000, device="cpu")
    assert not x.any()


def test_tuples_and_descriptors_are_put_back_and_counted(device):
    from triton_metal.tools.tensor_descriptor import TensorDescriptor

    def add_tiles(arrays, tile, SIDE: tl.constexpr, SCALE: tl.constexpr):
        x, step = arrays
        i = tl.arange(0, 256)
        tl.store(x + i, tl.load(x + i) + step)
        tile.store([0, 0], tile.load([0, 0]) + SCALE)

    def set_block(args):
        args["tile"].block_shape = [args["SIDE"], 16]

    sides = [triton.Config({"SIDE": side, "SCALE": 1}, pre_hook=set_block) for side in (8, 16)]
    tuned = triton.autotune(sides, key=[])(triton.jit(add_tiles))
    x, square = np.zeros(256, np.float32), np.zeros((16, 16), np.float32)
    tuned[(1,)]((x, 3), TensorDescriptor.from_tensor(square, [1, 16]), device=device)
    side = tuned.best_config.kwargs["SIDE"]
    assert (x == 3).all() and square[:side].all() and square.max() == 1 and square.sum() == side * 16
    assert [row.seconds is None for row in tuned.report.rows] == [False, False]


# Heuristics and hooks ---------------------------------------------------------------------------------------------------


def flagged(x_ptr, out_ptr, n, BLOCK: tl.constexpr, EVEN: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i) if EVEN else tl.load(x_ptr + i, mask=i < n)
    tl.store(out_ptr + i, x + EVEN, mask=i < n)


def test_heuristics_below_the_tuner_see_its_choice(device):
    kernel = triton.autotune(configs(32, 64), key=["n"])(
        triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})(triton.jit(flagged)))
    x, out = arrays(1024)
    for n, even in ((1024, 1), (1000, 0), (1024, 1)):
        kernel[grid(n)](x, out, n, device=device)
        np.testing.assert_array_equal(out[:n], x[:n] + even)


def test_heuristics_above_the_tuner(device):
    tuned = triton.autotune(configs(32, 64), key=["n", "EVEN"])(triton.jit(flagged))
    kernel = triton.heuristics({"EVEN": lambda args: args["n"] == 1024})(tuned)
    x, out = arrays(1024)
    for n, even in ((1024, 1), (1000, 0)):
        kernel[grid(n)](x, out, n, device=device)
        np.testing.assert_array_equal(out[:n], x[:n] + even)
    assert len(kernel.fn.cache) == 2


def test_heuristics_alone_and_stacked(device):
    kernel = triton.heuristics({"BLOCK": lambda args: 32 if args["n"] < 500 else 64})(
        triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})(triton.jit(flagged)))
    x, out = arrays(1024)
    for n, even in ((1024, 1), (1000, 0), (96, 1)):
        compiled = kernel[grid(n)](x, out, n, device=device)
        np.testing.assert_array_equal(out[:n], x[:n] + even)
    assert compiled.name == "flagged" and kernel.run(x, out, 96, grid=(3,), device=device) is compiled
    with pytest.raises(ValueError, match="heuristics for BLOK: flagged has no such parameter"):
        triton.heuristics({"BLOK": lambda args: 1})(triton.jit(flagged))
    with pytest.raises(KeyError, match="absent"):
        triton.heuristics({"EVEN": lambda args: args["absent"]})(triton.jit(flagged))[(1,)](x, out, 32, BLOCK=32, device=device)


def test_hooks_of_configurations_run_before_every_launch():
    seen = []
    hooked = configs(32, 64, pre_hook=lambda args: seen.append((args["n"], args["BLOCK"], args["num_warps"])))
    kernel = triton.autotune(hooked, key=["n"])(triton.jit(scale))
    x, out = arrays()
    kernel[grid(1000)](x, out, 1000, device="cpu")
    assert {block for _, block, _ in seen} == {32, 64}
    seen.clear()
    kernel[grid(1000)](x, out, 1000, device="cpu")
    assert seen == [(1000, kernel.best_config.kwargs["BLOCK"], 4)]


def test_hooks_of_the_tuner_run_around_every_trial():
    before, after = [], []
    kernel = triton.autotune(configs(32, 64), key=["n"], pre_hook=lambda args, reset_only=False: before.append(args["BLOCK"]),
                             post_hook=lambda args, exception: after.append(exception))(triton.jit(scale))
    x, out = arrays()
    kernel[grid(1000)](x, out, 1000, device="cpu")
    assert set(before) == {32, 64} and len(before) == len(after) and set(after) == {None}


# Pruning and errors -----------------------------------------------------------------------------------------------------


def test_prune_configs_by():
    kernel = triton.autotune(configs(32, 64, 128, 256), key=["n"], prune_configs_by={
        "early_config_prune": lambda configs, named, **kwargs: [c for c in configs if c.kwargs["BLOCK"] > named["n"] // 20],
        "perf_model": lambda n, BLOCK, **kwargs: -BLOCK, "top_k": 2})(triton.jit(scale))  # yapf: disable
    x, out = arrays()
    kernel[grid(1000)](x, out, 1000, device="cpu")
    assert sorted(row.config.kwargs["BLOCK"] for row in kernel.report.rows) == [128, 256]
    assert len(kernel.warmup(x, out, 1000, grid=(1,), device="cpu")) == 2
    none = {"early_config_prune": lambda *args, **kwargs: []}
    nothing = triton.autotune(configs(32, 64), key=[], prune_configs_by=none)(triton.jit(scale))
    with pytest.raises(AutotunerError, match="should return at least one config"):
        nothing[(1,)](x, out, 1000, device="cpu")


def test_configurations_that_cannot_be_compiled_are_left_out_with_their_reasons(device):
    odd = [triton.Config({"BLOCK": 33}), triton.Config({"BLOCK": 64}, num_warps=3)]
    kernel = triton.autotune([*odd, *configs(32, 64)], key=["n"])(triton.jit(scale))
    x, out = arrays()
    kernel[grid(1000)](x, out, 1000, device=device)
    np.testing.assert_array_equal(out, 2 * x)
    skipped = {(row.config.kwargs["BLOCK"], row.config.num_warps): row.outcome for row in kernel.report.skipped}
    assert "power of 2" in skipped[33, 4] and "num_warps must be a power of 2" in skipped[64, 3]


def test_when_none_is_left_one_error_lists_each_with_its_reason():

    def asserting(x_ptr, BLOCK: tl.constexpr):
        tl.static_assert(BLOCK < 16, "BLOCK is too large")
        tl.store(x_ptr, BLOCK)

    kernel = triton.jit(asserting, configs=[*configs(32), triton.Config({"BLOCK": 8}, num_warps=64),
                                            triton.Config({"BLOCK": 8}, chips=["apple-m4*"]), *configs(64)], autotune=True, key=[])
    x = np.zeros(1, np.float32)
    with pytest.raises(AutotunerError) as caught:
        kernel[(1,)](x, device="metal")
    text = str(caught.value)
    assert "asserting: none of 4 configurations can be used on metal (apple-m1)" in text
    assert text.count("CompileTimeAssertionFailure") == 2 and "2048 threads" in text and "meant for apple-m4" in text
    assert isinstance(caught.value.__cause__, triton.CompileTimeAssertionFailure)


@pytest.mark.parametrize("options, error, message", [
    ({"key": "n"}, TypeError, "key is a list of names, such as key=.'n'., not the string 'n'"),
    ({"reset_to_zero": "out_ptr"}, TypeError, "reset_to_zero is a list of names"),
    ({"reset_to_zero": ["out"]}, ValueError, "reset_to_zero names 'out'; the kernel has the parameters x_ptr, out_ptr, n, BLOCK"),
    ({"restore_value": ["x"]}, ValueError, "restore_value names 'x'; the kernel has"),
    ({"configs": [{"BLOCK": 32}]}, TypeError, "configs is a list of triton.Config, .*, and has a {'BLOCK': 32}"),
])
def test_wrong_options_are_errors_of_the_decoration(options, error, message):
    options = {"configs": configs(32, 64), "key": ["n"], **options}
    for decorate in (triton.autotune(**options), triton.jit(**options, autotune=True)):
        with pytest.raises(error, match=message):
            decorate(triton.jit(scale) if decorate.__module__.endswith("autotuner") else scale)


def test_patterns_of_chips():
    assert triton.Config({}, chips="apple-m1*").chips == ("apple-m1*",)
    assert triton.Config({}, chips=["apple-m99"]).chips == ("apple-m99",)
    with pytest.raises(ValueError, match=r"no chip matches 'm1\*'; chips are spelt apple-m1, "):
        triton.Config({}, chips=["apple-m3", "m1*"])


def test_wrong_calls_are_errors_of_the_call():
    kernel = triton.autotune(configs(32, 64), key=["n"])(triton.jit(scale))
    x, out = arrays()
    with pytest.raises(triton.LaunchError, match="missing a required argument: 'n'"):
        kernel[(1,)](x, out, device="cpu")
    with pytest.raises(triton.LaunchError, match="unrecognised"):
        kernel[(1,)](x, out, 1000, device="cpu", blok=1)


def test_large_tiles_are_left_out_by_facts_before_metal_compiles():

    def dots(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr):
        i, j, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, 32)
        a, b = tl.load(a_ptr + i[:, None] * 32 + k[None, :]), tl.load(b_ptr + k[:, None] * N + j[None, :])
        tl.store(c_ptr + i[:, None] * N + j[None, :], tl.dot(a, b))

    tiles = [triton.Config({"M": m, "N": m}, num_warps=w) for m, w in ((32, 4), (64, 4), (128, 1))]
    kernel = triton.autotune(tiles, key=[])(triton.jit(dots))
    a, b, c = (np.ones(shape, np.float32) for shape in ((128, 32), (32, 128), (128, 128)))
    kernel[(1,)](a, b, c, device="metal")
    outcome, = [row.outcome for row in kernel.report.rows if row.config.kwargs["M"] == 128]
    assert "128x128 tile of 32-bit operands" in outcome or "registers a lane" in outcome


# Results ----------------------------------------------------------------------------------------------------------------

SCRIPT = '''
import sys
import numpy as np
import triton_metal as triton
import triton_metal.language as tl
@triton.autotune([triton.Config({"BLOCK": b}) for b in (32, 64, 128, 256)], key=["n"])
@triton.jit
def scale(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=i < n) * 2, mask=i < n)
launches = []
scale.base_fn.add_pre_run_hook(lambda **kwargs: launches.append(kwargs["BLOCK"]))
x = np.arange(1000, dtype=np.float32)
out = np.zeros_like(x)
scale[lambda meta: (triton.cdiv(1000, meta["BLOCK"]),)](x, out, 1000, device=sys.argv[1])
assert (out == 2 * x).all()
print(len(launches), scale.report.source, scale.best_config.kwargs["BLOCK"], len(scale.configs_timings))
'''


def test_a_second_process_runs_no_trial(device, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    def run(**environment):
        done = subprocess.run([sys.executable, str(script), device], capture_output=True, text=True, check=True,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment})
        return done.stdout.split()

    first, second = run(), run()
    assert int(first[0]) > 4 and first[1] == "search"
    assert second[:2] == ["1", "kept"] and second[-2:] == first[-2:]
    assert run(TRITON_CACHE_AUTOTUNING="0")[1] == "search"
    assert run(TRITON_METAL_LANGUAGE_VERSION="3.9")[1] == "search"  # another question
    for entry in (tmp_path / "cache").rglob("autotune.json"):
        entry.write_text(entry.read_text()[:40])
    assert run()[1] == "search" and run()[1] == "kept"


def test_results_are_told_apart_by_configurations_and_hooks(tmp_path):
    x, out = arrays()
    function = triton.jit(scale)

    def source(configurations):
        kernel = triton.autotune(configurations, key=["n"])(function)
        kernel[grid(1000)](x, out, 1000, device="cpu")
        return kernel.report.source

    assert source(configs(32, 64)) == "search" and source(configs(32, 64)) != "search"
    assert source(configs(32, 128)) == "search"
    assert source(configs(32, 64, pre_hook=lambda args: None)) == "search"


def test_the_metal_report_says_that_nothing_was_timed():
    kernel = triton.autotune(configs(32, 512), key=["n"])(triton.jit(scale))
    x, out = arrays(4096)
    kernel[grid(4096)](x, out, 4096, device="metal")
    assert "estimate from what the software Metal counts" in str(kernel.report) and "no Apple GPU" in kernel.report.method
    assert kernel.best_config.kwargs["BLOCK"] == 512  # 32 elements leave most of 128 threads idle
    again = triton.autotune(configs(32, 512), key=["n"], cache_results=False)(triton.jit(scale))
    again[grid(4096)](x, out, 4096, device="metal")
    assert [row.seconds for row in again.report.rows] == [row.seconds for row in kernel.report.rows]  # counted, so always the same


def test_print_and_listener(capsys):
    told = []
    with triton.knobs.autotuning.scope():
        triton.knobs.autotuning.print = True
        triton.knobs.autotuning.listener = lambda **kwargs: told.append(kwargs)
        for _ in range(2):
            kernel = triton.autotune(configs(32, 64), key=["n"])(triton.jit(scale))
            x, out = arrays()
            kernel[grid(1000)](x, out, 1000, device="cpu")
    text = capsys.readouterr().out
    assert text.count("Triton autotuning for function scale,\nwith key as (1000, 'float32', 'float32', 'cpu'),\nfinished after") == 1
    assert f"best config selected: {kernel.best_config};" in text and "measured time" in text
    assert [call["cache_hit"] for call in told] == [False, True] and told[0]["best_config"] == told[1]["best_config"]
    assert set(told[0]["configs_timings"]) == set(kernel.configs) and told[0]["duration"] > 0 and told[1]["duration"] is None


def test_report_as_json():
    kernel = triton.autotune([triton.Config({"BLOCK": 33}), *configs(32, 64)], key=["n"])(triton.jit(scale))
    x, out = arrays()
    kernel[grid(1000)](x, out, 1000, device="cpu")
    report = json.loads(kernel.report.to_json())
    assert report["kernel"] == "scale" and report["device"] == "cpu" and report["chosen"] == str(kernel.best_config)
    assert [line["ms"] is None for line in report["configurations"]] == [True, False, False]


def test_progress_is_a_line_of_a_terminal(capsys):
    from triton_metal.runtime.autotuner_report import Progress
    progress = Progress("scale", True)
    progress._start -= 1
    progress._last -= 1
    progress("round 3, 2 of 8 left")
    progress.done()
    text = capsys.readouterr().err
    assert "tuning scale: round 3, 2 of 8 left (1." in text and text.endswith("\r\x1b[K")
    silent = Progress("scale", None)
    silent._start -= 1
    silent._last -= 1
    silent("round 3")
    silent.done()
    assert capsys.readouterr().err == ""


def test_the_callers_do_bench_decides():
    current, times = [0], {32: 3.0, 64: 1.0, 128: 2.0}
    kernel = triton.autotune(configs(32, 64, 128), key=["n"],
                             do_bench=lambda call, quantiles: (call(), [times[current[0]]] * 3)[1])(triton.jit(scale))
    kernel.base_fn.add_pre_run_hook(lambda **kwargs: current.__setitem__(0, kwargs["BLOCK"]))
    x, out = arrays()
    kernel[grid(1000)](x, out, 1000, device="cpu")
    assert kernel.best_config.kwargs["BLOCK"] == 64 and kernel.configs_timings[kernel.configs[2]][0] == pytest.approx(2.0)
    assert kernel.report.method == "time by the given do_bench"


def test_deprecated_parameters_say_so():
    with pytest.warns(DeprecationWarning, match="no CUDA graphs"):
        kernel = triton.autotune(configs(32, 64), key=["n"], warmup=1, rep=20, use_cuda_graph=True)(triton.jit(scale))
    assert kernel.seconds_each == 0.02


def test_something_that_is_known_only_by_its_run():

    class Wrapper:
        """Another library's kernel."""

        def __init__(self, kernel):
            self.fn = kernel
            self.arg_names = kernel.arg_names

        def run(self, *args, grid, warmup=False, **kwargs):
            return self.fn.run(*args, grid=grid, warmup=warmup, **kwargs)

    hooked = []
    tuned = triton.autotune([*configs(32, 64, pre_hook=lambda args: hooked.append(args["BLOCK"])), triton.Config({"BLOCK": 33})], key=["n"],
                            reset_to_zero=["out_ptr"])(Wrapper(triton.jit(scale)))
    x, out = arrays()
    for n in (1000, 1000, 500):
        tuned[grid(n)](x, out, n)
        np.testing.assert_array_equal(out[:n], 2 * x[:n])
    assert len(tuned.cache) == 2 and tuned.best_config.kwargs["BLOCK"] in (32, 64) and hooked[-1] == tuned.best_config.kwargs["BLOCK"]
    assert "power of 2" in str(tuned.report) and [row.outcome for row in tuned.report.rows].count("chosen") == 1
    with pytest.raises(ValueError, match="Conflicting meta-parameters: BLOCK"):
        tuned[(1,)](x, out, 7, BLOCK=32)
    with pytest.raises(AutotunerError, match="none of 2 configurations can be used"):
        triton.autotune(configs(33, 65), key=[])(Wrapper(triton.jit(scale)))[(1,)](x, out, 1000)


# Config -----------------------------------------------------------------------------------------------------------------


def test_config():
    config = triton.Config({"A": 1, "NUM_WARPS": 8}, num_stages=2, waves_per_eu=2)
    assert config.num_warps == 8 and config.all_kwargs() == {"A": 1, "NUM_WARPS": 8, "num_warps": 8, "num_ctas": 1, "num_stages": 2,
                                                             "waves_per_eu": 2}
    assert str(config) == "A: 1, NUM_WARPS: 8, num_warps: 8, num_ctas: 1, num_stages: 2, maxnreg: None, ir_override: None"
    same = triton.Config({"NUM_WARPS": 8, "A": 1}, num_stages=2, waves_per_eu=2)
    assert config == same and hash(config) == hash(same) and config != triton.Config({"A": 1}, num_warps=8, num_stages=2)
    assert triton.Config({"A": 1}, chips=["apple-m1*"]) != triton.Config({"A": 1})
    assert "NUM_WARPS" not in config.values(["A"]) and config.values(["NUM_WARPS"])["NUM_WARPS"] == 8
    import pickle
    assert pickle.loads(pickle.dumps(config)) == config
