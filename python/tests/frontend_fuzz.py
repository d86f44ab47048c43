"""Random mutations of kernels' trees through the front end: every one builds or is a typed error. Run by test_frontend_robust.py.

    python frontend_fuzz.py SECONDS [SEED [FILE]]

FILE gets each kernel before it is built, so that it is there after a crash. Prints the seed, and how often each outcome occurred;
exits 1 and prints the kernel where an error is no CompilationError.
"""
from __future__ import annotations

import ast
import collections
import copy
import linecache
import pathlib
import random
import sys
import time
import warnings

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "examples")]

import triton_metal as triton  # noqa: E402
import triton_metal.language as tl  # noqa: E402
from triton_metal.compiler import ASTSource  # noqa: E402
from triton_metal.compiler.options import Options  # noqa: E402

EXAMPLES = ("vector_add", "softmax", "layer_norm", "sum", "matmul", "dropout", "attention", "image_filters")
VALUES = [None, True, False, 0, 1, -1, 2, 3, 64, 2**31, 2**63, 2**64, 2**70, -2**63, 0.0, -0.0, 1.5, 1e300, float("inf"), "", "x",
          "tl",
          (), b"x", ..., 1j, 10**400]
STATEMENTS = r"""
pass|return|return 1|return x|break|continue|raise ValueError(1)|del x|global x|import os|assert x|assert 1 < 2, 'm'|x = x
x += 1|x: tl.constexpr = 4|x: tl.constexpr|a, b = b, a|(a, b), c = (1, 2), 3|a = b = 1|a, *b = 1, 2, 3|x[0] = 1|x.y = 1
lambda: 1|print('p', x)|tl.device_print('x', x)|tl.static_print(x)|tl.static_assert(True)|tl.debug_barrier()|yield x
x = [i for i in (1, 2)]|x = {1: 2}|x = {1}|x = (i for i in x)|x = f'{x}'|x = f'{1:>{2}}'|x = x if x else 1|x = not x
x = ~x|x = -x|x = x and 1|x = 1 < x < 2|x = x is None|x = x in (1,)|(y := x)|x = x[:, None]|x = x[None]|x = x[1:2]
x = x[...]|x = x.T|x = x.dtype|x = x.shape[0]|x = x.nothing|x = tl.nothing|x = print|x = tl.sum(x)|x = tl.sum(x, 0)
x = tl.sum(x, 7)|x = tl.max(x, 0, return_indices=True)|x = tl.zeros((4, 4), tl.float32)|x = tl.zeros((3,), tl.int8)
x = tl.arange(0, 8)|x = tl.arange(8, 0)|x = tl.arange(0, 2**40)|x = tl.full((), 1, tl.int64)|x = tl.load(x)|tl.store(x, x)
tl.store(x, 1, x)|x = tl.dot(x, x)|x = tl.trans(x)|x = tl.reshape(x, (2, -1))|x = tl.join(x, x)|a, b = tl.split(x)
x = tl.cumsum(x)|x = tl.sort(x)|x = x.to(x)|x = x.to(tl.float16)|x = x.to(tl.int1)|x = tl.where(x, x, 0)
x = tl.atomic_add(x, 1)|x = range(3)|x = len(x)|x = min(x, 1)|x = max()|x = int(1.5)|x = getattr(x, 'dtype')
x = isinstance(x, tl.tensor)|x = tl.reduce(x, 0, x)|x = tl.cdiv(x, 0)|x = 1 // 0|x = 1 % 0|x = 1 << 5000|x = 2 ** 99999
x = tl.make_block_ptr(x, (1,), (1,), (0,), (4,), (0,))|x = tl.make_tensor_descriptor(x, [1], [1], [16])|x = x.load([0])
x = tl.advance(x, (1,))|if x:\n    x = 1|if x:\n    return\nelse:\n    x = 2|while x:\n    x = x - 1
for i in range(x):\n    x = i|for i in x:\n    pass|for i in tl.static_range(3):\n    x = x + i
for i in tl.range(0, 9, num_stages=2):\n    pass|with x:\n    pass|try:\n    pass\nfinally:\n    pass|def f():\n    pass
class A:\n    pass|match x:\n    case 1:\n        pass|for i in range(3):\n    pass\nelse:\n    pass
for a, b in range(2):\n    pass|x = tl.map_elementwise(x, x)|x = tl.extra.libdevice.tanh(x)|x = tl.extra.libdevice.j0(x)
x = tl.softmax(x)|x = tl.rand(1, x)|x = tl.histogram(x, 4)|x = tl.inline_asm_elementwise('', '', [x], tl.int32, True, 1)
x = tl.associative_scan(x, 0, x)|x = tl.gather(x, x, 0)|x = tl.cat(x, x)|x = tl.constexpr(1)|x = tl.float32
x = tl.float32(1)|x = tl.pointer_type(tl.int8)|x = tl|x = x()|x = x(1, *x)|x = x(**x)|x = x(y=1, y2=2)|tl.assume(x)
x = tl.multiple_of(x, 3)|x = tl.max_contiguous(x, [4])|x = tl.broadcast_to(x, (4, 4))|x = tl.expand_dims(x, -9)
x = 'a' + 'b'|x = (1, 2) * 9|x = tuple(x)
""".replace("\n", "|").replace("\\n", "\n").strip("|").split("|")
OPERATORS = [ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.BitXor,
             ast.MatMult]
