"""Errors of the compiler under upstream's module name."""

from ..errors import (
    CompilationError,
    CompileTimeAssertionFailure,
    InternalCompilerError,
    InvalidModule,
    UnsupportedLanguageConstruct,
    UnsupportedOnDevice,
)

__all__ = [
    "CompilationError",
    "CompileTimeAssertionFailure",
    "InternalCompilerError",
    "InvalidModule",
    "UnsupportedLanguageConstruct",
    "UnsupportedOnDevice",
]
