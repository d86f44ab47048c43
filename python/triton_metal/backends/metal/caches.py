"""Compiled kernels that are kept: in the memory of the process, and on disk."""

from __future__ import annotations

from ... import _core
from ...compiler.compiler import disk_cache_directory
from ...runtime.jit import forget_compiled_kernels


def clear_cache(memory: bool = True, disk: bool = True) -> int:
    """Forget compiled kernels: of this process (`memory`), and the files of the disk cache (`disk`).

    Returns the bytes that were freed: code and texts of kernels in memory that nothing else holds, files on disk. Kernels are compiled
    again when they are launched next. Other processes go on with what they have loaded, and what threads and processes write just now
    stays.
    """
    freed = forget_compiled_kernels() if memory else 0
    if disk:
        freed += _core.DiskCache(disk_cache_directory()).clear()
    return freed
