"""What we emit for the examples beside the same kernels written by hand in Metal (test/Target/MSL/ByHand), in the software Metal.

Both run on the same arrays with the same parameters. Ours must give the same result, with at most 1.1 times the memory operations,
barriers and matrix operations that are executed.
"""
import pathlib
import struct
import sys

import numpy as np
import pytest
import softmetal_native as sm

ROOT = pathlib.Path(__file__).parents[2]
THREADS = 128
pytestmark = [pytest.mark.never_refused,
              pytest.mark.skipif(sm.library_path() is None, reason="libsoftmetal is not built")]


@pytest.fixture(scope="module")
def load():
    sys.path.insert(0, str(ROOT / "examples"))
    import cases
    yield cases.load
    sys.path.remove(str(ROOT / "examples"))


def normal(*shape):
    return np.random.default_rng(3).standard_normal(shape, dtype=np.float32)


def execute(text, name, arguments, grid, pool):
    """Runs kernel `name` of `text`; arguments are arrays, whose addresses are passed, and numbers. Returns what was counted."""
    block = b""
    for value in arguments:
        if isinstance(value, np.ndarray):
            block += struct.pack("<Q", value.ctypes.data)
        else:
            block += struct.pack("<f" if isinstance(value, float) else "<i", value)
    block += bytes(-len(block) % 16)
    arrays = [value for value in arguments if isinstance(value, np.ndarray)]
    kernel = sm.Library(text=text).kernel(name, count=True)
    kernel.run({0: np.frombuffer(block, np.uint8)}, groups=grid, threads=(THREADS,), threadgroup=(pool,) if pool else (), resources=arrays)
    counted = kernel.counters
    return {"device memory": counted["deviceAccesses"], "memory": counted["deviceAccesses"] + counted["threadgroupAccesses"],
            "barriers": counted["barriers"], "matrix": counted["matrixOperations"]}


def compare(compiled, name, arguments, grid, tolerance, pool=64):
    """`compiled`: of our kernel. The last array among the arguments is the result."""
    out = [value for value in arguments if isinstance(value, np.ndarray)][-1]
    results, counts = [], []
    by_hand = (ROOT / "test" / "Target" / "MSL" / "ByHand" / f"{name}.metal").read_text()
    for text, bytes_ in ((compiled.asm["msl"], compiled.metadata.facts["threadgroup_bytes"]), (by_hand, pool)):
        out[...] = np.nan
        counts.append(execute(text, name + "_kernel", arguments, grid, bytes_))
        results.append(out.copy())
    np.testing.assert_allclose(results[0], results[1], rtol=tolerance, atol=tolerance)
    ours, theirs = counts
    assert theirs["memory"] > 0
    assert all(ours[what] <= 1.1 * theirs[what] for what in theirs), f"ours {ours}, by hand {theirs}"


def test_softmax(load):
    x, out = normal(8, 992), np.zeros((8, 992), np.float32)
    compiled = load("softmax").softmax(x, out, device="metal")
    compare(compiled, "softmax", [x, out, 992, 992, 992], (8,), 1e-6)


def test_layer_norm(load):
    x, weight, bias, out = normal(8, 992), normal(992), normal(992) + 1, np.zeros((8, 992), np.float32)
    compiled = load("layer_norm").layer_norm(x, weight, bias, out, device="metal")
    compare(compiled, "layer_norm", [x, weight, bias, out, 992, 992, 1e-5], (8,), 1e-5)


@pytest.mark.parametrize("size", [(128, 128, 128), (96, 80, 64)])
def test_matmul(load, size):
    m, n, k = size
    a, b, c = normal(m, k), normal(k, n), np.zeros((m, n), np.float32)
    compiled = load("matmul").matmul(a, b, c, device="metal")
    compare(compiled, "matmul", [a, b, c, c, m, n, k, k, n, n], (-(-m // 64), -(-n // 64)), 1e-4)


@pytest.mark.parametrize("n", [128, 96])
def test_attention(load, n):
    q, k, v = normal(2, n, 64), normal(2, n, 64) * 2, normal(2, n, 64) + 1
    out = np.zeros_like(q)
    compiled = load("attention").attention(q, k, v, out, device="metal")
    compare(compiled, "attention", [q, k, v, out, n * 64, n, 0.125], (-(-n // 64), 2), 1e-5)
