"""`do_bench` and its relatives: milliseconds of a call.

On a Mac's GPU waiting costs more than many a kernel runs, so several calls share one wait there; everywhere else a call has finished
when it returns. Caches are left as the calls leave them.
"""

from __future__ import annotations

import statistics
import time
import warnings

from ..devices import current_device, launches_return_early, synchronize

_MODES = ("min", "max", "mean", "median", "all")
#: Seconds of calls between two waits, where launches return before they have finished.
_SAMPLE_SECONDS = 1e-3


def _quantile(ordered: list[float], q: float) -> float:
    """Linear interpolation between the neighbours of the q-quantile."""
    if not 0 <= q <= 1:
        raise ValueError(f"quantiles lie between 0 and 1; {q} does not")
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def summarize(times: list[float], quantiles=None, return_mode: str = "mean"):
    """What `do_bench` gives for these times."""
    ordered = sorted(times)
    if quantiles is not None:
        values = [_quantile(ordered, q) for q in quantiles]
        return values[0] if len(values) == 1 else values
    if return_mode == "all":
        return times
    return {"min": min, "max": max, "mean": statistics.fmean, "median": statistics.median}[return_mode](ordered)


def seconds_a_call(fn, calls: int) -> float:
    """Seconds of one call, among so many that share a wait."""
    start = time.perf_counter()
    for _ in range(calls):
        fn()
    synchronize()
    return (time.perf_counter() - start) / calls


def do_bench(
    fn, warmup=25, rep=100, grad_to_none=None, quantiles=None, return_mode="mean", fast_flush=None, percentiles=None
):
    """Milliseconds of one call of `fn`: it is warmed up for `warmup` ms and measured for about `rep` ms.

    Gives the mean, another statistic by `return_mode` (min, max, median, or all: the list), or these `quantiles`. `grad_to_none` are
    tensors whose gradients are dropped before each call. `fast_flush` and `percentiles` are accepted from older programs.
    """
    if return_mode not in _MODES:
        raise ValueError(f"return_mode is one of {', '.join(_MODES)}, not {return_mode!r}")
    if quantiles is None and percentiles is not None:
        quantiles = percentiles
    fn()
    synchronize()
    estimate = max(seconds_a_call(fn, 5), 1e-9)
    calls = max(1, int(_SAMPLE_SECONDS / estimate)) if launches_return_early(current_device()) and grad_to_none is None else 1
    for _ in range(max(1, int(warmup / 1e3 / estimate))):
        fn()
    synchronize()
    times = []
    for _ in range(max(1, int(rep / 1e3 / estimate / calls))):
        for tensor in grad_to_none or ():
            tensor.grad = None
        times.append(seconds_a_call(fn, calls) * 1e3)
    return summarize(times, quantiles, return_mode)


def _without_graphs(name: str) -> None:
    warnings.warn(f"{name}: there are no CUDA graphs here; launches are measured as do_bench does", stacklevel=3)


def do_bench_cudagraph(fn, rep=20, grad_to_none=None, quantiles=None, return_mode="mean"):
    """`do_bench`: no device here has CUDA's graphs."""
    _without_graphs("do_bench_cudagraph")
    return do_bench(fn, 5, rep, grad_to_none, quantiles, return_mode)


def do_bench_cudagraph_proton(fn, rep=20, grad_to_none=None, quantiles=None, return_mode="mean"):
    """`do_bench`: no device here has CUDA's graphs."""
    _without_graphs("do_bench_cudagraph_proton")
    return do_bench(fn, 5, rep, grad_to_none, quantiles, return_mode)


def do_bench_proton(fn, warmup=25, rep=100, grad_to_none=None, quantiles=None, return_mode="mean"):
    """`do_bench`: what Proton would leave out, the launch, is not part of a kernel that has finished when it returns."""
    return do_bench(fn, warmup, rep, grad_to_none, quantiles, return_mode)
