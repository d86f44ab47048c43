"""`Config`: one choice of meta-parameters and launch options."""

from __future__ import annotations

import fnmatch

from .. import _core

#: Meta-parameters that set the launch option of the same meaning as well, where the kernel has such a parameter and where it has not.
LAUNCH_NAMES = {"NUM_WARPS": "num_warps", "NUM_STAGES": "num_stages"}


class Config:
    """One choice of meta-parameters and options.

    `NUM_WARPS` and `NUM_STAGES` among the meta-parameters set `num_warps` and `num_stages`, and the constexpr of that name if the kernel
    has one. `chips` is a pattern such as "apple-m3*", or several: on other chips the configuration is left out; the cpu device takes all.
    Options of other vendors are accepted and carried along. Raises ValueError for a pattern that can be no chip's.
    """

    def __init__(
        self, kwargs, num_warps=4, num_stages=3, num_ctas=1, maxnreg=None, pre_hook=None, ir_override=None, chips=None, **foreign
    ):
        self.kwargs = dict(kwargs)
        self.num_warps = self.kwargs.get("NUM_WARPS", num_warps)
        self.num_stages = self.kwargs.get("NUM_STAGES", num_stages)
        self.num_ctas = num_ctas
        self.maxnreg = maxnreg
        self.pre_hook = pre_hook
        self.ir_override = ir_override
        self.chips = (chips,) if isinstance(chips, str) else tuple(chips or ())
        for pattern in self.chips:
            if not pattern.startswith(("apple-", "*")):  # a chip that is newer than the table may be meant
                raise ValueError(f"Config(chips=...): no chip matches {pattern!r}; chips are spelt {', '.join(_core.chip_names())}")
        self.foreign = foreign

    def options(self) -> dict:
        """The launch options."""
        named = {
            "num_warps": self.num_warps,
            "num_ctas": self.num_ctas,
            "num_stages": self.num_stages,
            "maxnreg": self.maxnreg,
            "ir_override": self.ir_override,
        }
        return {**{name: value for name, value in named.items() if value is not None}, **self.foreign}

    def all_kwargs(self) -> dict:
        """Meta-parameters and launch options, as upstream gives them."""
        return {**self.kwargs, **self.options()}

    def values(self, parameters) -> dict:
        """What a launch of a kernel with these parameters gets."""
        meta = {name: value for name, value in self.kwargs.items() if name not in LAUNCH_NAMES or name in parameters}
        return {**meta, **self.options()}

    def check_conflicts(self, given) -> None:
        """Raise a ValueError where the caller gives what the configuration sets."""
        conflicts = sorted(given.keys() & self.kwargs.keys())
        if conflicts:
            raise ValueError(
                f"Conflicting meta-parameters: {', '.join(conflicts)}. Make sure that you don't re-define auto-tuned symbols."
            )

    def allows(self, chip: str) -> bool:
        """Whether it is meant for this chip."""
        return not self.chips or any(fnmatch.fnmatchcase(chip, pattern) for pattern in self.chips)

    def size(self) -> tuple:
        """Orders configurations by how much a program holds: of two that are equally fast the smaller one leaves more room for others."""
        elements = 1
        for value in self.kwargs.values():
            if type(value) is int and value > 1:
                elements *= value
        return elements, self.num_warps or 0, self.num_stages or 0

    def spelled(self) -> str:
        """Everything but the hook; equal for equal configurations in every process whose values have a faithful repr."""
        return repr((sorted((name, repr(value)) for name, value in self.all_kwargs().items()), self.chips))

    def _identity(self) -> tuple:
        return self.spelled(), self.pre_hook

    def __eq__(self, other):
        return isinstance(other, Config) and self._identity() == other._identity()

    def __hash__(self):
        return hash(self._identity())

    def __str__(self):
        parts = [f"{name}: {value}" for name, value in self.kwargs.items()]
        parts += [f"num_warps: {self.num_warps}", f"num_ctas: {self.num_ctas}", f"num_stages: {self.num_stages}"]
        return ", ".join([*parts, f"maxnreg: {self.maxnreg}", f"ir_override: {self.ir_override}"])

    def short(self) -> str:
        """What distinguishes it, in few characters."""
        parts = [f"{name}={value}" for name, value in self.kwargs.items() if name not in LAUNCH_NAMES]
        return " ".join([*parts, f"num_warps={self.num_warps}", f"num_stages={self.num_stages}"])

    def __repr__(self):
        return f"Config({self})"
