"""What no sensible kernel contains: it builds, or it is a typed error in reasonable time. Each in a process of its own."""
import pathlib
import subprocess
import sys
import textwrap

import pytest

HERE = pathlib.Path(__file__).parent

HARNESS = """
import linecache, sys
import triton_metal as triton
import triton_metal.language as tl
from triton_metal.compiler import ASTSource
from triton_metal.compiler.options import Options

def build(text, signature={"x_ptr": "*fp32", "n": "i32"}, constants={}):
    linecache.cache["<robust>"] = (len(text), None, text.splitlines(True), "<robust>")
    scope = {"tl": tl, "triton": triton}
    exec(compile(text, "<robust>", "exec"), scope)
    return ASTSource(triton.jit(scope["kernel"]), signature, constants).make_ir(Options())

def attempt(text, **how):
    try:
        build(text, **how)
        print("built")
    except (triton.CompilationError, SyntaxError, RecursionError, MemoryError) as error:
        if isinstance(error, triton.InternalCompilerError):
            raise
        lines = str(error).strip().splitlines()
        print(type(error).__name__, lines[-1] if lines else "")
"""


def run(text: str, timeout: float = 120) -> str:
    result = subprocess.run([sys.executable, "-c", HARNESS + textwrap.dedent(text)], capture_output=True, text=True, timeout=timeout)
    assert result.returncode == 0, f"exit {result.returncode}\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}"
    return result.stdout.strip()


HEAD = "def kernel(x_ptr, n):\\n"


@pytest.mark.parametrize("depth", [50, 5000])
@pytest.mark.parametrize("shape", ["-", "not ", "~", "(0, ", "tl.abs(", "f(", "x + (", "1 if n else ("])
def test_deep_expressions(shape, depth):
    closing = ")" if "(" in shape else ""
    got = run(f'attempt("{HEAD}    x = n\\n    y = " + {shape!r} * {depth} + "x" + {closing!r} * {depth} + "\\n")')
    if depth == 50 and shape in ("-", "~", "x + (", "1 if n else ("):
        assert got == "built"


def test_long_sums():
    """A left-deep tree of 3,000 additions, and one of 100,000 that Python may refuse to read."""
    assert run(f'attempt("{HEAD}    x = n" + " + n" * 300 + "\\n")') == "built"
    run(f'attempt("{HEAD}    x = n" + " + n" * 3000 + "\\n")')
    run(f'attempt("{HEAD}    x = n" + " + n" * 100000 + "\\n")')


@pytest.mark.parametrize("statement", ["if n > {i}:", "for i{i} in range(n):", "while n > {i}:", "for i{i} in tl.static_range(1):"])
@pytest.mark.parametrize("depth", [10, 90])
def test_deep_statements(statement, depth):
    text = "".join("    " * (i + 1) + statement.format(i=i) + "\n" for i in range(depth)) + "    " * (depth + 1) + "n = n + 1\n"
    got = run(f"attempt({'def kernel(x_ptr, n):' + chr(10) + text!r})")
    if depth == 10:
        assert got == "built"


def test_unrolled_hundred_thousand_statements():
    assert run(f'attempt("{HEAD}    x = n\\n    for i in tl.static_range(50000):\\n        x = x + i\\n        x = x ^ 1\\n")') == "built"


def test_hundred_thousand_statements_in_the_source():
    assert run(f'attempt("{HEAD}    x = n\\n" + "    x = x + 1\\n" * 100000)', timeout=300) == "built"


@pytest.mark.parametrize("bounds", ["10**9", "2**70", "0, 2**62, 1", "-10**9, 10**9", "0, 10**9, 0", "0, -10**9, -1"])
@pytest.mark.parametrize("kind", ["tl.static_range", "range", "tl.range"])
def test_huge_ranges(kind, bounds):
    got = run(f'attempt("{HEAD}    x = n\\n    for i in {kind}({bounds}):\\n        x = x + 1\\n")')
    if kind == "tl.static_range":
        assert "CompilationError" in got or "built" in got


@pytest.mark.parametrize("call", ["f(n)", "g(n)", "f(f(n))"])
def test_recursion(call):
    got = run(f"""
text = '''
@triton.jit
def f(x):
    return g(x) + 1

@triton.jit
def g(x):
    return f(x) + f(x + 1)

def kernel(x_ptr, n):
    x = {call}
'''
attempt(text)
""")
    assert got.startswith("CompilationError")


@pytest.mark.parametrize("line", [
    "x = (1,) * 10**9", "x = 'a' * 10**9", "x = 10**9 * b'a'", "x = 1 << 10**9", "x = 10**10**6", "x = tl.zeros((2**40,), tl.int8)",
    "x = tl.zeros([2] * 30, tl.int8)", "x = tl.arange(0, 2**31)", "x = tl.full((1024, 2048), 0, tl.int8)",
    "x = tl.zeros([1] * 5000, tl.int8)", "x = f'{n:>{10**9}}'",
    "x = tl.sum(tl.zeros([2] * 20, tl.int8), 0)", "x = tl.constexpr(10**5000) + 0", "x: tl.constexpr = 10**5000", "x = n + 10**5000",
    "x = tl.reshape(tl.zeros([4], tl.int8), [2**63, 2])", "x = tl.permute(n, [0] * 1000)"])
def test_huge_values(line):
    run(f"attempt({'def kernel(x_ptr, n):' + chr(10) + '    ' + line + chr(10)!r})")


def test_odd_source():
    """Text that is legal in Python and rare in kernels."""
    bodies = ["    '''doc'''\n", "    'only a string'\n", "    ...\n", "    x = n; y = x; return\n", "    x = (n)\n    x: int = n\n",
              "    # nothing\n\n    return\n", "\tx = n\n\tif x > 1:\n\t\tx = 2\n", "    größe = n\n    名 = größe + 1\n",
              "    x = n if n > 1 else n if n > 2 else 3\n", "    x = \\\n        n + \\\n        1\n"]
    heads = ["x_ptr, n", "x_ptr, n, /", "x_ptr, *, n", "x_ptr, n: 'int' = 3", "\n    x_ptr,  # a comment\n    n,\n"]
    texts = [f"def kernel({heads[0]}):\n{body}" for body in bodies] + [f"def kernel({head}):\n    x = n\n" for head in heads]
    texts.append("def kernel(x_ptr, n) -> 'nothing': x = n; return\n")
    assert run(f"for text in {texts!r}: attempt(text)").splitlines() == ["built"] * len(texts)


def test_mutated_kernels(tmp_path):
    """30 seconds of random mutations of the examples' trees: typed errors only, and no crash."""
    last = tmp_path / "last.py"
    command = [sys.executable, "-X", "faulthandler", str(HERE / "frontend_fuzz.py"), "30", "11", str(last)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    kernel = last.read_text() if last.exists() else ""
    assert result.returncode == 0, f"{result.stdout[-4000:]}\n{result.stderr[-4000:]}\nlast kernel:\n{kernel}"
    assert "built" in result.stdout and "CompilationError" in result.stdout, result.stdout
