"""Apple GPUs: chips and their limits, what this machine has, caches, profiles of launches.

    import triton_metal.backends.metal as metal

    metal.get_hardware_capabilities().bandwidth_gbs
    metal.clear_cache()
    with metal.profile() as report:
        kernel[grid](x, y)
    print(report)
"""

from __future__ import annotations

import importlib

from ...devices import synchronize
from .caches import clear_cache
from .chips import ChipGeneration, HardwareCapabilities, get_chip_generation, get_hardware_capabilities, list_chips
from .debugging import DebugOption, get_debug_options, set_debug_option, take_counters
from .environment import EnvironmentReport, check_environment, is_available

# Imported on first use: who asks for a chip's limits pays for nothing else.
_LAZY = {
    "MemoryAccessReport": "memory_access",
    "Report": "recording",
    "analyze_memory_access": "memory_access",
    "is_profiling": "recording",
    "profile": "recording",
    "start_profiling": "recording",
    "stop_profiling": "recording",
    "test_compute_throughput": "roofs",
    "test_memory_bandwidth": "roofs",
}


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"...profiling.{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_LAZY})


__all__ = [
    "ChipGeneration",
    "DebugOption",
    "EnvironmentReport",
    "HardwareCapabilities",
    "MemoryAccessReport",
    "Report",
    "analyze_memory_access",
    "check_environment",
    "clear_cache",
    "get_chip_generation",
    "get_debug_options",
    "get_hardware_capabilities",
    "is_available",
    "is_profiling",
    "list_chips",
    "profile",
    "set_debug_option",
    "start_profiling",
    "stop_profiling",
    "synchronize",
    "take_counters",
    "test_compute_throughput",
    "test_memory_bandwidth",
]
