"""One search: compile all candidates, leave out what cannot run, let the rest race, put back what they wrote."""

from __future__ import annotations

import builtins
import concurrent.futures
import math
import time
from collections.abc import Callable

from .. import _core, knobs
from ..devices import has_gpu, launches_return_early, synchronize
from ..errors import CompilationError, InternalCompilerError, LaunchError, OutOfResources
from . import autotuner_cost as cost
from .autotuner_arrays import SavedArrays, bytes_of, fill_with_zeros, is_compound
from .autotuner_check import find_wrong
from .autotuner_config import Config
from .autotuner_pruning import problem_of_facts
from .autotuner_report import CUSTOM, ESTIMATED, MEASURED, Progress, Row, TuningReport, nothing_left
from .autotuner_trials import REJECT, Entrant, race

#: A configuration that ends in one of these is left out; anything else is the caller's business.
_SKIPPED = (CompilationError, InternalCompilerError, OutOfResources)
#: Options of a launch whose counts make an estimate. Checks were made before, and would only take their time.
_COUNTED = {"counting": cost.SAMPLE, "checked": False}
#: Seconds: what a sample lasts at least, where a call has finished when it returns and where it has not; what a search may take.
_LEAST_SAMPLE, _LEAST_SAMPLE_EARLY = 200e-6, 1e-3
_LEAST_SEARCH, _MOST_SEARCH = 0.3, 10.0
#: Seconds of work up to which the CPU device stays in the caller's thread.
_ONE_THREAD = 30e-6


def _first_line(error: BaseException) -> str:
    text = getattr(error, "error_message", None) or str(error)
    return f"{type(error).__name__}: {text.strip().splitlines()[0] if text.strip() else ''}"


class Launches:
    """How configurations of one kernel are launched with the arguments of one call."""

    def __init__(self, base, heuristics, given: dict, options: dict, device: str, grid):
        self.base = base
        self.given = given
        self.device = device
        self._heuristics = heuristics
        self._options = {**options, "device": device}
        self._grid = grid

    def arguments(self, config: Config) -> tuple[dict, dict]:
        """The kernel's arguments by name, and the options of the launch."""
        values = config.values(self.base.arg_names)
        config.check_conflicts(self.given)
        options = {name: values.pop(name) for name in list(values) if name not in self.base.arg_names}
        options.update(self._options)
        defaults = {param.name: param.default for param in self.base.params if param.has_default}
        full = {**defaults, **self.given, **values}
        for name, function in self._heuristics:
            full[name] = function({**full, **options})
        return full, options

    def compile(self, config: Config, **more):
        full, options = self.arguments(config)
        if config.pre_hook:  # it may change what arguments are
            config.pre_hook({**full, **options})
        return self.base.warmup(**full, **{**options, **more})

    def grid(self, full: dict, options: dict) -> tuple:
        grid = self._grid({**full, **options}) if callable(self._grid) else self._grid
        return tuple(grid) if isinstance(grid, (tuple, list)) else (grid,)

    def bound(self, config: Config, **more) -> Callable[[], object]:
        """A call that launches, with as little around it as there can be."""
        full, options = self.arguments(config)
        launcher = self.base[self.grid(full, options)]
        ordered = [full[name] for name in self.base.arg_names]
        options = {**options, **more}
        return lambda: launcher(*ordered, **options)


