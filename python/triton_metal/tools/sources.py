"""From what stands on the command line to a kernel and its specialisation.

A signature is upstream's: one item a parameter, separated by commas.

    *fp32:16     a pointer to fp32, whose address is a multiple of 16
    i32          a number at run time;  i32:16 a multiple of 16;  i32:1 always 1
    1024         the value of a constexpr
    BLOCK=1024   the same by name, in any place
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys

from ..compiler import ASTSource, IRSource
from ..runtime.jit import JITFunction, type_canonicalisation_dict
from .failures import UsageError, own_frames

HINTS = (1, 16)
#: Types of parameters at run time, as signatures spell them.
TYPES = [*dict.fromkeys(["i1", *sorted(type_canonicalisation_dict.values())])]
TYPES.remove("void")


def check_output(path: str) -> None:
    """UsageError where no file can be written at this path; to be called before the work whose result goes there."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise UsageError(f"{path} cannot be written: there is no folder {folder}")
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise UsageError(f"{path} cannot be written: it is a folder, or not ours to write")


def load_file(path: str):
    """The Python module of a file; it may import its neighbours. What it raises is shown and becomes a ScriptError."""
    if not os.path.exists(path):
        raise UsageError(f"there is no file {path}")
    folder = os.path.dirname(os.path.abspath(path))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise UsageError(f"{path} is neither a .py nor a .ttir file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with own_frames():
        try:
            spec.loader.exec_module(module)
        except SystemExit as request:
            raise UsageError(
                f'{path} ended itself while it was imported; what it does belongs below `if __name__ == "__main__":`, or see '
                "inspect --launch"
            ) from request
        except ModuleNotFoundError as error:
            if error.name != "triton":
                raise
            raise UsageError(
                f"{path} imports upstream's triton, which is not installed; write `import triton_metal as triton` and "
                "`import triton_metal.language as tl`"
            ) from error
    return module


def jit_function(value) -> JITFunction | None:
    """The jit function inside decorators such as autotune; None where there is none."""
    while value is not None and not isinstance(value, JITFunction):
        value = getattr(value, "fn", None)
    return value


def kernels_of(module) -> dict[str, JITFunction]:
    """The jit functions that the file itself defines."""
    found = {name: jit_function(value) for name, value in vars(module).items()}
    return {name: fn for name, fn in found.items() if fn is not None and fn.__module__ == module.__name__}


def find_kernel(path: str, name: str | None):
    """The kernel of the file called `name`, or the only one; with the decorators around it."""
    module = load_file(path)
    kernels = kernels_of(module)
    if name is None and len(kernels) == 1:
        name = next(iter(kernels))
    if name is None or jit_function(getattr(module, name, None)) is None:
        listed = ", ".join(kernels) or "none"
        problem = f"there is no @jit function {name} in {path}" if name else f"say which kernel of {path} by --kernel"
        raise UsageError(f"{problem}; it has: {listed}")
    return getattr(module, name)


def declaration(fn: JITFunction) -> str:
    """`kernel(x_ptr, n, BLOCK: constexpr)`."""
    parameters = []
    for param in fn.params:
        text = param.name + (": constexpr" if param.is_constexpr else "")
        parameters.append(text + (f" = {param.default!r}" if param.has_default else ""))
    return f"{fn.__name__}({', '.join(parameters)})"


_WORDS = {"True": True, "False": False, "None": None}


def literal(text: str):
    """An int, float, bool or None, or the text itself in quotes; UsageError for anything else."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    for parse in (lambda t: int(t, 0), float):
        try:
            return parse(text)
        except ValueError:
            pass
    raise UsageError(f"{text!r} is no number, True, False, None or quoted text")


def _assign(fn: JITFunction, items: list[str]) -> dict[str, str]:
    """Which item belongs to which parameter."""
    names = [param.name for param in fn.params]
    given: dict[str, str] = {}
    place = 0
    for item in items:
        name, equals, value = item.partition("=")
        if equals and name.strip() in names:
            name, value = name.strip(), value.strip()
        elif place < len(names):
            name, value = names[place], item
            place += 1
        else:
            raise UsageError(f"{len(items)} items are more than the parameters of {declaration(fn)}")
        if name in given:
            raise UsageError(f"{name} is given twice; the kernel is {declaration(fn)}")
        given[name] = value
    return given


def specialise(fn: JITFunction, signature: str) -> ASTSource:
    """The kernel with the types, alignments and constants of a signature."""
    given = _assign(fn, [item.strip() for item in signature.split(",") if item.strip()])
    types: dict[str, str] = {}
    constants: dict[str, object] = {}
    attributes: dict[tuple, list] = {}
    for param in fn.params:
        item = given.get(param.name)
        if item is None:
            if not param.has_default:
                example = f"{param.name}=1024" if param.is_constexpr else f"{param.name}=i32, or *fp32:16 for a pointer"
                raise UsageError(f"the signature says nothing of {param.name} in {declaration(fn)}: add {example}")
            types[param.name], constants[param.name] = "constexpr", param.default
            continue
        if param.is_constexpr:
            types[param.name], constants[param.name] = "constexpr", literal(item)
            continue
        kind, _, hint = item.partition(":")
        if hint and hint not in map(str, HINTS):
            raise UsageError(f"{item!r}: what follows the colon is 16 (a multiple of 16) or 1 (always 1)")
        if kind in _WORDS or not kind.lstrip("*").isidentifier():
            types[param.name], constants[param.name] = "constexpr", literal(item)
        elif re.sub(r"^\*+k?", "", kind) not in TYPES:
            raise UsageError(
                f"{item!r} for {param.name}: there is no type {kind}; there are {', '.join(TYPES)}, and a * before one makes it a pointer"
            )
        elif hint == "1":
            types[param.name], constants[param.name] = "constexpr", 1
        else:
            types[param.name] = kind
            if hint == "16":
                attributes[(param.num,)] = [["tt.divisibility", 16]]
    return ASTSource(fn, types, constants, attributes)


def split_kernel(path: str) -> tuple[str, str | None]:
    """`file.py:kernel` as file and kernel; None where no kernel is named."""
    file, colon, kernel = path.rpartition(":")
    return (file, kernel) if colon and kernel.isidentifier() and not os.path.exists(path) else (path, None)


def signature_of(kernel) -> str | None:
    """The signature that gives this compiled kernel again; None where a command line cannot say it."""
    source = kernel.src
    if not isinstance(source, ASTSource):
        return None
    items = []
    for param in source.fn.params:
        kind = source.signature.get(param.name, "constexpr")
        if kind == "constexpr":
            value = source.constants.get((param.num,))
            if value is not None and not isinstance(value, (bool, int, float, str)):
                return None
            items.append(repr(value))
        elif isinstance(kind, str):
            items.append(kind + (":16" if source.attrs.get((param.num,)) else ""))
        else:
            return None
    return ", ".join(items)


def source_of(path: str, kernel: str | None, signature: str | None):
    """What `compile` takes, of a .py file with kernel and signature, or of a .ttir file."""
    if path.endswith(".ttir"):
        if not os.path.exists(path):
            raise UsageError(f"there is no file {path}")
        return IRSource(path)
    fn = jit_function(find_kernel(path, kernel))
    if signature is None:
        raise UsageError(
            f'{declaration(fn)} needs --signature "...", an item for each parameter: *fp32:16 (aligned pointer), i32 (number), '
            "1024 (value of a constexpr)"
        )
    return specialise(fn, signature)
