"""The exceptions of triton_metal.

User errors and faults of the compiler are different types. Where upstream Triton has a name for an error, it is used.
"""

from __future__ import annotations

import linecache


class TritonError(Exception):
    """Base of every exception of this package."""


def _source_excerpt(where: dict | None) -> str:
    """The line that `where` names, with a caret below its column; empty where the source is not at hand."""
    if not where or not where.get("file") or not where.get("line"):
        return ""
    line = linecache.getline(where["file"], where["line"]).rstrip("\n")
    if not line:
        return ""
    column = max(where.get("column", 0) - 1, 0)
    return f"\n{line}\n{' ' * column}^"


def _position(where: dict | None) -> str:
    if not where or not where.get("file"):
        return ""
    text = where["file"]
    if where.get("line"):
        text += f":{where['line']}"
        if where.get("column"):
            text += f":{where['column']}"
    return text + ": "


class CompilationError(TritonError):
    """A kernel that is wrong: `at <line>:<col>:`, up to 12 lines of source, a caret and the message, as upstream."""

    source_line_count_max_in_message = 12

    def __init__(self, src: str | None, node, error_message: str | None = None):
        self.src = src
        self.node = node
        self.error_message = error_message
        self.message = self._format_message()
        super().__init__(src, node, error_message)

    def _format_message(self) -> str:
        if self.node is None or getattr(self.node, "lineno", None) is None:
            return self.error_message or ""
        if self.src is None:
            source = " <source unavailable>"
        else:
            first = max(self.node.lineno - self.source_line_count_max_in_message, 0)
            lines = self.src.split("\n")[first : self.node.lineno]
            lines.append(" " * self.node.col_offset + "^")
            source = "\n".join(lines)
        message = f"at {self.node.lineno}:{self.node.col_offset}:\n{source}"
        if self.error_message:
            message += "\n" + self.error_message
        return message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self):
        return type(self), (self.src, _Position.of(self.node), self.error_message)


class _Position:
    """Line and column of a syntax node, for exceptions that travel between processes."""

    def __init__(self, lineno: int, col_offset: int):
        self.lineno = lineno
        self.col_offset = col_offset

    @classmethod
    def of(cls, node):
        if node is None or getattr(node, "lineno", None) is None:
            return None
        return cls(node.lineno, node.col_offset)


class CompileTimeAssertionFailure(CompilationError):
    """A `tl.static_assert` that does not hold."""


class UnsupportedLanguageConstruct(CompilationError):
    """Python that kernels may not use."""


class InvalidModule(CompilationError):
    """IR text that is no module of the tt dialect, or one that breaks the dialect's rules."""

    def __init__(self, error_message: str, where: dict | None = None, notes=()):
        self.where = where or {}
        self.notes = list(notes)
        super().__init__(None, None, error_message)

    def _format_message(self) -> str:
        text = _position(self.where) + self.error_message + _source_excerpt(self.where)
        return text + "".join(f"\nnote: {note}" for note in self.notes)

    def __reduce__(self):
        return type(self), (self.error_message, self.where, self.notes)


class UnsupportedOnDevice(CompilationError):
    """A kernel that is right but cannot be compiled faithfully for this device."""

    def __init__(self, op: str, device: str, reason: str, remedy: str = "", where: dict | None = None):
        self.op = op
        self.device = device
        self.reason = reason
        self.remedy = remedy
        self.where = where or {}
        super().__init__(None, None, f"{op} is not supported on {device}: {reason}")

    def _format_message(self) -> str:
        text = _position(self.where) + self.error_message + _source_excerpt(self.where)
        return text + (f"\nremedy: {self.remedy}" if self.remedy else "")

    def __reduce__(self):
        return type(self), (self.op, self.device, self.reason, self.remedy, self.where)


class OutOfResources(TritonError):
    """A kernel needs more of something than the device has."""

    def __init__(self, required: int, limit: int, name: str, remedy: str = ""):
        self.required = required
        self.limit = limit
        self.name = name
        self.remedy = remedy
        self.message = f"out of resource: {name}, Required: {required}, Hardware limit: {limit}."
        self.message += f" {remedy}" if remedy else " Reducing block sizes or `num_stages` may help."
        super().__init__(self.message)

    def __reduce__(self):
        return type(self), (self.required, self.limit, self.name, self.remedy)


class LaunchError(TritonError):
    """A launch that cannot be done; `argument` names the argument at fault, or is None."""

    def __init__(self, message: str, argument: str | None = None):
        self.argument = argument
        super().__init__(message)

    def __reduce__(self):
        return type(self), (self.args[0], self.argument)


class UnknownArgument(LaunchError, KeyError):
    """A keyword that is neither a parameter of the kernel nor an option of a launch."""

    __str__ = Exception.__str__


class ArgumentTypeError(LaunchError, TypeError):
    """An argument that is missing, or given twice, or of a type that no kernel takes."""


class ArgumentOverflow(LaunchError, OverflowError):
    """An integer that its parameter cannot hold."""


class DeviceFault(TritonError):
    """A kernel did something wrong while it ran: an access out of bounds, a race, a failed assertion, a time-out."""

    def __init__(self, message: str, where: dict | None = None):
        self.where = where or {}
        super().__init__(_position(self.where) + message + _source_excerpt(self.where))
        self.fault = message

    def __reduce__(self):
        return type(self), (self.fault, self.where)


class LayoutHintWarning(UserWarning):
    """A load or store has a layout hint that cannot be followed; the kernel is compiled as without it."""


class InternalCompilerError(TritonError):
    """A fault of this package; `reproducer` is the path of a file that shows it, or empty."""

    def __init__(self, message: str, reproducer: str = "", where: dict | None = None):
        self.reproducer = reproducer
        self.where = where or {}
        self.fault = message
        text = f"{_position(self.where)}internal error of triton-metal: {message}"
        if reproducer:
            text += f"\nA reproducer was written to {reproducer}; please attach it to a report."
        super().__init__(text)

    def __reduce__(self):
        return type(self), (self.fault, self.reproducer, self.where)


class ProfilingError(TritonError, RuntimeError):
    """Profiling was started twice, or stopped without a start, or its report was read before it was stopped."""


class AutotunerError(TritonError):
    """No configuration of an autotuned kernel can be used."""

    def __init__(self, message: str):
        self.message = message
        super().__init__(message)

    def __str__(self) -> str:
        return f"Autotuner error: {self.message}"


class InterpreterError(TritonError):
    """A kernel failed in the interpreter; kept for code that catches upstream's type."""

    def __init__(self, error_message: str | None = None):
        self.error_message = error_message
        super().__init__(error_message or "")
