"""NVIDIA's extras. What reads the hardware of an NVIDIA GPU is refused by name where a kernel calls it."""

from ....runtime.jit import jit
from ...builtin import builtin
from .. import libdevice  # noqa: F401


@jit
def gdc_wait():
    """A hint of NVIDIA's dependent launches; nothing to wait for here."""


@jit
def gdc_launch_dependents():
    """A hint of NVIDIA's dependent launches; without effect here."""


@builtin
def globaltimer(_semantic=None):
    """The clock of an NVIDIA GPU."""


@builtin
def smid(_semantic=None):
    """The multiprocessor of an NVIDIA GPU."""


@builtin
def num_threads(_semantic=None):
    """Threads of a program on an NVIDIA GPU."""


@builtin
def num_warps(_semantic=None):
    """Warps of a program on an NVIDIA GPU."""
