"""What this machine has for Metal: a Mac's GPU, the software Metal, or neither."""

from __future__ import annotations

import dataclasses
import platform
import sys

from ... import _core, knobs
from ...devices import has_gpu
from ...errors import UnsupportedOnDevice


def is_available() -> bool:
    """Whether "metal" is the GPU of a Mac. Elsewhere kernels for "metal" run as well, in the software Metal."""
    return has_gpu() and check_environment().problem is None


@dataclasses.dataclass(frozen=True)
class EnvironmentReport:
    """What `check_environment` found. `device` is the GPU's name, or that of the software Metal; `problem` says what is missing."""

    system: str
    chip: str
    device: str | None
    is_software: bool
    language_version: str | None
    problem: str | None

    def __bool__(self) -> bool:
        return self.problem is None

    def __str__(self) -> str:
        if self.problem is not None:
            return f"Metal: not usable on {self.system}: {self.problem}"
        kind = f"executed in software, for chip {self.chip}" if self.is_software else f"chip {self.chip}"
        return f"Metal: {self.device} on {self.system}, Metal language {self.language_version}, {kind}"


def check_environment() -> EnvironmentReport:
    """Load the driver and say what is behind "metal". True where kernels can run there. `triton-metal doctor` says more."""
    system = f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else f"{platform.system()} {platform.machine()}"
    try:
        device = _core.metal_device()
    except UnsupportedOnDevice as error:
        return EnvironmentReport(system, knobs.metal.chip, None, False, None, str(error))
    return EnvironmentReport(system, knobs.metal.chip, device["name"], device["is_software"], device["language_version"], None)
