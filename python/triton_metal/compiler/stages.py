"""Stages of a kernel that are written or printed when it is compiled: knobs.compilation.dump_ir and print_ir."""

from __future__ import annotations

import os
import sys

from .. import knobs

#: Stages of a kernel on each device; `obj` is no text.
STAGES = {"cpu": ("ttir", "llir", "asm", "obj"), "metal": ("ttir", "ttm", "msl", "air")}


def stages_to_print(text: str) -> tuple[str, ...]:
    """Names from a list with commas. Raises ValueError for one that no device has."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    printed = dict.fromkeys(name for stages in STAGES.values() for name in stages if name != "obj")
    for name in names:
        if name not in printed:
            raise ValueError(f"there is no stage {name!r} to print; there are {', '.join(printed)}")
    return names


def show_stages(compiled) -> None:
    """Write and print what the knobs ask for. Stages that this device does not have are passed over."""
    available = compiled.asm.keys()
    if knobs.compilation.dump_ir:
        folder = os.path.join(knobs.cache.dump_dir, compiled.hash)
        os.makedirs(folder, exist_ok=True)
        for stage in available:
            content = compiled.asm[stage]
            mode = "wb" if isinstance(content, bytes) else "w"
            with open(os.path.join(folder, f"{compiled.name}.{stage}"), mode) as file:
                file.write(content)
    for stage in stages_to_print(knobs.compilation.print_ir):
        if stage in available:
            print(f"// {compiled.name} for {compiled.metadata.target}: {stage}\n{compiled.asm[stage]}", file=sys.stderr, flush=True)
