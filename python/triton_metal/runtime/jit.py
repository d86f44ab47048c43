"""`jit` and the functions that it makes.

A JITFunction is a `_core.KernelBase`: `kernel[grid](...)` runs in C++ from the subscript on, and comes back here only for a
specialisation that was not compiled before.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import textwrap
import threading
import weakref
from functools import cached_property

from .. import _core
from .dependencies import Dependencies
from .source import source_lines

#: Names of types in annotations and what signatures call them.
_TYPE_NAMES = {
    "bool": "u1", "int1": "u1", "uint1": "u1", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64",
    "float8e5": "fp8e5", "float8e4nv": "fp8e4nv", "float8e4b8": "fp8e4b8", "float8e5b16": "fp8e5b16", "float8e4b15": "fp8e4b15",
    "i1": "u1",
}  # fmt: skip
_SHORT_NAMES = frozenset(_TYPE_NAMES.values())
#: Every name of a scalar type, PyTorch's and C's among them, to what signatures call it; under upstream's name, which programs import.
type_canonicalisation_dict = {
    **_TYPE_NAMES,
    **{name: name for name in _SHORT_NAMES},
    "half": "fp16", "float": "fp32", "double": "fp64", "int": "i32", "void": "void",
    "float8_e4m3fn": "fp8e4nv", "float8_e5m2": "fp8e5", "float8_e4m3fnuz": "fp8e4b8", "float8_e5m2fnuz": "fp8e5b16",
}  # fmt: skip


class KernelInterface:
    """Whatever can be launched as `kernel[grid](...)`."""

    def warmup(self, *args, grid, **kwargs):
        return self.run(*args, grid=grid, warmup=True, **kwargs)

    def run(self, *args, grid, warmup, **kwargs):
        raise TypeError(f"{type(self).__name__} does not say how it runs")

    def __getitem__(self, grid):
        return lambda *args, **kwargs: self.run(*args, grid=grid, warmup=False, **kwargs)

    def explain(self, args, grid=None, **options):
        """What the compiler makes of `self[grid](*args, **options)`, as profiling.explain.explain says: layouts, conversions with bytes and
        lines, threadgroup memory, barriers, why a product or an access fell back. Prints as text."""
        from ..profiling.explain import explain

        return explain(self, args, grid, **options)


class LaunchedKernel(_core.KernelBase, KernelInterface):
    """Launches run in C++ from the subscript on."""

    # In KernelInterface's order of resolution the C++ subscript would come second.
    __getitem__ = _core.KernelBase.__getitem__

    def run(self, *args, grid, warmup=False, **kwargs):
        """Launch, or with `warmup` only compile; the same as `self[grid](...)`."""
        if warmup:
            kwargs["warmup"] = True
            grid = (1,) if grid is None else grid
        return self[grid](*args, **kwargs)


class KernelParam:
    """One parameter of a jit function."""

    def __init__(self, num: int, param: inspect.Parameter, do_not_specialize: bool, do_not_specialize_on_alignment: bool):
        self.num = num
        self._param = param
        self.do_not_specialize = do_not_specialize
        self.do_not_specialize_on_alignment = do_not_specialize_on_alignment

    @property
    def name(self) -> str:
        return self._param.name

    @cached_property
    def annotation(self) -> str:
        """The annotation as text; empty where there is none."""
        annotation = self._param.annotation
        if annotation is inspect.Parameter.empty:
            return ""
        return annotation if isinstance(annotation, str) else _annotation_text(annotation)

    @cached_property
    def annotation_type(self) -> str:
        """The type that the annotation fixes, as signatures spell it; empty where it fixes none."""
        text = self.annotation
        if self.is_constexpr or not text:
            return ""
        text = text.rpartition(".")[2] if not text.startswith("*") else text
        pointer = "*" if text.startswith("*") else ""
        name = text[len(pointer) :].strip()
        if pointer and name.startswith("k") and name[1:] in _SHORT_NAMES:
            pointer, name = "*k", name[1:]
        name = _TYPE_NAMES.get(name, name)
        return pointer + name if name in _SHORT_NAMES else ""

    @cached_property
    def is_constexpr(self) -> bool:
        return "constexpr" in self.annotation

    @cached_property
    def is_const(self) -> bool:
        text = self.annotation
        return not self.is_constexpr and (bool(re.search(r"\bconst\b", text)) or text.startswith("*k"))

    @property
    def default(self):
        return self._param.default

    @property
    def has_default(self) -> bool:
        return self._param.default is not inspect.Parameter.empty


def _annotation_text(annotation) -> str:
    if isinstance(annotation, type):
        return annotation.__name__
    return str(annotation)


def _function_key(fn) -> str:
    return f"{fn.__module__}.{fn.__qualname__}"


class _SourceOfFunction:
    """Text, tree and hash of a Python function that is compiled or evaluated at compile time."""

    def _read_source(self, fn) -> None:
        self.fn = fn
        self.signature = inspect.signature(fn)
        try:
            self.raw_src, self.starting_line_number = source_lines(fn)
        except OSError as error:
            raise ValueError("@jit functions should be defined in a Python file") from error
        source = textwrap.dedent("".join(self.raw_src))
        start = re.search(r"^def\s+\w+\s*\(", source, re.MULTILINE)
        if start is None:
            raise ValueError(f"@jit needs a function made by `def`; {fn.__qualname__} is not")
        self._src = source[start.start() :]
        self._tree: ast.Module | None = None
        self._fn_name = _function_key(fn)
        self._hash_lock = threading.RLock()
        self.hash: str | None = None
        self._used_globals: dict = {}
        self.__name__ = fn.__name__
        self.__qualname__ = fn.__qualname__
        self.__doc__ = fn.__doc__
        self.__module__ = fn.__module__
        self.__globals__ = fn.__globals__

    @property
    def src(self) -> str:
        return self._src

    def parse(self) -> ast.Module:
        """The tree of `src`. Nobody changes it."""
        if self._tree is None:
            self._tree = ast.parse(self._src)
        return self._tree

    def get_capture_scope(self) -> dict:
        """Everything that the function's names can mean: globals, and the variables of its closure."""
        return {**self.__globals__, **inspect.getclosurevars(self.fn).nonlocals}

    @property
    def cache_key(self) -> str:
        """A hash of the source and of all that it depends on."""
        with self._hash_lock:
            if self.hash is None:
                # A recursive function meets itself: its name stands for it.
                self.hash = f"recursion:{self._fn_name}"
                finder = Dependencies(self)
                digest = finder.digest(self.parse())
                self._used_globals = dict(finder.used_globals)
                place = f"{self.fn.__code__.co_filename}:{self.starting_line_number}"
                self.hash = hashlib.sha256(f"{digest}\0{self._fn_name}\0{place}".encode()).hexdigest()
            return self.hash

    @property
    def used_global_vals(self) -> dict:
        """Globals whose values went into the code: (name, id of dictionary) to (value, dictionary)."""
        self.cache_key  # noqa: B018  finds them
        return self._used_globals


