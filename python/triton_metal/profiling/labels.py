"""What tells compiled kernels of one name apart."""

from __future__ import annotations

from collections import Counter

from ..compiler.compiler import ASTSource, CompiledKernel
from ..runtime.jit import type_canonicalisation_dict

#: How attributes of arguments are shown.
_ATTRIBUTES = {"tt.divisibility": "16", "ttm.overlaps": "overlaps"}
_TYPES = frozenset(type_canonicalisation_dict.values())


def _traits(compiled: CompiledKernel) -> dict[str, str]:
    """Constants, types and options by name."""
    source = compiled.src
    traits = {}
    if isinstance(source, ASTSource):
        constants = {path: str(getattr(value, "value", value)) for path, value in source.constants.items()}
        for i, (name, type) in enumerate(source.signature.items()):
            traits |= {name + "".join(f"[{j}]" for j in path[1:]): value for path, value in constants.items() if path[0] == i}
            if type != "constexpr" and name not in traits:
                traits[name] = str(type) + "".join(f":{_ATTRIBUTES.get(a, a)}" for a, _ in source.attrs.get((i,), ()))
    options = compiled._options.as_dict()
    traits |= {name: str(options[name]) for name in ("num_warps", "num_stages", "enable_fp_fusion", "checked", "counting")}
    return traits


def _telling(traits: list[dict[str, str]]) -> list[str]:
    """As few names as tell all apart that can be told apart: constants and options come before types, and none is added that tells
    nothing more."""
    names = list(max(traits, key=len) | {name: "" for one in traits for name in one})
    is_type = {name: any(one.get(name, "").lstrip("*").partition(":")[0] in _TYPES for one in traits) for name in names}
    chosen: list[str] = []
    told = [()] * len(traits)
    for name in sorted(names, key=is_type.__getitem__):
        more = [before + (one.get(name),) for before, one in zip(told, traits)]
        if len(set(more)) > len(set(told)):
            chosen.append(name)
            told = more
    return chosen


def labels(kernels: list[CompiledKernel]) -> list[str]:
    """For each kernel the traits that tell it from others of its name and device; empty where there is no other."""
    groups: dict[tuple, list[int]] = {}
    for i, compiled in enumerate(kernels):
        groups.setdefault((compiled.name, compiled.metadata.target), []).append(i)
    result = [""] * len(kernels)
    for members in groups.values():
        if len(members) == 1:
            continue
        traits = [_traits(kernels[i]) for i in members]
        names = _telling(traits)
        spelled = [", ".join(f"{name}={one[name]}" for name in names if name in one) for one in traits]
        repeated, seen = Counter(spelled), Counter()
        for i, text in zip(members, spelled):
            seen[text] += 1
            number = f"#{seen[text]}" if repeated[text] > 1 else ""
            result[i] = ", ".join(part for part in (text, number) if part)
    return result
