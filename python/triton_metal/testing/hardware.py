"""Roofs of the chip, from the table of chips, and upstream's tools for NVIDIA's GPUs, which are refused by name.

Figures are the published ones: bandwidth of the largest variant with a name, most cores. Nothing here was measured by this package.
"""

from __future__ import annotations

import contextlib
import gc

from .. import _core, knobs
from ..devices import current_device
from ..errors import UnsupportedOnDevice

#: A19's matrix units (M5's) do so many times more operations on 16-bit operands than the ALUs.
_MATRIX_FACTOR = 4


def matrix_factor(chip: dict, dtype) -> int:
    """How many times more operations than the ALUs a chip (facts of the table) does in products of matrices of a dtype."""
    narrow = str(dtype).rpartition(".")[2] in ("float16", "bfloat16", "fp16", "bf16")
    return _MATRIX_FACTOR if chip["matrix_units"] and narrow else 1


def _chip(what: str, device) -> dict:
    device = current_device() if device is None or not isinstance(device, str) else device
    if device != "metal":
        raise UnsupportedOnDevice(what, device, "only Apple's GPUs are in the table of chips", "pass device='metal', or measure")
    return _core.chip_facts(knobs.metal.chip)


def get_dram_gbps(device=None) -> float:
    """GB/s of the chip's memory."""
    return float(_chip("get_dram_gbps", device)["bandwidth_gbs"])


def get_max_simd_tflops(dtype, clock_rate, device=None) -> float:
    """TFLOP/s of the chip's ALUs at `clock_rate` kHz; those of 16 and 32 bits run at one rate."""
    return _chip("get_max_simd_tflops", device)["cores"] * _core.OPERATIONS_PER_CORE * clock_rate * 1e-9


def get_max_tensorcore_tflops(dtype, clock_rate, device=None) -> float:
    """TFLOP/s of matrix products at `clock_rate` kHz: those of the ALUs, and from M5 on of the matrix units for 16-bit operands."""
    chip = _chip("get_max_tensorcore_tflops", device)
    return get_max_simd_tflops(dtype, clock_rate, device) * matrix_factor(chip, dtype)


def _refuse(name: str, remedy: str):
    raise UnsupportedOnDevice(name, current_device(), "it drives a tool of NVIDIA's", remedy)


def nvsmi(attrs):
    """Refused: there is no nvidia-smi here."""
    _refuse("nvsmi", "triton-metal doctor lists what this machine has")


def set_gpu_clock(ref_sm_clock=1350, ref_mem_clock=1215):
    """Refused: nobody sets the clocks of Apple's GPUs."""
    _refuse("set_gpu_clock", "interleave what you compare, as the tuner does")


def cuda_memcheck(**target_kwargs):
    """Refused: the checked mode finds accesses out of bounds."""
    _refuse("cuda_memcheck", "set knobs.metal.checked or knobs.cpu.checked")


@contextlib.contextmanager
def cuda_graph_without_gc(*args, **kwargs):
    """The garbage collector rests within; there is no CUDA graph to record."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
