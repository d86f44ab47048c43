"""The software Metal really executes the emitted text: each barrier dropped from it is reported, and changed constants change results."""
import pathlib
import re
import sys

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl
from arrays import needs_softmetal

pytestmark = [needs_softmetal, pytest.mark.never_refused, pytest.mark.usefixtures("checked_metal")]
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
BARRIER = re.compile(r"(metal::)?threadgroup_barrier\([^;]*\);")
random = np.random.default_rng(3)


def normal(*shape):
    return random.standard_normal(shape, dtype=np.float32)


@triton.jit
def transpose_kernel(x_ptr, out_ptr, ROWS: tl.constexpr, COLS: tl.constexpr):
    rows, cols = tl.arange(0, ROWS), tl.arange(0, COLS)
    x = tl.load(x_ptr + rows[:, None] * COLS + cols[None, :])
    tl.store(out_ptr + cols[:, None] * ROWS + rows[None, :], x.T)


def example(name):
    sys.path.insert(0, str(EXAMPLES))
    try:
        return __import__(name)
    finally:
        sys.path.remove(str(EXAMPLES))


def softmax():
    module, x = example("softmax"), normal(4, 1000)
    out = np.zeros_like(x)
    return module.softmax(x, out, device="metal"), (4,), (x, out, 1000, 1000, 1000), out, module.reference(x)


def layer_norm():
    module, x, w, b = example("layer_norm"), normal(4, 1000), normal(1000), normal(1000)
    out = np.zeros_like(x)
    return (module.layer_norm(x, w, b, out, device="metal"), (4,), (x, w, b, out, 1000, 1000, 1e-5), out, module.reference(x, w, b))


def two_pass_sum():
    module, partial, out = example("sum"), normal(1000), np.zeros(1, np.float32)
    kernel = module.total_kernel[(1,)](partial, out, 1000, BLOCK=1024, device="metal")
    return kernel, (1,), (partial, out, 1000), out, partial.sum(dtype=np.float64, keepdims=True)


def attention():
    module = example("attention")
    q, k, v, out = (normal(1, 96, 32) for _ in range(4))
    kernel = module.attention(q, k, v, out, block=(16, 32), device="metal")  # half of the SIMD-groups share rows with others
    return kernel, (6, 1), (q, k, v, out, 96 * 32, 96, 32**-0.5), out, module.reference(q, k, v, False)


def transposition():
    x = normal(64, 32)
    out = np.zeros((32, 64), np.float32)
    return transpose_kernel[(1,)](x, out, ROWS=64, COLS=32, device="metal"), (1,), (x, out), out, x.T


CASES = [softmax, layer_norm, two_pass_sum, attention, transposition]  # four kernels of the demo and one that moves data


def launch(kernel, grid, arguments):
    """Launches with the run-time arguments that the compiled kernel kept: those equal to one became constants."""
    kernel[grid](*arguments[:len(kernel.signature.params)])


@pytest.mark.parametrize("case", CASES)
def test_each_dropped_barrier_is_reported(case):
    kernel, grid, arguments, out, expected = case()
    text = kernel.asm["msl"]
    barriers = list(BARRIER.finditer(text))
    assert barriers, "the kernel exchanges nothing through threadgroup memory"
    out[...] = 0
    launch(kernel.with_msl(text), grid, arguments)  # complete, it is silent and right
    np.testing.assert_allclose(out, expected, rtol=1e-3, atol=1e-4)
    for barrier in barriers:
        with pytest.raises(triton.DeviceFault, match="race|before it is written"):
            launch(kernel.with_msl(text[:barrier.start()] + text[barrier.end():]), grid, arguments)


@pytest.mark.parametrize("case", CASES)
def test_changing_a_constant_changes_the_result(case):
    kernel, grid, arguments, out, expected = case()
    text = kernel.asm["msl"]
    body = text.index(") {", text.index("[[kernel"))
    for number in re.finditer(r"(?<![\w.])(\d+)(\.\d+f|u)?(?![\w.])", text[body:]):
        at = body + number.start()
        line = text[text.rfind("\n", 0, at):text.find("\n", at)]
        if "[[" in line or "for (" in line or "barrier" in line:
            continue
        new = text[:at] + str(int(number[1]) + 1) + text[at + len(number[1]):]
        out[...] = 0
        try:
            launch(kernel.with_msl(new), grid, arguments)
        except triton.errors.InternalCompilerError:
            continue
        except triton.DeviceFault:
            pass  # a check saw what is wrong now; what could be written was
        if not np.allclose(out, expected, rtol=1e-3, atol=1e-4):
            return
    pytest.fail("no constant of the text matters")


def test_only_metal_has_text():
    x, out = normal(2, 16), np.zeros((2, 16), np.float32)
    kernel = example("softmax").softmax(x, out, device="cpu")
    with pytest.raises(triton.UnsupportedOnDevice, match="with_msl"):
        kernel.with_msl("")
