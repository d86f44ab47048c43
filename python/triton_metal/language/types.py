"""The types of the language: dtypes, pointers, blocks, tuples, and constexpr."""

from __future__ import annotations

import builtins
from enum import Enum

MAX_TENSOR_NUMEL = 1048576


def _unwrap_if_constexpr(o):
    if isinstance(o, list):
        return [_unwrap_if_constexpr(x) for x in o]
    if isinstance(o, builtins.tuple):
        values = [_unwrap_if_constexpr(x) for x in o]
        return type(o)(*values) if hasattr(o, "_fields") else builtins.tuple(values)
    return o.value if isinstance(o, constexpr) else o


_constexpr_to_value = _unwrap_if_constexpr


class base_value:
    """Base class of what a kernel computes with."""


class base_type:
    """Base class of the types of values."""


class const:
    """Annotation of a pointer parameter through which nothing is stored."""


class constexpr_type(base_type):
    """The type of a compile-time value: the value itself."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, constexpr_type) and self.value == other.value

    def __hash__(self):
        return hash(self.value)

    def __repr__(self):
        return f"constexpr_type[{self.value}]"

    def mangle(self):
        return f"c{self.value.mangle() if hasattr(self.value, 'mangle') else repr(self.value)}"


class constexpr(base_value):
    """A value that is known when a kernel is compiled. Operators fold as Python's do."""

    def __init__(self, value):
        while isinstance(value, constexpr):
            value = value.value
        self.value = value

    @property
    def type(self):
        return constexpr_type(self.value)

    def __repr__(self):
        return f"constexpr[{self.value}]"

    def __hash__(self):
        return hash((self.value, "constexpr"))

    def __bool__(self):
        return bool(self.value)

    def __index__(self):
        return self.value

    def __iter__(self):
        return iter(self.value)

    def __call__(self, *args, **kwargs):
        return self.value(*args, **kwargs)

    def __getitem__(self, *args):
        return self.value.__getitem__(*(_unwrap_if_constexpr(x) for x in args))

    def __neg__(self):
        return constexpr(-self.value)

    def __pos__(self):
        return constexpr(+self.value)

    def __invert__(self):
        return constexpr(~self.value)

    def __not__(self):
        return constexpr(not self.value)

    def logical_and(self, other):
        return constexpr(self.value and _unwrap_if_constexpr(other))

    def logical_or(self, other):
        return constexpr(self.value or _unwrap_if_constexpr(other))


def _add_constexpr_operators():
    import operator

    def forward(fold):
        return lambda self, other: constexpr(fold(self.value, _unwrap_if_constexpr(other)))

    def reflected(fold):
        return lambda self, other: constexpr(fold(_unwrap_if_constexpr(other), self.value))

    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and_", "or_", "xor"):
        fold = getattr(operator, name)
        setattr(constexpr, f"__{name.rstrip('_')}__", forward(fold))
        setattr(constexpr, f"__r{name.rstrip('_')}__", reflected(fold))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(constexpr, f"__{name}__", forward(getattr(operator, name)))


_add_constexpr_operators()
CONSTEXPR_0 = constexpr(0)

# ---------------------------------------------------------------------------------------------------------------------
# dtypes
# ---------------------------------------------------------------------------------------------------------------------

_BITS = {
    "void": 0, "int1": 1, "int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint8": 8, "uint16": 16, "uint32": 32,
    "uint64": 64, "fp8e5": 8, "fp8e5b16": 8, "fp8e4nv": 8, "fp8e4b8": 8, "fp8e4b15": 8, "fp16": 16, "bf16": 16,
    "fp32": 32, "fp64": 64
}
# Bits of the mantissa, and the exponent's bias.
_FORMATS = {
    "fp8e4b15": (3, 15), "fp8e4nv": (3, 7), "fp8e4b8": (3, 8), "fp8e5": (2, 15), "fp8e5b16": (2, 16), "fp16": (10, 15),
    "bf16": (7, 127), "fp32": (23, 127), "fp64": (52, 1023)
}


