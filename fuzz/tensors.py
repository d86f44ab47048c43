"""Operations that move, combine or reduce whole tensors, and library functions: as in operations.py."""
from __future__ import annotations

import math

import numpy as np

from values import FLOATS, INTS, NUMPY, SIGNED, Drawn, promoted

# Device functions that programs may call; each program's text starts with all of them.
HELPERS = '''
@triton.jit
def combine_max(a, b):
    return tl.where(a > b, a, b)


@triton.jit
def combine_xor(a, b):
    return a ^ b


@triton.jit
def combine_product(a, b):
    return a * b


@triton.jit
def combine_first_max(v1, i1, v2, i2):
    better = (v1 > v2) | ((v1 == v2) & (i1 < i2))
    return tl.where(better, v1, v2), tl.where(better, i1, i2)


@triton.jit
def sum_and_difference(x, y, swap: tl.constexpr = False):
    if swap:
        return y - x, x + y
    return x + y, x - y


@triton.jit
def several_returns(x, y, which):
    if which == 0:
        return x
    elif which == 1:
        if which > 0:
            return y
    z = x ^ y
    return z
'''


def literal(g) -> Drawn | None:
    """A number beside a tensor takes the tensor's type."""
    a = g.pick(lambda v: v.is_int or v.is_float)
    if a is None:
        return None
    kind, operator, f = g.random.choice([("add", "+", np.add), ("sub", "-", np.subtract), ("mul", "*", np.multiply)])
    number = g.random.choice([1, 2, 3, 7]) if a.is_int else g.random.choice([0.5, 2.0, 1, 3])
    left = g.random.random() < 0.3
    text = f"{number} {operator} {a.name}" if left else f"{a.name} {operator} {number}"
    n = NUMPY[a.dtype](number)
    exact = a.exact and not (a.is_float and a.product and kind != "mul")
    return f"literal {kind}", text, a.dtype, a.shape, exact, a.is_float and (kind == "mul" or a.product), \
        g.on(a, lambda x: (f(n, x) if left else f(x, n)).astype(x.dtype))


def mixed(g) -> Drawn | None:
    """Operands of two types: the result's type follows from the promotion rules."""
    a = g.pick(lambda v: v.is_int or v.is_float)
    b = a and g.pick(lambda v: (v.is_int or v.is_float) and v.dtype != a.dtype and v.shape == a.shape)
    if b is None:
        return None
    dtype = promoted(a.dtype, b.dtype)
    to = NUMPY[dtype]
    kind, text, f = g.random.choice([("add", f"{a.name} + {b.name}", np.add), ("mul", f"{a.name} * {b.name}", np.multiply)])
    is_float = dtype in FLOATS
    exact = a.exact and b.exact and not (is_float and kind == "add" and (a.product or b.product))
    return f"mixed {kind}", text, dtype, a.shape, exact, is_float and (kind == "mul" or a.product or b.product), \
        g.on(a, b, lambda x, y: f(x.astype(to), y.astype(to)).astype(to))


def exact_math(g) -> Drawn | None:
    """Functions that are rounded correctly."""
    a, b = g.pair(("float32",))
    if a is None:
        return None
    if g.random.random() < 0.5:
        return "sqrt_rn", f"tl.sqrt_rn(tl.abs({a.name}))", "float32", a.shape, a.exact, False, \
            g.on(a, lambda x: np.sqrt(np.abs(x)))
    return "div_rn", f"tl.div_rn({a.name}, tl.maximum(tl.abs({b.name}), 0.5))", "float32", a.shape, a.exact and b.exact, False, \
        g.on(a, b, lambda x, y: x / np.maximum(np.abs(y), np.float32(0.5)))


def error_function(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype == "float32")
    if a is None:
        return None
    f = np.vectorize(math.erf, otypes=[np.float64])
    return "erf", f"tl.erf({a.name})", "float32", a.shape, False, False, \
        g.on(a, lambda x: f(x.astype(np.float64)).astype(np.float32))


