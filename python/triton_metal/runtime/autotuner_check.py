"""Whether configurations that nobody wrote compute the same.

A size of a space that was built may be one that the kernel cannot do with: a row that does not fit the block, a missing mask. So before
such a configuration is timed it runs once on the cpu device with checks; an access out of bounds, and a result that differs from that of
the configuration with the largest tiles, leave it out. Written arguments are put back after each run.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import DeviceFault
from .autotuner_arrays import SavedArrays

#: How far results may differ, relative to the largest value of the reference, by bytes of a float: sums are taken in another order.
_TOLERANCE = {8: 1e-9, 4: 1e-3, 2: 2e-2, 1: 0.13}


def _numbers(array) -> np.ndarray:
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        return (array.float() if str(array.dtype) == "torch.bfloat16" else array).numpy()
    return np.asarray(array)


def _difference(result: np.ndarray, reference: np.ndarray, size: int) -> str:
    """How two results differ; empty where they agree."""
    if result.dtype.kind != "f":
        wrong = result != reference
    else:
        scale = float(np.max(np.abs(reference), initial=0.0, where=np.isfinite(reference)))
        with np.errstate(invalid="ignore"):
            wrong = ~((np.abs(result.astype(np.float64) - reference) <= _TOLERANCE[size] * max(scale, 1e-30))
                      | (result == reference) | (np.isnan(result) & np.isnan(reference)))  # fmt: skip
    count = int(np.count_nonzero(wrong))
    return f"{count} of {wrong.size} elements differ" if count else ""


def find_wrong(configs: list, run: Callable, arguments: dict, written: list[str]) -> dict:
    """Why some configurations are wrong. `run(config)` launches one on the cpu device with checks."""
    saved = SavedArrays(arguments, written)
    reasons: dict = {}
    reference = None
    for config in sorted(configs, key=lambda config: config.size(), reverse=True):
        try:
            run(config)
            results = [_numbers(view).copy() for view in saved.views()]
        except DeviceFault as fault:
            reasons[config] = f"wrong: {fault.fault}"
            continue
        finally:
            saved.restore()
        if reference is None:
            reference = results
            continue
        for view, result, expected in zip(saved.views(), results, reference):
            size = getattr(view, "itemsize", None) or view.element_size()
            if difference := _difference(result, expected, size):
                reasons[config] = f"wrong: {difference} from the largest configuration"
    return reasons
