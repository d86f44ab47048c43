"""What an example offers to the demo and to its own command line: cases, each run and checked on a device."""
from __future__ import annotations

import argparse
import importlib.util
import pathlib
import sys
import time
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

EXAMPLES = ("vector_add", "softmax", "layer_norm", "sum", "matmul", "dropout", "attention", "image_filters")


@dataclass
class Case:
    """One kernel at one size on one device.

    `run()` launches and returns the compiled kernel; `out` then holds the result, compared with `numpy()` within `tolerance`
    (absolute, and relative to the largest reference value). `torch(module)` gives the PyTorch function of `torch_args`.
    `bytes` and `flops` are what one run must move and compute at least. `torch_same` is False where PyTorch's result is another
    random one.
    """
    name: str
    device: str
    size: str
    out: np.ndarray
    run: Callable[[], Any]
    numpy: Callable[[], np.ndarray]
    torch: Callable[[Any], Callable] | None = None
    torch_args: tuple = ()
    bytes: int = 0
    flops: int = 0
    tolerance: float = 1e-6
    torch_same: bool = True
    picture: str | None = None

    def check(self) -> float:
        """Largest error against NumPy; raises AssertionError above the tolerance."""
        expected = np.asarray(self.numpy())
        error = float(np.max(np.abs(self.out.astype(np.float64) - expected))) if self.out.size else 0.0
        limit = self.tolerance * max(1.0, float(np.max(np.abs(expected))) if expected.size else 0.0)
        if not error <= limit:
            raise AssertionError(f"{self.name} {self.size} on {self.device}: error {error:.3g} is above {limit:.3g}")
        return error


class _BFloat16:
    """bfloat16 arrays: PyTorch has them, NumPy has not."""

    @property
    def available(self) -> bool:
        return importlib.util.find_spec("torch") is not None

    def __call__(self, array: np.ndarray):
        import torch
        return torch.from_numpy(np.ascontiguousarray(array)).bfloat16() if array.flags.c_contiguous \
            else torch.from_numpy(np.ascontiguousarray(array.T)).bfloat16().T


bfloat16 = _BFloat16()


def time_of(function: Callable, least_seconds: float = 0.2, most_runs: int = 30) -> float:
    """Median seconds of a call, after one to warm up."""
    function()
    times, began = [], time.perf_counter()
    while not times or (time.perf_counter() - began < least_seconds and len(times) < most_runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def cases_of(example: str, device: str, seed: int = 0):
    """The cases of one example on one device."""
    yield from load(example).cases(device, np.random.default_rng(seed))


def load(example: str):
    """The example's module, under a name that cannot hide a standard one."""
    name = f"triton_metal_example_{example}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, pathlib.Path(__file__).with_name(f"{example}.py"))
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def main(file: str):
    """Command line of one example: run it on the devices asked for, check and time it."""
    example = pathlib.Path(file).stem
    parser = argparse.ArgumentParser(description=load(example).__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "metal"), help="default: both")
    parser.add_argument("--show", choices=("ttir", "llir", "asm", "ttm", "msl", "air"), help="print this stage of each kernel")
    options = parser.parse_args()
    for device in [options.device] if options.device else ["cpu", "metal"]:
        for case in cases_of(example, device):
            kernel = case.run()
            error = case.check()
            seconds = time_of(case.run)
            print(f"{case.name:32s} {device:5s} {case.size:>16s}  max error {error:.2g}  {1e3 * seconds:.3f} ms")
            if options.show:
                print(kernel.asm[options.show])
