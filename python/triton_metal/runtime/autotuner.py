"""`autotune`: meta-parameters chosen by trials, once for each key.

An Autotuner is a kernel for the launcher in C++: a launch whose key was seen before differs from a plain one by one look-up there. Only
new keys come here. The parts of a search have files of their own, `autotuner_*.py`.
"""

from __future__ import annotations

import threading
import warnings

from .. import _core, knobs
from .autotuner_arrays import SavedArrays, fill_with_zeros
from .autotuner_config import Config
from .autotuner_pruning import UserPruning, split_by_numbers
from .autotuner_report import Row, TuningReport, nothing_left, report_observers
from .autotuner_results import ResultsStore
from .autotuner_search import Launches, Search
from .autotuner_space import Space
from .heuristics import Heuristics, argument_names, heuristics, indexed, unwrap
from .jit import LaunchedKernel

__all__ = ["Autotuner", "Config", "Heuristics", "TuningReport", "autotune", "heuristics"]

#: How values of keys are compared, as the launcher knows it.
_EXACT, _ROUNDED, _SIZES_ONLY = 0, 1, 2
#: Seconds of trials for each configuration, where the caller does not say.
_SECONDS_EACH = 0.1


def _chip_of(device: str) -> str:
    """The chip that configurations are made for, as the tables of the tuner call it."""
    return knobs.metal.chip if device == "metal" else "cpu"


def _names(what: str, names, parameters: list[str]) -> list[str]:
    """A list of parameters' names; TypeError for a single string, ValueError for a name that is no parameter's."""
    if isinstance(names, str):
        raise TypeError(f"{what} is a list of names, such as {what}=[{names!r}], not the string {names!r}")
    names = list(names)
    if unknown := [name for name in names if name not in parameters]:
        raise ValueError(f"{what} names {', '.join(map(repr, unknown))}; the kernel has the parameters {', '.join(parameters)}")
    return names


def _rounded(value):
    return 1 << (value - 1).bit_length() if type(value) is int and value > 1 else value


