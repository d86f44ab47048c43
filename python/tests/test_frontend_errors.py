"""Texts of the front end's errors: source, caret, message, cause, place."""
import pytest

triton = pytest.importorskip("triton_metal")
jit_module = pytest.importorskip("triton_metal.runtime.jit")

import triton_metal.language as tl  # noqa: E402
from triton_metal import _core  # noqa: E402
from triton_metal.errors import CompilationError, CompileTimeAssertionFailure, UnsupportedLanguageConstruct  # noqa: E402
from triton_metal.runtime.jit import jit  # noqa: E402


@jit
def unknown_name(x):
    y = x + missing  # noqa: F821


@jit
def odd_range(x):
    tl.arange(0, 3)


@jit
def shapes(x):
    a = tl.arange(0, 4) + tl.arange(0, 8)


@jit
def carried(x, n):
    acc = 0
    for i in range(n):
        acc = acc + 1.5


@jit
def asserted(x, B: tl.constexpr):
    tl.static_assert(B > 4, "too small")


@jit
def closure(x):
    f = lambda q: q  # noqa: E731


@jit
def returns_in_loop(x, n):
    for i in range(n):
        if i > 2:
            return


CASES = [
    (unknown_name, ["*fp32"], {}, CompilationError,
     "at 2:12:\ndef unknown_name(x):\n    y = x + missing  # noqa: F821\n            ^\nNameError('missing is not defined')"),
    (odd_range, ["*fp32"], {}, CompilationError,
     "at 2:4:\ndef odd_range(x):\n    tl.arange(0, 3)\n    ^\narange's range must be a power of 2"),
    (shapes, ["*fp32"], {}, CompilationError,
     "at 2:8:\ndef shapes(x):\n    a = tl.arange(0, 4) + tl.arange(0, 8)\n        ^\n"
     "Cannot make_shape_compatible: incompatible dimensions at index 0: 4 and 8"),
    (carried, ["*fp32", "i32"], {}, CompilationError,
     "at 3:4:\ndef carried(x, n):\n    acc = 0\n    for i in range(n):\n    ^\nAssertionError('Loop-carried variable acc has "
     "initial type int32 but is re-assigned to fp32 in loop! Please make sure that the type stays consistent.')"),
    (asserted, ["*fp32", "constexpr"], {1: 2}, CompileTimeAssertionFailure,
     'at 2:4:\ndef asserted(x, B: tl.constexpr):\n    tl.static_assert(B > 4, "too small")\n    ^\ntoo small'),
    (closure, ["*fp32"], {}, UnsupportedLanguageConstruct,
     "at 2:8:\ndef closure(x):\n    f = lambda q: q  # noqa: E731\n        ^\n"
     "unsupported AST node type: Lambda. Write a function at module level and decorate it with @triton.jit."),
    (returns_in_loop, ["*fp32", "i32"], {}, UnsupportedLanguageConstruct,
     "at 3:8:\ndef returns_in_loop(x, n):\n    for i in range(n):\n        if i > 2:\n        ^\n"
     "Cannot have `return` statements inside `while` or `for` statements in triton."),
]


@pytest.mark.parametrize("fn, signature, constants, error, text", CASES, ids=lambda v: getattr(v, "__name__", None))
def test_message(fn, signature, constants, error, text):
    with pytest.raises(error) as caught:
        _core.build_module(fn, signature, constants, {}, {})
    assert type(caught.value) is error
    message, _, remedy = str(caught.value).partition("\nremedy: ")
    assert message == text and (remedy or text.endswith(("@triton.jit.", "too small")))
    assert caught.value.file == __file__ and caught.value.line > 0


@jit
def _inner(x):
    return tl.load(x, masc=1)


@jit
def outer(x):
    _inner(x)


def test_calls_chain_by_cause():
    with pytest.raises(CompilationError) as caught:
        _core.build_module(outer, ["*fp32"], {}, {}, {})
    assert str(caught.value) == "at 2:4:\ndef outer(x):\n    _inner(x)\n    ^"
    cause = caught.value.__cause__
    assert isinstance(cause, CompilationError)
    assert cause.error_message.startswith("load() got an unexpected keyword argument 'masc'\nremedy: ")
    assert isinstance(cause.__cause__, TypeError)


@jit
def recursive(x):
    recursive(x)


@jit
def endless(x):
    for i in tl.static_range(0, 1000000000):
        pass


@pytest.mark.parametrize("fn", [recursive, endless], ids=lambda fn: fn.__name__)
def test_what_never_ends_is_an_error(fn):
    with pytest.raises(CompilationError):
        _core.build_module(fn, ["*fp32"], {}, {}, {})


def test_a_builtin_outside_a_kernel_says_so():
    with pytest.raises(ValueError, match="Did you forget to add @triton.jit"):
        tl.load(0)
