"""Constructs of the language itself: constants of every origin, tuples, chains, attributes, hints and further library functions.

As in operations.py; those that need statements of their own write them through the generator's `define`.
"""
from __future__ import annotations

import numpy as np

from tensors import philox, uniform
from values import FLOATS, INTS, NUMPY, SIGNED, Drawn

# Constants that the programs' text defines, and their values: a global, a default argument, a captured variable, an argument.
CONSTANTS = '''
STEP = tl.constexpr(3)
PRIMES = tl.constexpr((2, 3, 5, 7, 11))


def adder_of(amount):
    @triton.jit
    def add(x, times: tl.constexpr = 2):
        return x + amount * times
    return add


add_tens = adder_of(tl.constexpr(5))
'''
MODE = ("MODE", (0, 1, 2))  # a constexpr argument of the kernel and the values it may have


def number(g) -> Drawn | None:
    """A constant beside a tensor: global, captured, sliced out of a tuple, an argument, a size, the number of programs."""
    a = g.pick(lambda v: v.dtype in ("int32", "int64", "uint32", "uint64"))
    if a is None:
        return None
    mode = g.program.constants["MODE"]
    if a.dtype in SIGNED:
        static = f"({a.name} | 1 if MODE == 1 else {a.name} & -2)"
        meant = lambda x: x | x.dtype.type(1) if mode == 1 else x & x.dtype.type(-2)  # noqa: E731
    else:
        static = f"({a.name} | 1 if MODE else {a.name})"
        meant = lambda x: x | x.dtype.type(1) if mode else x  # noqa: E731
    choices = [("global", f"{a.name} * STEP", lambda x: x * x.dtype.type(3)),
               ("closure", f"add_tens({a.name})", lambda x: x + x.dtype.type(10)),
               ("closure", f"add_tens({a.name}, times=3)", lambda x: x + x.dtype.type(15)),
               ("tuple slice", f"{a.name} + PRIMES[1:4][2]", lambda x: x + x.dtype.type(7)),
               ("tuple slice", f"{a.name} ^ (1, 4, 9)[-2:][MODE % 2]", lambda x: x ^ x.dtype.type((4, 9)[mode % 2])),
               ("constexpr", f"{a.name} - (MODE * 4 + 1)", lambda x: x - x.dtype.type(mode * 4 + 1)),
               ("constexpr", static, meant)]
    if a.dtype in ("int32", "int64"):
        choices.append(("num_programs", f"{a.name} - tl.num_programs(0)", lambda x: x - x.dtype.type(g.program.grid[0])))
    if a.shape:
        choices.append(("shape", f"{a.name} * {a.name}.shape[-1]", lambda x: x * x.dtype.type(a.shape[-1])))
    kind, text, f = g.random.choice(choices)
    return kind, text, a.dtype, a.shape, True, False, g.on(a, lambda x: f(x).astype(x.dtype))


def chain(g) -> Drawn | None:
    """A comparison chain."""
    a = g.pick(lambda v: v.dtype in INTS + FLOATS and v.exact)
    b = a and g.pick(lambda v: v.dtype == a.dtype and v.shape == a.shape and v.exact)
    c = b and g.pick(lambda v: v.dtype == a.dtype and v.shape == a.shape and v.exact)
    if c is None:
        return None
    return "chain", f"({a.name} <= {b.name} < {c.name})", "int1", a.shape, True, False, \
        g.on(a, b, c, lambda x, y, z: (x <= y) & (y < z))


def boolean(g) -> Drawn | None:
    """`and`, `or`, `not` of scalars that differ between programs."""
    a = g.pick(lambda v: v.dtype in ("int32", "int64") and v.shape == () and v.exact)
    if a is None:
        return None
    text, f = g.random.choice([
        (f"{a.name} > 3 and pid != 1", lambda x, p: x > 3 and p != 1),
        (f"pid == 0 or not {a.name} > 0", lambda x, p: p == 0 or not x > 0),
        (f"not (few < 5 and {a.name} != 7)", lambda x, p: not (g.program.scalars["few"] < 5 and x != 7))])
    return "boolean", f"({text})", "int1", (), True, False, lambda env: np.bool_(f(env[a.name], env["pid"]))