def softmax(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype == "float32" and len(v.shape) == 1)
    if a is None:
        return None

    def f(x):
        e = np.exp(x.astype(np.float64) - x.max())
        return (e / e.sum()).astype(np.float32)
    return "softmax", f"tl.softmax({a.name})", "float32", a.shape, False, False, g.on(a, f)


def philox(seed: int, offset: np.ndarray) -> list[np.ndarray]:
    """The words of Philox 4x32 with ten rounds."""
    c0, c1, c2, c3 = (offset.astype(np.uint64) & 0xFFFFFFFF), *(np.zeros(offset.shape, np.uint64) for _ in range(3))
    k0, k1 = np.uint64(seed), np.uint64(0)
    word, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (b >> half) ^ c1 ^ k0, b & word, (a >> half) ^ c3 ^ k1, a & word
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & word, (k1 + np.uint64(0xBB67AE85)) & word
    return [c.astype(np.uint32) for c in (c0, c1, c2, c3)]


def uniform(word: np.ndarray) -> np.ndarray:
    """A word as a number of [0, 1)."""
    i = word.astype(np.int32)
    return np.where(i < 0, -i - 1, i).astype(np.float32) * np.float32(4.6566127342e-10)


def random_numbers(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype in ("int32", "uint32"))
    if a is None:
        return None
    seed = g.random.choice([0, 1, 12345])
    if g.random.random() < 0.5:
        return "randint", f"tl.randint({seed}, {a.name})", "uint32", a.shape, True, False, g.on(a, lambda x: philox(seed, x)[0])
    return "rand", f"tl.rand({seed}, {a.name})", "float32", a.shape, True, True, g.on(a, lambda x: uniform(philox(seed, x)[0]))


def user_reduce(g) -> Drawn | None:
    """A reduction by a function of the program, over one or two operands."""
    a = g.pick(lambda v: v.shape and v.dtype in ("int32", "uint32", "int64", "float32") and v.exact)
    if a is None:
        return None
    axis = g.random.randrange(len(a.shape))
    shape = a.shape[:axis] + a.shape[axis + 1:]
    choices = [("combine_max", lambda x: x.max(axis=axis))]
    if a.is_int:
        choices += [("combine_xor", lambda x: np.bitwise_xor.reduce(x, axis=axis)),
                    ("combine_product", lambda x: np.multiply.reduce(x, axis=axis, dtype=x.dtype))]
    if g.random.random() < 0.4:
        index = "tl.arange(0, {})[{}]".format(a.shape[axis], ", ".join(":" if i == axis else "None" for i in range(len(a.shape))))
        sizes = ", ".join(map(str, a.shape)) + ","
        text = f"tl.reduce(({a.name}, tl.broadcast_to({index}, ({sizes}))), {axis}, combine_first_max)[1]"
        return "reduce 2", text, "int32", shape, True, False, g.on(a, lambda x: np.argmax(x, axis=axis).astype(np.int32))
    name, f = g.random.choice(choices)
    return f"reduce {name}", f"tl.reduce({a.name}, {axis}, {name})", a.dtype, shape, True, False, g.on(a, f)


def ties(g) -> Drawn | None:
    """The leftmost of equal elements."""
    a = g.pick(lambda v: v.shape and v.is_int)
    if a is None:
        return None
    axis, few = g.random.randrange(len(a.shape)), NUMPY[a.dtype](g.random.choice([0, 1, 3]))
    shape = a.shape[:axis] + a.shape[axis + 1:]
    kind, f = g.random.choice([("argmax", np.argmax), ("argmin", np.argmin)])
    text = f"tl.{kind}({a.name} & {few}, axis={axis})" if g.random.random() < 0.6 else \
        f"tl.{kind[3:]}({a.name} & {few}, axis={axis}, return_indices=True)[1]"
    return f"{kind} ties", text, "int32", shape, True, False, g.on(a, lambda x: f(x & few, axis=axis).astype(np.int32))


