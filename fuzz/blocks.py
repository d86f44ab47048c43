"""Random nests of control flow over carried variables: loops of each kind, branches in loops, loops in branches.

A block is a list of statements, each with its text and its meaning. Statements see a frame: a dictionary of the program's values,
the carried variables `x` and `y`, the counters of the loops around, and a scalar that was loaded, so that trips differ between
programs.
"""
from __future__ import annotations

import numpy as np

from values import NUMPY, SIGNED, Var

MAX_DEPTH = 3


class Block:
    def __init__(self, g, x: str, y: str, others: list[Var], like: Var, data: str, output: str):
        self.g, self.random, self.x, self.y, self.others, self.data, self.output = g, g.random, x, y, others, data, output
        self.dtype, self.shape, self.is_float, self.kinds, self.serial = like.dtype, like.shape, like.is_float, set(), 0
        self.stored = False  # whether a statement stores to the output

    def body(self, depth: int, counters: tuple[str, ...]):
        statements = [self.statement(depth, counters) for _ in range(self.random.randint(1, 2 if depth else 3))]

        def run(frame):
            for _, meaning in statements:
                meaning(frame)
        return [line for lines, _ in statements for line in lines], run

    def statement(self, depth, counters):
        choices = [self.update, self.update]
        if self.shape:
            choices += [self.across]
            if not self.stored and depth > 0:
                choices += [self.store]
        if depth < MAX_DEPTH:
            choices += [self.branch, self.loop] * (2 if depth == 0 else 1) + [self.while_loop]
        return self.random.choice(choices)(depth, counters)

    def update(self, depth, counters):
        """target = target op operand."""
        target = self.random.choice([self.x, self.y])
        operand = self.random.choice([self.x, self.y, *(v.name for v in self.others)])
        choices = [("{t} + {o}", np.add), ("{t} - {o}", np.subtract), ("tl.maximum({t}, {o})", np.maximum),
                   ("{o}", lambda t, o: o)]
        if not self.is_float:
            choices += [("{t} ^ {o}", np.bitwise_xor), ("{t} * 3 + {o}", lambda t, o: t * t.dtype.type(3) + o),
                        ("tl.where({t} > {o}, {t}, {o})", np.maximum), ("{t} & {o}", np.bitwise_and)]
        text, f = self.random.choice(choices)
        line = f"{target} = {text.format(t=target, o=operand)}"
        if counters and self.random.random() < 0.5:
            counter = self.random.choice(counters)
            line = f"{target} = (({text.format(t=target, o=operand)}) + ({counter} & 3)).to(tl.{self.dtype})"

            def run(frame):
                result = f(frame[target], frame[operand])
                frame[target] = (result + result.dtype.type(int(frame[counter]) & 3)).astype(result.dtype)
            return [line], run

        def run(frame):
            frame[target] = f(frame[target], frame[operand]).astype(frame[target].dtype)
        return [line], run

    def across(self, depth, counters):
        """target = target op something that crosses lanes or reads memory at computed places."""
        target = self.random.choice([self.x, self.y])
        operand = self.random.choice([self.x, self.y, *(v.name for v in self.others)])
        axis, to = self.random.randrange(len(self.shape)), NUMPY[self.dtype]
        sizes = lambda shape: "(" + ", ".join(map(str, shape)) + ",)"  # noqa: E731
        size = int(np.prod(self.shape))
        rows = self.random.choice([r for r in (1, 2, 4, 8, 32) if size % r == 0])
        flat = (rows, size // rows)
        choices = [
            ("max", f"tl.maximum({target}, tl.max({operand}, axis={axis}, keep_dims=True).to(tl.{self.dtype}))",
             lambda t, o: np.maximum(t, o.max(axis=axis, keepdims=True))),
            ("trans", f"tl.reshape(tl.trans(tl.reshape({operand}, {sizes(flat)})), {sizes(self.shape)})",
             lambda t, o: o.reshape(flat).T.reshape(self.shape).copy())]
        if not self.is_float:
            data = self.g.program.inputs[f"{self.dtype}_ptr"]
            wide = to if np.dtype(to).itemsize >= 4 else np.int32 if self.dtype in SIGNED else np.uint32
            choices += [
                ("sum", f"{target} ^ tl.sum({operand}, axis={axis}, keep_dims=True).to(tl.{self.dtype})",
                 lambda t, o: t ^ o.sum(axis=axis, keepdims=True, dtype=wide).astype(to)),
                ("cumsum", f"{target} - tl.cumsum({operand}, axis={axis}).to(tl.{self.dtype})",
                 lambda t, o: t - np.cumsum(o, axis=axis, dtype=wide).astype(to)),
                ("gather", f"{target} + tl.load({self.dtype}_ptr + ({operand} & 127), mask={target} > 0, other=1)",
                 lambda t, o: t + np.where(t > 0, data[(o & to(127)).astype(np.int64)], to(1)))]
        kind, text, f = self.random.choice(choices)
        self.kinds.add(kind)

        def run(frame):
            frame[target] = f(frame[target], frame[operand]).astype(to)
        return [f"{target} = {text}"], run

    def store(self, depth, counters):
        """The last value that is stored in a loop or a branch stays."""
        self.stored, source = True, self.random.choice([self.x, self.y])
        self.kinds.add("store")

        def run(frame):
            frame["$stored"] = frame[source].copy()
        return [f"tl.store({self.output} + pid * {int(np.prod(self.shape))} + {self.g.row_major(self.shape)}, {source})"], run

    def condition(self, counters):
        choices = [("pid % 2 == 0", lambda f: f["pid"] % 2 == 0), ("pid > 0", lambda f: f["pid"] > 0),
                   (f"{self.data} > 1", lambda f: f[self.data] > 1),
                   (f"({self.data} & 1) != pid", lambda f: (f[self.data] & 1) != f["pid"])]
        for counter in counters:
            choices += [(f"{counter} % 2 == 0", lambda f, c=counter: f[c] % 2 == 0),
                        (f"({counter} > 0) & (pid == 0)", lambda f, c=counter: (f[c] > 0) and f["pid"] == 0)]
        return self.random.choice(choices)

    def branch(self, depth, counters):
        text, condition = self.condition(counters)
        then, run_then = self.body(depth + 1, counters)
        lines, run_else = [f"if {text}:", *indented(then)], lambda frame: None
        self.kinds.add("if")
        if self.random.random() < 0.6:
            otherwise, run_else = self.body(depth + 1, counters)
            lines += ["else:", *indented(otherwise)]
        return lines, lambda frame: run_then(frame) if condition(frame) else run_else(frame)

    def counter(self) -> str:
        self.serial += 1
        return f"i{self.g.count}_{self.serial}"

    def loop(self, depth, counters):
        counter, kind = self.counter(), self.random.choice(["range", "range", "tl.range", "tl.static_range"])
        dynamic = kind != "tl.static_range" and self.random.random() < 0.5
        by = self.random.choice([1, 1, 2, -1])
        trips = self.random.randint(0, 3)
        if dynamic:
            bounds, make = self.random.choice([
                (f"{self.data}", lambda f: range(f[self.data])),
                (f"0, {self.data} + pid", lambda f: range(f[self.data] + f["pid"])),
                (f"{self.data}, -1, -1", lambda f: range(f[self.data], -1, -1)),
                (f"pid, 5, {self.data} + 1", lambda f: range(f["pid"], 5, f[self.data] + 1))])
            text = f"{kind}({bounds})"
        else:
            text, make = f"{kind}({1 if by > 0 else 2}, {(1 if by > 0 else 2) + trips * by}, {by})", \
                lambda f, start=1 if by > 0 else 2: range(start, start + trips * by, by)
        if kind == "tl.range" and self.random.random() < 0.3:
            kind, text = "unroll", f"{text[:-1]}, loop_unroll_factor={self.random.choice([2, 3, 4])})"
        self.kinds.add(kind)
        body, run_body = self.body(depth + 1, (*counters, counter))

        def run(frame):
            for i in make(frame):
                frame[counter] = i
                run_body(frame)
        return [f"for {counter} in {text}:", *indented(body)], run

    def while_loop(self, depth, counters):
        counter = self.counter()
        start = self.random.choice([("pid", lambda f: f["pid"]), (self.data, lambda f: f[self.data])])
        limit = self.random.randint(1, 4)
        body, run_body = self.body(depth + 1, (*counters, counter))
        self.kinds.add("while")

        def run(frame):
            frame[counter] = int(start[1](frame))
            while frame[counter] < limit:
                run_body(frame)
                frame[counter] += 1
        return [f"{counter} = {start[0]} + 0", f"while {counter} < {limit}:", *indented(body), f"    {counter} += 1"], run


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def nest(g) -> None:
    """A statement of the generator: a block, after which x and y hold its results."""
    a = g.pick(lambda v: v.dtype in ("int8", "int32", "uint32", "int64", "float32", "float16"))
    others = [b for b in (a and g.pick(lambda v: v.dtype == a.dtype and v.shape == a.shape) for _ in range(3)) if b]
    if not others:
        return
    exact = not a.is_float or all(v.exact and not v.product for v in (a, *others))
    y, data = others[0], f"s{g.count}"
    where = g.random.choice([0, 7, 100])
    wide = g.random.choice(["int32", "int64"])
    loaded = [int(g.program.inputs["int64_ptr"][where + pid]) & 3 for pid in range(g.grid)]
    mark, names = len(g.lines), (f"v{g.count}", f"v{g.count + 1}")
    output = f"nest{g.count}_ptr"
    block = Block(g, *names, others, a, data, output)
    lines, run = block.body(0, ())
    for pid, env in enumerate(g.values):
        frame = dict(env) | {names[0]: env[a.name], names[1]: env[y.name], data: loaded[pid], "pid": pid}
        run(frame)
        env["#stored"] = frame.get("$stored", np.zeros(a.shape, NUMPY[a.dtype]))
        env["#x"], env["#y"] = frame[names[0]], frame[names[1]]
    count = g.count
    first = g.define("nest", a.name, a.dtype, a.shape, exact, True, lambda env: env["#x"])
    second = first and g.define("nest", y.name, a.dtype, a.shape, exact, True, lambda env: env["#y"])
    if second is None:  # one result is useless, so the block is dropped
        if first is not None:
            g.vars.remove(first)
        g.count = count
        del g.lines[mark:]
        return
    start = [f"{data} = (tl.load(int64_ptr + {where} + pid) & 3).to(tl.{wide})",
             f"{names[0]} = {a.name}", f"{names[1]} = {y.name}"]
    g.lines[mark:] = indented(start + lines)
    if block.stored:
        expected = np.stack([env["#stored"].reshape(-1) for env in g.values]).reshape(-1)
        g.program.outputs[output], g.program.exact[output] = expected, exact
    g.program.histogram.update(f"nest {kind}" for kind in block.kinds)
