"""Switches. Each reads its environment variable when it is asked for, and can be assigned or deleted.

    triton_metal.knobs.cpu.checked = True
    with triton_metal.knobs.compilation.scope():
        triton_metal.knobs.compilation.always_compile = True

Whatever is assigned is a part of the key of every launch, so a change never runs code that was made for another setting.
"""

from __future__ import annotations

import contextlib
import os
import warnings

from . import _core
from .devices import chip_of_this_machine

_TRUE = frozenset({"1", "true", "on", "yes", "y"})


def _to_bool(text: str) -> bool:
    return text.strip().lower() in _TRUE


class _Knob:
    """One switch: a variable of the environment, its default, and how its text is read.

    With `instead` it is one of upstream's that steers nothing here: setting it warns, and says what serves its purpose.
    """

    def __init__(self, variable: str | None, default, parse=str, affects_code: bool = False, instead: str = ""):
        self.variable = variable
        self.default = default
        self.parse = parse
        self.affects_code = affects_code
        self.instead = instead

    def warn_if_without_effect(self, value) -> None:
        if self.instead and value:
            warnings.warn(f"{self.variable} (knob `{self.name}`) has no effect in triton_metal; {self.instead}", stacklevel=3)

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        if self.name in instance._assigned:
            return instance._assigned[self.name]
        if self.variable is not None:
            text = os.environ.get(self.variable)
            if text is not None:
                return self.parse(text)
        return self.default() if callable(self.default) else self.default

    def __set__(self, instance, value):
        self.warn_if_without_effect(value)
        instance._assigned[self.name] = value
        _changed()

    def __delete__(self, instance):
        instance._assigned.pop(self.name, None)
        _changed()


class _Group:
    """Switches that belong together."""

    def __init__(self):
        self._assigned: dict = {}
        _groups.append(self)

    @classmethod
    def _knobs(cls) -> dict[str, _Knob]:
        return {name: knob for base in cls.__mro__ for name, knob in vars(base).items() if isinstance(knob, _Knob)}

    @contextlib.contextmanager
    def scope(self):
        """Undo at the end what is assigned inside."""
        before = dict(self._assigned)
        try:
            yield self
        finally:
            self._assigned = before
            _changed()

    def reset(self):
        """Forget everything that was assigned."""
        self._assigned = {}
        _changed()
        return self

    def copy(self):
        """The same settings, independent of this group and without effect on launches."""
        other = object.__new__(type(self))
        other._assigned = dict(self._assigned)
        return other

    @property
    def knobs(self) -> dict:
        return {name: getattr(self, name) for name in self._knobs()}


_groups: list[_Group] = []


def _changed() -> None:
    assigned = tuple(
        (type(group).__name__, name, repr(value)) for group in _groups for name, value in sorted(group._assigned.items())
    )
    _core.set_knobs_stamp(hash(assigned) & 0xFFFFFFFFFFFFFFFF if assigned else 0)
    _core.set_cpu_timeout(int(cpu.timeout * 1000) if cpu.timeout else 0)
    _core.set_metal_run_options(int(metal.seed), int(metal.timeout * 1000) if metal.timeout else 0)
    _core.set_launch_hooks(runtime.launch_enter_hook.caller(), runtime.launch_exit_hook.caller())


def code_settings() -> dict[str, str]:
    """What of the switches changes the code of a kernel, for keys of the disk cache."""
    return {
        f"{type(group).__name__}.{name}": repr(getattr(group, name))
        for group in _groups
        for name, knob in sorted(group._knobs().items())
        if knob.affects_code
    }


def _cache_dir() -> str:
    for variable in ("TRITON_METAL_CACHE_DIR", "TRITON_CACHE_DIR"):
        if os.environ.get(variable):
            return os.environ[variable]
    home = os.environ.get("TRITON_HOME") or os.path.expanduser("~")
    return os.path.join(home, ".triton", "cache")


class HookChain:
    """Functions that are called one after the other, like one function."""

    def __init__(self, reversed: bool = False):
        self.calls: list = []
        self.reversed = reversed

    def add(self, func) -> None:
        if func not in self.calls:
            self.calls.append(func)
            _changed()

    def remove(self, func) -> None:
        if func in self.calls:
            self.calls.remove(func)
            _changed()

    def caller(self):
        """This chain where it has functions, else None."""
        return self if self.calls else None

    def __call__(self, *args, **kwargs):
        for call in self.calls if not self.reversed else self.calls[::-1]:
            call(*args, **kwargs)


def _as_chain(hook, empty: HookChain) -> HookChain:
    if isinstance(hook, HookChain):
        return hook
    if hook is not None:
        empty.calls.append(hook)
    return empty


class cache_knobs(_Group):
    #: Where compiled kernels are kept, below `triton-metal/<version>`.
    dir = _Knob(None, _cache_dir)
    #: Bytes of the disk cache; the least recently used entries go first. 0: no limit.
    limit = _Knob("TRITON_METAL_CACHE_LIMIT", 1 << 30, int)
    #: Whether the disk cache is used at all.
    enabled = _Knob("TRITON_METAL_DISK_CACHE", True, _to_bool)
    home_dir = _Knob("TRITON_HOME", lambda: os.path.expanduser("~"))
    #: Where `compilation.dump_ir` writes.
    dump_dir = _Knob("TRITON_DUMP_DIR", lambda: os.path.join(cache.home_dir, ".triton", "dump"))
    override_dir = _Knob("TRITON_OVERRIDE_DIR", None, instead="compile an edited file with triton_metal.compile")


