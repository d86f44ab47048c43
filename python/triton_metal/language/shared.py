"""Explicit shared memory: arrays in the program's own fast memory, and the barrier that orders them.

A shared array exists only while a kernel is compiled. It has `shape`, `dtype`, `numel`, is read by `s[index]` and written by
`s[index] = value`; the functions below that begin with `_shared_` are its methods. See docs/reference/shared-memory.md.
"""

from __future__ import annotations

from .builtin import builtin


@builtin
def shared_memory(shape, dtype, _semantic=None):
    """An array of the program's own: threadgroup memory on Metal. Its contents are undefined at first.

    `shape` is a tuple of positive constexpr integers (they need not be powers of two), or one integer; `dtype` one of the language's
    numbers. An array lives as long as the program, also where the call stands in a loop; each call in the source, and each call of a
    function that makes one, is another array. All arrays of a kernel, with what the compiler itself needs on Metal, are at most
    32768 bytes, else OutOfResources is raised with the sum by array.
    """


@builtin
def barrier(_semantic=None):
    """All accesses of the program to shared arrays before it are done before those after it.

    An element that one access writes and another one reads or writes needs a barrier between the two; only atomics need none among
    themselves. The compiler adds none for shared arrays. Memory that was passed to the kernel is not ordered: see debug_barrier.
    """


@builtin
def _shared_ptr(self, *indices, _semantic=None):
    """A pointer to the elements at `indices`, for tl.load, tl.store and tl.atomic_*."""


@builtin
def _shared_load(self, *indices, mask=None, other=None, _semantic=None):
    """The elements at `indices`; where the mask is off `other`, or 0, and no element is read."""


@builtin
def _shared_store(self, *arguments, mask=None, _semantic=None):
    """`s.store(*indices, value, mask=None)`: writes the elements at `indices` where the mask is on."""


@builtin
def _shared_atomic_add(self, *arguments, mask=None, _semantic=None):
    """`s.atomic_add(*indices, value, mask=None)`: adds to the elements at `indices`; gives what they were before."""


@builtin
def _shared_atomic_max(self, *arguments, mask=None, _semantic=None):
    """`s.atomic_max(*indices, value, mask=None)`: the greater of element and value; gives what the elements were before."""


@builtin
def _shared_atomic_min(self, *arguments, mask=None, _semantic=None):
    """`s.atomic_min(*indices, value, mask=None)`: the lesser of element and value; gives what the elements were before."""


@builtin
def _shared_atomic_and(self, *arguments, mask=None, _semantic=None):
    """`s.atomic_and(*indices, value, mask=None)`: the bits set in both; gives what the elements were before."""


@builtin
def _shared_atomic_or(self, *arguments, mask=None, _semantic=None):
    """`s.atomic_or(*indices, value, mask=None)`: the bits set in either; gives what the elements were before."""


@builtin
def _shared_atomic_xor(self, *arguments, mask=None, _semantic=None):
    """`s.atomic_xor(*indices, value, mask=None)`: the bits that differ; gives what the elements were before."""


@builtin
def _shared_atomic_xchg(self, *arguments, mask=None, _semantic=None):
    """`s.atomic_xchg(*indices, value, mask=None)`: the value; gives what the elements were before."""


@builtin
def _shared_atomic_cas(self, *arguments, _semantic=None):
    """`s.atomic_cas(*indices, expected, value)`: the value where the element is `expected` by bits; gives what was there before."""
