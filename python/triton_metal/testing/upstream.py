"""A pytest plugin that runs upstream Triton's own tests, unchanged, against this package.

    pytest -p triton_metal.testing.upstream --device=cpu [--triton-device=metal] DIR/unit/language/test_core.py

`import triton` means this package (`install`), in processes that tests start as well; the few modules that only upstream's build has are
made here; `triton._internal_testing` is read from the checkout that the tests lie in. Tensors are PyTorch's CPU tensors. A test that ends
in a typed refusal counts as *refused*, by reason; one that another vendor's hardware is needed for skips itself.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import tempfile
import types
from collections import Counter

_PACKAGE = __package__.partition(".")[0]
#: What forms `triton._internal_testing` of a checkout; processes that a test starts find it here.
_CHECKOUT = "TRITON_METAL_UPSTREAM"

#: Test (function, or the start of an item's name in its file): why it cannot hold for this package.
DESELECTED = {
    "test_core.py::test_optimize_thread_locality": "reads asm['ttgir']",
    "test_core.py::test_no_rematerialization_op": "reads asm['ttgir']",
    "test_core.py::test_tl_range_fuse": "reads asm['ttgir']",
    "test_core.py::test_assume": "reads asm['ttgir']",
    "test_core.py::test_pointer_arguments": "expects that CPU tensors are rejected",
    "test_annotations.py::test_int_annotation[False-1]": "passes 3 for a boolean, which is refused here",
    "test_compile_errors.py::test_err_in_builtin": "looks for frames of upstream's own Python files",
    "test_compile_errors.py::test_returns_branched_on_non_constexpr": "expects the line of the `def`; ours is that of the return",
    "test_compile_errors.py::test_fp8_support": "expects that types of fp8 are refused off CUDA; ours has them",
    "test_subprocess.py::test_print[device_print_scalar": "expects a line per GPU thread",
    "test_subprocess.py::test_print[no_arg_print": "expects a line per GPU thread",
    "test_subprocess.py::test_print[print_no_arg": "expects a line per GPU thread",
}


# The name `triton` ---------------------------------------------------------------------------------------------------


def _backends() -> types.ModuleType:
    from triton_metal.runtime.driver import driver

    module = types.ModuleType("triton.backends")
    module.__path__ = []
    module.backends = {"triton_metal": types.SimpleNamespace(driver=driver.active)}
    return module


def _internal_testing() -> types.ModuleType:
    path = os.path.join(os.environ[_CHECKOUT], "triton", "_internal_testing.py")
    spec = importlib.util.spec_from_file_location("triton._internal_testing", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module._fresh_knobs_impl = _fresh_knobs
    module.default_alloc_fn = lambda size, align, stream: module.torch.empty(size, dtype=module.torch.int8)
    return module


def _fresh_knobs(skipped_attr=None):
    """Upstream's fixtures of knobs: a function that forgets what was assigned and what the environment says, and one that restores it."""
    import pytest
    from triton_metal import knobs

    groups = [group for group in vars(knobs).values() if isinstance(group, knobs._Group)]
    before = [dict(group._assigned) for group in groups]
    patch = pytest.MonkeyPatch()

    def fresh():
        for group in groups:
            group.reset()
            for knob in group._knobs().values():
                if knob.variable and knob.variable not in _KEPT:
                    patch.delenv(knob.variable, raising=False)
        return knobs

    def restore():
        patch.undo()
        for group, assigned in zip(groups, before):
            group._assigned = assigned
        knobs._changed()

    return fresh, restore


#: Variables that say how the tests are run.
_KEPT = frozenset({"TRITON_METAL_DEVICE", "TRITON_METAL_CHECKED"})
_MADE = {"triton.backends": _backends, "triton._internal_testing": _internal_testing}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `triton.x` as this package's `x`: the same module objects under both names."""

    def find_spec(self, name, path=None, target=None):
        if name != "triton" and not name.startswith("triton."):
            return None
        own = _PACKAGE + name[len("triton") :]
        if name not in _MADE and name != "triton" and importlib.util.find_spec(own) is None:
            return None
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        made = _MADE.get(spec.name)
        module = made() if made else importlib.import_module(_PACKAGE + spec.name[len("triton") :])
        self._identity = getattr(module, "__spec__", None), getattr(module, "__loader__", None)
        return module

    def exec_module(self, module):
        module.__spec__, module.__loader__ = self._identity  # the import system has written the alias's over them


