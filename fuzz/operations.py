"""The operations a random program is made of: each draws operands, gives the Triton text and the NumPy meaning."""
from __future__ import annotations

import numpy as np

from values import FLOATS, INTS, NUMPY, SIGNED, Drawn, truncated_division


def int_binary(g) -> Drawn | None:
    a, b = g.pair(INTS)
    if a is None:
        return None
    kind, text, f = g.random.choice([
        ("add", "{a} + {b}", lambda x, y: x + y), ("sub", "{a} - {b}", lambda x, y: x - y),
        ("mul", "{a} * {b}", lambda x, y: x * y), ("and", "{a} & {b}", lambda x, y: x & y),
        ("or", "{a} | {b}", lambda x, y: x | y), ("xor", "{a} ^ {b}", lambda x, y: x ^ y),
        ("minimum", "tl.minimum({a}, {b})", np.minimum), ("maximum", "tl.maximum({a}, {b})", np.maximum)])
    return kind, text.format(a=a.name, b=b.name), a.dtype, a.shape, True, False, g.on(a, b, f)


def int_shift(g) -> Drawn | None:
    a, b = g.pair(INTS)
    if a is None:
        return None
    mask = np.dtype(NUMPY[a.dtype]).itemsize * 8 - 1
    left = g.random.random() < 0.5
    operator, f = ("<<", np.left_shift) if left else (">>", np.right_shift)
    text = f"{a.name} {operator} ({b.name} & {mask})"
    return ("shl" if left else "shr"), text, a.dtype, a.shape, True, False, \
        g.on(a, b, lambda x, y: f(x, y & y.dtype.type(mask)).astype(x.dtype))


def int_divide(g) -> Drawn | None:
    a, b = g.pair(("int32", "int64", "uint32", "uint64"))
    if a is None:
        return None
    remainder = g.random.random() < 0.5
    text = f"{a.name} {'%' if remainder else '//'} (({b.name} & 7) + 1)"

    def f(x, y):
        d = (y & y.dtype.type(7)) + y.dtype.type(1)
        q = truncated_division(x, d)
        return (x - q * d).astype(x.dtype) if remainder else q
    return ("rem" if remainder else "div"), text, a.dtype, a.shape, True, False, g.on(a, b, f)


def unary(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype in SIGNED or v.is_float)
    if a is None:
        return None
    kind, text, f = g.random.choice([("neg", f"-{a.name}", np.negative), ("abs", f"tl.abs({a.name})", np.abs)])
    return kind, text, a.dtype, a.shape, a.exact, a.product, g.on(a, f)


def invert(g) -> Drawn | None:
    a = g.pick(lambda v: v.is_int or v.dtype == "int1")
    if a is None:
        return None
    if a.dtype == "int1":
        return "not", f"{a.name} == 0", "int1", a.shape, True, False, g.on(a, np.logical_not)
    return "invert", f"~{a.name}", a.dtype, a.shape, True, False, g.on(a, np.invert)


def float_binary(g) -> Drawn | None:
    a, b = g.pair(FLOATS)
    if a is None:
        return None
    kind, text, f = g.random.choice([
        ("fadd", "{a} + {b}", lambda x, y: x + y), ("fsub", "{a} - {b}", lambda x, y: x - y),
        ("fmul", "{a} * {b}", lambda x, y: x * y), ("fmin", "tl.minimum({a}, {b})", np.minimum),
        ("fmax", "tl.maximum({a}, {b})", np.maximum)])
    exact = a.exact and b.exact and not (kind in ("fadd", "fsub") and (a.product or b.product))
    dtype = "float32" if a.dtype == "bfloat16" and kind in ("fmin", "fmax") else a.dtype
    return f"{kind} {a.dtype}", text.format(a=a.name, b=b.name), dtype, a.shape, exact, \
        kind == "fmul" or a.product or b.product, g.on(a, b, f)


def float_divide(g) -> Drawn | None:
    a, b = g.pair(("float32", "float64"))
    if a is None:
        return None
    return "fdiv", f"{a.name} / (tl.abs({b.name}) + 1.0)", a.dtype, a.shape, False, False, \
        g.on(a, b, lambda x, y: x / (np.abs(y) + x.dtype.type(1)))


