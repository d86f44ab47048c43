"""Running somebody's script inside of a command, and seeing what it launches."""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from .. import _core, knobs
from ..compiler.compiler import ASTSource, CompiledKernel
from ..errors import TritonError
from .failures import ScriptError, UsageError, own_frames


@dataclass
class Launched:
    """One compiled kernel that a script launched: the grid of its first launch, and how often it was launched.

    `explanation`: of the first launch, an Explanation or the error that there was instead; None where none was asked for.
    """

    kernel: CompiledKernel
    grid: tuple[int, int, int]
    launches: int = 0
    explanation: object = None


def check_script(path: str, is_module: bool = False) -> None:
    """UsageError where there is no such script."""
    if not is_module and not os.path.isfile(path):
        raise UsageError(f"there is no script {path}")


def run_script(path: str, arguments: list[str], is_module: bool = False) -> int:
    """Run a script as `python path arguments...` would, or as `python -m path arguments...`; its exit status. UsageError where there is no
    such script.

    What the script raises is shown with the traceback from the script's own frames on, and makes the status 1; Ctrl-C makes it 130.
    """
    check_script(path, is_module)
    before = sys.argv[:], sys.path[:]
    sys.argv = [path, *arguments]
    sys.path.insert(0, os.getcwd() if is_module else os.path.dirname(os.path.abspath(path)))
    try:
        with own_frames():
            if is_module:
                runpy.run_module(path, run_name="__main__", alter_sys=True)
            else:
                runpy.run_path(path, run_name="__main__")
    except SystemExit as request:
        if isinstance(request.code, str):
            print(request.code, file=sys.stderr)
            return 1
        return request.code or 0
    except ScriptError as error:
        return error.status
    finally:
        sys.argv, sys.path[:] = before
    return 0


def _explanation(launch: dict):
    from ..profiling.explain import explain

    kernel = launch["kernel"]
    try:
        return explain(kernel.src.fn, launch["args"], launch["grid"], kernel.metadata.target, num_warps=kernel.metadata.num_warps)
    except TritonError as error:
        return error


@contextlib.contextmanager
def recorded_launches(explain: bool = False) -> Iterator[dict[int, Launched]]:
    """What is launched inside, trials of tuners excepted: each compiled kernel once, in the order of first launches.

    explain: say what the compiler made of each of them, with the arguments of its first launch.
    """
    seen: dict[int, Launched] = {}

    def note(launch: dict) -> None:
        if _core.is_searching():
            return
        kernel = launch["kernel"]
        if id(kernel) not in seen:
            seen[id(kernel)] = Launched(kernel, launch["grid"])
            if explain and isinstance(kernel.src, ASTSource):
                seen[id(kernel)].explanation = _explanation(launch)
        seen[id(kernel)].launches += 1

    knobs.runtime.launch_enter_hook.add(note)
    try:
        yield seen
    finally:
        knobs.runtime.launch_enter_hook.remove(note)