def install() -> None:
    """Make `import triton` mean this package, here and in Python processes that are started from here."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    sys.modules.pop("triton", None)
    importlib.import_module("triton")


def _install_in_children(folder: str) -> None:
    """A module `triton` on the path of children, which installs the alias in its own place."""
    with open(os.path.join(folder, "triton.py"), "w") as file:
        file.write(f"import {__name__}\n\n{__name__}.install()\n")
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])


# pytest --------------------------------------------------------------------------------------------------------------


def pytest_addoption(parser):
    group = parser.getgroup("triton-metal")
    group.addoption("--triton-device", choices=("cpu", "metal"), default="cpu", help="the device that kernels run on")
    group.addoption("--counts", metavar="FILE", help="write passed, failed, refused by reason and skipped of each file as JSON")


def pytest_configure(config):
    tests = str(config.rootpath)
    os.environ.setdefault(_CHECKOUT, os.path.dirname(tests))
    if not hasattr(config, "workerinput"):
        os.environ["TRITON_METAL_DEVICE"] = config.getoption("--triton-device")
        config._triton_metal_folder = tempfile.TemporaryDirectory(prefix="triton-metal-upstream-")
        _install_in_children(config._triton_metal_folder.name)
        config.pluginmanager.register(_Counts(config.getoption("--counts")), "triton-metal-counts")
    sys.path.insert(0, os.path.join(tests, "unit", "language"))  # some import their neighbours
    install()
    _without_cuda()
    importlib.import_module(_PACKAGE).set_device(config.getoption("--triton-device"))


def _without_cuda() -> None:
    """Some tests choose the CUDA device of their tensors, which is None here; PyTorch's CPU build cannot be told so."""
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        torch.cuda.device = lambda index: contextlib.nullcontext()


def pytest_unconfigure(config):
    folder = getattr(config, "_triton_metal_folder", None)
    if folder is not None:
        folder.cleanup()


def pytest_collection_modifyitems(config, items):
    out = [item for item in items if _why_deselected(item)]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if not _why_deselected(item)]


def _why_deselected(item) -> str:
    name = f"{item.path.name}::{item.name}"
    return next((reason for start, reason in DESELECTED.items() if name.startswith(start)), "")


def _refusal(error: BaseException | None) -> str:
    """`op: reason` where this error, or one that it comes from, is a typed refusal; else empty."""
    from triton_metal.errors import UnsupportedLanguageConstruct, UnsupportedOnDevice

    while error is not None:
        if isinstance(error, UnsupportedOnDevice):
            return f"{error.op}: {error.reason}"
        if isinstance(error, UnsupportedLanguageConstruct) and "not supported by this compiler" in error.error_message:
            return error.error_message
        error = error.__cause__ or error.__context__
    return ""


def pytest_runtest_makereport(item, call):
    from _pytest.reports import TestReport

    report = TestReport.from_item_and_call(item, call)
    refusal = _refusal(call.excinfo.value) if report.failed and call.excinfo else ""
    if refusal:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"refused: {refusal}")
        report.user_properties.append(("refused", refusal))
    return report


def pytest_report_teststatus(report):
    if any(name == "refused" for name, _ in getattr(report, "user_properties", ())):
        return "refused", "R", "REFUSED"
    return None


class _Counts:
    """Outcomes by file, in the process that collects the reports."""

    def __init__(self, path: str | None):
        self.path = path
        self.files: dict[str, Counter] = {}
        self.reasons: dict[str, Counter] = {}

    def pytest_runtest_logreport(self, report):
        file = report.nodeid.partition("::")[0]
        refused = [reason for name, reason in report.user_properties if name == "refused"]
        if report.when == "call" or report.outcome != "passed":
            outcome = "refused" if refused else report.outcome
            self.files.setdefault(file, Counter())[outcome] += 1
            self.reasons.setdefault(file, Counter()).update(refused)

    def pytest_terminal_summary(self, terminalreporter):
        total: Counter = Counter()
        for reasons in self.reasons.values():
            total.update(reasons)
        if total:
            terminalreporter.section("refused, by reason")
            for reason, count in total.most_common():
                terminalreporter.write_line(f"{count:6d}  {reason}")
        if self.path:
            counts = {file: {**outcomes, "reasons": dict(self.reasons[file])} for file, outcomes in self.files.items()}
            with open(self.path, "w") as out:
                json.dump(counts, out, indent=1, sort_keys=True)
