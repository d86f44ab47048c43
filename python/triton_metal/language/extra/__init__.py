"""Functions beyond the language: device libraries. Loaded on first use."""

import importlib


def __getattr__(name: str):
    if name in ("libdevice", "cuda"):
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
