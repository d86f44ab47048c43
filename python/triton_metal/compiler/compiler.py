"""`compile`: from source to a CompiledKernel, through the disk cache.

An entry of the disk cache holds the kernel's metadata and its stages; its key holds the source with all that it depends on, the options,
the device and its processor, this package, and every switch that changes code.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import warnings
from collections import namedtuple

from .. import _core, knobs
from ..errors import LaunchError, LayoutHintWarning, UnsupportedOnDevice
from ..runtime.dependencies import spell
from .options import Options
from .stages import show_stages


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: Folders of the package whose Python code decides what is kept on disk: compiled kernels, choices of tuners, roofs.
_DECIDING = ("compiler", "language", "runtime", "profiling")


@functools.cache
def triton_key() -> str:
    """Stands for this package's code: its version, its extension module and its Python files, by their sizes and times."""
    from .. import version

    files = [_core.__file__]
    for folder in _DECIDING:
        for where, _, names in os.walk(os.path.join(_PACKAGE, folder)):
            files += [os.path.join(where, name) for name in names if name.endswith(".py")]
    stamps = [(os.path.relpath(file, _PACKAGE), os.stat(file)) for file in sorted(files)]
    text = repr([(name, status.st_size, status.st_mtime_ns) for name, status in stamps])
    return f"{version}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


class ASTSource:
    """A jit function with the types and constants of one specialisation."""

    ext = "ttir"

    def __init__(self, fn, signature, constexprs=None, attrs=None):
        fn.check_parameters()
        self.fn = fn
        self.name = fn.__name__
        self.signature = {fn.arg_names[k] if isinstance(k, int) else k: v for k, v in signature.items()}
        self.constants = {self._path(k): v for k, v in (constexprs or {}).items()}
        self.attrs = attrs or {}

    def _path(self, key) -> tuple:
        if isinstance(key, str):
            return (self.fn.arg_names.index(key),)
        return (key,) if isinstance(key, int) else tuple(key)

    def hash(self) -> str:
        constants = [(path, spell(value)) for path, value in sorted(self.constants.items())]
        text = repr((self.fn.cache_key, self._code_name(), list(self.signature.items()), constants, sorted(self.attrs.items())))
        return hashlib.sha256(text.encode()).hexdigest()

    def _code_name(self) -> str:
        """The name of the compiled function, which the kernel's `repr` may choose."""
        specialization = namedtuple("Specialization", ["constants", "signature"])(
            {self.fn.arg_names[path[0]]: value for path, value in self.constants.items() if len(path) == 1}, self.signature
        )
        return self.fn.repr(specialization)

    def make_ir(self, options: Options):
        named = dict(options.frontend())
        named["name"] = self._code_name()
        return _core.build_module(self.fn, self.signature, self.constants, self.attrs, named)


class IRSource:
    """A file of TTIR."""

    ext = "ttir"

    def __init__(self, path):
        self.path = os.fspath(path)
        with open(self.path) as file:
            self.src = file.read()
        self.module = _core.Module.parse(self.src, self.path)
        self.name = self.module.signature.name
        self.signature = {param.name: param.type for param in self.module.signature.params}

    def hash(self) -> str:
        return hashlib.sha256(self.src.encode()).hexdigest()

    def make_ir(self, options: Options):
        return self.module


class LazyDict(dict):
    """The stages of a kernel; some are made when they are first asked for."""

    def __init__(self, stages: dict, makers: dict | None = None):
        super().__init__(stages)
        self._makers = makers or {}

    def __missing__(self, name):
        maker = self._makers.get(name)
        if maker is None:
            raise KeyError(name)
        self[name] = value = maker()
        return value

    def keys(self):
        return [*super().keys(), *(name for name in self._makers if name not in self)]


class CompiledKernel:
    """Code of one specialisation for one device; `metadata.chip` is the profile of the Apple GPU that it is for, None on the CPU."""

    def __init__(self, src, device: str, options: Options, hash: str, artifact, chip: str | None):
        self.src = src
        self.hash = hash
        self.name = artifact.signature.name
        facts = artifact.facts
        fields = {
            "hash": hash,
            "target": device,
            "chip": chip,
            "name": self.name,
            "shared": facts.get("threadgroup_bytes", 0),
            "warp_size": 32,
            "triton_version": triton_key(),
            "facts": facts,
            **options.as_dict(),
        }
        self.metadata = namedtuple("KernelMetadata", sorted(fields))(**fields)
        self.packed_metadata = (options.num_warps, options.num_ctas, self.metadata.shared)
        self.asm = LazyDict(artifact.stages, {name: functools.partial(artifact.stage, name) for name in artifact.lazy_stages})
        self.signature = artifact.signature
        self._options, self._artifact = options, artifact
        self._launchable = artifact.launchable()
        self.module = self.function = self._launchable
        self.n_regs = facts.get("estimated_registers", 0)
        self.n_spills = 0
        self.n_max_threads = facts.get("max_threads", 1024)

    @property
    def kernel(self) -> bytes:
        return self.asm["obj"] if "obj" in self.asm.keys() else self.asm["msl"].encode()

    @property
    def nbytes(self) -> int:
        """Bytes of the code and of the texts that are kept of it."""
        return sum(len(stage) for stage in dict(self.asm).values())

    def with_msl(self, text: str) -> CompiledKernel:
        """The same kernel with other Metal text, of the same entry, parameters and threads: to try an edit."""
        if self.metadata.target != "metal":
            raise UnsupportedOnDevice("with_msl", self.metadata.target, "its code is not text", "compile for target='metal'")
        return CompiledKernel(self.src, "metal", self._options, "", self._artifact.with_text(text), self.metadata.chip)

    def launch_metadata(self, grid, stream, *args):
        """What launch hooks get."""
        return {"name": self.name, "grid": grid, "stream": stream, "metadata": self.metadata, "args": args, "kernel": self}

    def _init_handles(self) -> None:
        """Code is loaded when it is compiled."""

    def __getitem__(self, grid):
        def run(*args, stream=None):
            if len(args) != len(self.signature.params):
                raise LaunchError(
                    f"{self.name}: the compiled kernel takes {len(self.signature.params)} arguments at run time, not {len(args)}"
                )
            return self._launcher[grid](*args)

        return run

    @functools.cached_property
    def _launcher(self):
        return _DirectKernel(self)

    def __repr__(self):
        return f"CompiledKernel({self.name} for {self.metadata.target})"


