"""Random Triton kernels together with what they must compute.

A program is generated and evaluated at once: every statement is run in NumPy for every program of the grid on the concrete inputs
as soon as it is drawn, so a statement whose result would be useless (not finite, huge) is dropped before it enters the text.
"""
from __future__ import annotations

import collections
import random
from dataclasses import dataclass, field

import numpy as np

from blocks import nest
from language import CONSTANTS, EXPRESSIONS, MODE, STATEMENTS
from operations import OPERATIONS
from tensors import HELPERS, TENSORS
from values import FLOATS, NUMPY, Var, acceptable, to_bfloat16

INPUTS = ("int1", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32")
LENGTH = 1000  # elements of each input: no multiple of a block


@dataclass
class Program:
    """A kernel's text, its inputs and the expected contents of its outputs, each with its dtype and whether it is exact."""
    seed: int
    text: str
    grid: tuple[int, int]
    warps: int
    constants: dict[str, int]
    scalars: dict[str, int | float]
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray] = field(default_factory=dict)
    exact: dict[str, bool] = field(default_factory=dict)
    histogram: collections.Counter = field(default_factory=collections.Counter)


def row_major(shape: tuple[int, ...]) -> str:
    """Text of the offsets of a tensor that lies row after row."""
    if len(shape) == 1:
        return f"tl.arange(0, {shape[0]})"
    terms = []
    for axis, size in enumerate(shape):
        index = ", ".join(":" if axis == k else "None" for k in range(len(shape)))
        stride = int(np.prod(shape[axis + 1:]))
        terms.append(f"tl.arange(0, {size})[{index}]" + (f" * {stride}" if stride != 1 else ""))
    return "(" + " + ".join(terms) + ")"


