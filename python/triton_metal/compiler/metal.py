"""Compilation for Metal: text and facts. The text is made runnable at the first launch."""

from __future__ import annotations

import json

from .. import _core, knobs
from ..devices import check_chip
from .entry import parameter_rows, read_parameter_rows


class Artifact:
    """A kernel as Metal Shading Language."""

    lazy_stages = ("air",)

    def __init__(self, code, checked: bool, counting: int = 0, ignored_hints=()):
        self._code = code
        self._checked = checked
        self._counting = counting
        #: (message, file, line) of layout hints that could not be followed
        self.ignored_hints = [tuple(hint) for hint in ignored_hints]
        self.signature = code.signature
        self.stages = {"ttir": code.ttir, "ttm": code.ttm, "msl": code.msl}
        self.facts = {**code.facts, "lines": code.lines}

    def with_text(self, text: str) -> Artifact:
        return Artifact(self._code.with_text(text), self._checked, self._counting, self.ignored_hints)

    def stage(self, name: str):
        return self._code.air()

    def launchable(self):
        if self._counting:
            return self._code.counting_launchable(self._counting, self._checked)
        return self._code.launchable(self._checked)


def target_key() -> str:
    return check_chip(knobs.metal.chip)


def build(module, options) -> Artifact:
    code = _core.compile_for_metal(
        module,
        num_warps=options.num_warps,
        chip=knobs.metal.chip,
        fp_fusion=options.enable_fp_fusion,
        verify_each=knobs.compilation.verify_each,
        planted_fault=knobs.compilation.planted_fault,
    )
    return Artifact(code, options.checked, options.counting, code.ignored_hints)


def save(artifact: Artifact) -> dict[str, bytes]:
    code, signature = artifact._code, artifact.signature
    metadata = {
        "name": signature.name,
        "params": parameter_rows(signature),
        "entry": code.entry,
        "lines": code.lines,
        "facts": code.facts,
        "checked": artifact._checked,
        "counting": artifact._counting,
        "ignored_hints": artifact.ignored_hints,
    }
    return {
        "kernel.json": json.dumps(metadata, indent=1).encode(),
        "kernel.ttir": code.ttir.encode(),
        "kernel.ttm": code.ttm.encode(),
        "kernel.metal": code.msl.encode(),
    }


def restore(files: dict[str, bytes]) -> Artifact | None:
    """The artifact of an entry; None where it is not one of ours."""
    try:
        metadata = json.loads(files["kernel.json"])
        code = _core.load_for_metal(
            metadata["name"],
            read_parameter_rows(metadata["params"]),
            files["kernel.ttir"].decode(),
            files["kernel.ttm"].decode(),
            files["kernel.metal"].decode(),
            metadata["entry"],
            [tuple(line) for line in metadata["lines"]],
            metadata["facts"],
        )
        ignored_hints = [(str(message), str(file), int(line)) for message, file, line in metadata["ignored_hints"]]
    except (KeyError, TypeError, ValueError):
        return None
    return Artifact(code, metadata["checked"], metadata["counting"], ignored_hints)
