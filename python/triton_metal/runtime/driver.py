"""`triton.runtime.driver`, as programs use it: which target is active, and what it is like."""

from __future__ import annotations

import os
from collections import namedtuple

from .. import _core, knobs

#: What kernels are compiled for.
GPUTarget = namedtuple("GPUTarget", ["backend", "arch", "warp_size"])


class _Utils:
    """What programs ask the driver's native part for."""

    def get_device_properties(self, device=None) -> dict:
        """Properties of the current device under upstream's names; on the cpu a tile may take any memory."""
        metal = _core.get_device() == "metal"
        return {
            "max_shared_mem": _core.chip_facts(knobs.metal.chip)["max_threadgroup_bytes"] if metal else (1 << 31) - 1,
            "multiprocessor_count": os.cpu_count() or 1,
            "max_num_regs": 128,
            "warpSize": 32,
            "sm_clock_rate": 0,
            "mem_clock_rate": 0,
            "mem_bus_width": 0,
        }


class Driver:
    """The current device. Whatever its name, it is neither CUDA nor HIP, so code for those stays off."""

    def __init__(self):
        self.utils = _Utils()

    def is_active(self) -> bool:
        return True

    def get_current_target(self) -> GPUTarget:
        return GPUTarget(_core.get_device(), 0, 32)

    def get_current_device(self) -> str:
        return _core.get_device()

    def set_current_device(self, device) -> None:
        """There is one device of each kind; a number chooses nothing."""
        if isinstance(device, str):
            _core.set_device(device)

    def get_active_torch_device(self):
        """Where tensors of kernels lie: memory that the CPU and the device share."""
        import torch

        return torch.device("cpu")

    def get_current_stream(self, device=None) -> int:
        return 0

    def get_benchmarker(self):
        from ..testing import do_bench

        return do_bench


class _Active:
    """Holds the active driver; upstream's name for it is `driver`, in a module of that name."""

    def __init__(self):
        self.active = self.default = Driver()


driver = _Active()
active = driver.active
