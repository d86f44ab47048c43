"""triton_metal.testing: measuring, comparing, reports, and what it refuses."""
from __future__ import annotations

import csv
import gc
import inspect

import numpy as np
import pytest

import triton_metal as triton
from triton_metal import testing

torch = pytest.importorskip("torch")


def test_do_bench_counts_calls_and_gives_milliseconds():
    calls = []
    times = testing.do_bench(lambda: calls.append(1), warmup=1, rep=2, return_mode="all")
    assert 1 <= len(times) < len(calls) and all(0 <= t < 50 for t in times)
    import time
    assert 2 <= testing.do_bench(lambda: time.sleep(0.002), warmup=1, rep=10, return_mode="min") < 50


@pytest.mark.parametrize("options, expected", [({"return_mode": "min"}, 1.0), ({"return_mode": "max"}, 4.0),
                                               ({"return_mode": "median"}, 2.5), ({}, 2.5), ({"quantiles": [0.5]}, 2.5),
                                               ({"quantiles": [0.0, 0.5, 1.0]}, [1.0, 2.5, 4.0]),
                                               ({"return_mode": "all"}, [4.0, 1.0, 3.0, 2.0])])
def test_summaries(options, expected):
    from triton_metal.testing.measure import summarize
    assert summarize([4.0, 1.0, 3.0, 2.0], **options) == expected


def test_do_bench_refuses_other_modes_and_quantiles():
    with pytest.raises(ValueError, match="return_mode is one of min, max"):
        testing.do_bench(lambda: None, return_mode="best")
    with pytest.raises(ValueError, match="between 0 and 1"):
        testing.do_bench(lambda: None, warmup=0, rep=0, quantiles=[1.5])


def test_do_bench_drops_gradients():
    weight = torch.ones(3, requires_grad=True)

    def step():
        weight.sum().backward()

    testing.do_bench(step, warmup=0, rep=1, grad_to_none=[weight])
    assert torch.equal(weight.grad, torch.ones(3))


def test_graphs_are_measured_as_launches_and_say_so():
    for bench in (testing.do_bench_cudagraph, testing.do_bench_cudagraph_proton):
        with pytest.warns(UserWarning, match="no CUDA graphs"):
            assert bench(lambda: None, rep=1) >= 0
    assert testing.do_bench_proton(lambda: None, warmup=0, rep=1) >= 0


def test_assert_close():
    x = np.array([1.0, np.nan, 3.0], np.float32)
    testing.assert_close(x, torch.from_numpy(x + 0.005))
    testing.assert_close(torch.ones(2, dtype=torch.bfloat16), [1.0, 1.0])
    testing.assert_close(1.0, 1.005)
    with pytest.raises(AssertionError, match="my message"):
        testing.assert_close(x, x + 1, err_msg="my message")
    with pytest.raises(AssertionError):
        testing.assert_close(2.0, 2.1)
    seen = []
    testing.assert_close(torch.ones(1, dtype=torch.float16), torch.ones(1, dtype=torch.float16), atol=lambda d: seen.append(d) or 0.0,
                         rtol=lambda d: 0.0)
    assert seen == [torch.float16]


def report(**changes):
    options = dict(x_names=["M", "N"], x_vals=[2, (3, 5)], line_arg="provider", line_vals=["a", "b"], line_names=["A", "B"],
                   plot_name="areas", args={"scale": 10}, ylabel="ms", styles=[("red", "-"), ("blue", "--")])
    return testing.Benchmark(**{**options, **changes})


def area(M, N, provider, scale, extra=0):
    value = float(M * N * scale + extra)
    return value if provider == "a" else (value + 1, value, value + 2)


def test_perf_report_prints_saves_and_plots(tmp_path, capsys):
    mark = testing.perf_report([report(x_log=True)])(area)
    mark.run(print_data=True, save_path=str(tmp_path / "new"), diff_col=True, save_precision=2, extra=1)
    text = capsys.readouterr().out.splitlines()
    assert text[0] == "areas:" and text[1].split() == ["M", "N", "A", "(ms)", "B", "(ms)", "Diff"]
    assert text[3].split() == ["1", "3", "5", "151.000000", "152.000000", "1.000000"]
    rows = list(csv.reader(open(tmp_path / "new" / "areas.csv")))
    assert rows[1] == ["2", "2", "41.00", "42.00", "1.00"]
    assert (tmp_path / "new" / "areas.png").read_bytes().startswith(b"\x89PNG")
    assert 'src="areas.png"' in (tmp_path / "new" / "results.html").read_text()


def test_perf_report_gives_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = testing.perf_report(report())(area).run(return_df=True)
    assert isinstance(frame, pandas.DataFrame) and list(frame.columns) == ["M", "N", "A (ms)", "B (ms)"]


def test_perf_report_refuses_points_of_another_length():
    with pytest.raises(ValueError, match="Expected 2 values, got"):
        testing.perf_report(report(x_vals=[(1, 2, 3)]))(area).run()


def test_roofs_come_from_the_table_of_chips():
    with triton.knobs.metal.scope():
        triton.knobs.metal.chip = "apple-m2"
        assert testing.get_dram_gbps("metal") == 100
        assert testing.get_max_simd_tflops(torch.float32, 1398e3, "metal") == pytest.approx(3.58, rel=0.01)
        assert testing.get_max_tensorcore_tflops(torch.float16, 1398e3, "metal") == pytest.approx(3.58, rel=0.01)
        triton.knobs.metal.chip = "apple-m5-max"
        assert testing.get_max_tensorcore_tflops(torch.float16, 1560e3, "metal") == pytest.approx(63.9, rel=0.01)
        assert testing.get_max_tensorcore_tflops(torch.float32, 1560e3, "metal") == pytest.approx(16, rel=0.01)


@pytest.mark.never_refused
def test_what_is_nvidias_is_refused_by_name():
    for call in (lambda: testing.get_dram_gbps("cpu"), lambda: testing.nvsmi(["clocks.current.sm"]), lambda: testing.set_gpu_clock(),
                 lambda: testing.cuda_memcheck()):
        with pytest.raises(triton.UnsupportedOnDevice):
            call()
    with testing.cuda_graph_without_gc():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_has_upstreams_names_and_parameters():
    upstream = pytest.importorskip("triton.testing")
    for name in ("do_bench", "do_bench_cudagraph", "do_bench_proton", "do_bench_cudagraph_proton", "assert_close", "perf_report"):
        theirs, ours = (list(inspect.signature(getattr(module, name)).parameters) for module in (upstream, testing))
        assert ours[:len(theirs)] == theirs, name
    theirs, ours = (list(inspect.signature(module.Benchmark).parameters) for module in (upstream, testing))
    assert ours == theirs