def kept_or_all(g) -> Drawn | None:
    """Reductions that keep their axis, or take all axes."""
    a = g.pick(lambda v: v.shape and v.dtype in ("int32", "uint32", "int64", "uint64", "float32"))
    if a is None:
        return None
    axis = g.random.choice([None, *range(len(a.shape))])
    kept = axis is not None
    shape = tuple(1 if i == axis else s for i, s in enumerate(a.shape)) if kept else ()
    kind, f = g.random.choice([("max", np.max), ("min", np.min), ("sum", np.sum)])
    text = f"tl.{kind}({a.name}, axis={axis}, keep_dims=True)" if kept else f"tl.{kind}({a.name})"
    wide = lambda x: x.astype(np.float64) if a.is_float else x  # noqa: E731
    return f"{kind} {'kept' if kept else 'all'}", text, a.dtype, shape, a.exact and not (a.is_float and kind == "sum"), False, \
        g.on(a, lambda x: f(wide(x), axis=axis, keepdims=kept).astype(x.dtype))


def scan(g) -> Drawn | None:
    a = g.pick(lambda v: v.shape and (v.is_int or v.dtype == "float32"))
    if a is None:
        return None
    axis, reverse = g.random.randrange(len(a.shape)), g.random.random() < 0.4
    narrow = a.dtype in ("int8", "int16", "uint8", "uint16")
    dtype = a.dtype if not narrow else ("int32" if a.dtype in SIGNED else "uint32")

    def f(x):
        x = np.flip(x, axis) if reverse else x
        x = np.cumsum(x, axis=axis, dtype=np.float64 if a.is_float else NUMPY[dtype]).astype(NUMPY[dtype])
        return (np.flip(x, axis) if reverse else x).copy()
    text = f"tl.cumsum({a.name}, axis={axis}{', reverse=True' if reverse else ''})"
    return "cumsum", text, dtype, a.shape, a.exact and not a.is_float, False, g.on(a, f)


def join(g) -> Drawn | None:
    a = g.pick(lambda v: len(v.shape) <= 2 and v.dtype != "int1")
    b = a and g.pick(lambda v: v.dtype == a.dtype and v.shape == a.shape)
    if b is None:
        return None
    exact, product = a.exact and b.exact, a.product or b.product
    if a.shape and g.random.random() < 0.4:
        shape = (*a.shape[:-1], 2 * a.shape[-1])
        return "interleave", f"tl.interleave({a.name}, {b.name})", a.dtype, shape, exact, product, \
            g.on(a, b, lambda x, y: np.stack([x, y], -1).reshape(shape))
    return "join", f"tl.join({a.name}, {b.name})", a.dtype, (*a.shape, 2), exact, product, \
        g.on(a, b, lambda x, y: np.stack([x, y], -1))


def split(g) -> Drawn | None:
    a = g.pick(lambda v: v.shape[-1:] == (2,) and v.dtype != "int1")
    if a is None:
        return None
    k = g.random.randrange(2)
    return "split", f"tl.split({a.name})[{k}]", a.dtype, a.shape[:-1], a.exact, a.product, g.on(a, lambda x: x[..., k].copy())


def permute(g) -> Drawn | None:
    a = g.pick(lambda v: len(v.shape) == 3)
    if a is None:
        return None
    order = g.random.sample(range(3), 3)
    text = f"tl.permute({a.name}, {', '.join(map(str, order))})"
    return "permute 3d", text, a.dtype, tuple(a.shape[i] for i in order), a.exact, a.product, \
        g.on(a, lambda x: np.transpose(x, order).copy())


def gather(g) -> Drawn | None:
    """A load from computed addresses, under a computed mask where there is one."""
    a = g.pick(lambda v: v.dtype in ("int32", "int64", "uint32", "uint8") and v.exact)
    if a is None:
        return None
    dtype = g.random.choice(g.inputs)
    data, bits = g.element(dtype, g.program.inputs[f"{dtype}_ptr"]), 127
    m = g.pick(lambda v: v.dtype == "int1" and v.shape == a.shape)
    address = f"{g.pointer(dtype)} + ({a.name} & {bits})"
    if m is None:
        return "gather", f"tl.load({address}{g.layout()})", dtype, a.shape, True, False, \
            g.on(a, lambda x: data[(x & x.dtype.type(bits)).astype(np.int64)])
    text = f"tl.load({address}, mask={m.name} & ({a.name} != 3), other=2{g.layout()})"
    return "gather masked", text, dtype, a.shape, True, False, \
        g.on(a, m, lambda x, p: np.where(p & (x != 3), data[(x & x.dtype.type(bits)).astype(np.int64)], NUMPY[dtype](2)))