class compilation_knobs(_Group):
    always_compile = _Knob("TRITON_ALWAYS_COMPILE", False, _to_bool)
    disable_line_info = _Knob("TRITON_DISABLE_LINE_INFO", False, _to_bool, instead="locations are always kept")
    #: Write every stage of a kernel to `<cache.dump_dir>/<hash>/<name>.<stage>` when it is compiled, or read from the disk cache.
    dump_ir = _Knob("TRITON_KERNEL_DUMP", False, _to_bool)
    #: Stages that are printed to standard error then, such as "msl" or "ttir,llir".
    print_ir = _Knob("TRITON_METAL_PRINT_IR", "", str)
    front_end_debugging = _Knob("TRITON_FRONT_END_DEBUGGING", False, _to_bool, instead="causes are chained to errors")
    allow_non_constexpr_globals = _Knob("TRITON_ALLOW_NON_CONSTEXPR_GLOBALS", False, _to_bool, affects_code=True)
    #: Verify the module after every pass: on in `./dev test`, off else, because it takes time.
    verify_each = _Knob("TRITON_METAL_VERIFY", False, _to_bool)
    #: For tests of the fuzzer: a deliberate miscompilation.
    planted_fault = _Knob("TRITON_METAL_PLANTED_FAULT", "", str, affects_code=True)


class autotuning_knobs(_Group):
    #: Whether winners are kept on disk, beside compiled kernels.
    cache = _Knob("TRITON_CACHE_AUTOTUNING", True, _to_bool)
    print = _Knob("TRITON_PRINT_AUTOTUNING", False, _to_bool)
    #: Whether a line says how far a search is; None: where standard error is a terminal.
    progress = _Knob("TRITON_METAL_TUNING_PROGRESS", None, _to_bool)
    #: Search although a winner of an earlier process is on disk; the new one takes its place.
    fresh = _Knob("TRITON_METAL_TUNING_FRESH", False, _to_bool)
    #: Search for kernels that have configurations without `autotune` as well.
    always = _Knob("TRITON_METAL_TUNING_ALWAYS", False, _to_bool)
    #: Called with `fn, key, best_config, configs_timings, duration, cache_hit` after each search.
    listener = _Knob(None, None)


class runtime_knobs(_Group):
    debug = _Knob("TRITON_DEBUG", False, _to_bool, affects_code=True)
    interpret = _Knob("TRITON_INTERPRET", False, _to_bool, instead="run kernels on the cpu device with knobs.cpu.checked")

    def __init__(self):
        super().__init__()
        self._launch_enter_hook = HookChain()
        self._launch_exit_hook = HookChain(reversed=True)

    # A function may be assigned where a chain stands, as before Triton 3.5.
    @property
    def launch_enter_hook(self) -> HookChain:
        return self._launch_enter_hook

    @launch_enter_hook.setter
    def launch_enter_hook(self, hook):
        self._launch_enter_hook = _as_chain(hook, HookChain())
        _changed()

    @property
    def launch_exit_hook(self) -> HookChain:
        return self._launch_exit_hook

    @launch_exit_hook.setter
    def launch_exit_hook(self, hook):
        self._launch_exit_hook = _as_chain(hook, HookChain(reversed=True))
        _changed()


class language_knobs(_Group):
    #: Semantics of Triton "3.8" or "3.9" where they differ.
    version = _Knob("TRITON_METAL_LANGUAGE_VERSION", "3.8", str, affects_code=True)
    fp32_default = _Knob("TRITON_F32_DEFAULT", None, str, affects_code=True)
    default_fp_fusion = _Knob("TRITON_DEFAULT_FP_FUSION", True, _to_bool, affects_code=True)
    force_disable_fp_fusion = _Knob("TRITON_FORCE_DISABLE_FP_FUSION", False, _to_bool, affects_code=True)

    def fp_fusion_enabled(self, requested: bool | None = None) -> bool:
        if self.force_disable_fp_fusion:
            return False
        return self.default_fp_fusion if requested is None else bool(requested)


class cpu_knobs(_Group):
    #: Bounds of the arrays passed, reported with the Python line; loops can be interrupted.
    checked = _Knob("TRITON_METAL_CHECKED", False, _to_bool, affects_code=True)
    #: What code is made for; empty: this machine. Else host, x86-64-v3, x86-64-v4, sapphirerapids or aarch64 (the stages of a kernel
    #: can be looked at, it runs where it can), each also with the bytes of a vector behind it, as in host:16.
    processor = _Knob("TRITON_METAL_PROCESSOR", "", str, affects_code=True)
    #: Seconds a launch may take; None: any.
    timeout = _Knob("TRITON_METAL_TIMEOUT", None, float)


class metal_knobs(_Group):
    #: Races, bounds and initialisation are checked by the software Metal.
    checked = _Knob("TRITON_METAL_CHECKED", False, _to_bool, affects_code=True)
    #: 0: lanes run in order; else schedules are drawn from this seed.
    seed = _Knob("TRITON_METAL_SEED", 0, int)
    timeout = _Knob("TRITON_METAL_TIMEOUT", None, float)
    #: The software Metal counts what launches do; backends.metal.take_counters() reads it.
    counting = _Knob("TRITON_METAL_COUNTING", False, _to_bool, affects_code=True)
    #: The chip that text is made for; by default that of the Mac, and elsewhere the oldest.
    chip = _Knob("TRITON_METAL_CHIP", chip_of_this_machine, str, affects_code=True)


cache = cache_knobs()
compilation = compilation_knobs()
autotuning = autotuning_knobs()
runtime = runtime_knobs()
language = language_knobs()
cpu = cpu_knobs()
metal = metal_knobs()

_changed()  # what the environment says
for _group in _groups:
    for _name, _knob in _group._knobs().items():
        if _knob.instead:
            _knob.warn_if_without_effect(getattr(_group, _name))
