"""Arguments that trials write: their contents are put back, whatever library they belong to."""

from __future__ import annotations

from ..errors import AutotunerError


def is_compound(argument) -> bool:
    """Whether it holds arrays instead of being one: a tuple or a tensor descriptor."""
    return isinstance(argument, tuple) or (hasattr(argument, "block_shape") and hasattr(argument, "base"))


def _leaves(argument) -> list:
    """The argument itself, or what may be arrays within it."""
    if isinstance(argument, tuple):
        return [leaf for element in argument for leaf in _leaves(element)]
    return [argument.base] if is_compound(argument) else [argument]


def _is_array(value) -> bool:
    return hasattr(value, "dtype") and any(hasattr(value, name) for name in ("shape", "data_ptr", "__dlpack__"))


def bytes_of(arguments: dict) -> int:
    """Of all arrays among the arguments."""
    return sum(getattr(leaf, "nbytes", 0) for value in arguments.values() for leaf in _leaves(value))


def _views(name: str, argument) -> list:
    """Arrays that can be copied and assigned to."""
    leaves = _leaves(argument)
    return [_view(name, leaf) for leaf in leaves if leaf is argument or _is_array(leaf)]


def _view(name: str, array):
    if (hasattr(array, "clone") and hasattr(array, "copy_")) or hasattr(array, "__array_interface__"):
        return array.detach() if hasattr(array, "detach") else array
    if hasattr(array, "__dlpack__"):
        import numpy as np

        return np.from_dlpack(array)
    raise AutotunerError(
        f"trials write to argument '{name}', whose contents cannot be saved because it is a {type(array).__name__}; "
        "pass a NumPy array or a tensor, or give restore_value=[] if it may be overwritten"
    )


def _copy(array):
    return array.clone() if hasattr(array, "clone") else array.copy()


def fill_with_zeros(arguments: dict, names) -> None:
    for name in names:
        if arguments.get(name) is not None:
            for array in _views(name, arguments[name]):
                if hasattr(array, "zero_"):
                    array.zero_()
                else:
                    array[...] = 0


class SavedArrays:
    """Copies of arguments."""

    def __init__(self, arguments: dict, names):
        views = [view for name in names if arguments.get(name) is not None for view in _views(name, arguments[name])]
        self._saved = [(view, _copy(view)) for view in views]

    def restore(self) -> None:
        for view, copy in self._saved:
            if hasattr(view, "copy_"):
                view.copy_(copy)
            else:
                view[...] = copy

    def views(self) -> list:
        """The arrays themselves, as they are now."""
        return [view for view, _ in self._saved]
