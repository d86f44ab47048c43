"""A tuner over something that is known only by its `run`: another library's wrapper of a kernel.

Nothing of it can be compiled ahead, checked or counted, so each configuration runs through `do_bench`, as upstream does it, and the least
median wins.
"""

from __future__ import annotations

import builtins
import inspect
import time

from .. import _core
from ..errors import CompilationError, OutOfResources
from .autotuner import Autotuner
from .autotuner_report import CUSTOM, Row, TuningReport, nothing_left
from .jit import KernelInterface


class ForeignAutotuner(Autotuner):
    """Its `best_config` is that of the last launch."""

    __getitem__ = KernelInterface.__getitem__
    best_config = None

    def _base(self) -> tuple:
        fn = self.fn
        while not inspect.isfunction(fn) and hasattr(fn, "fn"):
            fn = fn.fn
        return fn, []

    def _sizes(self) -> list[str]:
        raise TypeError(f"a space and keys cannot be built for a {type(self.fn).__name__}; give configs and key")

    def _attach(self) -> None:
        pass

    def run(self, *args, **kwargs):
        self.nargs = dict(zip(self.arg_names, args))
        try:
            given = {name: value for name, value in {**self.nargs, **kwargs}.items() if name in self.arg_names}
            key = self._key(given, _core.get_device())
            if key not in self.cache:
                self.cache[key] = self._find(args, kwargs, key)
            config = self.best_config = self.cache[key]
            if config.pre_hook is not None:
                config.pre_hook({**self.nargs, **kwargs, **config.all_kwargs()})
            return self.fn.run(*args, **kwargs, **config.all_kwargs())
        finally:
            self.nargs = None

    def _find(self, args, kwargs, key):
        configs = self.prune_configs(kwargs) if len(self.configs) > 1 else self.configs
        if len(configs) == 1:
            return configs[0]
        start = time.perf_counter()
        report = TuningReport(self.__name__, key, _core.get_device(), "", CUSTOM)
        for config in configs:
            row = Row(config)
            report.rows.append(row)
            try:
                timing = self.do_bench(self._call(args, kwargs, config), quantiles=(0.5, 0.2, 0.8))
                row.seconds, row.samples = (timing[0] if isinstance(timing, (list, tuple)) else timing) / 1e3, 1
            except (OutOfResources, CompilationError) as error:
                row.outcome = f"{type(error).__name__}: {error}"
        measured = [row for row in report.rows if row.seconds is not None]
        if not measured:
            raise nothing_left(self.__name__, [(row.config, row.outcome) for row in report.rows])
        best = builtins.min(measured, key=lambda row: row.seconds)
        best.outcome = "chosen"
        report.chosen, report.seconds = best.config, time.perf_counter() - start
        self.bench_time = report.seconds
        self.configs_timings = {row.config: [(row.seconds or float("inf")) * 1e3] * 3 for row in report.rows}
        self.pre_hook({**self.nargs, **kwargs, **best.config.all_kwargs()}, reset_only=True)
        self.reports[key] = report
        self._tell(report, hit=False)
        return best.config

    def _call(self, args, kwargs, config):
        config.check_conflicts(kwargs)
        current = {**kwargs, **config.all_kwargs()}
        full = {**self.nargs, **current}

        def call():
            if config.pre_hook:
                config.pre_hook(full)
            self.pre_hook(full)
            try:
                self.fn.run(*args, **current)
            except BaseException as error:
                self.post_hook(full, exception=error)
                raise
            self.post_hook(full, exception=None)

        return call

    def warmup(self, *args, **kwargs):
        self.nargs = dict(zip(self.arg_names, args))
        try:
            return [self.fn.warmup(*args, **kwargs, **config.all_kwargs()) for config in self.prune_configs(kwargs)]
        finally:
            self.nargs = None
