"""Triton kernels on Apple GPUs and, on every machine, on the CPU.

    import triton_metal as triton
    import triton_metal.language as tl

    @triton.jit
    def kernel(x_ptr, n, BLOCK: tl.constexpr): ...

    kernel[(1,)](x, n, BLOCK=1024)

Two devices: "cpu" and "metal"; see `set_device`.
"""

from __future__ import annotations

import importlib

from . import _core  # noqa: F401  the compiler and the launcher
from . import errors, knobs
from .devices import current_device, set_device, synchronize
from .errors import (
    AutotunerError,
    CompilationError,
    CompileTimeAssertionFailure,
    DeviceFault,
    InternalCompilerError,
    InterpreterError,
    LaunchError,
    OutOfResources,
    TritonError,
    UnsupportedLanguageConstruct,
    UnsupportedOnDevice,
)
from .runtime.jit import JITFunction, KernelInterface, MockTensor, TensorWrapper, constexpr_function, jit, reinterpret

#: The version of Triton whose language and host API this package follows; libraries parse it.
__version__ = "3.8.0"
#: The version of this package.
version = "0.1.0"

# Imported on first use: a program that only launches kernels does not pay for them.
_LAZY = {
    "backends": ".backends",
    "language": ".language",
    "testing": ".testing",
    "compiler": ".compiler",
    "runtime": ".runtime",
    "compile": ".compiler:compile",
    "aggregate": ".runtime.aggregate:aggregate",
    "autotune": ".runtime.autotuner:autotune",
    "heuristics": ".runtime.heuristics:heuristics",
    "Config": ".runtime.autotuner_config:Config",
    "MemoryLayout": ".language:MemoryLayout",
    "compute_intensity": ".profiling.intensity:compute_intensity",
    "must_use_result": ".language.builtin:must_use_result",
    "set_allocator": ".runtime._allocation:set_allocator",
    "tools": ".tools",
}


def __getattr__(name: str):
    target = _LAZY.get(name)
    if target is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = target.partition(":")
    value = importlib.import_module(module, __name__)
    if attribute:
        value = getattr(value, attribute)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_LAZY})


def cdiv(x: int, y: int) -> int:
    """x / y, rounded up, for x >= 0 and y > 0."""
    return (x + y - 1) // y


def next_power_of_2(n: int) -> int:
    """The least power of two that is not less than n."""
    return 1 << (n - 1).bit_length() if n > 1 else n if n == 1 else 0


__all__ = [
    "AutotunerError",
    "CompilationError",
    "CompileTimeAssertionFailure",
    "Config",
    "DeviceFault",
    "InternalCompilerError",
    "InterpreterError",
    "JITFunction",
    "KernelInterface",
    "LaunchError",
    "MemoryLayout",
    "MockTensor",
    "OutOfResources",
    "TensorWrapper",
    "TritonError",
    "UnsupportedLanguageConstruct",
    "UnsupportedOnDevice",
    "aggregate",
    "autotune",
    "cdiv",
    "compile",
    "compiler",
    "compute_intensity",
    "constexpr_function",
    "current_device",
    "errors",
    "heuristics",
    "jit",
    "knobs",
    "language",
    "must_use_result",
    "next_power_of_2",
    "reinterpret",
    "runtime",
    "set_allocator",
    "set_device",
    "synchronize",
    "testing",
    "tools",
]
