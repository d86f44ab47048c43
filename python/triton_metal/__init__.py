"""Triton kernels on Apple GPUs and, everywhere, on the CPU."""
from . import _core, errors
