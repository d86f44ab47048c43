"""Errors of the runtime under upstream's module name."""

from ..errors import AutotunerError, InterpreterError, OutOfResources, TritonError


class PTXASError(TritonError):
    """Raised by upstream's NVIDIA back end; here for code that catches it."""

    def __init__(self, error_message: str | None = None):
        self.error_message = error_message
        super().__init__(error_message or "")


__all__ = ["AutotunerError", "InterpreterError", "OutOfResources", "PTXASError", "TritonError"]