class _DirectKernel(_core.KernelBase):
    """Launches compiled code with its run-time arguments, whatever their alignment."""

    def __init__(self, compiled: CompiledKernel):
        self._kernel = compiled
        self._configure(
            compiled.name,
            [(param.name, False, False, _argument_type(param.type), False, None, True, True) for param in compiled.signature.params],
        )

    def _compile(self, device, signature, constants, attrs, options):
        return self._kernel


def _argument_type(spelling: str) -> str:
    return "u1" if spelling == "i1" else spelling


@functools.cache
def _open_cache(directory: str, limit: int):
    return _core.DiskCache(directory, limit)


@functools.cache
def _say_once(reason: str) -> None:
    warnings.warn(f"compiled kernels are not kept on disk: {reason}", RuntimeWarning, stacklevel=5)


#: For each file where Python's warnings note what was shown, so that each place is shown once by default.
_shown_hints: dict[str, dict] = {}


def _warn_of_hints(artifact) -> None:
    """Warn of each layout hint that could not be followed, at its line."""
    for message, file, line in artifact.ignored_hints:
        file = file or "<ttir>"
        warnings.warn_explicit(message, LayoutHintWarning, file, line, registry=_shown_hints.setdefault(file, {}))


def disk_cache():
    """The cache of compiled kernels; None where it is switched off."""
    return _open_cache(disk_cache_directory(), knobs.cache.limit) if knobs.cache.enabled else None


def disk_cache_directory() -> str:
    """Where the compiled kernels of this version are kept; it need not exist."""
    from .. import version

    return os.path.join(knobs.cache.dir, "triton-metal", version)


def disk_cache_bytes() -> int:
    """Bytes of all files in that directory."""
    return sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(disk_cache_directory()) for name in names)


def backend_of(device: str):
    """The module of this device."""
    if device == "cpu":
        from . import cpu as backend
    else:
        from . import metal as backend
    return backend


def _device_of(target) -> str:
    if target is None:
        return _core.get_device()
    name = target if isinstance(target, str) else getattr(target, "backend", None)
    if name not in ("cpu", "metal"):
        raise UnsupportedOnDevice(
            "compile", str(name), "there is no such device", "compile for target='cpu' or target='metal'"
        )
    return name


def compile(src, target=None, options=None, _env_vars=None) -> CompiledKernel:
    """Compile an ASTSource, or the path of a `.ttir` file, for "cpu" or "metal" (by default the current device)."""
    device = _device_of(target)
    if not isinstance(src, (ASTSource, IRSource)):
        src = IRSource(src)
    parsed = Options.parse(device, options.as_dict() if isinstance(options, Options) else options)
    backend = backend_of(device)
    settings = json.dumps(knobs.code_settings(), sort_keys=True)
    processor = backend.target_key()
    parts = (triton_key(), device, processor, src.hash(), parsed.hash(), settings)
    key = _core.cache_key("\0".join(parts).encode())
    artifact = _artifact(backend, src, parsed, key)
    _warn_of_hints(artifact)
    compiled = CompiledKernel(src, device, parsed, key, artifact, processor if device == "metal" else None)
    if knobs.compilation.dump_ir or knobs.compilation.print_ir:
        show_stages(compiled)
    return compiled


def _artifact(backend, src, options: Options, key: str):
    """From the disk cache, or else built and kept there."""
    cache = disk_cache()
    if cache is not None and not knobs.compilation.always_compile:
        files = cache.load(key)
        artifact = backend.restore(files) if files is not None else None
        if artifact is not None:
            return artifact
    artifact = backend.build(src.make_ir(options), options)
    files = backend.save(artifact) if cache is not None else None
    if files is not None:
        reason = cache.store(key, files)
        if reason:
            _say_once(reason)
    return artifact