#: Every function of the process that holds compiled kernels.
_functions: weakref.WeakSet[JITFunction] = weakref.WeakSet()


def forget_compiled_kernels() -> int:
    """Let every jit function forget what was compiled for it. Returns the bytes of code and texts that they held."""
    freed = 0
    for function in list(_functions):
        freed += sum(kernel.nbytes for kernel in function._compiled())
        function._forget()
    return freed


class JITFunction(_SourceOfFunction, LaunchedKernel):
    """A function that is compiled for each combination of argument types, alignments and constants."""

    __triton_metal_kernel__ = True
    def __init__(
        self,
        fn,
        version=None,
        do_not_specialize=None,
        do_not_specialize_on_alignment=None,
        debug=None,
        noinline=None,
        repr=None,
        launch_metadata=None,
    ):
        self._read_source(fn)
        self.version = version
        self.do_not_specialize = do_not_specialize or []
        self.do_not_specialize_on_alignment = do_not_specialize_on_alignment or []
        self.debug = debug
        self.noinline = noinline
        self.launch_metadata = launch_metadata
        self._repr = repr
        self.module = fn.__module__
        self.kernel = None

        self.params = []
        for i, parameter in enumerate(self.signature.parameters.values()):
            fixed = i in self.do_not_specialize or parameter.name in self.do_not_specialize
            unaligned = (
                i in self.do_not_specialize_on_alignment or parameter.name in self.do_not_specialize_on_alignment
            )
            self.params.append(KernelParam(i, parameter, fixed, unaligned))
        _functions.add(self)
        self.arg_names = [p.name for p in self.params]
        self.constexprs = [p.num for p in self.params if p.is_constexpr]
        self._configure(
            self.__name__,
            [
                (
                    p.name,
                    p.is_constexpr,
                    p.is_const,
                    p.annotation_type or None,
                    p.has_default,
                    p.default if p.has_default else None,
                    p.do_not_specialize,
                    p.do_not_specialize_on_alignment,
                )
                for p in self.params
            ],
        )

    # Calls ---------------------------------------------------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        raise RuntimeError(
            f"Cannot call @triton.jit'd outside of the scope of a kernel; launch it as {self.__name__}[grid](...)"
        )

    def run(self, *args, grid, warmup, **kwargs):
        """As every launch from C++; `warmup` has to be said, as in upstream."""
        return super().run(*args, grid=grid, warmup=warmup, **kwargs)

    def warmup(self, *args, grid=(1,), **kwargs):
        """Compile for these arguments, without running. Dtypes and MockTensors stand for arrays."""
        return self.run(*(MockTensor.wrap_dtype(arg) for arg in args), grid=grid, warmup=True, **kwargs)

    def _compile(self, device: str, signature: dict, constants: dict, attrs: dict, options: dict):
        """Called by the launcher for a specialisation that it does not know."""
        from ..compiler import ASTSource, compile

        used = self.used_global_vals
        # Hashes are made once, so a function that another kernel used before may have been hashed with values of that time.
        for (name, _), (value, values) in used.items():
            if name not in values or (values[name] is not value and values[name] != value):
                raise RuntimeError(
                    f"Global variable {name} has value {value!r} when compiling kernel {self.__name__}, "
                    f"but its value has since changed to {values.get(name)!r}."
                )
        self._watch([(values, name, value) for (name, _), (value, values) in used.items()])
        if self.debug is not None:
            options.setdefault("debug", self.debug)
        source = ASTSource(self, signature, constants, attrs)
        return compile(source, target=device, options=options)

    def check_parameters(self) -> None:
        """Raise a CompilationError where what `jit` was told about a parameter cannot be."""
        for param in self.params:
            if param.is_constexpr and param.do_not_specialize:
                from ..errors import CompilationError

                raise CompilationError(
                    self.src,
                    None,
                    f"{param.name} marked as constexpr and listed in do_not_specialize: a compile-time value always makes a kernel "
                    "of its own; take it off the list, or off the annotation tl.constexpr",
                )

    # Source ---------------------------------------------------------------------------------------------------------

    def _set_src(self, new_src):
        raise AttributeError("a jit function's source is read-only; _unsafe_update_src replaces it")

    src = property(_SourceOfFunction.src.fget, _set_src)

    def _unsafe_update_src(self, new_src: str) -> None:
        """Replace the source; what was compiled from the old one is not used again."""
        self.hash = None
        self._src = new_src
        self._forget()

    def repr(self, specialization) -> str:
        """The name of the compiled function."""
        return self._repr(specialization) if self._repr is not None else self.__name__

    def add_pre_run_hook(self, hook) -> None:
        """Call `hook(**arguments)` before every launch."""
        self.pre_run_hooks.append(hook)

    @property
    def device_caches(self) -> dict:
        """For each device a tuple whose first element is the dict of compiled kernels, by hash."""
        caches: dict = {}
        for kernel in self._compiled():
            caches.setdefault(kernel.metadata.target, ({},))[0][kernel.hash] = kernel
        return caches

    @property
    def ASTSource(self):
        from ..compiler import ASTSource

        return ASTSource

    @property
    def CompiledKernel(self):
        from ..compiler import CompiledKernel

        return CompiledKernel

    @property
    def compile(self):
        from ..compiler import compile

        return compile

    def create_binder(self) -> None:
        """Binding is done in C++; here for callers that ask for it beforehand."""

    def is_gluon(self) -> bool:
        return False

    def __repr__(self):
        return f"JITFunction({self.module}:{self.__qualname__})"