class dtype(base_type):
    """The type of one element."""

    SINT_TYPES = ["int8", "int16", "int32", "int64"]
    UINT_TYPES = ["int1", "uint8", "uint16", "uint32", "uint64"]
    FP_TYPES = ["fp8e4b15", "fp8e4nv", "fp8e4b8", "fp8e5", "fp8e5b16", "fp16", "bf16", "fp32", "fp64"]
    STANDARD_FP_TYPES = ["fp16", "bf16", "fp32", "fp64"]
    OTHER_TYPES = ["void"]

    class SIGNEDNESS(Enum):
        SIGNED = 0
        UNSIGNED = 1

    class KIND(Enum):
        BOOLEAN = 0
        INTEGRAL = 1
        FLOATING = 2

    def __init__(self, name):
        name = _unwrap_if_constexpr(name)
        assert name in _BITS, name
        self.name = name
        self.primitive_bitwidth = _BITS[name]
        self.itemsize = self.primitive_bitwidth // 8
        if name in dtype.SINT_TYPES or name in dtype.UINT_TYPES:
            signed = name in dtype.SINT_TYPES
            self.int_signedness = dtype.SIGNEDNESS.SIGNED if signed else dtype.SIGNEDNESS.UNSIGNED
            self.int_bitwidth = self.primitive_bitwidth
        elif name in _FORMATS:
            self.fp_mantissa_width, self.exponent_bias = _FORMATS[name]

    def is_fp8(self):
        return "fp8" in self.name

    def is_floating(self):
        return self.name in dtype.FP_TYPES

    def is_standard_floating(self):
        return self.name in dtype.STANDARD_FP_TYPES

    def is_int_signed(self):
        return self.name in dtype.SINT_TYPES

    def is_int_unsigned(self):
        return self.name in dtype.UINT_TYPES

    def is_int(self):
        return self.is_int_signed() or self.is_int_unsigned()

    def is_bool(self):
        return self.name == "int1"

    def is_block(self):
        return False

    def is_ptr(self):
        return False

    def is_const(self):
        return False

    def is_void(self):
        return self.name == "void"

    @staticmethod
    def is_dtype(type_str):
        return type_str in _BITS

    def kind(self):
        if self.is_bool():
            return dtype.KIND.BOOLEAN
        if self.is_int():
            return dtype.KIND.INTEGRAL
        assert self.is_floating()
        return dtype.KIND.FLOATING

    def get_int_max_value(self):
        assert self.is_int()
        return 2**(self.int_bitwidth - 1) - 1 if self.is_int_signed() else 2**self.int_bitwidth - 1

    def get_int_min_value(self):
        assert self.is_int()
        return -2**(self.int_bitwidth - 1) if self.is_int_signed() else 0

    def __eq__(self, other):
        other = _unwrap_if_constexpr(other)
        return isinstance(other, dtype) and self.name == other.name

    def __hash__(self):
        return hash((self.name, ))

    def __str__(self):
        return self.name

    def __repr__(self):
        return f"triton.language.{self.codegen_name()}"

    def codegen_name(self):
        if self.name.startswith("fp"):
            return "float" + self.name[2:]
        if self.name.startswith("bf"):
            return "bfloat" + self.name[2:]
        return self.name

    @property
    def scalar(self):
        return self

    @property
    def cache_key_part(self):
        return self.name

    def mangle(self):
        if self.is_int():
            return ("i" if self.is_int_signed() else "u") + str(self.int_bitwidth)
        return "V" if self.is_void() else str(self)

    def with_element_ty(self, element_ty):
        return element_ty


def _add_predicates():

    def predicate(name):
        return lambda self: self.name == name

    for name in _BITS:
        if name != "void":
            setattr(dtype, f"is_{name}", predicate(name))


_add_predicates()


class pointer_type(dtype):
    """A pointer to elements of a type. `address_space` is 1 for arrays that are passed, 3 for those of tl.shared_memory."""

    def __init__(self, element_ty, address_space=1, const=False):
        element_ty = _unwrap_if_constexpr(element_ty)
        if not isinstance(element_ty, dtype):
            raise TypeError(f"element_ty has type `{type(element_ty).__name__}`; expected `dtype`.")
        self.element_ty = element_ty
        self.address_space = address_space
        self.const = const
        self.name = f"{'const_' if const else 'shared_' if address_space == 3 else ''}pointer<{element_ty}>"
        self.primitive_bitwidth = 64
        self.itemsize = 8

    def __repr__(self):
        return self.name

    def is_ptr(self):
        return True

    def is_const(self):
        return self.const

    def __eq__(self, other):
        other = _unwrap_if_constexpr(other)
        return isinstance(other, pointer_type) and self.name == other.name

    def __hash__(self):
        return hash((self.name, ))

    def mangle(self):
        return f"P{self.element_ty.mangle()}"


