"""The devices of a process: "cpu", and "metal", which is the Mac's GPU or, elsewhere, the software Metal."""

from __future__ import annotations

import os
import sys

from . import _core

_NAMES = ("cpu", "metal")
#: Whether "metal" is a Mac's GPU; elsewhere it is the software Metal.
_HAS_GPU = sys.platform == "darwin" and os.uname().machine == "arm64"


def _default() -> str:
    chosen = os.environ.get("TRITON_METAL_DEVICE")
    if chosen:
        if chosen not in _NAMES:
            raise ValueError(f"TRITON_METAL_DEVICE is {chosen!r}; there are the devices 'cpu' and 'metal'")
        return chosen
    return "metal" if _HAS_GPU else "cpu"


def set_device(name: str) -> None:
    """Make `name`, "cpu" or "metal", the device of launches that name none."""
    _core.set_device(name)


def current_device() -> str:
    """The device of launches that name none."""
    return _core.get_device()


def synchronize() -> None:
    """Wait for every launch that was given to a device; errors of the device surface here."""
    _core.synchronize()


def launches_return_early(device: str) -> bool:
    """Whether a launch on `device` may return before it has run: on a Mac's GPU. The others have finished."""
    return device == "metal" and _HAS_GPU


set_device(_default())