class Generator:
    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.arrays = np.random.default_rng(seed)
        grid = self.random.choice([(1, 1), (2, 1), (3, 1), (1, 2), (2, 2)])
        self.grid = grid[0] * grid[1]  # programs in all
        n = self.random.choice([1, 2, 8, 16, 32, 64, 128, 512, 2048])
        rows = self.random.choice([1, 2, 8, 16, 32])
        cols = self.random.choice([1, 4, 8, 16, 32, 64])
        shapes = [(n,), (rows,), (cols,), (rows, cols), (rows * cols,)]
        if self.random.random() < 0.5:
            deep = tuple(self.random.choice([1, 2, 4, 8, 16]) for _ in range(3))
            shapes += [deep, deep, (deep[0] * deep[1], deep[2]), (int(np.prod(deep)),)]
        if self.random.random() < 0.3:
            shapes += [(self.random.choice([1, 4, 16]), 2), (self.random.choice([1, 4, 16]), self.random.choice([2, 8]), 2)]
        self.shapes = list(dict.fromkeys(shapes))
        scalars = {"one": 1, "few": self.random.choice([1, 2, 16, 17]), "many": self.random.choice([48, 300, 1000]),
                   "real": self.random.choice([0.5, -2.0, 3.25])}
        warps = self.random.choice([1, 2, 4, 4, 8])
        # A few programs use float64, which no GPU of Apple has: there they are refused, all others run on both devices.
        double = ("float64",) if self.random.random() < 0.1 else ()
        self.inputs, self.floats = INPUTS + double, ("float16", "bfloat16", "float32") + double
        self.program = Program(seed, "", grid, warps, {MODE[0]: self.random.choice(MODE[1])}, scalars,
                               {f"{d}_ptr": self.input(d) for d in self.inputs})
        self.layouts = random.Random(~seed)  # of its own: hints change no program else
        self.vars: list[Var] = []
        self.values: list[dict[str, np.ndarray]] = [{} for _ in range(self.grid)]  # a dictionary a program of the grid
        self.lines: list[str] = []
        self.count = 0
        self.returned: int | None = None  # the program that has returned before the stores that follow

    # ---- what the operations use
    def input(self, dtype: str) -> np.ndarray:
        if dtype == "bfloat16":  # NumPy has no such type: its bits
            return ((self.arrays.integers(-64, 64, LENGTH) / 8).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        if dtype in FLOATS:
            return (self.arrays.integers(-64, 64, LENGTH) / 8).astype(NUMPY[dtype])
        if dtype == "int1":
            return self.arrays.integers(0, 2, LENGTH) > 0
        info = np.iinfo(NUMPY[dtype])
        values = self.arrays.integers(info.min, info.max, LENGTH, dtype=NUMPY[dtype], endpoint=True)
        values[:4] = info.min, info.max, 0, 1
        return values

    @staticmethod
    def pointer(dtype: str) -> str:
        """Text of the input of a type."""
        name = f"{dtype}_ptr"
        return f"{name}.to(tl.pointer_type(tl.bfloat16), bitcast=True)" if dtype == "bfloat16" else name

    @staticmethod
    def element(dtype: str, data: np.ndarray, index=slice(None)) -> np.ndarray:
        """Elements of an input."""
        return (data[index].astype(np.uint32) << 16).view(np.float32) if dtype == "bfloat16" else data[index]

    def hints(self) -> str:
        """Text of a load's hints, or nothing."""
        hint = self.random.choice(["", "", "", "cache_modifier='.cg'", "eviction_policy='evict_first'", "volatile=True"])
        self.program.histogram["cache hints"] += bool(hint)
        return (hint and f", {hint}") + self.layout()

    def layout(self) -> str:
        """Text of a layout hint of a load or store, or nothing."""
        layout = self.layouts.choice(["", "", "'COALESCED'", "'BLOCK'", "tl.MemoryLayout.BLOCK"])
        self.program.histogram["layout hints"] += bool(layout)
        return layout and f", layout={layout}"

    def pick(self, accept) -> Var | None:
        candidates = [v for v in self.vars if accept(v)]
        return self.random.choice(candidates[-12:]) if candidates else None

    def pair(self, dtypes, exact: bool = False):
        a = self.pick(lambda v: v.dtype in dtypes and (v.exact or not exact))
        b = a and self.pick(lambda v: v.dtype == a.dtype and v.shape == a.shape and (v.exact or not exact))
        return a, b

    row_major = staticmethod(row_major)

    @staticmethod
    def on(*operands_and_function):
        *operands, function = operands_and_function
        return lambda env: function(*(env[v.name] for v in operands))

    # ---- statements
    def define(self, kind, text, dtype, shape, exact, product, meaning, indent="    ") -> Var | None:
        if dtype == "bfloat16" and not exact:  # a bit more or less before rounding is a large step
            return None
        results = []
        for env in self.values:
            result = np.asarray(meaning(env))
            if result.dtype != NUMPY[dtype] or result.shape != shape or not acceptable(result):
                return None
            results.append(to_bfloat16(result) if dtype == "bfloat16" else result)
        var = Var(f"v{self.count}", dtype, shape, exact, product)
        self.count += 1
        for env, result in zip(self.values, results):
            env[var.name] = result
        self.vars.append(var)
        self.lines.append(f"{indent}{var.name} = {text}")
        self.program.histogram[kind] += 1
        return var

    def offsets(self, shape) -> tuple[str, list[np.ndarray]]:
        """Text of a tensor of offsets, affine or scattered, and its value for each program."""
        stride, base = self.random.choice([1, 1, 1, 2, 3]), self.random.choice([0, 16, 7, int(np.prod(shape))])
        text, grid = row_major(shape), np.arange(int(np.prod(shape))).reshape(shape)
        if self.random.random() < 0.25:
            m = self.random.choice([5, 13, 64])
            return f"(({text} * {stride} + pid * {base}) % {m})", [(grid * stride + pid * base) % m for pid in range(self.grid)]
        return f"({text} * {stride} + pid * {base})", [grid * stride + pid * base for pid in range(self.grid)]

    def load(self):
        dtype, shape = self.random.choice(self.inputs), self.random.choice(self.shapes)
        text, offsets = self.offsets(shape)
        data = self.element(dtype, self.program.inputs[f"{dtype}_ptr"])
        limit = self.random.choice([LENGTH, LENGTH // 2, 17, "few", "many"])
        bound, limit = (limit, self.program.scalars[limit]) if isinstance(limit, str) else (str(limit), limit)
        other = self.random.choice([0, 1] if dtype == "int1" else [0, 1, 5])
        for env, o in zip(self.values, offsets):
            env["#"] = np.where(o < limit, data[np.minimum(o, LENGTH - 1)], NUMPY[dtype](other)).astype(NUMPY[dtype])
        load = f"tl.load({self.pointer(dtype)} + {text}, mask={text} < {bound}, other={other}{self.hints()})"
        self.define("load", load, dtype, shape, True, False, lambda env: env["#"])

    def loop(self):
        """A loop that carries one tensor: acc = acc op f(tensor, counter)."""
        start = self.pick(lambda v: v.dtype in ("int32", "float32", "uint32"))
        step = start and self.pick(lambda v: v.dtype == start.dtype and v.shape == start.shape)
        if step is None:
            return
        trips, by = self.random.randint(1, 5), self.random.choice([1, 2, -1])
        bounds = (0, trips * by, by)
        dynamic = self.random.random() < 0.5
        exact = start.exact and step.exact and not start.is_float

        def meaning(env):
            acc = env[start.name]
            for i in range(*bounds):
                acc = (acc + env[step.name] * acc.dtype.type(np.int64(i) & 3)).astype(acc.dtype)
            return acc
        header = f"for i in {'range' if dynamic else 'tl.static_range'}({bounds[0]}, {bounds[1]}, {bounds[2]}):"
        mark, name = len(self.lines), f"v{self.count}"
        result = self.define("for" if dynamic else "static_range", start.name, start.dtype, start.shape, exact, True, meaning)
        if result is not None:
            self.lines[mark:] = [f"    {name} = {start.name}", f"    {header}",
                                 f"        {name} = {name} + {step.name} * (i & 3)"]

    def branch(self):
        """A dynamic if on a scalar that differs between programs."""
        a = self.pick(lambda v: v.dtype != "int1")
        b = a and self.pick(lambda v: v.dtype == a.dtype and v.shape == a.shape)
        if b is None:
            return
        for pid, env in enumerate(self.values):
            env["#"] = env[a.name] if pid % 2 == 0 else env[b.name]
        mark, name = len(self.lines), f"v{self.count}"
        if self.define("if", a.name, a.dtype, a.shape, a.exact and b.exact, a.product or b.product, lambda env: env["#"]):
            self.lines[mark:] = ["    if pid % 2 == 0:", f"        {name} = {a.name}", "    else:", f"        {name} = {b.name}"]

    def matmul(self):
        """A loop over tiles of K with masks. Values are small multiples of 1/8, so every order of adding gives the same."""
        dtype = self.random.choice(["float32", "float16"])
        m, n, k = (self.random.choice([16, 32]) for _ in range(3))
        rows, cols = m - self.random.choice([0, 3]), n - self.random.choice([0, 5])
        depth = self.random.choice([1, 2]) * k - self.random.choice([0, 3])
        if rows * depth > LENGTH or depth * cols > LENGTH:
            return
        data, number, first = self.program.inputs[f"{dtype}_ptr"], self.count, self.random.choice([0, 3])
        a, b = data[:rows * depth].reshape(rows, depth), data[:depth * cols].reshape(depth, cols)
        result = np.zeros((m, n), np.float32)
        result[:rows, :cols] = a.astype(np.float64) @ b.astype(np.float64)
        mark, name, p = len(self.lines), f"v{number}", f"{dtype}_ptr"
        if self.define(f"matmul {dtype}", "", "float32", (m, n), True, True, lambda env: result + np.float32(first)):
            self.lines[mark:] = [
                f"    m{number} = tl.arange(0, {m})[:, None]", f"    n{number} = tl.arange(0, {n})[None, :]",
                f"    k{number} = tl.arange(0, {k})", f"    {name} = tl.full(({m}, {n}), {first}, tl.float32)",
                f"    for t in range(0, {depth}, {k}):",
                f"        c, r = t + k{number}[None, :], t + k{number}[:, None]",
                f"        a = tl.load({p} + m{number} * {depth} + c, mask=(m{number} < {rows}) & (c < {depth}), other=0{self.layout()})",
                f"        b = tl.load({p} + r * {cols} + n{number}, mask=(r < {depth}) & (n{number} < {cols}), other=0{self.layout()})",
                f"        {name} += tl.dot(a, b)"]

    def store(self, var: Var, index: int):
        """Output `index`: the programs store their values one after another."""
        size = int(np.prod(var.shape)) if var.shape else 1
        name = f"out{index}_ptr"
        as_byte = var.dtype == "int1" and self.random.random() < 0.7
        as_bits = var.dtype == "bfloat16"
        dtype = np.uint8 if as_byte else NUMPY[var.dtype]
        expected = np.stack([env[var.name].astype(dtype).reshape(-1) for env in self.values]).reshape(-1)
        where = f"pid * {size} + {row_major(var.shape)}" if var.shape else "pid"
        target = f"{name}.to(tl.pointer_type(tl.bfloat16), bitcast=True)" if as_bits else name
        value = f"{var.name}.to(tl.uint8)" if as_byte else var.name
        mask = self.pick(lambda v: v.dtype == "int1" and v.shape == var.shape) if self.random.random() < 0.3 else None
        if mask is not None:
            expected[~np.stack([env[mask.name] for env in self.values]).reshape(-1)] = 0
        if as_bits:
            expected = (expected.view(np.uint32) >> 16).astype(np.uint16)
        if self.returned is not None:
            expected.reshape(self.grid, -1)[self.returned] = 0
        self.lines.append(f"    tl.store({target} + {where}, {value}{f', mask={mask.name}' if mask else ''}{self.layout()})")
        self.program.outputs[name], self.program.exact[name] = expected, var.exact
        self.program.histogram["store masked" if mask else "store"] += 1

    def atomic(self, index: int):
        """Output `index`: all programs add to a few elements, more than one lane to each."""
        dtypes = ("int32", "uint32", "int64")[:3 if self.random.random() < 0.1 else 2]  # the GPU has no 64-bit atomics
        var = self.pick(lambda v: v.dtype in dtypes and v.shape)
        if var is None:
            return
        few, size, name = self.random.choice([1, 5, 64]), int(np.prod(var.shape)), f"out{index}_ptr"
        limit = self.random.choice([size, max(1, size // 2)])
        expected = np.zeros(few, NUMPY[var.dtype])
        for pid, env in enumerate(self.values):
            if pid != self.returned:
                np.add.at(expected, np.arange(limit) % few, env[var.name].reshape(-1)[:limit])
        where = row_major(var.shape)
        self.lines.append(f"    tl.atomic_add({name} + {where} % {few}, {var.name}, mask={where} < {limit})")
        self.program.outputs[name], self.program.exact[name] = expected, True
        self.program.histogram["atomic_add"] += 1

    def pointers(self):
        """A loop that carries pointers and a sum."""
        dtype, shape = self.random.choice(("int32", "int64", "uint8", "float32")), self.random.choice(self.shapes)
        text, offsets = self.offsets(shape)
        trips, step, limit = self.random.randint(1, 4), self.random.choice([1, 16, 33]), self.random.choice([LENGTH, 300])
        data, n = self.program.inputs[f"{dtype}_ptr"], self.count
        for env, o in zip(self.values, offsets):
            total = np.zeros(shape, NUMPY[dtype])
            for i in range(trips):
                at = o + i * step
                total = (total + np.where(at < limit, data[np.minimum(at, LENGTH - 1)], NUMPY[dtype](0))).astype(NUMPY[dtype])
            env["#"] = total
        mark = len(self.lines)
        sizes = ", ".join(map(str, shape)) + ","
        if self.define("for pointers", "", dtype, shape, True, False, lambda env: env["#"]):
            name = f"v{n}"
            self.lines[mark:] = [f"    o{n} = {text}", f"    p{n} = {dtype}_ptr + o{n}",
                                 f"    {name} = tl.zeros(({sizes}), tl.{dtype})",
                                 f"    for i in range(0, {trips}):",
                                 f"        {name} += tl.load(p{n}, mask=o{n} + i * {step} < {limit}, other=0)",
                                 f"        p{n} += {step}"]

    def run(self, statements: int = 24) -> Program:
        with np.errstate(all="ignore"):
            for _ in range(4):
                self.load()
            for pid, env in enumerate(self.values):
                env["pid"] = np.int32(pid)
            for _ in range(statements):
                roll = self.random.random()
                if roll < 0.08:
                    self.load()
                elif roll < 0.14:
                    self.loop()
                elif roll < 0.17:
                    self.branch()
                elif roll < 0.22:
                    nest(self)
                elif roll < 0.25:
                    self.pointers()
                elif roll < 0.265:
                    self.matmul()
                else:
                    family = self.random.choices((OPERATIONS, TENSORS, EXPRESSIONS, STATEMENTS), (40, 38, 14, 8))[0]
                    drawn = self.random.choice(family)(self)
                    if drawn is not None:
                        self.define(*drawn)
            for index, var in enumerate(self.random.sample(self.vars, min(4, len(self.vars))) + self.vars[-2:]):
                self.store(var, index)
                if index == 2 and self.random.random() < 0.15:
                    self.returned = self.random.randrange(self.grid)
                    self.lines += [f"    if pid == {self.returned}:", "        return"]
                    self.program.histogram["return"] += 1
            if self.random.random() < 0.4:
                self.atomic(6)
        names = [*self.program.inputs, *self.program.scalars, *self.program.outputs]
        names += [f"{name}: tl.constexpr" for name in self.program.constants]
        pid = "tl.program_id(0)" + (" + tl.program_id(1) * tl.num_programs(0)" if self.program.grid[1] > 1 else "")
        head = [CONSTANTS, HELPERS, "", "@triton.jit", f"def kernel({', '.join(names)}):", f"    pid = {pid}"]
        self.program.text = "\n".join([*head, *self.lines, ""])
        return self.program


def generate(seed: int) -> Program:
    """The program of a seed: always the same one."""
    return Generator(seed).run()
