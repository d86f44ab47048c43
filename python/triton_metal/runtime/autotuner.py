"""`autotune`, `heuristics` and `Config`: choose meta-parameters by measuring, or compute them from the arguments."""

from __future__ import annotations

import builtins
import inspect
import sys
import time
import warnings

from .. import knobs
from ..errors import AutotunerError, CompileTimeAssertionFailure, OutOfResources, UnsupportedOnDevice
from .jit import JITFunction, KernelInterface


class Config:
    """One choice of meta-parameters and options."""

    def __init__(self, kwargs, num_warps=4, num_stages=3, num_ctas=1, maxnreg=None, pre_hook=None, ir_override=None, **foreign):
        self.kwargs = kwargs
        self.num_warps = num_warps
        self.num_stages = num_stages
        self.num_ctas = num_ctas
        self.maxnreg = maxnreg
        self.pre_hook = pre_hook
        self.ir_override = ir_override
        self.foreign = foreign

    def all_kwargs(self) -> dict:
        options = {
            "num_warps": self.num_warps,
            "num_ctas": self.num_ctas,
            "num_stages": self.num_stages,
            "maxnreg": self.maxnreg,
            "ir_override": self.ir_override,
        }
        return {**self.kwargs, **{name: value for name, value in options.items() if value is not None}, **self.foreign}

    def _identity(self) -> tuple:
        return (*sorted((name, repr(value)) for name, value in self.all_kwargs().items()), self.pre_hook)

    def __eq__(self, other):
        return isinstance(other, Config) and self._identity() == other._identity()

    def __hash__(self):
        return hash(self._identity())

    def __str__(self):
        parts = [f"{name}: {value}" for name, value in self.kwargs.items()]
        parts += [f"num_warps: {self.num_warps}", f"num_ctas: {self.num_ctas}", f"num_stages: {self.num_stages}"]
        return ", ".join([*parts, f"maxnreg: {self.maxnreg}", f"ir_override: {self.ir_override}"])


def _copy(array):
    return array.clone() if hasattr(array, "clone") else array.copy()


def _assign(array, source) -> None:
    if hasattr(array, "copy_"):
        array.copy_(source)
    else:
        array[...] = source