def conditional(g) -> Drawn | None:
    """A conditional expression on a scalar that differs between programs."""
    a = g.pick(lambda v: v.dtype != "int1" and v.shape == ())
    b = a and g.pick(lambda v: v.dtype == a.dtype and v.shape == a.shape)
    if b is None:
        return None
    return "conditional", f"({a.name} if pid > 0 else {b.name})", a.dtype, (), a.exact and b.exact, a.product or b.product, \
        lambda env: env[a.name] if env["pid"] > 0 else env[b.name]


def call(g) -> Drawn | None:
    """A device function with several results, or with several returns."""
    a, b = g.pair(INTS)
    if a is None:
        return None
    if g.random.random() < 0.5:
        k, swap = g.random.randrange(2), g.random.random() < 0.5
        f = (lambda x, y: y - x if k == 0 else x + y) if swap else (lambda x, y: x + y if k == 0 else x - y)
        text = f"sum_and_difference({a.name}, {b.name}{', swap=True' if swap else ''})[{k}]"
        return "call", text, a.dtype, a.shape, True, False, g.on(a, b, f)
    return "call returns", f"several_returns({a.name}, {b.name}, pid)", a.dtype, a.shape, True, False, \
        lambda env: (env[a.name], env[b.name], env[a.name] ^ env[b.name])[min(int(env["pid"]), 2)]


def constant(g) -> Drawn | None:
    shape = g.random.choice(g.shapes)
    dtype, value = g.random.choice(INTS + g.floats), g.random.choice([0, 1, 3, 100])
    sizes = ", ".join(map(str, shape)) + ","
    return "full", f"tl.full(({sizes}), {value}, tl.{dtype})", dtype, shape, True, False, \
        lambda env: np.full(shape, value, NUMPY[dtype])


def dot_accumulate(g) -> Drawn | None:
    a = g.pick(lambda v: len(v.shape) == 2 and v.is_float and min(v.shape) >= 16)
    b = a and g.pick(lambda v: v.dtype == a.dtype and len(v.shape) == 2 and v.shape[0] == a.shape[1] and v.shape[1] >= 16)
    c = b and g.pick(lambda v: v.dtype == "float32" and v.shape == (a.shape[0], b.shape[1]))
    if c is None:
        return None
    return "dot acc", f"tl.dot({a.name}, {b.name}, acc={c.name}, input_precision='ieee')", "float32", c.shape, False, False, \
        g.on(a, b, c, lambda x, y, z: (x.astype(np.float64) @ y.astype(np.float64) + z).astype(np.float32))


def implicit(g) -> Drawn | None:
    """Operands of two shapes, broadcast by the operator."""
    a = g.pick(lambda v: v.is_int)
    b = a and g.pick(lambda v: v.dtype == a.dtype and v.shape != a.shape
                     and (len(v.shape) == len(a.shape) or () in (v.shape, a.shape))
                     and all(1 in (m, n) or m == n for m, n in zip(v.shape, a.shape)))
    if b is None:
        return None
    shape = np.broadcast_shapes(a.shape, b.shape)
    if int(np.prod(shape)) > 4096:
        return None
    operator, f = g.random.choice([("+", np.add), ("-", np.subtract), ("^", np.bitwise_xor)])
    return "implicit broadcast", f"{a.name} {operator} {b.name}", a.dtype, shape, True, False, g.on(a, b, f)


