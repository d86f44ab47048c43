"""The lines of a function found through its code object are those that inspect finds by its tokens."""

import argparse
import ast
import dataclasses
import inspect
import sys
import types

import pytest

from triton_metal.runtime.source import source_lines


def functions(module):
    for value in vars(module).values():
        for inner in vars(value).values() if isinstance(value, type) else [value]:
            if isinstance(inner, types.FunctionType):
                yield inner


def one_statement(x): return x  # noqa: E704


def no_code():
    """Only a docstring."""


# fmt: off
def odd_margins(a,
b,
):
    text = """
at the margin
"""
    if False:
        a = b
    # the end
# fmt: on


@pytest.mark.parametrize("module", [argparse, ast, dataclasses, inspect, sys.modules[__name__]], ids=lambda m: m.__name__)
def test_as_inspect(module):
    def said(lines):
        return [line for line in lines if line.strip()]

    count = 0
    for function in functions(module):
        try:
            lines, first = inspect.getsourcelines(function)
        except OSError:
            continue
        found, start = source_lines(function)
        assert (said(found), start) == (said(lines), first), function.__qualname__
        count += 1
    assert count > 5
