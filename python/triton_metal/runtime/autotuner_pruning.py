"""What is left out of a search before it costs anything.

First by what the configuration itself says: the chip it is meant for, threads beyond the device's. Then by the caller's own functions,
as in upstream. Then, on Metal, by the facts of the text, which is made in milliseconds, before Metal's compiler sees it: threadgroup
memory, registers of M1 and M2, and tiles of a SIMD-group that are known to be ruinous.
"""

from __future__ import annotations

import builtins

from .. import _core
from ..errors import AutotunerError
from ..profiling.occupancy import REGISTER_FILE
from .autotuner_config import Config


def _problem(config: Config, device: str, chip: str) -> str:
    """Why this configuration cannot run, as far as its numbers tell."""
    if device != "metal":
        return ""
    if not config.allows(chip):
        return f"meant for {', '.join(config.chips)}, not for {chip}"
    facts = _core.chip_facts(chip)
    threads = facts["simd_width"] * (config.num_warps or 4)
    if threads > facts["max_threads"]:
        return f"{threads} threads a threadgroup; {facts['max_threads']} is the most"
    return ""


def split_by_numbers(configs: list[Config], device: str, chip: str) -> tuple[list[Config], dict[Config, str]]:
    """Those that may run, and why the others may not."""
    reasons = {config: _problem(config, device, chip) for config in configs}
    return [config for config in configs if not reasons[config]], {config: why for config, why in reasons.items() if why}


class UserPruning:
    """`prune_configs_by`: `early_config_prune(configs, named_args, **kwargs)`, `perf_model(**arguments)` and `top_k`."""

    def __init__(self, functions: dict | None):
        functions = functions or {}
        self.perf_model = functions.get("perf_model")
        self.top_k = functions.get("top_k", 1.0)
        self.early = functions.get("early_config_prune")

    def __call__(self, configs: list[Config], named: dict, keywords: dict) -> list[Config]:
        if self.early:
            configs = list(self.early(configs, named, **keywords))
            if not configs:
                raise AutotunerError(
                    "No valid autotuner configs after pruning. `early_config_prune` should return at least one config."
                )
        if self.perf_model:
            most = self.top_k
            if isinstance(most, float) and most <= 1.0:
                most = builtins.max(1, int(len(configs) * most))
            elif not isinstance(most, int):
                raise TypeError("Error while pruning configs, top_k must be either 1) a float <= 1.0 or 2) an int")
            if len(configs) > most:
                expected = {config: self.perf_model(**named, **keywords, **config.all_kwargs()) for config in configs}
                configs = sorted(configs, key=expected.__getitem__)[:most]
        return configs


def _most_threads(registers: int) -> int:
    """Threads that M1 and M2 can hold when a lane has so many 32-bit registers."""
    halves = builtins.max(2 * registers, 1)
    return builtins.min(1024, REGISTER_FILE // (2 * halves) // 64 * 64)


def problem_of_facts(facts: dict, chip: str) -> str:
    """Why a kernel with these KernelFacts is not worth Metal's compiler; empty where nothing speaks against it."""
    limits = _core.chip_facts(chip)
    if facts["threads"] > limits["max_threads"]:
        return f"{facts['threads']} threads a threadgroup; {limits['max_threads']} is the most"
    if facts["threadgroup_bytes"] > limits["max_threadgroup_bytes"]:
        return f"{facts['threadgroup_bytes']} bytes of threadgroup memory; {limits['max_threadgroup_bytes']} is the most"
    if not limits["dynamic_registers"]:
        most = _most_threads(facts["estimated_registers"])
        if facts["threads"] > most:
            return f"about {facts['estimated_registers']} registers a lane leave {most} threads on {chip}, not {facts['threads']}"
    for rows, columns, bits in facts.get("dot_tiles", ()):
        if not any(bits <= widest and (rows, columns) == (r, c) for r, c, widest in limits["dot_tiles"]) and rows * columns > 16 * 64:
            return f"a {rows}x{columns} tile of {bits}-bit operands a SIMD-group, which is not among the good ones of {chip}"
    return ""
