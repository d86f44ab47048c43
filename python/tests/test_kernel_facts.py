"""KernelFacts: what `.metadata.facts` says of a kernel for metal, beside what can be counted by hand."""
import pathlib
import sys

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl

pytestmark = pytest.mark.never_refused


def example(name):
    path = str(pathlib.Path(__file__).parents[2] / "examples")
    sys.path.insert(0, path)
    try:
        return __import__(name)
    finally:
        sys.path.remove(path)


def zeros(*shape):
    return np.zeros(shape, np.float32)


def test_softmax():
    facts = example("softmax").softmax(zeros(2, 992), zeros(2, 992), device="metal").metadata.facts
    # 8 elements a lane, as two vectors each way; each of the two reductions is one SIMD function, a barrier, and two shuffles.
    assert facts["threads"] == 128 and facts["threadgroup_bytes"] == 32 and facts["barriers"] == 2
    assert facts["simd_operations"] == 6 and facts["matrix_operations"] == 0 and facts["atomics"] == 0
    assert facts["device_loads"] == 2 and facts["device_stores"] == 2
    assert facts["bytes_per_program"] == 2 * 4 * 1024
    # Maximum, difference, exponential, sum and quotient for each element, and what combines lanes.
    assert 5 * 1024 <= facts["operations_per_program"] <= 5 * 1024 + 8 * 128
    assert 16 <= facts["estimated_registers"] <= 48


def test_matmul():
    facts = example("matmul").matmul(zeros(128, 128), zeros(128, 128), zeros(128, 128), device="metal").metadata.facts
    # 64x64x32 over 4 SIMD-groups of 32x32: 4x4 fragments of the result, 4 steps of 8 along K. The loop over K hides the totals.
    assert facts["matrix_operations"] == 4 * 4 * 4 and facts["barriers"] == 0 and facts["threadgroup_bytes"] == 0
    assert facts["device_loads"] == 4 * (4 + 4) and facts["device_stores"] == 4 * 4
    assert facts["bytes_per_program"] is None and facts["operations_per_program"] is None
    assert 2 * 2 * 8 < facts["estimated_registers"] <= 96


def test_one_product():
    @triton.jit
    def kernel(a_ptr, b_ptr, c_ptr, N: tl.constexpr):
        places = tl.arange(0, N)[:, None] * N + tl.arange(0, N)[None, :]
        tl.store(c_ptr + places, tl.dot(tl.load(a_ptr + places), tl.load(b_ptr + places)))

    facts = kernel[(1,)](zeros(32, 32), zeros(32, 32), zeros(32, 32), N=32, num_warps=1, device="metal").metadata.facts
    assert facts["threads"] == 32 and facts["matrix_operations"] == 4 ** 3
    assert facts["operations_per_program"] == 2 * 32 ** 3 and facts["bytes_per_program"] >= 3 * 4 * 32 * 32


def test_atomics():
    @triton.jit
    def kernel(x_ptr, out_ptr, N: tl.constexpr):
        tl.atomic_add(out_ptr + tl.arange(0, N) % 4, tl.load(x_ptr + tl.arange(0, N)))
        tl.atomic_xchg(out_ptr + 4, 1.0)

    facts = kernel[(1,)](zeros(256), zeros(8), N=256, num_warps=4, device="metal").metadata.facts
    assert facts["atomics"] == 2 + 1
