"""The decorator of functions that the front end implements."""

from __future__ import annotations

import inspect
from functools import wraps

TRITON_BUILTIN = "__triton_builtin__"


def is_builtin(fn) -> bool:
    """Whether a function is one of the language's own."""
    return getattr(fn, TRITON_BUILTIN, False)


def must_use_result(x, s=True):
    """If the result of this function is unused, raise an error. `x` may be the text to add to it."""
    if isinstance(x, str):
        return lambda fn: must_use_result(fn, x)
    x._must_use_result = s
    return x


def builtin(fn):
    """Mark a function as one that has a meaning in kernels only; the front end knows it by its name."""

    @wraps(fn)
    def wrapper(*args, **kwargs):
        if kwargs.get("_semantic") is None:
            raise ValueError("Did you forget to add @triton.jit ? "
                             "(`_semantic` argument must be provided outside of JIT functions.)")
        return fn(*args, **kwargs)

    setattr(wrapper, TRITON_BUILTIN, True)
    wrapper.signature = inspect.signature(fn)
    return wrapper


def extern(fn):
    """Mark a function of a device library."""
    return builtin(fn)
