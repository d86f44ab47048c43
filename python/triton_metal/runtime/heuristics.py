"""`heuristics`: meta-parameters that are computed from the arguments of each launch."""

from __future__ import annotations

import inspect

from .jit import JITFunction, KernelInterface, LaunchedKernel


def argument_names(fn) -> list[str]:
    return fn.arg_names if hasattr(fn, "arg_names") else list(inspect.signature(fn).parameters)


def unwrap(fn):
    """(the jit function, [(parameter, function)] in the order of their computation), where nothing but heuristics lies around it."""
    functions = []
    while isinstance(fn, Heuristics):
        functions += fn.values.items()
        fn = fn.fn
    return (fn, functions) if isinstance(fn, JITFunction) else (None, [])


def indexed(base, functions) -> list:
    """Heuristics as the launcher takes them."""
    unknown = [name for name, _ in functions if name not in base.arg_names]
    if unknown:
        raise ValueError(f"heuristics for {', '.join(unknown)}: {base.__name__} has no such parameter; it has {', '.join(base.arg_names)}")
    return [(base.arg_names.index(name), function) for name, function in functions]


class Heuristics(LaunchedKernel):
    """A kernel some of whose parameters are functions of the others. Over a jit function it launches without Python code but theirs."""

    def __new__(cls, fn, arg_names, values):
        return super().__new__(_HeuristicsOfTuner if unwrap(fn)[0] is None else cls)

    def __init__(self, fn, arg_names, values):
        self.fn = fn
        self.arg_names = arg_names
        self.values = dict(values)
        self.__name__ = getattr(fn, "__name__", "kernel")
        self._attach()

    def _attach(self) -> None:
        base, functions = unwrap(self)
        self._tune(base, False, [], 0, indexed(base, functions))

    def warmup(self, *args, grid=(1,), **kwargs):
        """Compile for these arguments, without running."""
        return self.run(*args, grid=grid, warmup=True, **kwargs)


class _HeuristicsOfTuner(Heuristics):
    """Over a tuner, whose keys may name what is computed."""

    __getitem__ = KernelInterface.__getitem__

    def _attach(self) -> None:
        pass

    def run(self, *args, grid, warmup=False, **kwargs):
        for name, function in self.values.items():
            kwargs[name] = function({**dict(zip(self.arg_names, args)), **kwargs})
        return self.fn.run(*args, grid=grid, warmup=warmup, **kwargs)


def heuristics(values):
    """Fill in parameters by functions of the dict of all arguments."""

    def decorate(fn):
        return Heuristics(fn, argument_names(fn), values)

    return decorate
