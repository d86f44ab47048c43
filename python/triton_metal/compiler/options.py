"""Options of compilation, as a value."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields

from .. import knobs
from ..errors import LaunchError


#: As `counting`: every threadgroup runs and is counted.
EVERY_THREADGROUP = 1 << 30


@dataclass(frozen=True)
class Options:
    """What a launch may ask for beside the kernel's arguments. Those that upstream's vendors know are kept in `foreign`."""

    num_warps: int = 4
    num_stages: int = 3
    num_ctas: int = 1
    enable_fp_fusion: bool = True
    debug: bool = False
    checked: bool = False
    #: On the software Metal: launches count what they do in so many threadgroups, and leave the rest undone; see metal.take_counters.
    counting: int = 0
    sanitize_overflow: bool = False
    language_version: str = "3.8"
    default_dot_input_precision: str | None = None
    allow_non_constexpr_globals: bool = False
    foreign: tuple = field(default=())

    @classmethod
    def parse(cls, device: str, given: dict | None) -> Options:
        """The options of one compilation, from keywords and knobs. Wrong values are LaunchErrors."""
        given = dict(given or {})
        own = {f.name for f in fields(cls)} - {"foreign"}
        values = {name: given.pop(name) for name in list(given) if name in own and given[name] is not None}
        warps = values.get("num_warps", cls.num_warps)
        if not isinstance(warps, int) or warps < 1 or warps & (warps - 1):
            raise LaunchError(f"num_warps must be a power of 2, not {warps!r}; 4 is the default, 32 the most that metal takes", "num_warps")
        group = knobs.cpu if device == "cpu" else knobs.metal
        values["enable_fp_fusion"] = knobs.language.fp_fusion_enabled(values.get("enable_fp_fusion"))
        values.setdefault("debug", bool(knobs.runtime.debug or group.checked))
        values.setdefault("checked", bool(group.checked))
        values.setdefault("counting", EVERY_THREADGROUP if device == "metal" and knobs.metal.counting else 0)
        values.setdefault("language_version", knobs.language.version)
        values.setdefault("default_dot_input_precision", knobs.language.fp32_default)
        values.setdefault("allow_non_constexpr_globals", knobs.compilation.allow_non_constexpr_globals)
        return cls(**values, foreign=tuple(sorted((name, repr(value)) for name, value in given.items())))

    def frontend(self) -> dict:
        """What the front end reads."""
        read = {
            "debug": self.debug,
            "sanitize_overflow": self.sanitize_overflow,
            "language_version": self.language_version,
            "allow_non_constexpr_globals": self.allow_non_constexpr_globals,
        }
        if self.default_dot_input_precision:
            read["default_dot_input_precision"] = self.default_dot_input_precision
        return read

    def as_dict(self) -> dict:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def hash(self) -> str:
        return hashlib.sha256(repr(sorted(self.as_dict().items())).encode()).hexdigest()