COMPARISONS = [ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn]


def seeds():
    """Kernels to start from: tree, types and constants of the parameters."""
    import cases
    import ttir_kernels
    modules = [cases.load(name) for name in EXAMPLES] + [ttir_kernels]
    for module in modules:
        for function in vars(module).values():
            if isinstance(function, triton.JITFunction) and function.__module__ == module.__name__:
                signature, constants = {}, {}
                for param in function.params:
                    name = param.name
                    if param.is_constexpr:
                        signature[name], constants[name] = "constexpr", 16
                    else:
                        signature[name] = "*fp32" if name.endswith("_ptr") else "fp32" if name in ("scale", "eps", "p") else "i32"
                yield ast.parse(function.src), function.fn.__globals__, signature, constants


class Mutator:
    def __init__(self, rng: random.Random, donors: list[ast.AST]):
        self.rng = rng
        nodes = [node for tree in donors for node in ast.walk(tree)]
        self.expressions = [n for n in nodes if isinstance(n, ast.expr) and isinstance(getattr(n, "ctx", ast.Load()), ast.Load)]
        self.statements = [n for n in nodes if isinstance(n, ast.stmt) and not isinstance(n, ast.FunctionDef)]

    def names(self, tree) -> list[str]:
        return [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)] + [a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)]

    def statement(self, names) -> list[ast.stmt]:
        text = self.rng.choice(STATEMENTS)
        parsed = ast.parse(text, mode="exec").body
        for node in ast.walk(ast.Module(parsed, [])):
            if isinstance(node, ast.Name) and node.id in ("x", "a", "b") and names:
                node.id = self.rng.choice(names)
        return parsed

    def mutate(self, tree: ast.AST) -> None:
        rng, names = self.rng, self.names(tree)
        nodes = [n for n in ast.walk(tree.body[0]) if n is not tree.body[0]]
        node = rng.choice(nodes)
        kind = rng.randrange(9)
        bodies = [(n, f) for n in ast.walk(tree) for f in ("body", "orelse") if isinstance(getattr(n, f, None), list) and getattr(n, f)
                  and n is not tree]
        owner, field = rng.choice(bodies)
        body = getattr(owner, field)
        at = rng.randrange(len(body) + 1)
        if kind == 0:
            body[at:at] = self.statement(names)
        elif kind == 1 and len(body) > 1:
            del body[min(at, len(body) - 1)]
        elif kind == 2:
            body.insert(at, copy.deepcopy(rng.choice(self.statements)))
        elif kind == 3:
            values = ast.parse(rng.choice(["range(3)", "tl.static_range(2)", "range(n)"])).body[0].value
            body[at:at] = [ast.For(ast.Name("i", ast.Store()), values, copy.deepcopy(body[:2]), [])]
        elif kind == 4:
            body[at:at] = [ast.If(copy.deepcopy(rng.choice(self.expressions)), copy.deepcopy(body[:2]), [])]
        elif isinstance(node, ast.BinOp):
            node.op = rng.choice(OPERATORS)()
        elif isinstance(node, ast.Compare):
            node.ops = [rng.choice(COMPARISONS)() for _ in node.ops]
        elif isinstance(node, ast.Constant):
            node.value = rng.choice(VALUES)
        elif isinstance(node, ast.Name) and names:
            node.id = rng.choice(names)
        elif isinstance(node, ast.Attribute):
            node.attr = rng.choice(["shape", "dtype", "T", "to", "nothing", "sum", "load", "arange", "float32", "value", "__class__"])
        elif isinstance(node, ast.Call):
            choice = rng.randrange(4)
            if choice == 0 and node.args:
                node.args.pop(rng.randrange(len(node.args)))
            elif choice == 1:
                node.args.append(copy.deepcopy(rng.choice(self.expressions)))
            elif choice == 2:
                name = rng.choice(["mask", "other", "axis", "dtype", "nothing"])
                node.keywords.append(ast.keyword(name, copy.deepcopy(rng.choice(self.expressions))))
            elif node.args:
                node.args[rng.randrange(len(node.args))] = copy.deepcopy(rng.choice(self.expressions))


