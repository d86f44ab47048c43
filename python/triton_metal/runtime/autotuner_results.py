"""Winners on disk, so that another process with the same question runs no trial.

An entry's key holds everything that could change the answer: the kernel's source with all that it depends on, the configurations and
their hooks, the tuning key, the device with its processor or chip, the operating system, this package and every switch that changes code.
Entries lie in the cache of compiled kernels, whole or not at all; a damaged one is a miss.
"""

from __future__ import annotations

import hashlib
import json
import platform

from .. import _core, knobs
from ..compiler.compiler import backend_of, disk_cache, triton_key

_FILE = "autotune.json"


def code_of(function) -> str:
    """Stands for what a Python function does; empty for none."""
    if function is None:
        return ""
    code = getattr(function, "__code__", None)
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"
    if code is None:
        return name
    constants = [constant for constant in code.co_consts if not hasattr(constant, "co_code")]
    return hashlib.sha256(repr((name, code.co_code, code.co_names, constants)).encode()).hexdigest()


def _operating_system() -> str:
    return f"{platform.system()} {platform.release()} {platform.mac_ver()[0]}"


class ResultsStore:
    """The results of one kernel's searches."""

    def __init__(self, source: str, configs, functions=()):
        """`source` stands for the kernel, `functions` for heuristics and the like."""
        self._parts = [source, *(config.spelled() for config in configs), *(code_of(config.pre_hook) for config in configs),
                       *(code_of(function) for function in functions)]  # fmt: skip
        self._configs = list(configs)

    def _key(self, device: str, key: tuple) -> str:
        threads = _core.num_threads() if device == "cpu" else 0
        switches = json.dumps(knobs.code_settings(), sort_keys=True)
        parts = ["tuning", triton_key(), device, backend_of(device).target_key(), str(threads), _operating_system(), switches,
                 repr(key), *self._parts]  # fmt: skip
        return _core.cache_key("\0".join(parts).encode())

    def load(self, device: str, key: tuple):
        """(configuration, what was stored about the search), or None."""
        cache = disk_cache()
        files = cache.load(self._key(device, key)) if cache is not None else None
        if files is None:
            return None
        try:
            entry = json.loads(files[_FILE])
            config = self._configs[entry["index"]]
            if entry["config"] != config.spelled():
                return None
            return config, entry
        except (KeyError, ValueError, TypeError, IndexError):
            return None

    def store(self, device: str, key: tuple, config, about: dict) -> None:
        cache = disk_cache()
        if cache is not None:
            entry = {"index": self._configs.index(config), "config": config.spelled(), **about}
            cache.store(self._key(device, key), {_FILE: json.dumps(entry, indent=1).encode()})