def attribute(g) -> Drawn | None:
    """Types taken from values and pointers, and functions as methods."""
    a = g.pick(lambda v: v.is_int and v.shape)
    if a is None:
        return None
    axis, size = g.random.randrange(len(a.shape)), int(np.prod(a.shape))
    like = g.pick(lambda v: v.is_int and v.dtype != a.dtype)
    choices = [("x.T", f"{a.name}.T", a.dtype, a.shape[::-1], lambda x: x.T.copy())] if len(a.shape) == 2 else []
    to = g.random.choice(INTS)
    choices += [("element_ty", f"{a.name}.to({to}_ptr.dtype.element_ty)", to, a.shape, lambda x: x.astype(NUMPY[to])),
                ("zeros_like", f"tl.zeros_like({a.name})", a.dtype, a.shape, np.zeros_like),
                ("method", f"{a.name}.reshape({size})", a.dtype, (size,), lambda x: x.reshape(-1)),
                ("view", f"tl.view({a.name}, ({size},))", a.dtype, (size,), lambda x: x.reshape(-1))]
    if np.dtype(NUMPY[a.dtype]).itemsize >= 4:
        shape = a.shape[:axis] + a.shape[axis + 1:]
        choices.append(("method", f"{a.name}.max(axis={axis})", a.dtype, shape, lambda x: x.max(axis=axis)))
    if like is not None:
        choices.append(("x.dtype", f"{a.name}.to({like.name}.dtype)", like.dtype, a.shape, lambda x: x.astype(NUMPY[like.dtype])))
    kind, text, dtype, shape, f = g.random.choice(choices)
    return kind, text, dtype, shape, True, False, g.on(a, f)


def normal_numbers(g) -> Drawn | None:
    a = g.pick(lambda v: v.dtype in ("int32", "uint32"))
    if a is None:
        return None
    seed = g.random.choice([0, 7, 4096])

    def f(x):
        one, two = (uniform(word).astype(np.float64) for word in philox(seed, x)[:2])
        return (np.sqrt(-2 * np.log(np.maximum(one, 1e-7))) * np.cos(6.283185307179586 * two)).astype(np.float32)
    return "randn", f"tl.randn({seed}, {a.name})", "float32", a.shape, False, False, g.on(a, f)


def both_broadcast(g) -> Drawn | None:
    """tl.broadcast of two tensors."""
    a = g.pick(lambda v: v.shape)
    b = a and g.pick(lambda v: v.shape != a.shape and len(v.shape) == len(a.shape)
                     and all(1 in (m, n) or m == n for m, n in zip(v.shape, a.shape)))
    if b is None or int(np.prod(np.broadcast_shapes(a.shape, b.shape))) > 4096:
        return None
    shape = np.broadcast_shapes(a.shape, b.shape)
    return "broadcast", f"tl.broadcast({a.name}, {b.name})[0]", a.dtype, shape, a.exact, a.product, \
        g.on(a, lambda x: np.broadcast_to(x, shape).copy())


# ---- statements: they define variables themselves
def two_results(g) -> None:
    """A tuple assigned to two names, which are then exchanged."""
    a, b = g.pair(INTS)
    if a is None:
        return
    mark = len(g.lines)
    one = g.define("tuple", "", a.dtype, a.shape, True, False, g.on(a, b, lambda x, y: x + y))
    two = g.define("tuple", "", a.dtype, a.shape, True, False, g.on(a, b, lambda x, y: x - y))
    g.lines[mark:] = [f"    {two.name}, {one.name} = sum_and_difference({a.name}, {b.name})",
                      f"    {one.name}, {two.name} = {two.name}, {one.name}"]