class Search:
    """One search of a tuner; `run` gives its report, with a winner, or raises an AutotunerError that says why there is none."""

    def __init__(self, tuner, launches: Launches, chip: str, key: tuple):
        self.tuner = tuner
        self.launches = launches
        self.chip = chip
        self.report = TuningReport(tuner.__name__, key, launches.device, chip)
        self._rows: dict[Config, Row] = {}
        self._compiled: dict[Config, object] = {}
        self._first_error: BaseException | None = None
        self._progress = Progress(tuner.__name__, knobs.autotuning.progress)

    def skip(self, config: Config, reason: str, error: BaseException | None = None) -> None:
        self._rows.setdefault(config, Row(config)).outcome = reason
        self._first_error = self._first_error or error

    def run(self, configs: list[Config], built: bool) -> TuningReport:
        """Search among these. `built` configurations are nobody's word: what they compute is checked."""
        start = time.perf_counter()
        for config in configs:
            self._rows.setdefault(config, Row(config))
        _core.begin_search()
        try:
            candidates = self._compile(configs)
            candidates = self._leave_out_by_facts(candidates)
            written = self._parameters(lambda param: param.may_be_written)
            if built and len(candidates) > 1:
                candidates = self._leave_out_wrong(candidates, written)
            self._need(candidates)
            if len(candidates) == 1:
                chosen = candidates[0]
                self._rows[chosen].outcome = "the only one that can run"
            else:
                chosen = self._try(candidates, written)
        finally:
            _core.end_search()
            self._progress.done()
        self.report.chosen = chosen
        self.report.seconds = time.perf_counter() - start
        self.report.rows = list(self._rows.values())
        return self.report

    def only(self, config: Config) -> TuningReport:
        """The report where one configuration is left before anything is compiled."""
        self._rows[config] = Row(config, outcome="the only one")
        self.report.chosen, self.report.source, self.report.rows = config, "no choice", list(self._rows.values())
        return self.report

    def first_that_fits(self, configs: list[Config]) -> TuningReport:
        """Take the first that compiles and has what it needs; nothing is run."""
        start = time.perf_counter()
        for config in configs:
            self._rows.setdefault(config, Row(config))
        for config in configs:
            for fitting in self._leave_out_by_facts(self._compile([config])):
                try:
                    self._compiled[fitting]._launchable.prepare()
                except _SKIPPED as error:
                    self.skip(fitting, _first_line(error), error)
                    continue
                self._rows[fitting].outcome = "the first that fits"
                self.report.chosen, self.report.source = fitting, "the first that fits"
                self.report.rows, self.report.seconds = list(self._rows.values()), time.perf_counter() - start
                return self.report
        self._need([])
        return self.report

    def _need(self, candidates: list[Config]) -> None:
        if candidates:
            return
        where = self.launches.device + (f" ({self.chip})" if self.launches.device == "metal" else "")
        reasons = [(row.config, row.outcome) for row in self._rows.values()]
        raise nothing_left(self.tuner.__name__, reasons, f" on {where}") from self._first_error

    # Compilation -------------------------------------------------------------------------------------------------------

    def _in_parallel(self, work: Callable, items: list, what: str) -> dict:
        """Results of `work` by item; those that end in a refusal are skipped. The compiler runs without the interpreter's lock."""
        results: dict = {}
        if not items:
            return results
        hooks = any(config.pre_hook for config in items)  # which may change arguments that all share
        with concurrent.futures.ThreadPoolExecutor(1 if hooks else builtins.min(len(items), _core.num_threads())) as pool:
            futures = {pool.submit(work, item): item for item in items}
            for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
                config = futures[future]
                try:
                    results[config] = future.result()
                except _SKIPPED as error:
                    self.skip(config, _first_line(error), error)
                except LaunchError as error:
                    if error.argument not in config.all_kwargs():
                        raise
                    self.skip(config, _first_line(error), error)
                self._progress(f"{what} {done} of {len(items)}")
        return {item: results[item] for item in items if item in results}

    def _compile(self, configs: list[Config]) -> list[Config]:
        self._compiled.update(self._in_parallel(self.launches.compile, configs, "compiled"))
        return [config for config in configs if config in self._compiled]

    def _leave_out_by_facts(self, configs: list[Config]) -> list[Config]:
        if self.launches.device != "metal":
            return configs
        problems = {config: problem_of_facts(self._compiled[config].metadata.facts, self.chip) for config in configs}
        for config, problem in problems.items():
            if problem:
                self.skip(config, problem)
        return [config for config in configs if not problems[config]]

    def _parameters(self, holds: Callable) -> list[str]:
        """Parameters of which this holds in any candidate; tuples and descriptors whenever it holds of something within any."""
        names = {param.name for compiled in self._compiled.values() for param in compiled.signature.params if holds(param)}
        if names - set(self.launches.base.arg_names):
            names |= {name for name, value in self.launches.given.items() if is_compound(value)}
        return sorted(names & set(self.launches.base.arg_names))

    def _leave_out_wrong(self, configs: list[Config], written: list[str]) -> list[Config]:
        # Warps change nothing on the cpu: one of each choice of meta-parameters is enough, the first.
        meta = {config: tuple(sorted(config.kwargs.items())) for config in configs}
        leaders = {meta[config]: config for config in reversed(configs)}
        same = {config: leaders[meta[config]] for config in configs}
        compiled = lambda config: self.launches.compile(config, device="cpu", checked=True)  # noqa: E731
        checked = self._in_parallel(compiled, list(leaders.values()), "checked")
        wrong = find_wrong(
            list(checked), lambda config: self.launches.bound(config, device="cpu", checked=True)(),
            self.launches.arguments(configs[0])[0], written,
        )  # fmt: skip
        for config in configs:
            if same[config] in wrong:
                self.skip(config, wrong[same[config]])
            elif same[config] not in checked:
                self.skip(config, self._rows[same[config]].outcome)
        return [config for config in configs if same[config] in checked and same[config] not in wrong]

    # Trials ------------------------------------------------------------------------------------------------------------

    def _try(self, candidates: list[Config], written: list[str]) -> Config:
        tuner, full = self.tuner, self.launches.arguments(candidates[0])[0]
        restored = written if tuner.restore_value is None else tuner.restore_value
        saved = SavedArrays(full, [name for name in restored if name not in tuner.reset_to_zero])
        try:
            if tuner.has_own_bench:
                chosen = self._by_given_function(candidates)
            elif self.launches.device == "metal" and not has_gpu():
                chosen = self._by_estimate(candidates, saved)
            else:
                chosen = self._by_time(self._distinct(candidates), saved, set(written))
        finally:
            saved.restore()
        fill_with_zeros(full, tuner.reset_to_zero)
        return chosen

    def _distinct(self, candidates: list[Config]) -> list[Config]:
        """Of configurations with one and the same code the smallest."""
        if self.launches.device != "cpu":
            return candidates
        groups: dict = {}
        for config in candidates:
            full, options = self.launches.arguments(config)
            groups.setdefault((self._compiled[config].asm["obj"], self.launches.grid(full, options)), []).append(config)
        kept = []
        for group in groups.values():
            kept.append(builtins.min(group, key=lambda config: config.size()))
            for config in group:
                if config is not kept[-1]:
                    self.skip(config, f"same code as {kept[-1].short()}")
        return kept

    def _by_time(self, candidates: list[Config], saved: SavedArrays, written: set[str]) -> Config:
        self.report.method = MEASURED
        early = launches_return_early(self.launches.device)
        if early:  # the pipelines, by Metal's compiler
            candidates = list(self._in_parallel(lambda c: self._compiled[c]._launchable.prepare(), candidates, "built"))
        in_place = bool(self.tuner.restore_value or written & set(self._parameters(lambda param: param.may_be_read)))
        entrants = {}
        for config in candidates:
            sample = self._sampler(config, saved, in_place, early)
            try:
                sample(1)
            except _SKIPPED as error:
                self.skip(config, _first_line(error), error)
                continue
            single = in_place or self._hooks(config)
            entrants[config] = Entrant(sample, config.size(), 1 if single else 1000)
        self._need(list(entrants))
        seconds = builtins.min(builtins.max(self.tuner.seconds_each * len(entrants), _LEAST_SEARCH), _MOST_SEARCH)

        def show(rounds, running):
            best = builtins.min((entrant.level for entrant in running if entrant.times), default=0.0)
            self._progress(f"round {rounds}, {len(running)} of {len(entrants)} left, best {best * 1e3:.3f} ms")

        winner = race(list(entrants.values()), seconds, _LEAST_SAMPLE_EARLY if early else _LEAST_SAMPLE, show)
        for config, entrant in entrants.items():
            row = self._rows[config]
            row.outcome, row.samples = entrant.outcome, len(entrant.times)
            if entrant.times:
                row.seconds, row.spread = entrant.level, entrant.noise
        return next(config for config, entrant in entrants.items() if entrant is winner)

    def _parallelism(self, config: Config) -> float:
        """How many threads of the cpu device its programs keep busy, if they are alike."""
        if self.launches.device != "cpu":
            return 1.0
        programs = math.prod(self.launches.grid(*self.launches.arguments(config)))
        return programs / -(-programs // _core.num_threads()) if programs else 1.0

    def _hooks(self, config: Config) -> bool:
        return bool(self.tuner.has_own_hooks or config.pre_hook)

    def _sampler(self, config: Config, saved: SavedArrays, in_place: bool, early: bool) -> Callable:
        call = self.launches.bound(config)
        full = {**self.launches.arguments(config)[0], **config.all_kwargs()}
        parallelism = self._parallelism(config)
        tuner, hooked, zeroed = self.tuner, self._hooks(config), bool(self.tuner.reset_to_zero)

        def sample(calls: int) -> float:
            if in_place:
                saved.restore()
            if zeroed:
                fill_with_zeros(full, tuner.reset_to_zero)
            if config.pre_hook:
                config.pre_hook(full)
            if hooked:
                tuner.pre_hook(full)
            start, effort = time.perf_counter(), time.process_time()
            for _ in range(calls):
                call()
            if early:
                synchronize()
            effort = time.process_time() - effort
            seconds = (time.perf_counter() - start) / calls
            if hooked:
                tuner.post_hook(full, exception=None)
            if early:  # what the GPU does costs no processor
                return seconds
            return seconds, effort / calls / (parallelism if effort / calls > _ONE_THREAD else 1.0)

        return sample

    def _by_estimate(self, candidates: list[Config], saved: SavedArrays) -> Config:
        self.report.method = ESTIMATED.format(chip=self.chip)
        counting = self._in_parallel(self._prepare_to_count, candidates, "built")
        seconds: dict[Config, float] = {}
        for done, config in enumerate(counting, 1):
            full, options = self.launches.arguments(config)
            fill_with_zeros(full, self.tuner.reset_to_zero)
            if config.pre_hook:
                config.pre_hook({**full, **options})
            try:
                launch, grid = self.launches.bound(config, **_COUNTED), self.launches.grid(full, options)
                seconds[config] = cost.counted_seconds(launch, self._compiled[config], grid, bytes_of(full), self.chip)
            except _SKIPPED as error:
                self.skip(config, _first_line(error), error)
            saved.restore()
            self._progress(f"counted {done} of {len(counting)}")
        self._need(list(seconds))
        best = builtins.min(seconds.values())
        median = sorted(seconds.values())[len(seconds) // 2]
        equals = [config for config, estimate in seconds.items() if estimate <= best * 1.01]
        chosen = builtins.min(equals, key=lambda config: config.size())
        for config, estimate in seconds.items():
            row = self._rows[config]
            row.seconds, row.samples = estimate, 1
            row.outcome = "chosen" if config is chosen else "as fast, but larger" if config in equals else (
                f"{estimate / median:.1f} times the median" if estimate > REJECT * median else f"{estimate / best - 1:.1%} slower")
        return chosen

    def _prepare_to_count(self, config: Config) -> None:
        self.launches.compile(config, **_COUNTED)._launchable.prepare()

    def _by_given_function(self, candidates: list[Config]) -> Config:
        """As upstream: each configuration through the caller's `do_bench`, hooks included; the least median wins."""
        self.report.method = CUSTOM
        tuner = self.tuner
        timings: dict[Config, list[float]] = {}
        for config in candidates:
            launch = self.launches.bound(config)
            full = {**self.launches.arguments(config)[0], **config.all_kwargs()}

            def call(config=config, launch=launch, full=full):
                if config.pre_hook:
                    config.pre_hook(full)
                tuner.pre_hook(full)
                try:
                    launch()
                except BaseException as error:
                    tuner.post_hook(full, exception=error)
                    raise
                tuner.post_hook(full, exception=None)

            try:
                timing = tuner.do_bench(call, quantiles=(0.5, 0.2, 0.8))
            except _SKIPPED as error:
                self.skip(config, _first_line(error), error)
                continue
            timings[config] = list(timing) if isinstance(timing, (list, tuple)) else [timing] * 3
        self._need(list(timings))
        chosen = builtins.min(timings, key=lambda config: timings[config][0])
        for config, timing in timings.items():
            row = self._rows[config]
            row.seconds, row.samples = timing[0] / 1e3, 1
            row.outcome = "chosen" if config is chosen else f"{timing[0] / builtins.max(timings[chosen][0], 1e-12) - 1:.1%} slower"
        return chosen
