"""The CPU device's math functions against mpmath: ulp bounds on dense samples, and every special value.

The generated loop goes through triton-metal-codegen to an object, is linked with lld and called through ctypes.
"""
import ctypes
import math
import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

mpmath = pytest.importorskip("mpmath")

BUILD = pathlib.Path(os.environ.get("TRITON_METAL_BUILD_DIR", pathlib.Path(__file__).parents[2] / "build"))
CODEGEN = BUILD / "bin" / "triton-metal-codegen"
LLD = shutil.which("ld.lld-22") or shutil.which("ld.lld")
pytestmark = pytest.mark.skipif(not CODEGEN.exists() or not LLD, reason="needs triton-metal-codegen and lld")

# Op of the math dialect, bound in ulp for f32 and f64, ranges to sample (uniform), and mpmath's function.
UNARY = {
    "exp": (2, 2, [(-104, 89), (-1, 1)], [(-745, 710), (-1, 1)], mpmath.exp),
    "exp2": (2, 2, [(-150, 128), (-1, 1)], [(-1075, 1024), (-1, 1)], lambda x: mpmath.mpf(2) ** x),
    "expm1": (3, 3, [(-20, 89), (-1, 1), (-1e-3, 1e-3)], [(-40, 709), (-1, 1), (-1e-6, 1e-6)], mpmath.expm1),
    "log": (2, 2, [(0, 10), (0.9, 1.1), (0, 1e30)], [(0, 10), (0.9, 1.1), (0, 1e300)], mpmath.log),
    "log2": (2, 2, [(0, 10), (0.9, 1.1), (0, 1e30)], [(0, 10), (0.9, 1.1), (0, 1e300)], lambda x: mpmath.log(x, 2)),
    "log10": (3, 3, [(0, 10), (0.9, 1.1), (0, 1e30)], [(0, 10), (0.9, 1.1), (0, 1e300)], mpmath.log10),
    "log1p": (4, 4, [(-1, 10), (-0.1, 0.1), (0, 1e30)], [(-1, 10), (-0.1, 0.1), (0, 1e300)], mpmath.log1p),
    "sin": (2, 2, [(-7, 7), (-30000, 30000), (-1e30, 1e30)], [(-7, 7), (-500000, 500000), (-1e300, 1e300)], mpmath.sin),
    "cos": (2, 2, [(-7, 7), (-30000, 30000), (-1e30, 1e30)], [(-7, 7), (-500000, 500000), (-1e300, 1e300)], mpmath.cos),
    "tan": (4, 4, [(-7, 7), (-30000, 30000), (-1e30, 1e30)], [(-7, 7), (-500000, 500000), (-1e300, 1e300)], mpmath.tan),
    "atan": (3, 3, [(-10, 10), (-1, 1), (-1e6, 1e6)], [(-10, 10), (-1, 1), (-1e6, 1e6)], mpmath.atan),
    "asin": (3, 3, [(-1, 1)], [(-1, 1)], mpmath.asin),
    "acos": (3, 3, [(-1, 1)], [(-1, 1)], mpmath.acos),
    "sinh": (4, 4, [(-89.4, 89.4), (-1, 1)], [(-710, 710), (-1, 1)], mpmath.sinh),
    "cosh": (4, 4, [(-89.4, 89.4), (-1, 1)], [(-710, 710), (-1, 1)], mpmath.cosh),
    "tanh": (4, 4, [(-10, 10), (-1, 1)], [(-20, 20), (-1, 1)], mpmath.tanh),
    "erf": (3, 3, [(-4.5, 4.5), (-1, 1)], [(-6.5, 6.5), (-1, 1)], mpmath.erf),
    "rsqrt": (2, 2, [(0, 10), (0, 1e30)], [(0, 10), (0, 1e300)], lambda x: 1 / mpmath.sqrt(x)),
}
DTYPES = {"f32": np.float32, "f64": np.float64}


