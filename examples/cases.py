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

EXAMPLES = ("vector_add", "elementwise", "softmax", "layer_norm", "sum", "matmul", "int4_matmul", "convolution", "dropout", "attention",
            "transformer_block", "image_filters", "shared_memory")  # what the demo runs; measure.py is none of its rows


@dataclass
class Case:
    """One example at one size on one device.

    `run()` launches and returns the compiled kernel, or several; `out` then holds the result, compared with `numpy()` within
    `tolerance` times `scale`. `torch(module)` gives the PyTorch function of `torch_args`; `torch_fp32_args` are the same values in fp32
    where those are of half precision. `bytes` and `flops` are what one run must move and compute at least.
    """
    name: str
    device: str
    size: str
    out: np.ndarray
    run: Callable[[], Any]
    numpy: Callable[[], np.ndarray]
    torch: Callable[[Any], Callable] | None = None
    torch_args: tuple = ()
    torch_fp32_args: tuple | None = None
    bytes: int = 0
    flops: int = 0
    tolerance: float = 1e-6
    scale: float | None = None  # default: the largest absolute value of the reference, at least 1
    torch_same: bool = True  # False: PyTorch's result is another random one
    photograph: np.ndarray | None = None  # what an image filter was applied to
    describe: Callable[[], str] | None = None  # what else the example's own command line prints

    def kernels(self) -> tuple:
        """Runs, and gives every compiled kernel that took part."""
        kernels = self.run()
        return kernels if isinstance(kernels, tuple) else (kernels,)

    def check(self, expected=None, slack: float = 1.0) -> float:
        """Largest error against NumPy, or what else is expected; raises AssertionError above the tolerance."""
        expected = np.asarray(self.numpy() if expected is None else expected, dtype=np.float64).reshape(self.out.shape)
        error = float(np.max(np.abs(self.out.astype(np.float64) - expected)))
        limit = slack * self.tolerance * (self.scale or max(1.0, float(np.max(np.abs(expected)))))
        if not error <= limit:
            raise AssertionError(f"{self.name} {self.size} on {self.device}: error {error:.3g} is above {limit:.3g}")
        return error

    def torch_functions(self) -> dict[str, Callable]:
        """The PyTorch calls that compute the same: of the case's own types, and in fp32 where those are of half precision."""
        if self.torch is None or not has_torch():
            return {}
        import torch
        function = self.torch(torch)
        peers = {"torch": self.torch_args}
        if self.torch_fp32_args is not None:
            peers["torch_fp32"] = self.torch_fp32_args
        tensors = {name: [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in args] for name, args in peers.items()}
        return {name: lambda args=args: function(*args) for name, args in tensors.items()}

    def check_torch(self) -> dict[str, Callable]:
        """Compares with PyTorch, in fp32 where that is offered and four times as loosely as with NumPy; gives the calls."""
        peers = self.torch_functions()
        if peers and self.torch_same:
            self.check(peers.get("torch_fp32", peers["torch"])(), slack=4)
        return peers


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def bfloat16(array: np.ndarray):
    """The array as a PyTorch tensor of bfloat16, which NumPy has not; strides are kept."""
    import torch
    return torch.from_numpy(array).bfloat16()


def times_of(contenders: dict[str, Callable], seconds: float = 0.25, most_runs: int = 25) -> dict[str, float]:
    """Median seconds of a call of each, in turns, so that all meet the same state of the machine; the first call warms up."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(most_runs + 1):
        for name, function in contenders.items():
            if sum(times[name]) < seconds:
                start = time.perf_counter()
                function()
                times[name].append(time.perf_counter() - start)
    return {name: float(np.median(runs[1:] or runs)) for name, runs in times.items()}


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
    parser.add_argument("--show", choices=("ttir", "llir", "asm", "ttm", "msl", "air"),
                        help="print this stage of each kernel, of the device that has it")
    parser.add_argument("--seconds", type=float, default=0.25, help="how long each case is timed (default: %(default)s)")
    options = parser.parse_args()
    for device in [options.device] if options.device else ["cpu", "metal"]:
        for case in cases_of(example, device):
            kernels = case.kernels()
            error = case.check()
            peers = "NumPy and PyTorch" if case.check_torch() and case.torch_same else "NumPy"
            seconds = times_of({"ours": case.run}, options.seconds)["ours"]
            print(f"{case.name:32s} {device:5s} {case.size:>16s}  max error {error:.2g} against {peers}  {1e3 * seconds:.3f} ms")
            if case.describe is not None:
                print(case.describe())
            for kernel in kernels:
                if options.show in kernel.asm:  # a stage of the other device is passed over
                    print(kernel.asm[options.show])