def math_function(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype in ("float32", "float64"))
    if a is None:
        return None
    positive = lambda f: lambda x: f(np.abs(x) + x.dtype.type(0.5))  # noqa: E731
    shrunk = lambda f: lambda x: f(x / (np.abs(x) + x.dtype.type(1)))  # noqa: E731
    p, s = f"tl.abs({a.name}) + 0.5", f"{a.name} / (tl.abs({a.name}) + 1.0)"
    kind, text, f = g.random.choice([
        ("exp", f"tl.exp({s})", shrunk(np.exp)), ("exp2", f"tl.exp2({s})", shrunk(np.exp2)),
        ("log", f"tl.log({p})", positive(np.log)), ("log2", f"tl.log2({p})", positive(np.log2)),
        ("sin", f"tl.sin({s})", shrunk(np.sin)), ("cos", f"tl.cos({s})", shrunk(np.cos)),
        ("sqrt", f"tl.sqrt({p})", positive(np.sqrt)), ("rsqrt", f"tl.rsqrt({p})", positive(lambda x: 1 / np.sqrt(x))),
        ("sigmoid", f"tl.sigmoid({s})", shrunk(lambda x: 1 / (1 + np.exp(-x))))])
    return kind, text, a.dtype, a.shape, False, False, g.on(a, lambda x: f(x).astype(x.dtype))


def rounding(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype in ("float32", "float64") and v.exact)
    if a is None:
        return None
    kind, f = g.random.choice([("floor", np.floor), ("ceil", np.ceil)])
    return kind, f"tl.{kind}({a.name})", a.dtype, a.shape, True, False, g.on(a, f)


def fused(g) -> Drawn | None:
    a, b = g.pair(("float32",))
    if a is None:
        return None
    return "fma", f"tl.fma({a.name}, {b.name}, {a.name})", "float32", a.shape, False, False, g.on(a, b, lambda x, y: x * y + x)


def compare(g) -> Drawn | None:
    a, b = g.pair(INTS + FLOATS, exact=True)
    if a is None:
        return None
    operator, f = g.random.choice([("<", np.less), ("<=", np.less_equal), (">", np.greater), (">=", np.greater_equal),
                                   ("==", np.equal), ("!=", np.not_equal)])
    return f"cmp{operator}", f"{a.name} {operator} {b.name}", "int1", a.shape, True, False, g.on(a, b, f)


def logical(g) -> Drawn | None:
    a, b = g.pair(("int1",))
    if a is None:
        return None
    operator, f = g.random.choice([("&", np.logical_and), ("|", np.logical_or), ("^", np.logical_xor)])
    return f"logical{operator}", f"{a.name} {operator} {b.name}", "int1", a.shape, True, False, g.on(a, b, f)


def where(g) -> Drawn | None:
    c = g.pick(lambda v: v.dtype == "int1")
    if c is None:
        return None
    a = g.pick(lambda v: v.shape == c.shape and v.dtype != "int1")
    b = a and g.pick(lambda v: v.shape == c.shape and v.dtype == a.dtype)
    if b is None:
        return None
    return "where", f"tl.where({c.name}, {a.name}, {b.name})", a.dtype, a.shape, a.exact and b.exact, a.product or b.product, \
        g.on(c, a, b, lambda m, x, y: np.where(m, x, y).astype(x.dtype))


def cast(g) -> Drawn | None:
    a = g.pick(lambda v: v.is_int or v.dtype == "int1" or v.exact)
    if a is None:
        return None
    if a.is_float:
        to = g.random.choice([d for d in g.floats + ("int32", "int64") if d != a.dtype])
    else:
        to = g.random.choice([d for d in INTS + g.floats if d != a.dtype])
    return f"cast {a.dtype}->{to}", f"{a.name}.to(tl.{to})", to, a.shape, True, a.product, g.on(a, lambda x: x.astype(NUMPY[to]))