def augmented(g) -> None:
    """Several augmented assignments to one name."""
    a, b = g.pair(INTS)
    if a is None:
        return
    operators = [("+=", np.add), ("-=", np.subtract), ("*=", np.multiply), ("&=", np.bitwise_and), ("|=", np.bitwise_or),
                 ("^=", np.bitwise_xor)]
    steps = [g.random.choice(operators) for _ in range(g.random.randint(1, 3))]

    def f(x, y):
        for _, step in steps:
            x = step(x, y)
        return x
    mark = len(g.lines)
    var = g.define("augmented", "", a.dtype, a.shape, True, False, g.on(a, b, f))
    g.lines[mark:] = [f"    {var.name} = {a.name}", *(f"    {var.name} {operator} {b.name}" for operator, _ in steps)]


def static_branch(g) -> None:
    """`if` on a constexpr argument; only the branch that is taken is compiled, so the others may be wrong."""
    a, b = g.pair(INTS)
    if a is None:
        return
    mode = g.program.constants["MODE"]
    mark = len(g.lines)
    bodies = [f"{a.name} & {b.name}", f"{a.name} ^ {b.name}", f"{b.name} - {a.name}"]
    meanings = [np.bitwise_and, np.bitwise_xor, lambda x, y: y - x]
    var = g.define("static if", "", a.dtype, a.shape, True, False, g.on(a, b, meanings[mode]))
    wrong = f"tl.static_assert(False, f'mode {{MODE}} is not {mode}')"
    g.lines[mark:] = []
    for value, word in enumerate(("if MODE == 0:", "elif MODE == 1:", "else:")):
        g.lines += [f"    {word}", f"        {var.name} = {bodies[value]}" if value == mode else f"        {wrong}"]
    g.lines.append(f"    assert {var.name}.dtype == tl.{a.dtype}")


def assume(g) -> None:
    """Promises that hold."""
    few, many = g.program.scalars["few"], g.program.scalars["many"]
    promises = [f"few <= {few}", "few >= 1", f"many > {many - 1}", "pid >= 0", "many % 4 == 0", "(pid < 100) & (few < 100)"]
    text = g.random.choice(promises)
    g.lines.append(f"    tl.assume({text})")
    g.program.histogram["assume"] += 1


def tile(g) -> None:
    """A tile of a matrix whose sizes and row stride are arguments, each side under its mask, with hints on its columns."""
    dtype = g.random.choice(INTS + ("float16", "bfloat16", "float32"))
    shape = g.random.choice([s for s in g.shapes if len(s) == 2])
    few, many = g.program.scalars["few"], g.program.scalars["many"]
    data, n = g.program.inputs[f"{dtype}_ptr"], g.count
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    other = g.random.choice([0, 3])
    hint = g.random.random() < 0.5
    for pid, env in enumerate(g.values):
        at, inside = rows * few + columns + pid * 16, (rows < few) & (columns < many - 40)
        elements = g.element(dtype, data, np.minimum(at, len(data) - 1))
        env["#"] = np.where(inside, elements, NUMPY[dtype](other)).astype(NUMPY[dtype])
    mark = len(g.lines)
    var = g.define("tile", "", dtype, shape, True, False, lambda env: env["#"])
    if var is None:
        return
    column = f"tl.arange(0, {shape[1]})"
    if hint:
        g.program.histogram["multiple_of, max_contiguous"] += 1
        column = f"tl.max_contiguous(tl.multiple_of({column}, {min(16, shape[1])}), {shape[1]})"
    g.lines[mark:] = [
        f"    c{n} = {column}", f"    r{n} = tl.arange(0, {shape[0]})",
        f"    {var.name} = tl.load({g.pointer(dtype)} + pid * 16 + r{n}[:, None] * few + c{n}[None, :],",
        f"        mask=(r{n} < few)[:, None] & (c{n} < many - 40)[None, :], other={other}{g.hints()})"]


EXPRESSIONS = (number, number, number, chain, boolean, attribute, attribute, normal_numbers, both_broadcast)
STATEMENTS = (two_results, augmented, static_branch, assume, tile, tile)
