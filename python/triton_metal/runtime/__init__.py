"""The host side of kernels."""

from . import errors
from .driver import driver
from .errors import InterpreterError, OutOfResources
from .jit import JITFunction, KernelInterface, MockTensor, TensorWrapper, reinterpret

# Imported on first use: a program that tunes nothing does not pay for the tuner.
_LAZY = {
    "Autotuner": "autotuner",
    "Config": "autotuner_config",
    "Heuristics": "heuristics",
    "autotune": "autotuner",
    "heuristics": "heuristics",
}


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)


__all__ = [
    "Autotuner",
    "Config",
    "Heuristics",
    "InterpreterError",
    "JITFunction",
    "KernelInterface",
    "MockTensor",
    "OutOfResources",
    "TensorWrapper",
    "autotune",
    "errors",
    "heuristics",
    "reinterpret",
]
