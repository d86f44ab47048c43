"""Compilation for the CPU device."""

from __future__ import annotations

import json

from .. import _core, knobs
from ..errors import UnsupportedOnDevice
from .entry import parameter_rows, read_parameter_rows


class Artifact:
    """A kernel that was compiled, or read from the disk cache."""

    lazy_stages = ("asm",)
    #: layout hints have no effect on this device, so none fails to have one
    ignored_hints = ()

    def __init__(self, code):
        self._code = code
        self.signature = code.signature
        self.checked = code.checked
        self.stages = {"ttir": code.ttir, "llir": code.llir, "obj": code.object}
        self.facts = {"arena_bytes": code.arena_bytes}

    def stage(self, name: str):
        return self._code.assembly()

    def launchable(self):
        return self._code.launchable()


def target_key() -> str:
    """What must be equal for an object to run: processor, features, triple."""
    return _core.cpu_target_key(knobs.cpu.processor)


def build(module, options) -> Artifact:
    if options.counting:
        raise UnsupportedOnDevice("counting", "cpu", "only the software Metal counts", "launch with device='metal'")
    code = _core.compile_for_cpu(
        module,
        fp_fusion=options.enable_fp_fusion,
        checked=options.checked,
        processor=knobs.cpu.processor,
        verify_each=knobs.compilation.verify_each,
        planted_fault=knobs.compilation.planted_fault,
    )
    return Artifact(code)


def save(artifact: Artifact) -> dict[str, bytes]:
    signature = artifact.signature
    metadata = {
        "name": signature.name,
        "params": parameter_rows(signature),
        "arena_bytes": artifact.facts["arena_bytes"],
        "checked": artifact.checked,
    }
    return {
        "kernel.json": json.dumps(metadata, indent=1).encode(),
        "kernel.ttir": artifact.stages["ttir"].encode(),
        "kernel.llir": artifact.stages["llir"].encode(),
        "kernel.o": artifact.stages["obj"],
    }


def restore(files: dict[str, bytes]) -> Artifact | None:
    """The artifact of an entry; None where it is not one of ours."""
    try:
        metadata = json.loads(files["kernel.json"])
        code = _core.load_for_cpu(
            metadata["name"],
            read_parameter_rows(metadata["params"]),
            files["kernel.ttir"].decode(),
            files["kernel.llir"].decode(),
            files["kernel.o"],
            metadata["arena_bytes"],
            metadata["checked"],
            knobs.cpu.processor,
        )
    except (KeyError, ValueError):
        return None
    return Artifact(code)
