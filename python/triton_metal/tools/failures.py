"""How the command line tells of what went wrong: in a kernel, and in a file of the user's that it runs."""

from __future__ import annotations

import os
import runpy
import traceback

from ..errors import CompilationError, TritonError


class UsageError(Exception):
    """Something on the command line that cannot be right; its text says what to write instead."""


class ScriptError(Exception):
    """A file of the user's raised something, which was shown; `status` is the exit status that follows."""

    def __init__(self, status: int):
        self.status = status
        super().__init__(status)


def error_text(error: TritonError) -> str:
    """The type, text and place of an error. Where a kernel calls the function at fault: the innermost first, then the calls."""
    chain = [error]
    while isinstance(chain[-1], CompilationError) and isinstance(chain[-1].__cause__, CompilationError):
        chain.append(chain[-1].__cause__)
    lines = []
    for each in reversed(chain):
        notes = getattr(each, "__notes__", [])  # file, line and function, where the text has none
        head = "called from" if lines else f"{type(each).__name__}:"
        lines += [head, *notes, str(each)] if notes else [f"{head} {each}"]
    return "\n".join(lines)


def _own_frames(trace):
    """The traceback from the first frame of the user's file on; None where there is none."""
    folder = os.path.dirname(__file__)
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name != runpy.__file__ and os.path.dirname(name) != folder and not name.startswith("<frozen "):
            break
        trace = trace.tb_next
    return trace


class own_frames:
    """A context in which a file of the user's runs. What it raises is printed as Python prints it, but without the frames of the command
    above the file's own, and becomes a ScriptError with the exit status. SystemExit and UsageError pass through.

    That there is no such module, which runpy raises itself, is a UsageError.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        if error is None or isinstance(error, (SystemExit, UsageError)):
            return
        own = _own_frames(trace)
        if own is None and kind is ImportError:
            raise UsageError(str(error)) from error
        traceback.print_exception(kind, error, own)
        raise ScriptError(130 if isinstance(error, KeyboardInterrupt) else 1) from error
