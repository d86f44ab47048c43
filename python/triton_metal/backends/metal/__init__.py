"""Apple GPUs: chips and their limits, what this machine has, caches.

    import triton_metal.backends.metal as metal

    metal.get_hardware_capabilities().bandwidth_gbs
    metal.clear_cache()
"""

from __future__ import annotations

from ...devices import synchronize
from .caches import clear_cache
from .chips import ChipGeneration, HardwareCapabilities, get_chip_generation, get_hardware_capabilities, list_chips
from .environment import EnvironmentReport, check_environment, is_available

__all__ = [
    "ChipGeneration",
    "EnvironmentReport",
    "HardwareCapabilities",
    "check_environment",
    "clear_cache",
    "get_chip_generation",
    "get_hardware_capabilities",
    "is_available",
    "list_chips",
    "synchronize",
]
