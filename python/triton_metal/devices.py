"""The devices of a process: "cpu", and "metal", which is the Mac's GPU or, elsewhere, the software Metal."""

from __future__ import annotations

import os
import sys

from . import _core

_NAMES = ("cpu", "metal")


def _default() -> str:
    chosen = os.environ.get("TRITON_METAL_DEVICE")
    if chosen:
        if chosen not in _NAMES:
            raise ValueError(f"TRITON_METAL_DEVICE is {chosen!r}; there are the devices 'cpu' and 'metal'")
        return chosen
    return "metal" if sys.platform == "darwin" and os.uname().machine == "arm64" else "cpu"


def set_device(name: str) -> None:
    """Make `name`, "cpu" or "metal", the device of launches that name none."""
    _core.set_device(name)


def current_device() -> str:
    """The device of launches that name none."""
    return _core.get_device()


def synchronize() -> None:
    """Wait for every launch that was given to a device; errors of the device surface here."""
    _core.synchronize()


set_device(_default())