NUMBER = iter(range(1 << 60))


def build(text: str, scope: dict, signature: dict, constants: dict) -> None:
    file = f"<fuzz {next(NUMBER)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    try:
        namespace = {**scope, "tl": tl, "triton": triton}
        exec(compile(text, file, "exec"), namespace)
        name = ast.parse(text).body[0].name
        function = triton.jit(namespace[name])
        parameters = {k: v for k, v in signature.items() if k in function.arg_names}
        ASTSource(function, parameters, {k: constants[k] for k in parameters if k in constants}).make_ir(Options())
    finally:
        del linecache.cache[file]


def main() -> int:
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    warnings.simplefilter("ignore")
    rng = random.Random(seed)
    kernels = list(seeds())
    mutator = Mutator(rng, [tree for tree, *_ in kernels])
    print(f"seed {seed}, {len(kernels)} kernels", flush=True)
    outcomes, slowest, end = collections.Counter(), 0.0, time.monotonic() + seconds
    sys.stdout, out = open("/dev/null", "w"), sys.stdout  # what mutated static_prints say
    try:
        while time.monotonic() < end:
            tree, scope, signature, constants = rng.choice(kernels)
            tree = copy.deepcopy(tree)
            try:
                for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
                    mutator.mutate(tree)
                text = ast.unparse(ast.fix_missing_locations(tree))
                compile(text, "<fuzz>", "exec")
            except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError):  # no Python
                outcomes["no Python"] += 1
                continue
            begin = time.monotonic()
            if len(sys.argv) > 3:
                pathlib.Path(sys.argv[3]).write_text(text)
            try:
                build(text, scope, signature, constants)
                outcomes["built"] += 1
            except triton.CompilationError as error:
                if isinstance(error, triton.InternalCompilerError):
                    raise
                outcomes[type(error).__name__] += 1
            except Exception as error:
                print(f"{type(error).__name__}: {error}\n{text}", file=out, flush=True)
                return 1
            slowest = max(slowest, time.monotonic() - begin)
    finally:
        sys.stdout = out
    print(", ".join(f"{name} {count}" for name, count in outcomes.most_common()), f"; slowest {slowest:.2f} s", sep="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