@pytest.fixture(scope="module")
def compile_op(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vector_math")
    made = {}

    def build(op, dtype, operands=1, lanes=8):
        key = (op, dtype, lanes)
        if key in made:
            return made[key]
        names = ["%a", "%b"][:operands]
        vector = f"vector<{lanes}x{dtype}>"
        loads = "\n".join(f"    {n}v = vector.load {n}[%i] : memref<?x{dtype}>, {vector}" for n in names)
        args = ", ".join(f"{n}: memref<?x{dtype}>" for n in names + ["%out"])
        text = f"""
func.func @f({args}, %n: index) {{
  %zero = arith.constant 0 : index
  %step = arith.constant {lanes} : index
  scf.for %i = %zero to %n step %step {{
{loads}
    %r = math.{op} {", ".join(n + "v" for n in names)} : {vector}
    vector.store %r, %out[%i] : memref<?x{dtype}>, {vector}
  }}
  return
}}"""
        stem = folder / f"{op}_{dtype}_{lanes}"
        subprocess.run([CODEGEN, "-", "--lower", "--emit=obj", "-o", f"{stem}.o"], input=text, text=True, check=True)
        subprocess.run([LLD, "-shared", "-o", f"{stem}.so", f"{stem}.o"], check=True)
        function = ctypes.CDLL(f"{stem}.so").f

        def call(*arrays):
            size = -(-arrays[0].size // lanes) * lanes
            padded = [np.resize(np.ascontiguousarray(x, DTYPES[dtype]), size) for x in arrays]
            out = np.empty(size, DTYPES[dtype])
            params = []
            for x in [*padded, out]:
                params += [ctypes.c_void_p(x.ctypes.data)] * 2 + [ctypes.c_int64(v) for v in (0, size, 1)]
            function(*params, ctypes.c_int64(size))
            return out[:arrays[0].size]

        made[key] = call
        return call

    return build


def ulp_error(got, exact, dtype):
    """Distance in units of the last place of the exact value, both in multiple precision."""
    info = np.finfo(DTYPES[dtype])
    if mpmath.isnan(exact):
        return 0 if math.isnan(got) else math.inf
    if math.isnan(got):
        return math.inf
    precision = info.nmant + 1
    least = mpmath.ldexp(1, info.minexp - info.nmant)
    unit = least if exact == 0 else max(least, mpmath.ldexp(1, mpmath.frexp(exact)[1] - precision))
    if math.isinf(got):
        limit = mpmath.mpf(float(info.max)) + mpmath.ldexp(1, info.maxexp - precision - 1)
        return 0 if abs(exact) >= limit * (1 - mpmath.ldexp(4, -precision)) and (got > 0) == (exact > 0) else math.inf
    return float(abs(mpmath.mpf(float(got)) - exact) / unit)


def samples(ranges, dtype, count, seed):
    random = np.random.default_rng(seed)
    parts = [random.uniform(low, high, count) for low, high in ranges]
    # and all magnitudes: random bit patterns of finite values inside the outermost range
    bits = np.uint32 if dtype == "f32" else np.uint64
    patterns = random.integers(0, np.iinfo(bits).max, count, dtype=bits, endpoint=True).view(DTYPES[dtype])
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    patterns = patterns[np.isfinite(patterns)]
    with np.errstate(over="ignore"):
        return np.concatenate([*[p.astype(DTYPES[dtype]) for p in parts], patterns[(patterns >= low) & (patterns <= high)]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", UNARY)
def test_ulp(op, dtype, compile_op):
    bound32, bound64, ranges32, ranges64, exact = UNARY[op]
    x = samples(ranges32 if dtype == "f32" else ranges64, dtype, int(os.environ.get("TRITON_METAL_SAMPLES", 1500)), 1)
    got = compile_op(op, dtype)(x)
    # mpmath raises its precision by the exponent for trigonometric functions on its own.
    with mpmath.workprec(160):
        errors = [ulp_error(g, exact(mpmath.mpf(float(v))), dtype) for v, g in zip(x, got)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= (bound32 if dtype == "f32" else bound64), f"{op}({x[worst]!r}) = {got[worst]!r}: {errors[worst]} ulp"


def same(got, expected):
    return (math.isnan(got) and math.isnan(expected)) or (got == expected and math.copysign(1, got) == math.copysign(1, expected))


INF, NAN = math.inf, math.nan
SPECIAL = {
    "exp": [(0.0, 1), (-0.0, 1), (INF, INF), (-INF, 0.0), (NAN, NAN), (1e6, INF), (-1e6, 0.0)],
    "exp2": [(0.0, 1), (INF, INF), (-INF, 0.0), (NAN, NAN), (10.0, 1024), (-3.0, 0.125), (1e6, INF), (-1e6, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1), (NAN, NAN), (1e6, INF), (-1e6, -1), (1e-40, 1e-40)],
    "log": [(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (-INF, NAN), (NAN, NAN)],
    "log2": [(1.0, 0.0), (8.0, 3), (0.125, -3), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (NAN, NAN)],
    "log10": [(1.0, 0.0), (0.0, -INF), (-1.0, NAN), (INF, INF), (NAN, NAN)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-2.0, NAN), (INF, INF), (NAN, NAN), (1e-40, 1e-40)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (1e-40, 1e-40)],
    "cos": [(0.0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (NAN, NAN)],
    "atan": [(0.0, 0.0), (-0.0, -0.0), (NAN, NAN)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (2.0, NAN), (NAN, NAN)],
    "acos": [(1.0, 0.0), (-2.0, NAN), (NAN, NAN)],
    "sinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN), (1e-40, 1e-40)],
    "cosh": [(0.0, 1), (INF, INF), (-INF, INF), (NAN, NAN)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (NAN, NAN), (1e-40, 1e-40)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (NAN, NAN)],
    "rsqrt": [(4.0, 0.5), (0.0, INF), (-0.0, -INF), (INF, 0.0), (-1.0, NAN), (NAN, NAN)],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", SPECIAL)
def test_special_values(op, dtype, compile_op):
    x = np.array([v for v, _ in SPECIAL[op]], DTYPES[dtype])
    got = compile_op(op, dtype)(x)
    for value, result, (_, expected) in zip(x, got, SPECIAL[op]):
        expected = float(DTYPES[dtype](expected))
        assert same(float(result), expected), f"{op}({value!r}) = {result!r}, expected {expected!r}"


EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, INF, -INF, NAN, 1e-30, 1e30, 0.75]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op,numpy_op", [("powf", np.power), ("atan2", np.arctan2)])
def test_binary_edges(op, numpy_op, dtype, compile_op):
    a, b = (x.ravel() for x in np.meshgrid(np.array(EDGES, DTYPES[dtype]), np.array(EDGES, DTYPES[dtype])))
    got = compile_op(op, dtype, 2)(a, b)
    with np.errstate(all="ignore"):
        expected = numpy_op(a.astype(np.float64), b.astype(np.float64)).astype(DTYPES[dtype])
    for x, y, g, e in zip(a, b, got, expected):
        close = np.isfinite(g) and np.isfinite(e) and e != 0 and abs(g / e - 1) < 4 * np.finfo(DTYPES[dtype]).eps
        assert close or same(float(g), float(e)), f"{op}({x!r}, {y!r}) = {g!r}, expected {e!r}"


@pytest.mark.parametrize("dtype,bound", [("f32", 1), ("f64", 2)])
def test_pow_ulp(dtype, bound, compile_op):
    random = np.random.default_rng(3)
    count = int(os.environ.get("TRITON_METAL_SAMPLES", 1500))
    limit = 80 if dtype == "f32" else 700
    x = np.exp(random.uniform(-20, 20, count)).astype(DTYPES[dtype])
    y = (random.uniform(-limit, limit, count) / np.maximum(np.abs(np.log(x)), 1e-3)).astype(DTYPES[dtype])
    near = 1 + random.uniform(-1e-3, 1e-3, count)
    x = np.concatenate([x, near.astype(DTYPES[dtype])])
    y = np.concatenate([y, (random.uniform(-limit, limit, count) * 900).astype(DTYPES[dtype])])
    got = compile_op("powf", dtype, 2)(x, y)
    with mpmath.workprec(200):
        errors = [ulp_error(g, mpmath.mpf(float(v)) ** mpmath.mpf(float(w)), dtype) for v, w, g in zip(x, y, got)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= bound, f"{x[worst]!r} ** {y[worst]!r} = {got[worst]!r}: {errors[worst]} ulp"


@pytest.mark.parametrize("dtype", DTYPES)
def test_atan2_ulp(dtype, compile_op):
    random = np.random.default_rng(4)
    a, b = (random.uniform(-3, 3, 2000).astype(DTYPES[dtype]) for _ in range(2))
    got = compile_op("atan2", dtype, 2)(a, b)
    with mpmath.workprec(160):
        errors = [ulp_error(g, mpmath.atan2(float(v), float(w)), dtype) for v, w, g in zip(a, b, got)]
    assert max(errors) <= 4, max(errors)


@pytest.mark.parametrize("lanes", [1, 2, 4, 16, 32])
def test_any_width_gives_the_same_bits(lanes, compile_op):
    x = np.random.default_rng(5).uniform(-40, 40, 1000).astype(np.float32)
    for op in ("exp", "sin", "erf"):
        assert np.array_equal(compile_op(op, "f32")(x), compile_op(op, "f32", lanes=lanes)(x))
