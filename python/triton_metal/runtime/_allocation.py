"""`set_allocator`: where upstream's kernels get scratch memory from. Ours need none, so an allocator is kept and never called."""

from __future__ import annotations

from contextvars import ContextVar


class NullAllocator:
    """What is set until a program sets one."""

    def __call__(self, size: int, alignment: int, stream: int | None):
        raise RuntimeError(
            "Kernel requires a runtime memory allocation, but no allocator was set. "
            "Use triton.set_allocator to specify an allocator."
        )


_allocator: ContextVar = ContextVar("_allocator", default=NullAllocator())


def set_allocator(allocator) -> None:
    """Keep `allocator(size, alignment, stream)`, as programs written for upstream do."""
    _allocator.set(allocator)
