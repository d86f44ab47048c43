"""Debugging under one call: each option is a knob, or the same knob of both devices; and what the software Metal counted."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from ... import _core, knobs
from ...compiler.stages import stages_to_print
from ...devices import check_chip


class _WrongValue(ValueError):
    """What the value must be; the name of the option goes before it."""


def _bool(value) -> bool:
    if not isinstance(value, bool):
        raise _WrongValue(f"is True or False, not {value!r}")
    return value


def _seed(value) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise _WrongValue(f"is a number from 0 to 2^64 - 1, not {value!r}")
    return value


def _seconds(value) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise _WrongValue(f"is a number of seconds above 0, or None, not {value!r}")
    return value


def _text(value) -> str:
    if not isinstance(value, str):
        raise _WrongValue(f"is a string, not {value!r}")
    return value


def _stages(value) -> str:
    return ",".join(stages_to_print(_text("" if value is None else value)))


@dataclasses.dataclass(frozen=True)
class _Option:
    what: str
    places: tuple[tuple[object, str], ...]  # (group of knobs, name)
    check: Callable
    is_none_a_value: bool = False  #: elsewhere None makes the option what the environment or the default says

    @property
    def value(self):
        values = [getattr(group, name) for group, name in self.places]
        return all(values) if self.check is _bool else values[0]


_BOTH = (knobs.metal, knobs.cpu)
_OPTIONS: dict[str, _Option] = {
    "checked": _Option("bounds on both devices; on the software Metal races, initialisation and divergence too",
                       tuple((group, "checked") for group in _BOTH), _bool),
    "debug": _Option("tl.device_assert is compiled in", ((knobs.runtime, "debug"),), _bool),
    "seed": _Option("schedule of the software Metal's lanes; 0: in order", ((knobs.metal, "seed"),), _seed),
    "timeout": _Option("seconds a launch may take; None: any", tuple((group, "timeout") for group in _BOTH), _seconds,
                       is_none_a_value=True),
    "chip": _Option("the chip that Metal text is made for", ((knobs.metal, "chip"),), lambda name: check_chip(_text(name))),
    "counting": _Option("the software Metal counts, see take_counters()", ((knobs.metal, "counting"),), _bool),
    "print_ir": _Option("stages that are printed when a kernel is compiled, such as 'msl'", ((knobs.compilation, "print_ir"),), _stages,
                        is_none_a_value=True),
    "dump_ir": _Option("every stage is written to dump_dir when a kernel is compiled", ((knobs.compilation, "dump_ir"),), _bool),
    "dump_dir": _Option("where dump_ir writes", ((knobs.cache, "dump_dir"),), _text),
    "always_compile": _Option("the disk cache is not read", ((knobs.compilation, "always_compile"),), _bool),
    "disk_cache": _Option("compiled kernels are kept on disk", ((knobs.cache, "enabled"),), _bool),
    "verify_each": _Option("the module is verified after every pass", ((knobs.compilation, "verify_each"),), _bool),
    "fp_fusion": _Option("a multiplication and an addition may become one", ((knobs.language, "default_fp_fusion"),), _bool),
    "print_autotuning": _Option("searches say what they found", ((knobs.autotuning, "print"),), _bool),
}  # fmt: skip


class DebugOption:
    """What `set_debug_option` returns. As a context manager it restores the option at the end of the block. `previous` is the old value."""

    def __init__(self, name: str, previous, assigned: list[tuple]):
        self.name = name
        self.previous = previous
        self._assigned = assigned

    def restore(self) -> None:
        """Make the option what it was before."""
        for group, name, was_assigned, value in self._assigned:
            if was_assigned:
                setattr(group, name, value)
            else:
                delattr(group, name)

    def __enter__(self) -> DebugOption:
        return self

    def __exit__(self, *exception) -> None:
        self.restore()

    def __repr__(self) -> str:
        return f"<debug option {self.name}: was {self.previous!r}>"


def _find(name: str) -> _Option:
    if name not in _OPTIONS:
        raise ValueError(f"there is no debug option {name!r}; there are {', '.join(_OPTIONS)}")
    return _OPTIONS[name]


def set_debug_option(name: str, value) -> DebugOption:
    """Set one of the options that `get_debug_options()` lists, from the next launch on. Kernels are compiled again where it needs that.
    None makes an option what the environment or the default says; of "timeout" it is no limit, of "print_ir" no stage.

        metal.set_debug_option("print_ir", "msl")
        with metal.set_debug_option("checked", True):
            kernel[grid](x, y)

    Returns an object whose `previous` is the old value; as a context manager it restores that. Raises ValueError for an unknown name,
    and for a value that the option does not take; it says which it takes.
    """
    option = _find(name)
    is_reset = value is None and not option.is_none_a_value
    try:
        value = None if is_reset else option.check(value)
    except _WrongValue as error:
        raise ValueError(f"debug option {name!r} {error}") from None
    previous = option.value
    assigned = [(group, knob, knob in group._assigned, group._assigned.get(knob)) for group, knob in option.places]
    for group, knob in option.places:
        if is_reset:
            delattr(group, knob)
        else:
            setattr(group, knob, value)
    return DebugOption(name, previous, assigned)


def get_debug_options() -> dict:
    """The value of every debug option. Of "checked", whether both devices check."""
    return {name: option.value for name, option in _OPTIONS.items()}


def take_counters() -> dict[str, int]:
    """What launches on the software Metal have done since the last call, those that ran while the debug option "counting" was on: lanes,
    accesses, bytes and 128-byte transactions of device memory, accesses and bank conflicts of threadgroup memory, barriers, operations on
    floats, products of 8x8 matrices. A Mac's GPU counts nothing."""
    return _core.take_metal_counters()
