"""Launches on the metal device: text, facts, faults with the Python line, and refusals."""

import pathlib
import sys

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl

_HAS_METAL = sys.platform == "darwin" or pathlib.Path(triton._core.__file__).with_name("libsoftmetal.so").exists()
pytestmark = pytest.mark.skipif(not _HAS_METAL, reason="there is no Mac's GPU and the software Metal is not built")


@triton.jit
def shift_kernel(x_ptr, out_ptr, n, by, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets + by, mask=mask), mask=mask)


def launch(x, out, by=0, **options):
    return shift_kernel[(2,)](x, out, out.size, by, BLOCK=64, device="metal", **options)


def test_text_facts_and_result():
    x, out = np.arange(100, dtype=np.float32), np.zeros(100, np.float32)
    kernel = launch(x, out, num_warps=2)
    np.testing.assert_array_equal(out, x)
    assert list(kernel.asm.keys()) == ["ttir", "ttm", "msl", "air"]
    assert "shift_kernel" in kernel.asm["msl"] and "air.kernel" in kernel.asm["air"]
    assert kernel.metadata.facts["threads"] == 64 and kernel.metadata.target == "metal"


def test_out_of_bounds_access_names_the_python_line():
    x, out = np.arange(100, dtype=np.float32), np.zeros(100, np.float32)
    with triton.knobs.metal.scope():
        triton.knobs.metal.checked = True
        with pytest.raises(triton.DeviceFault) as caught:
            launch(x, out, by=50)
    assert "tl.load(x_ptr + offsets + by" in str(caught.value)
    assert caught.value.where["file"].endswith("test_launch_metal.py")


def test_wild_access_of_unchecked_code_is_a_fault_and_not_the_end():
    x, out = np.arange(100, dtype=np.float32), np.zeros(100, np.float32)
    with triton.knobs.metal.scope():
        triton.knobs.metal.checked = False
        with pytest.raises(triton.DeviceFault, match="memory access outside every buffer"):
            launch(x, out, by=1 << 40)
        launch(x, out)
    np.testing.assert_array_equal(out, x)


def test_negative_strides():
    """The address is that of the first element, which is not the first byte; the bounds are those of the whole array."""
    @triton.jit
    def kernel(x_ptr, out_ptr, n, stride, BLOCK: tl.constexpr):
        offsets = tl.arange(0, BLOCK)
        tl.store(out_ptr + offsets, tl.load(x_ptr + offsets * stride, mask=offsets < n), mask=offsets < n)

    x, out = np.arange(100, dtype=np.float32), np.zeros(100, np.float32)
    with triton.knobs.metal.scope():
        triton.knobs.metal.checked = True
        kernel[(1,)](x[::-1], out, 100, -1, BLOCK=128, device="metal")
        np.testing.assert_array_equal(out, x[::-1])
        with pytest.raises(triton.DeviceFault):
            kernel[(1,)](x[::-1], out, 100, 1, BLOCK=128, device="metal")


def test_fp64_is_refused():
    @triton.jit
    def kernel(x_ptr):
        tl.store(x_ptr, tl.load(x_ptr) + 1)

    with pytest.raises(triton.UnsupportedOnDevice) as caught:
        kernel[(1,)](np.zeros(1), device="metal")
    assert caught.value.device == "metal" and caught.value.remedy
