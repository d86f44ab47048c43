"""`aggregate`: classes whose instances are values of a kernel.

An instance exists only while a kernel is compiled: the compiler keeps the fields (lib/Frontend/Python/Aggregates.cpp). The constructor is
Python's own and runs on objects that stand for the tensors it is given.
"""

from __future__ import annotations

import inspect

from ..language import core


class _Held(core.tensor):
    """Stands for a value of the kernel in a constructor, which may look at its type and store it."""

    def __init__(self, index, type, cls):
        self._held_index = index
        if type is not None:
            self.type = type
            self.dtype = getattr(type, "element_ty", type) if type.is_block() else type
            self.shape = type.shape if type.is_block() else []
        if cls is not None:
            self.__class__ = _held_class(cls)


def _held_class(cls):
    """isinstance of the stand-in of an aggregate or a named tuple is that of its class."""
    class Held(_Held):
        @property
        def __class__(self):
            return cls

    return Held


def _fields_of(cls) -> dict:
    """Annotated fields, those of bases first."""
    fields = {}
    for base in reversed(cls.__mro__):
        fields.update(base.__dict__.get("__annotations__", {}))
    return fields


def _generated_init(cls, fields):
    """A constructor with the fields in order, by position or by name; the class's values of them are the defaults."""
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=getattr(cls, name, inspect.Parameter.empty))
        for name in fields
    ]
    signature = inspect.Signature(parameters)

    def init(self, *args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            setattr(self, name, value)

    return init


def aggregate(cls):
    """Make the annotated fields of a class values of a kernel: tensors, constexprs, tuples, other aggregates. Methods are jit functions."""
    from .jit import ConstexprFunction, JITFunction

    for base in cls.__mro__[1:-1]:
        if not getattr(base, "__triton_aggregate__", False):
            raise TypeError(f"{cls.__name__} can inherit from aggregates only, not from {base.__name__}")
    fields = _fields_of(cls)
    init = cls.__dict__.get("__init__")
    if isinstance(init, JITFunction):
        raise ValueError(f"{cls.__name__}.__init__ cannot be a @triton.jit function")
    takes_values = isinstance(init, ConstexprFunction)
    if init is None:
        inherited = next((b._init for b in cls.__mro__[1:] if "_init" in b.__dict__ and not b._generated), None)
        init, generated = (inherited, False) if inherited is not None else (_generated_init(cls, fields), True)
    else:
        init, generated = (init.fn if takes_values else init), False

    class Instance:
        """What a constructor fills in."""

    def construct(*args, **kwargs):
        instance = Instance()
        init(instance, *args, **kwargs)
        for name in fields:
            if not hasattr(instance, name):
                raise AttributeError(f"constructor for {cls.__name__} did not initialize attribute '{name}'")
        extra = [name for name in vars(instance) if name not in fields]
        if extra:
            raise AttributeError(f"constructor for {cls.__name__} sets '{extra[0]}', which is no field of it")
        return [getattr(instance, name) for name in fields]

    cls.__triton_aggregate__ = True
    cls._fields = tuple(fields)
    cls._constexpr_fields = tuple("constexpr" in (a if isinstance(a, str) else getattr(a, "__name__", str(a))) for a in fields.values())
    cls._init, cls._generated = staticmethod(init), generated
    cls._construct = staticmethod(construct)
    cls._hold = staticmethod(_Held)
    return cls


def source_key(cls) -> str:
    """What the code of a kernel that uses the class depends on."""
    parts = [repr([(name, str(annotation)) for name, annotation in _fields_of(cls).items()])]
    try:
        parts.append(inspect.getsource(cls))
    except OSError:  # defined where there is no file
        parts.append(f"{cls.__module__}.{cls.__qualname__}")
    for base in cls.__mro__:
        parts += [value.cache_key for value in base.__dict__.values() if hasattr(value, "__triton_metal_kernel__")]
    return "\0".join(parts)
