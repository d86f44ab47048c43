"""What a kernel's code depends on besides its own text: the functions that it calls and the globals that it reads.

Names are resolved as Python would, through closure, globals and builtins, and attribute by attribute (`module.function`). The result is
a hash for the key of the disk cache, and the globals whose values are baked into the code.
"""

from __future__ import annotations

import ast
import hashlib

_MISSING = object()

# Nodes with nothing below them that names could stand in.
_LEAVES = frozenset(
    {ast.Constant, ast.Load, ast.Store, ast.Del, ast.Pass, ast.Break, ast.Continue}.union(
        *(kind.__subclasses__() for kind in (ast.operator, ast.unaryop, ast.boolop, ast.cmpop))
    )
)


class Dependencies:
    """Walks one function's tree. `hash` is the digest; `used_globals` maps (name, id of the dictionary) to (value, dictionary).

    Every compilation pays for this walk: it is written out, because ast.NodeVisitor takes three times as long.
    """

    def __init__(self, function):
        self._function = function
        self._scope = function.get_capture_scope()
        self._globals = function.__globals__
        self._digest = hashlib.sha256(function.src.encode())
        self._bound: set[str] = set()
        self.used_globals: dict = {}

    def digest(self, tree: ast.AST) -> str:
        self.visit(tree)
        return self._digest.hexdigest()

    def visit(self, node: ast.AST):
        kind = type(node)
        if kind is ast.Name:
            self.visit_Name(node)
        elif kind is ast.Attribute:
            self.visit_Attribute(node)
        elif kind is ast.FunctionDef:
            self.visit_FunctionDef(node)
        elif kind not in _LEAVES:
            self.visit_children(node)

    def visit_children(self, node: ast.AST):
        for field in node._fields:
            child = getattr(node, field, None)
            if type(child) is list:
                for item in child:
                    if isinstance(item, ast.AST):
                        self.visit(item)
            elif isinstance(child, ast.AST):
                self.visit(child)

    def visit_FunctionDef(self, node: ast.FunctionDef):
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
            if argument is not None:
                self._bound.add(argument.arg)
                if argument.annotation is not None:
                    self.visit(argument.annotation)
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_Name(self, node: ast.Name):
        if isinstance(node.ctx, ast.Store):
            self._bound.add(node.id)
        elif node.id not in self._bound:
            self._record(self._lookup(node.id), node.id)

    def visit_Attribute(self, node: ast.Attribute):
        value = self._resolve(node)
        if value is _MISSING:
            self.visit_children(node)
        else:
            self._record(value, None)

    def _lookup(self, name: str):
        return self._scope.get(name, _MISSING)

    def _resolve(self, node: ast.AST):
        """The value of a dotted name, as far as modules go."""
        if isinstance(node, ast.Name):
            return _MISSING if node.id in self._bound else self._lookup(node.id)
        if isinstance(node, ast.Attribute):
            value = self._resolve(node.value)
            if type(value).__name__ == "module":
                return getattr(value, node.attr, _MISSING)
        return _MISSING

    def _record(self, value, name: str | None):
        """Put what the code takes from `value` into the digest."""
        if value is _MISSING:
            return
        key = getattr(value, "__triton_metal_kernel__", None)
        if key is not None:
            self._update(value.cache_key)
            # What a function that is called reads is a part of this code too.
            self.used_globals.update(getattr(value, "used_global_vals", {}))
        elif getattr(value, "__triton_aggregate__", False):
            from .aggregate import source_key

            self._update(source_key(value))
        elif _is_code(value):
            # Builtins of the language belong to this package, whose version is part of every key.
            self._update(f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', getattr(value, '__name__', ''))}")
        else:
            self._update(spell(value))
        if name is not None and name in self._globals and self._globals[name] is value and not _is_code(value):
            self.used_globals[(name, id(self._globals))] = (value, self._globals)

    def _update(self, text: str):
        self._digest.update(b"\0" + text.encode())


def _is_code(value) -> bool:
    """Functions, classes and modules. A constexpr can be called, but it is its value."""
    kind = type(value).__name__
    return kind == "module" or (callable(value) and kind != "constexpr")


def spell(value) -> str:
    """A compile-time value as a part of a key: equal only for values that give the same code. Functions stand for their source, also
    inside of constants, tuples, lists and dicts."""
    kind = type(value).__name__
    key = getattr(value, "cache_key", None)
    if isinstance(key, str):
        return f"{kind}:{key}"
    if kind == "constexpr":
        return spell(value.value)
    if isinstance(value, (tuple, list)):
        return f"{kind}({', '.join(map(spell, value))})"
    if isinstance(value, dict):
        return f"{kind}({', '.join(f'{spell(name)}: {spell(item)}' for name, item in value.items())})"
    return f"{kind}:{value!r}"