def reduce(g) -> Drawn | None:
    a = g.pick(lambda v: v.shape and (v.is_int or v.dtype == "float32"))
    if a is None:
        return None
    axis = g.random.randrange(len(a.shape))
    shape = a.shape[:axis] + a.shape[axis + 1:]
    kind = g.random.choice(["sum", "max", "min", "argmax", "argmin"])
    text = f"tl.{kind}({a.name}, axis={axis})"
    narrow = a.dtype in ("int8", "int16", "uint8", "uint16")
    if kind.startswith("arg"):
        if not a.exact:
            return None
        f = np.argmax if kind == "argmax" else np.argmin
        return kind, text, "int32", shape, True, False, g.on(a, lambda x: f(x, axis=axis).astype(np.int32))
    dtype = a.dtype if not narrow else ("int32" if kind != "sum" or a.dtype in SIGNED else "uint32")
    if kind == "sum":
        f = (lambda x: x.astype(np.float64).sum(axis=axis).astype(np.float32)) if a.is_float else \
            (lambda x: x.astype(NUMPY[dtype]).sum(axis=axis, dtype=NUMPY[dtype]))
    else:
        f = (lambda x: x.max(axis=axis).astype(NUMPY[dtype])) if kind == "max" else \
            (lambda x: x.min(axis=axis).astype(NUMPY[dtype]))
    return f"{kind} {len(a.shape)}d", text, dtype, shape, a.exact and not (a.is_float and kind == "sum"), False, g.on(a, f)


def expand(g) -> Drawn | None:
    a = g.pick(lambda v: len(v.shape) == 1)
    if a is None:
        return None
    rows = g.random.random() < 0.5
    text, shape = (f"{a.name}[:, None]", (a.shape[0], 1)) if rows else (f"{a.name}[None, :]", (1, a.shape[0]))
    return "expand_dims", text, a.dtype, shape, a.exact, a.product, g.on(a, lambda x: x.reshape(shape))


def broadcast(g) -> Drawn | None:
    a = g.pick(lambda v: 1 in v.shape or v.shape == ())
    target = g.random.choice(g.shapes)
    if a is None or (a.shape and (len(a.shape) != len(target) or any(s not in (1, t) for s, t in zip(a.shape, target)))):
        return None
    sizes = ", ".join(map(str, target))
    comma = "," if len(target) == 1 else ""
    return "broadcast_to", f"tl.broadcast_to({a.name}, ({sizes}{comma}))", a.dtype, target, a.exact, a.product, \
        g.on(a, lambda x: np.broadcast_to(x, target).copy())


def reshape(g) -> Drawn | None:
    a = g.pick(lambda v: v.shape)
    target = g.random.choice(g.shapes)
    if a is None or target == a.shape or int(np.prod(target)) != int(np.prod(a.shape)):
        return None
    sizes = ", ".join(map(str, target))
    return "reshape", f"tl.reshape({a.name}, {sizes})", a.dtype, target, a.exact, a.product, g.on(a, lambda x: x.reshape(target))


def transpose(g) -> Drawn | None:
    a = g.pick(lambda v: len(v.shape) == 2)
    if a is None:
        return None
    return "trans", f"tl.trans({a.name})", a.dtype, a.shape[::-1], a.exact, a.product, g.on(a, lambda x: x.T.copy())


def dot(g) -> Drawn | None:
    a = g.pick(lambda v: len(v.shape) == 2 and v.is_float and v.dtype != "float64" and min(v.shape) >= 8)
    b = a and g.pick(lambda v: v.dtype == a.dtype and len(v.shape) == 2 and v.shape[0] == a.shape[1] and v.shape[1] >= 8)
    if b is None:
        return None
    return f"dot {a.dtype}", f"tl.dot({a.name}, {b.name}, out_dtype=tl.float32)", "float32", (a.shape[0], b.shape[1]), False, False, \
        g.on(a, b, lambda x, y: (x.astype(np.float64) @ y.astype(np.float64)).astype(np.float32))


def ceil_divide(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype in ("int32", "int64") and v.exact)
    if a is None:
        return None
    d = g.random.choice([2, 3, 8])
    return "cdiv", f"tl.cdiv({a.name} & 1023, {d})", a.dtype, a.shape, True, False, \
        g.on(a, lambda x: ((x & x.dtype.type(1023)) + x.dtype.type(d - 1)) // x.dtype.type(d))


def clamp(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype == "float32")
    if a is None:
        return None
    return "clamp", f"tl.clamp({a.name}, -2.0, 3.0)", "float32", a.shape, a.exact, a.product, \
        g.on(a, lambda x: np.clip(x, np.float32(-2), np.float32(3)))


OPERATIONS = (int_binary, int_binary, int_shift, int_divide, unary, invert, float_binary, float_binary, float_divide, math_function,
              rounding, fused, compare, logical, where, where, cast, cast, reduce, reduce, expand, broadcast, broadcast, reshape,
              transpose, dot, ceil_divide, clamp)