class ConstexprFunction(_SourceOfFunction):
    """A Python function that kernels may call at compile time."""

    __triton_metal_kernel__ = True

    def __init__(self, fn):
        self._read_source(fn)

    def __get__(self, instance, owner):
        return self if instance is None else _BoundConstexprFunction(instance, self)

    def __call__(self, *args, _semantic=None, **kwargs):
        from ..language.core import _unwrap_if_constexpr, constexpr

        args = [_unwrap_if_constexpr(arg) for arg in args]
        kwargs = {name: _unwrap_if_constexpr(value) for name, value in kwargs.items()}
        result = self.fn(*args, **kwargs)
        return result if _semantic is None else constexpr(result)


class _BoundConstexprFunction(ConstexprFunction):
    def __init__(self, instance, function):
        self.__self__ = instance
        self.__func__ = function
        self.__name__ = function.__name__

    @property
    def cache_key(self):
        return self.__func__.cache_key

    def __call__(self, *args, **kwargs):
        return self.__func__(self.__self__, *args, **kwargs)


def constexpr_function(fn):
    """Make `fn` callable in kernels, with compile-time arguments and result."""
    return ConstexprFunction(fn)


def jit(
    fn=None,
    *,
    version=None,
    repr=None,
    launch_metadata=None,
    do_not_specialize=None,
    do_not_specialize_on_alignment=None,
    debug=None,
    noinline=None,
    configs=None,
    autotune=False,
    key=None,
    round_sizes=False,
    reset_to_zero=None,
    restore_value=None,
    prune_configs_by=None,
):
    """Make a kernel, or a function that kernels call, of a Python function.

    With `autotune` a kernel chooses its meta-parameters by trials, once for each key: among `configs`, or in a space that is built from
    its constexprs and the chip. `key` names arguments whose values make another choice; by default all integers do, rounded up to powers
    of two. `configs` without `autotune`: the first that fits. The other parameters are those of `triton_metal.autotune`.
    """
    tuned = autotune or configs is not None
    if not tuned and any(option for option in (key, round_sizes, reset_to_zero, restore_value, prune_configs_by)):
        raise TypeError("key, round_sizes, reset_to_zero, restore_value and prune_configs_by belong to configs= or autotune=True")

    def decorate(fn):
        assert callable(fn), f"@jit decorates functions, not {fn!r}"
        function = JITFunction(
            fn,
            version=version,
            do_not_specialize=do_not_specialize,
            do_not_specialize_on_alignment=do_not_specialize_on_alignment,
            debug=debug,
            noinline=noinline,
            repr=repr,
            launch_metadata=launch_metadata,
        )
        if not tuned:
            return function
        from .autotuner import Autotuner

        return Autotuner(
            function, function.arg_names, configs, key, reset_to_zero, restore_value, prune_configs_by=prune_configs_by,
            round_sizes=round_sizes, search=bool(autotune),
        )  # fmt: skip

    return decorate if fn is None else decorate(fn)


