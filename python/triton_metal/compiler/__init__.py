"""From a kernel's source, or from TTIR, to code."""

from . import errors
from .compiler import ASTSource, CompiledKernel, IRSource, LazyDict, compile, triton_key
from .errors import CompilationError

__all__ = ["ASTSource", "CompilationError", "CompiledKernel", "IRSource", "LazyDict", "compile", "errors", "triton_key"]
