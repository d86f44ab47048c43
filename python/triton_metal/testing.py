"""Measuring and comparing, as upstream's `triton.testing`."""

from __future__ import annotations

import statistics
import time

from .devices import synchronize


def _quantile(ordered: list[float], q: float) -> float:
    """Linear interpolation between the neighbours of the q-quantile."""
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def _summarize(times: list[float], quantiles, return_mode: str):
    ordered = sorted(times)
    if quantiles is not None:
        values = [_quantile(ordered, q) for q in quantiles]
        return values[0] if len(values) == 1 else values
    if return_mode == "all":
        return times
    return {"min": min, "max": max, "mean": statistics.fmean, "median": statistics.median}[return_mode](ordered)


def do_bench(
    fn, warmup=25, rep=100, grad_to_none=None, quantiles=None, return_mode="mean", fast_flush=None, percentiles=None
):
    """Milliseconds of one call of `fn`: it is warmed up for `warmup` ms and measured for about `rep` ms."""
    if return_mode not in ("min", "max", "mean", "median", "all"):
        raise ValueError(f"return_mode is min, max, mean, median or all, not {return_mode!r}")
    fn()
    synchronize()
    start = time.perf_counter()
    for _ in range(5):
        fn()
    synchronize()
    estimate = max((time.perf_counter() - start) * 1e3 / 5, 1e-6)
    for _ in range(max(1, int(warmup / estimate))):
        fn()
    synchronize()
    times = []
    for _ in range(max(1, int(rep / estimate))):
        if grad_to_none is not None:
            for tensor in grad_to_none:
                tensor.grad = None
        start = time.perf_counter()
        fn()
        synchronize()
        times.append((time.perf_counter() - start) * 1e3)
    return _summarize(times, quantiles, return_mode)


def assert_close(x, y, atol=None, rtol=None, err_msg=""):
    """Raise AssertionError unless x and y agree within atol + rtol * |y|; both may be arrays of any library, or numbers."""
    import numpy as np

    def to_numpy(value):
        if hasattr(value, "detach"):  # PyTorch; NumPy has no bfloat16
            value = value.detach().cpu()
            return (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
        return np.asarray(value)

    x, y = to_numpy(x), to_numpy(y)
    atol = 1e-2 if atol is None else atol(x.dtype) if callable(atol) else atol
    rtol = 0.0 if rtol is None else rtol(x.dtype) if callable(rtol) else rtol
    np.testing.assert_allclose(x, y, atol=atol, rtol=rtol, equal_nan=True, err_msg=err_msg)
