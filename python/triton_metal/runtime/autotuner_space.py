"""The space of `@jit(autotune=True)`: configurations built from the kernel's constexprs, the chip and the shipped defaults.

Which constexprs are sizes follows from what the kernel does with them: they end up in `tl.arange`, in a shape, or in a parameter of
another jit function that does so. Sizes that the caller gives are not searched. Any other constexpr without a value is a question that
only the caller can answer, and an error says so.
"""

from __future__ import annotations

import ast
import itertools

from .. import _core
from ..errors import AutotunerError
from .autotuner_config import LAUNCH_NAMES, Config
from .autotuner_defaults import DOT_SIZES, GUIDE_THREADS, GUIDE_TILES, SIZES, default_for, of_generation
from .jit import JITFunction

#: Functions one of whose arguments is a shape, and where it stands; `arange` is a shape of one dimension.
_SHAPES = {
    "arange": (0, 1), "zeros": (0,), "ones": (0,), "full": (0,), "broadcast_to": (1,), "reshape": (1,), "view": (1,),
    "make_block_ptr": (5,), "make_tensor_descriptor": (3,), "rand": (), "static_range": (),
}  # fmt: skip
_SHAPE_NAMES = frozenset({"shape", "block_shape", "end", "start"})
_DOTS = frozenset({"dot", "dot_scaled"})
#: Elements of a tile, and configurations of a space.
_MOST_ELEMENTS, _MOST = 128 * 128, 32


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


class _Uses(ast.NodeVisitor):
    """Which names of one function are sizes, and whether it has a dot; through calls of other jit functions as well."""

    def __init__(self, function, seen=()):
        self.function = function
        self.scope = function.get_capture_scope()
        self.sizes: set[str] = set()
        self.dot = False
        self._seen = (*seen, function)
        self._aliases: dict[str, set[str]] = {}
        self.visit(function.parse())
        for _ in range(len(self._aliases)):
            for name, sources in self._aliases.items():
                if name in self.sizes:
                    self.sizes |= sources

    def visit_Assign(self, node):
        for target in node.targets:
            if isinstance(target, ast.Name) and not isinstance(node.value, ast.Call):
                self._aliases.setdefault(target.id, set()).update(_names(node.value))
        self.generic_visit(node)

    def _resolve(self, node):
        if isinstance(node, ast.Name):
            return self.scope.get(node.id)
        if isinstance(node, ast.Attribute):
            return getattr(self._resolve(node.value), node.attr, None)
        return None

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        self.dot |= name in _DOTS
        callee = self._resolve(node.func)
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if isinstance(callee, JITFunction) and callee not in self._seen and not callee.__module__.startswith("triton_metal."):
            uses = _Uses(callee, self._seen)
            self.dot |= uses.dot
            given = {**dict(zip(callee.arg_names, node.args)), **keywords}
            for parameter in uses.sizes & given.keys():
                self.sizes |= _names(given[parameter])
        elif name in _SHAPES:
            method = isinstance(node.func, ast.Attribute) and self._resolve(node.func.value) is None
            for place in _SHAPES[name]:
                place -= method and place > 0  # x.reshape(shape): the array stands before the dot
                if place < len(node.args):
                    self.sizes |= _names(node.args[place])
            for keyword in _SHAPE_NAMES & keywords.keys():
                self.sizes |= _names(keywords[keyword])
        self.generic_visit(node)


class Space:
    """What may be searched for one kernel."""

    def __init__(self, kernel: JITFunction):
        uses = _Uses(kernel)
        self._kernel = kernel
        self.dot = uses.dot
        constexprs = [parameter for parameter in kernel.params if parameter.is_constexpr]
        self.sizes = [p.name for p in constexprs if p.name in uses.sizes and p.name not in LAUNCH_NAMES]
        self._launch = [p.name for p in constexprs if p.name in LAUNCH_NAMES]
        self._defaults = {p.name: p.default for p in constexprs if p.has_default}
        self._others = [p.name for p in constexprs if p.name not in self.sizes and p.name not in self._launch and not p.has_default]

    def configs(self, given: dict, options: dict, device: str, chip: str) -> list[Config]:
        """All configurations for a launch with these arguments, the best known first."""
        unknown = [name for name in self._others if name not in given]
        if unknown:
            raise AutotunerError(
                f"{self._kernel.__name__}: no values can be proposed for {', '.join(unknown)}, because the kernel does not use "
                f"{'it' if len(unknown) == 1 else 'them'} as a size; pass {'it' if len(unknown) == 1 else 'them'} to the launch, "
                "or give configs"
            )
        free = [name for name in self.sizes if name not in given]
        warps = self._warps(len(free), given, options, device, chip)
        first = self._first(free, chip)
        if free:
            tiles = [sizes for sizes in itertools.product(self._sizes(len(free), device, chip), repeat=len(free)) if self._fits(sizes)]
            start = [first[name] for name in free]
            tiles.sort(key=lambda sizes: sum(abs(size.bit_length() - known.bit_length()) for size, known in zip(sizes, start)))
            if tuple(start) not in tiles:
                tiles.insert(0, tuple(start))
        else:
            tiles = [()]
        choices = [(sizes, count) for sizes in tiles for count in warps]
        # Near the known ones in both respects first, whatever is cut off at the end.
        choices.sort(key=lambda choice: tiles.index(choice[0]) + 2 * warps.index(choice[1]))
        launch = self._launch_names(given)
        return [
            Config({**dict(zip(free, sizes)), **{name: count if name == "NUM_WARPS" else 3 for name in launch}}, num_warps=count)
            for sizes, count in choices[:_MOST]
        ]

    def _launch_names(self, given: dict) -> list[str]:
        return [name for name in self._launch if name not in given]

    def _first(self, free: list[str], chip: str) -> dict[str, int]:
        row = default_for(chip, len(free), self.dot)
        known = dict(zip(free, row.sizes)) if row else dict.fromkeys(free, 32)
        return {name: self._defaults.get(name, size) for name, size in known.items()}

    def _sizes(self, count: int, device: str, chip: str) -> list[int]:
        sizes = set((DOT_SIZES if self.dot else SIZES)[min(count, 3)])
        if device == "metal" and count > 1:
            sizes |= set(of_generation(GUIDE_TILES, _core.chip_facts(chip)["generation"]))
        return sorted(sizes)

    def _fits(self, sizes: tuple[int, ...]) -> bool:
        largest = sorted(sizes)[-2:]
        product = 1
        for size in largest:
            product *= size
        return product <= _MOST_ELEMENTS and (len(sizes) == 1 or product >= 128)

    def _warps(self, count: int, given: dict, options: dict, device: str, chip: str) -> list[int]:
        """Counts of warps, the known-good one for so many free sizes first."""
        fixed = options.get("num_warps", given.get("NUM_WARPS"))
        if fixed is not None:
            return [fixed]
        if device == "cpu":  # they steer nothing there
            return [4]
        facts = _core.chip_facts(chip)
        threads = of_generation(GUIDE_THREADS, facts["generation"])
        row = default_for(chip, count, self.dot)
        first = row.num_warps if row else 4
        others = {number // facts["simd_width"] for number in threads} | {2, 4, 8}
        return [first, *sorted(others - {first})]
