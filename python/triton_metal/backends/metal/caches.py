"""Compiled kernels that are kept: in the memory of the process, and on disk."""

from __future__ import annotations

import os
import shutil

from ...compiler.compiler import disk_cache_bytes, disk_cache_directory
from ...runtime.jit import forget_compiled_kernels


def clear_cache(memory: bool = True, disk: bool = True) -> int:
    """Forget compiled kernels: of this process (`memory`), and the files of the disk cache (`disk`).

    Returns the bytes that were freed: code and texts of kernels in memory that nothing else holds, files on disk. Kernels are compiled
    again when they are launched next. Other processes go on with what they have loaded.
    """
    freed = forget_compiled_kernels() if memory else 0
    if disk:
        directory = disk_cache_directory()
        if os.path.isdir(directory):
            freed += disk_cache_bytes()
            shutil.rmtree(directory)
    return freed
