"""The devices of a process: "cpu", and "metal", which is the Mac's GPU or, elsewhere, the software Metal."""

from __future__ import annotations

import functools
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


def has_gpu() -> bool:
    """Whether "metal" is a Mac's GPU; elsewhere it is the software Metal."""
    return _HAS_GPU


def launches_return_early(device: str) -> bool:
    """Whether a launch on `device` may return before it has run: on a Mac's GPU. The others have finished."""
    return device == "metal" and _HAS_GPU


def check_chip(name: str) -> str:
    """`name`, if the table of chips has it. Raises ValueError otherwise."""
    if name not in _core.chip_names():
        raise ValueError(f"there is no chip {name!r} in the table; there are {', '.join(_core.chip_names())}")
    return name


@functools.cache
def chip_of_this_machine() -> str:
    """The profile of the Mac's GPU (the least chip with its architecture); elsewhere the oldest chip, so that texts are the same on
    every machine."""
    found = _core.chip_of_architecture(_core.metal_device()["architecture"]) if _HAS_GPU else None
    return found or _core.chip_names()[0]


set_device(_default())