class block_type(dtype):
    """A tensor of a static shape."""

    def __init__(self, element_ty, shape):
        self.element_ty = element_ty
        self.shape = builtins.tuple(_unwrap_if_constexpr(list(shape)))
        if not self.shape:
            raise TypeError("0d block_type is forbidden")
        self.numel = 1
        for i, size in enumerate(self.shape):
            if not isinstance(size, int):
                raise TypeError(f"Shape element {i} must have type `constexpr[int]`, got `constexpr[{type(size)}]")
            if size <= 0 or size & (size - 1):
                raise ValueError(f"Shape element {i} must be a power of 2")
            self.numel *= size
        if self.numel > MAX_TENSOR_NUMEL:
            raise ValueError(f"numel ({self.numel}) exceeds triton maximum tensor numel ({MAX_TENSOR_NUMEL})")
        self.name = f"<{[str(s) for s in self.shape]}, {self.element_ty}>"

    @property
    def primitive_bitwidth(self):
        return self.element_ty.primitive_bitwidth

    def __repr__(self):
        return self.name

    def is_block(self):
        return True

    def get_block_shapes(self):
        return self.shape

    def with_element_ty(self, scalar_ty):
        return block_type(scalar_ty, self.shape)

    def __eq__(self, other):
        return isinstance(other, block_type) and self.element_ty == other.element_ty and self.shape == other.shape

    def __hash__(self):
        return hash((self.name, ))

    @property
    def scalar(self):
        return self.element_ty

    @property
    def nbytes(self):
        return self.numel * (self.element_ty.primitive_bitwidth // 8)

    def mangle(self):
        return f"{self.scalar.mangle()}S{'_'.join(map(str, self.shape))}S"


class tuple_type(base_type):
    """The type of a tuple: those of its elements, and the names of its fields."""

    def __init__(self, types, fields=None):
        self.types = types
        self.fields = fields

    def __eq__(self, other):
        return isinstance(other, tuple_type) and self.types == other.types and self.fields == other.fields

    def __hash__(self):
        return hash(builtins.tuple(self.types))

    def __iter__(self):
        return iter(self.types)

    def __getitem__(self, index):
        return self.types[index]

    def __str__(self):
        if self.fields is None:
            return "[" + ",".join(str(v) for v in self.types) + "]"
        return "[" + ",".join(f"{k}:{v}" for k, v in zip(self.fields, self.types)) + "]"


void = dtype("void")
int1 = dtype("int1")
int8 = dtype("int8")
int16 = dtype("int16")
int32 = dtype("int32")
int64 = dtype("int64")
uint8 = dtype("uint8")
uint16 = dtype("uint16")
uint32 = dtype("uint32")
uint64 = dtype("uint64")
float8e5 = dtype("fp8e5")
float8e5b16 = dtype("fp8e5b16")
float8e4nv = dtype("fp8e4nv")
float8e4b8 = dtype("fp8e4b8")
float8e4b15 = dtype("fp8e4b15")
float16 = dtype("fp16")
bfloat16 = dtype("bf16")
float32 = dtype("fp32")
float64 = dtype("fp64")
pi32_t = pointer_type(int32)

# The one object of each scalar type: what the front end gives for `x.dtype`.
_SCALARS = {
    t.name: t
    for t in (void, int1, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float8e5, float8e5b16, float8e4nv,
              float8e4b8, float8e4b15, float16, bfloat16, float32, float64)
}


def get_int_dtype(bitwidth: int, signed: bool) -> dtype:
    """The integer type of a width."""
    bitwidth, signed = _unwrap_if_constexpr(bitwidth), _unwrap_if_constexpr(signed)
    if bitwidth == 1:
        return int1
    name = f"{'int' if signed else 'uint'}{bitwidth}"
    if bitwidth not in (8, 16, 32, 64):
        raise ValueError(f"Unsupported bitwidth {bitwidth} and signedness {signed}")
    return _SCALARS[name]


# Spellings in signatures and annotations.
_SHORT = {
    "i1": int1, "u1": int1, "B": int1, "i8": int8, "i16": int16, "i32": int32, "i64": int64, "u8": uint8, "u16": uint16,
    "u32": uint32, "u64": uint64, "fp16": float16, "bf16": bfloat16, "fp32": float32, "fp64": float64, "fp8e5": float8e5,
    "fp8e5b16": float8e5b16, "fp8e4nv": float8e4nv, "fp8e4b8": float8e4b8, "fp8e4b15": float8e4b15, "void": void
}


def str_to_ty(name, c=None):
    """The type of a signature's entry, such as `*fp32` or `i32`."""
    if isinstance(name, builtins.tuple):
        fields = type(name).__dict__.get("_fields", None)
        return tuple_type([str_to_ty(x, c) for x in name], fields)
    if name[0] == "*":
        name = name[1:]
        is_const = name[0] == "k"
        return pointer_type(str_to_ty(name[1:] if is_const else name, c), const=is_const)
    if name == "constexpr":
        return constexpr_type(c)
    return _SHORT[name] if name in _SHORT else _SCALARS[name]


class tensor(base_value):
    """A scalar or a block of values or pointers; exists only while a kernel is compiled."""


class tuple(base_value):
    """A tuple of values of a kernel."""

    def __init__(self, args, type=None):
        self.values = list(args)
        self.fields = getattr(type, "fields", None)

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        values = self.values[_unwrap_if_constexpr(index)]
        return tuple(values) if isinstance(values, list) else values


class slice:
    """A slice in a subscript."""

    def __init__(self, start, stop, step):
        self.start = start
        self.stop = stop
        self.step = step


class MemoryLayout(Enum):
    """How the lanes of a SIMD-group should share a tensor that is loaded or stored: a hint, docs/reference/memory-layouts.md.

    COALESCED: neighbouring lanes on neighbouring memory, with the widest vectors. BLOCK: a two-dimensional tile."""
    COALESCED = "COALESCED"
    BLOCK = "BLOCK"


class PropagateNan(Enum):
    """What a NaN operand of minimum, maximum and clamp gives: the other operand, or NaN."""
    NONE = 0
    ALL = 0xFFFF