class MockTensor:
    """Stands for an array of a dtype where only compilation is wanted."""

    def __init__(self, dtype, shape=None):
        self.dtype = dtype
        self.shape = [1] if shape is None else shape

    @staticmethod
    def wrap_dtype(arg):
        """A MockTensor for a dtype, any other argument itself."""
        return MockTensor(arg) if type(arg).__name__ == "dtype" and type(arg).__module__.split(".")[0] == "torch" else arg

    @staticmethod
    def data_ptr() -> int:
        return 0

    @staticmethod
    def ptr_range() -> int:
        return 0


class TensorWrapper:
    """An array seen with another dtype of the same width."""

    def __init__(self, base, dtype):
        self.dtype = dtype
        self.base = base
        self.data = base.data
        self.device = getattr(base, "device", "cpu")
        self.shape = base.shape

    def data_ptr(self) -> int:
        return self.base.data_ptr() if hasattr(self.base, "data_ptr") else self.base.ctypes.data

    def stride(self, *args):
        return self.base.stride(*args)

    def element_size(self) -> int:
        return self.base.element_size()

    def __str__(self) -> str:
        return f"TensorWrapper[{self.dtype}]({self.base})"

    def cpu(self):
        return TensorWrapper(self.base.cpu(), self.dtype)

    def copy_(self, other):
        self.base.copy_(other.base)

    def clone(self):
        return TensorWrapper(self.base.clone(), self.dtype)

    def to(self, device):
        return TensorWrapper(self.base.to(device), self.dtype)

    def new_empty(self, sizes):
        return TensorWrapper(self.base.new_empty(sizes), self.dtype)


def reinterpret(tensor, dtype):
    """The same memory with another element type."""
    if isinstance(tensor, TensorWrapper):
        return tensor.base if dtype == tensor.base.dtype else TensorWrapper(tensor.base, dtype)
    if hasattr(tensor, "data_ptr") or hasattr(tensor, "__array_interface__"):
        return TensorWrapper(tensor, dtype)
    raise TypeError(f"Cannot reinterpret a {type(tensor)}.")