class Autotuner(LaunchedKernel):
    """Chooses among configurations by trials, once for each key, and launches the kernel with the winner.

    `configs` is None for a space that is built from the kernel. Without `search` the first configuration that fits is taken. `key` is None
    for all sizes: integers among the arguments, rounded up to powers of two.
    """

    def __new__(cls, fn, *args, **kwargs):
        if cls is Autotuner and unwrap(fn)[0] is None:
            from .autotuner_foreign import ForeignAutotuner

            cls = ForeignAutotuner
        return super().__new__(cls)

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
        cache_results=None,
        *,
        round_sizes=False,
        search=True,
    ):
        self.fn = fn
        self.base_fn, self._heuristics = self._base()
        self.__name__ = getattr(self.base_fn, "__name__", "kernel")
        self.arg_names = arg_names
        self._space = Space(self.base_fn) if configs is None else None
        self.configs = list(configs or ([] if configs is None else [Config({})]))
        for config in self.configs:
            if not isinstance(config, Config):
                raise TypeError(f"configs is a list of triton.Config, such as triton.Config({{'BLOCK': 32}}), and has a {config!r}")
        self.keys = self._sizes() if key is None else self._known_keys(key)
        self._comparison = _SIZES_ONLY if key is None else _ROUNDED if round_sizes else _EXACT
        self.cache: dict = {}
        self.configs_timings: dict = {}
        self.bench_time = 0.0
        self.nargs: dict | None = None
        self.reports: dict[tuple, TuningReport] = {}
        self.reset_to_zero = _names("reset_to_zero", reset_to_zero or (), arg_names)
        self.restore_value = None if restore_value is None else _names("restore_value", restore_value, arg_names)
        self.has_own_hooks = pre_hook is not None or post_hook is not None
        self.has_own_bench = do_bench is not None
        self._pre_hook, self._post_hook = pre_hook, post_hook
        self._saved: SavedArrays | None = None
        self._prune = UserPruning(prune_configs_by)
        self._do_bench = do_bench
        self.seconds_each = _SECONDS_EACH if rep is None else rep / 1e3
        self.cache_results = cache_results
        self._searches = search
        self._lock = threading.RLock()
        if warmup is not None or rep is not None or use_cuda_graph:
            warnings.warn(
                "warmup, rep and use_cuda_graph are deprecated: trials take turns for about `rep` ms each, and there are no CUDA graphs",
                DeprecationWarning, stacklevel=3,
            )  # fmt: skip
        self._attach()

    def _base(self) -> tuple:
        """The jit function, and the heuristics around it."""
        return unwrap(self.fn)

    def _attach(self) -> None:
        indices = [self.base_fn.arg_names.index(name) for name in self.keys]
        self._tune(self.base_fn, True, indices, self._comparison, indexed(self.base_fn, self._heuristics))

    def _known_keys(self, key) -> list[str]:
        """Those that are parameters. Kernels written for Triton 3.8, which passes over the others in silence, have such names."""
        if isinstance(key, str):
            return _names("key", key, self.arg_names)
        key = list(key)
        if unknown := [name for name in key if name not in self.arg_names]:
            warnings.warn(
                f"{self.__name__}: key names {', '.join(map(repr, unknown))}, which no parameter has and so tells no launches apart; the "
                f"kernel has {', '.join(self.arg_names)}", UserWarning, stacklevel=4,
            )  # fmt: skip
        return [name for name in key if name in self.arg_names]

    def _sizes(self) -> list[str]:
        return [param.name for param in self.base_fn.params if not param.is_constexpr]

    # What trials call --------------------------------------------------------------------------------------------------

    @property
    def do_bench(self):
        if self._do_bench is not None:
            return self._do_bench
        from ..testing import do_bench

        return do_bench

    def pre_hook(self, kwargs, reset_only=False) -> None:
        """Before a trial by the caller's do_bench; `reset_only` before the launch that follows a search."""
        if self._pre_hook is not None:
            self._pre_hook(kwargs, reset_only=reset_only)
            return
        fill_with_zeros(kwargs, self.reset_to_zero)
        if not reset_only:
            self._saved = SavedArrays(kwargs, self.restore_value or ())

    def post_hook(self, kwargs, exception) -> None:
        """After a trial."""
        if self._post_hook is not None:
            self._post_hook(kwargs, exception=exception)
        elif self._saved is not None:
            self._saved.restore()
            self._saved = None

    # Choices -----------------------------------------------------------------------------------------------------------

    def _key(self, given: dict, device: str) -> tuple:
        def part(value):
            if self._comparison == _SIZES_ONLY and not isinstance(value, int):
                return None
            value = value if self._comparison == _EXACT else _rounded(value)
            try:
                hash(value)
            except TypeError:
                return repr(value)
            return value

        key = [part(given[name]) for name in self.keys if name in given and not hasattr(given[name], "dtype")]
        key += [str(value.dtype) for value in given.values() if hasattr(value, "dtype")]
        if self._space is not None:  # what the caller fixes is no longer free
            key += [name for name in self._space.sizes if name in given]
        return (*key, device, knobs.metal.chip) if device == "metal" else (*key, device)

    def prune_configs(self, kwargs: dict) -> list[Config]:
        """What is left of the configurations by `prune_configs_by`, for the arguments in `nargs` and these."""
        return self._prune(self.configs, self.nargs or {}, kwargs)

    def _candidates(self, given: dict, positional: int, options: dict, device: str, skip) -> list[Config]:
        chip = _chip_of(device)
        if self._space is not None:
            configs = self._space.configs(given, options, device, chip)
        else:
            by_position = set(self.base_fn.arg_names[:positional])
            named = {name: value for name, value in given.items() if name in by_position}
            keywords = {**{name: value for name, value in given.items() if name not in by_position}, **options}
            self.nargs = named
            configs = self._prune(self.configs, named, keywords)
        configs = list(dict.fromkeys(configs))
        candidates, reasons = split_by_numbers(configs, device, chip)
        for config, reason in reasons.items():
            skip(config, reason)
        return candidates

    def _choose(self, device: str, given: dict, positional: int, options: dict, grid, warmup: bool) -> tuple:
        """Called by the launcher for a key that it does not know: (configuration, hook, values)."""
        with self._lock:
            key = self._key(given, device)
            config = self.cache.get(key)
            if config is None:
                config = self._decide(device, given, positional, options, grid, key, warmup)
                if not warmup:
                    self.cache[key] = config
        values = config.values(self.base_fn.arg_names)
        return config, config.pre_hook, values

    def _decide(self, device, given, positional, options, grid, key, warmup) -> Config:
        launches = Launches(self.base_fn, self._heuristics, given, options, device, grid)
        search = Search(self, launches, _chip_of(device), key)
        try:
            candidates = self._candidates(given, positional, options, device, search.skip)
        finally:
            self.nargs = None
        if len(candidates) == 1:  # nothing to choose: errors are those of the launch
            if not warmup:
                self._keep(key, search.only(candidates[0]))
            return candidates[0]
        if warmup or not (self._searches or knobs.autotuning.always):
            report = search.first_that_fits(candidates)
            if not warmup:
                self._keep(key, report)
            return report.chosen
        return self._search(search, launches, candidates, device, key)

    def _search(self, search: Search, launches: Launches, candidates: list[Config], device: str, key: tuple) -> Config:
        store = self._store(candidates)
        found = store.load(device, key) if store is not None and not knobs.autotuning.fresh else None
        if found is not None:
            config, entry = found
            search.report.chosen, search.report.source = config, "kept from an earlier search"
            search.report.method, search.report.seconds = entry.get("method", ""), 0.0
            self.configs_timings = {candidates[i]: timing for i, timing in entry.get("timings", ()) if i < len(candidates)}
            search.report.rows = [Row(c, timing[0] / 1e3, outcome="chosen" if c == config else "")
                                  for c, timing in self.configs_timings.items()]  # fmt: skip
        else:
            if knobs.autotuning.print:
                print(f"Autotuning kernel {self.__name__} with {len(candidates)} configurations on {device}")
            known = [winner for winner in dict.fromkeys(self.cache.values()) if winner in candidates]  # of other keys
            search.run([*known, *(c for c in candidates if c not in known)], built=self._space is not None)
            config = search.report.chosen
            self.bench_time = search.report.seconds
            self.configs_timings = {
                row.config: [row.seconds * 1e3] * 3 if row.seconds is not None else [float("inf")] * 3 for row in search.report.rows
            }
            if store is not None:
                indices = {candidate: i for i, candidate in enumerate(candidates)}
                timings = [(indices[c], t) for c, t in self.configs_timings.items() if c in indices and t[0] != float("inf")]
                store.store(device, key, config, {"method": search.report.method, "seconds": self.bench_time, "timings": timings})
        self._keep(key, search.report)
        self._tell(search.report, found is not None)
        return config

    def _keep(self, key: tuple, report: TuningReport) -> None:
        self.reports[key] = report
        for observer in report_observers:
            observer(report)

    def _store(self, candidates: list[Config]) -> ResultsStore | None:
        """Where winners are kept; nowhere if the caller measures and does not ask for it."""
        wanted = self.cache_results if self.cache_results is not None else knobs.autotuning.cache and not self.has_own_bench
        if not wanted:
            return None
        functions = [function for _, function in self._heuristics]
        return ResultsStore(self.base_fn.cache_key, candidates, functions)

    def _tell(self, report: TuningReport, hit: bool) -> None:
        if knobs.autotuning.listener is not None:
            knobs.autotuning.listener(
                fn=self.base_fn, key=report.key, best_config=report.chosen, configs_timings=self.configs_timings,
                duration=None if hit else report.seconds, cache_hit=hit,
            )  # fmt: skip
        if knobs.autotuning.print and not hit:
            print(f"Triton autotuning for function {self.__name__},\nwith key as {report.key},\n"
                  f"finished after {report.seconds:.2f}s,\nbest config selected: {report.chosen};\n{report}")  # fmt: skip

    @property
    def report(self) -> TuningReport | None:
        """Of the last search."""
        return next(reversed(self.reports.values()), None)

    def forget(self) -> None:
        """Choose anew for every key; what lies on disk stays."""
        with self._lock:
            self.cache.clear()
            self.reports.clear()
            self._forget_choices()

    # Launches ----------------------------------------------------------------------------------------------------------

    def warmup(self, *args, grid=(1,), **kwargs):
        """Compile every configuration that is left after pruning; the compiled kernels."""
        device = str(kwargs.pop("device", None) or _core.get_device())
        given = dict(zip(self.base_fn.arg_names, args))
        options = {name: kwargs.pop(name) for name in list(kwargs) if name not in self.base_fn.arg_names}
        skipped: dict = {}
        try:
            candidates = self._candidates({**given, **kwargs}, len(args), options, device, skipped.__setitem__)
        finally:
            self.nargs = None
        if not candidates:
            raise nothing_left(self.__name__, skipped.items(), f" on {device}")
        launches = Launches(self.base_fn, self._heuristics, {**given, **kwargs}, options, device, grid)
        return [launches.compile(config) for config in candidates]

    def __repr__(self):
        return f"Autotuner({self.base_fn!r})"


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
    cache_results=None,
    round_sizes=False,
):
    """Choose among `configs` by trials, anew whenever an argument named in `key` has another value or an array another dtype.

    `prune_configs_by` has `early_config_prune`, `perf_model` and `top_k`. Arguments that trials write are put back: all of them, or those
    named by `restore_value`; those of `reset_to_zero` are zeroed before each trial and before the launch that follows. Hooks of the caller
    run around each trial. `do_bench(call, quantiles)` replaces the tuner's own race; its least median wins. Winners are kept on disk unless
    `cache_results` is False, or not given beside a `do_bench`. With `round_sizes` integers of the key count as the next power of two.

    A name in `key` that is no parameter's is warned of and tells nothing apart, as in Triton 3.8; in the other lists it is a ValueError.
    """

    def decorate(fn):
        return Autotuner(
            fn, argument_names(fn), list(configs), key, reset_to_zero, restore_value, pre_hook, post_hook, prune_configs_by, warmup, rep,
            use_cuda_graph, do_bench, cache_results, round_sizes=round_sizes,
        )  # fmt: skip

    return decorate
