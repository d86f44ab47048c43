"""Compilation for Metal: text and facts. The text is made runnable at the first launch."""

from __future__ import annotations

from .. import _core, knobs
from ..devices import check_chip


class Artifact:
    """A kernel as Metal Shading Language."""

    lazy_stages = ("air",)

    def __init__(self, code, checked: bool):
        self._code = code
        self._checked = checked
        self.signature = code.signature
        self.stages = {"ttir": code.ttir, "ttm": code.ttm, "msl": code.msl}
        self.facts = {**code.facts, "lines": code.lines}

    def with_text(self, text: str) -> Artifact:
        return Artifact(self._code.with_text(text), self._checked)

    def stage(self, name: str):
        return self._code.air()

    def launchable(self):
        return self._code.launchable(self._checked)

    def counting_launchable(self, sample: int):
        return self._code.counting_launchable(sample)


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
    return Artifact(code, options.checked)


def save(artifact: Artifact) -> None:
    """Text takes less time to make than to read back with its facts, so nothing is kept."""
    return None


def restore(files: dict[str, bytes]) -> None:
    return None