class Autotuner(KernelInterface):
    """Runs each configuration once per key and keeps the fastest."""

    def __init__(
        self,
        fn,
        arg_names,
        configs,
        key,
        reset_to_zero=None,
        restore_value=None,
        pre_hook=None,
        post_hook=None,
        prune_configs_by=None,
        warmup=None,
        rep=None,
        use_cuda_graph=False,
        do_bench=None,
        cache_results=False,
    ):
        self.fn = fn
        self.arg_names = arg_names
        self.configs = configs or [Config({})]
        self.keys = key
        self.cache: dict = {}
        self.best_config: Config | None = None
        self.configs_timings: dict = {}
        self.bench_time = 0.0
        self.nargs: dict | None = None
        self.reset_to_zero = list(reset_to_zero or ())
        self.restore_value = list(restore_value or ())
        self._pre_hook = pre_hook
        self._post_hook = post_hook
        self._saved: dict = {}
        prune = prune_configs_by or {}
        self.perf_model = prune.get("perf_model")
        self.configs_top_k = prune.get("top_k", 1.0)
        self.early_config_prune = prune.get("early_config_prune")
        self._bench_options = {"warmup": 25 if warmup is None else warmup, "rep": 100 if rep is None else rep}
        self._do_bench = do_bench
        if cache_results:
            warnings.warn("autotune(cache_results=True) has no effect in triton_metal; each process searches anew", stacklevel=4)
        self.base_fn = fn
        while not isinstance(self.base_fn, JITFunction) and hasattr(self.base_fn, "fn"):
            self.base_fn = self.base_fn.fn
        self.__name__ = getattr(self.base_fn, "__name__", "kernel")

    def pre_hook(self, kwargs, reset_only=False) -> None:
        if self._pre_hook is not None:
            self._pre_hook(kwargs, reset_only=reset_only)
            return
        for name in self.reset_to_zero:
            if name in kwargs:
                _assign(kwargs[name], 0) if not hasattr(kwargs[name], "zero_") else kwargs[name].zero_()
        if not reset_only:
            self._saved = {name: _copy(kwargs[name]) for name in self.restore_value if name in kwargs}

    def post_hook(self, kwargs, exception) -> None:
        if self._post_hook is not None:
            self._post_hook(kwargs, exception)
            return
        for name, value in self._saved.items():
            _assign(kwargs[name], value)
        self._saved = {}

    def do_bench(self, call, quantiles):
        if self._do_bench is not None:
            return self._do_bench(call, quantiles=quantiles)
        from ..testing import do_bench

        return do_bench(call, quantiles=quantiles, **self._bench_options)

    def _bench(self, args, config: Config, meta: dict):
        conflicts = meta.keys() & config.kwargs.keys()
        if conflicts:
            names = ", ".join(sorted(conflicts))
            raise ValueError(f"Conflicting meta-parameters: {names}. Make sure that you don't re-define auto-tuned symbols.")
        current = {**meta, **config.all_kwargs()}
        full = {**self.nargs, **current}

        def call():
            if config.pre_hook:
                config.pre_hook(full)
            self.pre_hook(full)
            try:
                self.fn.run(*args, grid=self._grid, warmup=False, **current)
            finally:
                self.post_hook(full, sys.exc_info()[1])

        try:
            return self.do_bench(call, quantiles=(0.5, 0.2, 0.8))
        except (OutOfResources, CompileTimeAssertionFailure, UnsupportedOnDevice):
            return [float("inf")] * 3

    def prune_configs(self, kwargs: dict) -> list[Config]:
        pruned = list(self.configs)
        if self.early_config_prune:
            pruned = list(self.early_config_prune(self.configs, self.nargs, **kwargs))
            if not pruned:
                raise AutotunerError("No valid autotuner configs after pruning. `early_config_prune` should return at least one config.")
        if self.perf_model:
            top = self.configs_top_k
            top = builtins.max(1, int(len(pruned) * top)) if isinstance(top, float) and top <= 1.0 else int(top)
            estimates = {config: self.perf_model(**self.nargs, **kwargs, **config.all_kwargs()) for config in pruned}
            pruned = sorted(pruned, key=estimates.__getitem__)[:top]
        return pruned

    def _key(self, kwargs: dict) -> tuple:
        arguments = {**self.nargs, **kwargs}
        key = [arguments[name] for name in self.keys if name in arguments]
        key += [str(value.dtype) for value in arguments.values() if hasattr(value, "dtype")]
        return tuple(key)

    def run(self, *args, grid, warmup=False, **kwargs):
        self.nargs = dict(zip(self.arg_names, args))
        self._grid = grid
        if len(self.configs) > 1:
            key = self._key(kwargs)
            if key not in self.cache:
                pruned = self.prune_configs(kwargs)
                if len(pruned) == 1:
                    self.cache[key] = pruned[0]
                else:
                    start = time.perf_counter()
                    timings = {config: self._bench(args, config, kwargs) for config in pruned}
                    self.bench_time = time.perf_counter() - start
                    self.configs_timings = timings
                    self.cache[key] = builtins.min(timings, key=lambda config: _median(timings[config]))
                    self.pre_hook({**self.nargs, **kwargs, **self.cache[key].all_kwargs()}, reset_only=True)
            config = self.cache[key]
        else:
            config = self.configs[0]
        self.best_config = config
        if knobs.autotuning.print and len(self.configs) > 1:
            print(f"Triton autotuning for function {self.__name__} chose {config}")
        if config.pre_hook is not None:
            config.pre_hook({**self.nargs, **kwargs, **config.all_kwargs()})
        result = self.fn.run(*args, grid=grid, warmup=warmup, **kwargs, **config.all_kwargs())
        self.nargs = None
        return result

    def warmup(self, *args, **kwargs):
        """Compile every configuration that is left after pruning."""
        self.nargs = dict(zip(self.arg_names, args))
        compiled = [self.fn.warmup(*args, **kwargs, **config.all_kwargs()) for config in self.prune_configs(kwargs)]
        self.nargs = None
        return compiled


def _median(timing):
    return timing[0] if isinstance(timing, (list, tuple)) else timing


def _argument_names(fn) -> list[str]:
    return fn.arg_names if hasattr(fn, "arg_names") else list(inspect.signature(fn).parameters)


def autotune(
    configs,
    key,
    prune_configs_by=None,
    reset_to_zero=None,
    restore_value=None,
    pre_hook=None,
    post_hook=None,
    warmup=None,
    rep=None,
    use_cuda_graph=False,
    do_bench=None,
    cache_results=False,
):
    """Choose among `configs` by measuring, anew whenever an argument named in `key` has another value."""

    def decorate(fn):
        return Autotuner(
            fn, _argument_names(fn), configs, key, reset_to_zero, restore_value, pre_hook, post_hook, prune_configs_by, warmup, rep,
            use_cuda_graph, do_bench, cache_results,
        )  # fmt: skip

    return decorate


class Heuristics(KernelInterface):
    """Computes keyword arguments from the others."""

    def __init__(self, fn, arg_names, values):
        self.fn = fn
        self.arg_names = arg_names
        self.values = values
        self.__name__ = getattr(fn, "__name__", "kernel")

    def run(self, *args, grid, warmup=False, **kwargs):
        for name, heuristic in self.values.items():
            kwargs[name] = heuristic({**dict(zip(self.arg_names, args)), **kwargs})
        return self.fn.run(*args, grid=grid, warmup=warmup, **kwargs)


def heuristics(values):
    """Fill in keyword arguments by functions of all arguments."""

    def decorate(fn):
        return Heuristics(fn, _argument_names(fn), values)

    return decorate