def signed_division(g) -> Drawn | None:
    """Quotients and remainders of any signs, at every width."""
    a, b = g.pair(SIGNED)
    if a is None:
        return None
    remainder = g.random.random() < 0.5
    text = f"({a.name} >> 1) {'%' if remainder else '//'} ((({b.name} & 15) - 8) | 1)"

    def f(x, y):
        n, one = x >> x.dtype.type(1), x.dtype.type(1)
        d = ((y & y.dtype.type(15)) - y.dtype.type(8)) | one
        q = (np.abs(n.astype(np.int64)).astype(np.uint64) // np.abs(d.astype(np.int64)).astype(np.uint64)).astype(np.int64)
        q = np.where((n < 0) != (d < 0), -q, q).astype(x.dtype)
        return (n - q * d).astype(x.dtype) if remainder else q
    return ("srem" if remainder else "sdiv"), text, a.dtype, a.shape, True, False, g.on(a, b, f)


def unsigned_division(g) -> Drawn | None:
    a, b = g.pair(("uint8", "uint16", "uint32", "uint64"))
    if a is None:
        return None
    operator, f = g.random.choice([("//", np.floor_divide), ("%", np.remainder)])
    return f"u{operator}", f"{a.name} {operator} ({b.name} | 1)", a.dtype, a.shape, True, False, \
        g.on(a, b, lambda x, y: f(x, y | y.dtype.type(1)).astype(x.dtype))


def bitcast(g) -> Drawn | None:
    a = g.pick(lambda v: v.exact and v.dtype in ("float32", "float16", "int32", "uint32", "int8", "uint8", "int64", "uint64"))
    if a is None:
        return None
    to = g.random.choice({"float32": ["int32", "uint32"], "float16": ["int16", "uint16"], "int32": ["uint32"],
                          "uint32": ["int32"], "int8": ["uint8"], "uint8": ["int8"], "int64": ["uint64"], "uint64": ["int64"]}[a.dtype])
    return "bitcast", f"{a.name}.to(tl.{to}, bitcast=True)", to, a.shape, True, False, \
        g.on(a, lambda x: np.ascontiguousarray(x).view(NUMPY[to]).reshape(x.shape))


def truth(g) -> Drawn | None:
    """Conversions to int1, and `not`."""
    a = g.pick(lambda v: v.is_int or (v.is_float and v.exact))
    if a is None:
        return None
    return "cast int1", f"{a.name}.to(tl.int1)", "int1", a.shape, True, False, g.on(a, lambda x: x != 0)


def half_extremes(g) -> Drawn | None:
    """Extremes of halves, whose result is float32."""
    a = g.pick(lambda v: v.shape and v.dtype in ("float16", "bfloat16"))
    if a is None:
        return None
    axis = g.random.randrange(len(a.shape))
    kind, f = g.random.choice([("max", np.max), ("min", np.min)])
    shape = a.shape[:axis] + a.shape[axis + 1:]
    return f"{kind} {a.dtype}", f"tl.{kind}({a.name}, axis={axis})", "float32", shape, a.exact, False, \
        g.on(a, lambda x: f(x, axis=axis).astype(np.float32))


def scalar(g) -> Drawn | None:
    """An argument of the kernel beside a tensor."""
    name, value = g.random.choice(list(g.program.scalars.items()))
    dtype = "float32" if isinstance(value, float) else "int32"
    a = g.pick(lambda v: v.dtype == dtype and v.shape)
    if a is None:
        return None
    kind, operator, f = g.random.choice([("add", "+", np.add), ("mul", "*", np.multiply), ("sub", "-", np.subtract)])
    is_float, n = dtype == "float32", NUMPY[dtype](value)
    exact = a.exact and not (is_float and a.product and kind != "mul")
    return f"scalar {kind}", f"{a.name} {operator} {name}", dtype, a.shape, exact, is_float and (kind == "mul" or a.product), \
        g.on(a, lambda x: f(x, n).astype(x.dtype))


TENSORS = (implicit, implicit, signed_division, unsigned_division, bitcast, truth, half_extremes, scalar, literal, mixed,
           exact_math, error_function, softmax, random_numbers, user_reduce, ties, kept_or_all, scan, join, join,
           split, split, permute, permute, gather, gather, conditional, call, call, constant, dot_accumulate)
